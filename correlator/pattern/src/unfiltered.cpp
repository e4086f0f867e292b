// SPDX-License-Identifier: Apache-2.0
#include "unfiltered.h"

#include <algorithm>

#include "regex_impl.h"
#include "stopwatch.h"
#include "syntax.h"

namespace correlator::pattern {

Unfiltered::Unfiltered(const std::vector<Regex>& regexes, std::vector<std::uint32_t> patterns,
                       std::int64_t memory)
    : patterns_(std::move(patterns)) {
  std::vector<std::string> texts;
  for (const std::uint32_t pattern : patterns_) {
    const Regex& regex = regexes[pattern];
    const std::string weaker = without_assertions(regex.pattern());
    auto compiled = Regex::compile(weaker, regex.options());
    if (!compiled.ok() || !regex.options().latin1) {
      always_.push_back(pattern);
      continue;
    }
    set_members_.push_back(pattern);
    loop_.push_back(*compiled);
    // The set has one case for all; the flag goes into the pattern.
    texts.push_back((regex.options().case_sensitive ? "" : "(?i)") + with_re2_names(weaker));
  }
  if (texts.empty()) return;
  re2::RE2::Options options = re2_options({});
  options.set_max_mem(memory);
  set_ = std::make_unique<re2::RE2::Set>(options, re2::RE2::UNANCHORED);
  for (const std::string& text : texts) {
    if (set_->Add(text, nullptr) < 0) {
      set_.reset();
      return;
    }
  }
  if (!set_->Compile()) set_.reset();
}

std::int64_t Unfiltered::measure_alone(std::string_view text, Costs& costs) const {
  std::int64_t all = 0;
  for (std::size_t i = 0; i < loop_.size(); ++i) {
    std::int64_t took = 0;
    {
      const Stopwatch watch(&took);
      static_cast<void>(loop_[i].matches(text));
    }
    costs.of[set_members_[i]].alone_ns += took;
    all += took;
  }
  return all;
}

bool Unfiltered::find(std::string_view text, std::vector<int>& found, std::vector<std::uint32_t>& out) const {
  const std::size_t start = out.size();
  out.insert(out.end(), always_.begin(), always_.end());
  bool failed = !set_members_.empty();
  if (failed && set_usable()) {
    found.clear();
    re2::RE2::Set::ErrorInfo error{re2::RE2::Set::kNoError};
    set_->Match(piece(text), &found, &error);
    failed = error.kind != re2::RE2::Set::kNoError;
    if (failed) {
      failures_.fetch_add(1, std::memory_order_relaxed);
    } else {
      for (const int member : found) out.push_back(set_members_[static_cast<std::size_t>(member)]);
    }
  }
  if (failed) {
    for (std::size_t i = 0; i < loop_.size(); ++i) {
      if (loop_[i].matches(text)) out.push_back(set_members_[i]);
    }
  }
  std::sort(out.begin() + static_cast<std::ptrdiff_t>(start), out.end());
  return failed;
}

}  // namespace correlator::pattern
