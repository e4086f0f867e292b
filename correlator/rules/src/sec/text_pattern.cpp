// SPDX-License-Identifier: Apache-2.0
#include "rules/text_pattern.h"

#include "backtrack/regex.h"
#include "pattern/regex.h"
#include "perl_regex.h"

namespace correlator::rules {

Result<TextPattern> TextPattern::compile(std::string_view perl, std::uint32_t lines, bool may_backtrack) {
  TextPattern out;
  sec::Rewritten rewritten = sec::to_re2(perl, lines);
  std::string re2_says = rewritten.obstacle;
  if (rewritten.obstacle.empty()) {
    auto fast = pattern::Regex::compile(rewritten.text);
    if (fast) {
      out.fast_ = std::make_shared<const pattern::Regex>(*std::move(fast));
      return out;
    }
    re2_says = fast.error().message;
  }
  const sec::Rewritten spelled = sec::to_pcre2(perl);
  if (!spelled.obstacle.empty()) return make_error("E082", spelled.obstacle);
  auto slow = may_backtrack ? backtrack::Regex::compile(spelled.text) : Result<backtrack::Regex>(make_error("E083", ""));
  if (!slow) {
    Diagnostic d = slow.error();
    if (d.code == "E083") {
      d.message = "the pattern needs a backtracking matcher, which this build lacks: " + re2_says;
      d.hint = "write it without (compare two groups in context=, say what shall not match with context= !…), or install libpcre2-dev and build again";
    }
    return d;
  }
  out.slow_ = std::make_shared<const backtrack::Regex>(*std::move(slow));
  out.reason_ = std::move(re2_says);
  return out;
}

bool TextPattern::match(std::string_view text, std::vector<std::string_view>& groups) const {
  if (fast_ != nullptr) return fast_->match(text, groups);
  return slow_->match(text, groups) == backtrack::Regex::Outcome::match;
}

std::size_t TextPattern::group_count() const { return fast_ != nullptr ? fast_->group_count() : slow_->group_count(); }

const std::vector<std::string>& TextPattern::group_names() const {
  return fast_ != nullptr ? fast_->group_names() : slow_->group_names();
}

}  // namespace correlator::rules
