// SPDX-License-Identifier: Apache-2.0
#include "pipeline/module_counts.h"

#include <algorithm>

namespace correlator::pipeline {
namespace {

constexpr std::string_view kField = ",\"inputname\":\"";
constexpr std::size_t kNearTheBeginning = 1024;  // id, times, host and address come before it
constexpr std::string_view kOther = "other";

}  // namespace

std::string_view module_of(std::string_view frame) {
  if (!frame.starts_with('{')) return {};
  const std::size_t at = frame.substr(0, kNearTheBeginning).find(kField);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = frame.substr(at + kField.size());
  // One character more than a name may have, so that a longer one is known as such.
  const std::size_t end = rest.substr(0, ModuleCounts::kLongestName + 1).find('"');
  return end == std::string_view::npos ? rest.substr(0, ModuleCounts::kLongestName + 1) : rest.substr(0, end);
}

void ModuleCounts::count(std::string_view frame) {
  const std::string_view name = module_of(frame);
  if (!name.empty()) ++of(name);
}

std::uint64_t& ModuleCounts::of(std::string_view name) {
  if (name.size() > kLongestName) name = kOther;
  if (last_ < counts_.size() && counts_[last_].first == name) return counts_[last_].second;
  const auto find = [&] { return std::find_if(counts_.begin(), counts_.end(), [&](const auto& one) { return one.first == name; }); };
  auto found = find();
  if (found == counts_.end() && counts_.size() >= kMostNames) {
    name = kOther;
    found = find();
  }
  if (found == counts_.end()) found = counts_.emplace(counts_.end(), name, 0);
  last_ = static_cast<std::size_t>(found - counts_.begin());
  return found->second;
}

}  // namespace correlator::pipeline
