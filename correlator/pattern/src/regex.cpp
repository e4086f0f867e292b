// SPDX-License-Identifier: Apache-2.0
#include "pattern/regex.h"

#include <array>

#include "regex_error.h"
#include "regex_impl.h"
#include "syntax.h"

namespace correlator::pattern {

re2::RE2::Options re2_options(const Regex::Options& options) {
  re2::RE2::Options out;
  out.set_log_errors(false);
  out.set_encoding(options.latin1 ? re2::RE2::Options::EncodingLatin1 : re2::RE2::Options::EncodingUTF8);
  out.set_case_sensitive(options.case_sensitive);
  return out;
}

Result<Regex> Regex::compile(std::string_view pattern, Options options) {
  const std::string rewritten = with_re2_names(pattern);
  auto impl = std::make_shared<Impl>();
  int id = -1;
  const std::string safe = options.latin1 ? with_safe_prefix(rewritten) : rewritten;
  if (impl->filter.Add(safe, re2_options(options), &id) != re2::RE2::NoError) {
    return pattern_error(pattern, rewritten, options);
  }
  const bool repeated = impl->filter.GetRE2(id).NumberOfCapturingGroups() > 1;
  if (auto wrong = repeated ? name_error(pattern) : std::nullopt) return *std::move(wrong);
  impl->text = pattern;
  impl->options = options;
  impl->program = &impl->filter.GetRE2(id);
  impl->names.resize(static_cast<std::size_t>(impl->program->NumberOfCapturingGroups()) + 1);
  for (const auto& [index, name] : impl->program->CapturingGroupNames()) {
    impl->names[static_cast<std::size_t>(index)] = name;
  }
  return Regex(std::move(impl));
}

bool Regex::matches(std::string_view text) const {
  return impl_->program->Match(piece(text), 0, text.size(), re2::RE2::UNANCHORED, nullptr, 0);
}

bool Regex::match(std::string_view text, std::vector<std::string_view>& groups) const {
  if (text.data() == nullptr) text = std::string_view("", 0);  // else an empty group would look like no group
  const std::size_t count = impl_->names.size();
  std::array<re2::StringPiece, 24> few;
  std::vector<re2::StringPiece> many;
  if (count > few.size()) many.resize(count);
  re2::StringPiece* found = many.empty() ? few.data() : many.data();
  groups.clear();
  if (!impl_->program->Match(piece(text), 0, text.size(), re2::RE2::UNANCHORED, found,
                             static_cast<int>(count))) {
    return false;
  }
  for (std::size_t i = 0; i < count; ++i) groups.emplace_back(found[i].data(), found[i].size());
  return true;
}

std::size_t Regex::group_count() const {
  return impl_->names.size() - 1;
}
const std::vector<std::string>& Regex::group_names() const {
  return impl_->names;
}
const std::string& Regex::pattern() const {
  return impl_->text;
}
const Regex::Options& Regex::options() const {
  return impl_->options;
}

}  // namespace correlator::pattern
