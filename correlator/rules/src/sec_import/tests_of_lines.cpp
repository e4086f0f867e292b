// SPDX-License-Identifier: Apache-2.0
// Conditions on lines: of patterns, of contexts, and what becomes of them together.
#include <fmt/format.h>

#include "importer.h"
#include "pattern/regex.h"

namespace correlator::rules::sec {
namespace {

bool alone(const std::string& text) { return text.starts_with("not (") || text.find(" and ") == std::string::npos; }

LineTest constant(bool holds) {
  LineTest out;
  out.never = !holds;
  return out;
}

LineTest impossible(std::string why) {
  LineTest out;
  out.obstacle = std::move(why);
  return out;
}

// Of the pattern alone.
LineTest pattern_of(const LinePattern& pattern) {
  if (pattern.lines > 1) return impossible("its pattern looks at several lines");
  LineTest out;
  switch (pattern.type) {
    case LinePattern::Type::truth: return constant(pattern.truth);
    case LinePattern::Type::code: return impossible("its pattern is code");
    case LinePattern::Type::cached: return impossible("its pattern asks for the match cache");
    case LinePattern::Type::substring: out.regexp = as_regexp(pattern.text); break;
    case LinePattern::Type::regexp:
      if (!pattern.regexp || pattern.regexp->scannable() == nullptr) return impossible("its pattern needs backtracking");
      out.regexp = in_ascii(pattern.regexp->scannable()->pattern());
      out.regexp = with_names(out.regexp, groups_of(out.regexp), {});
      break;
  }
  if (out.regexp.empty()) return constant(!pattern.negated);  // an empty text is in every line
  out.text = pattern_test(out.regexp);
  return pattern.negated ? negated(out) : out;
}

}  // namespace

LineTest negated(LineTest test) {
  if (!test.obstacle.empty()) return test;
  if (test.never || test.always()) return constant(test.never);
  const std::string text = test.opposite.empty() ? "not (" + test.text + ")" : test.opposite;
  const std::string regexp = test.opposite_regexp;
  test.opposite = test.opposite.empty() ? test.text : std::string();
  test.opposite_regexp = test.opposite.empty() ? std::string() : test.regexp;
  test.text = text;
  test.regexp = regexp;
  return test;
}

LineTest both(LineTest a, LineTest b) {
  if (a.never || b.always()) return a;
  if (b.never || a.always()) return b;
  if (!a.obstacle.empty() || !b.obstacle.empty()) return a.obstacle.empty() ? b : a;
  const auto closed = [](const std::string& text) { return alone(text) && text.find(" or ") == std::string::npos ? text : "(" + text + ")"; };
  a.text = closed(a.text) + " and " + closed(b.text);
  a.regexp.clear();
  a.opposite.clear();
  a.opposite_regexp.clear();
  a.contexts.insert(b.contexts.begin(), b.contexts.end());
  return a;
}

LineTest either(LineTest a, LineTest b) { return negated(both(negated(std::move(a)), negated(std::move(b)))); }

LineTest Importer::condition_of(const procedure::Condition& condition, MatchNames* names) const {
  using Kind = procedure::Condition::Kind;
  switch (condition.kind) {
    case Kind::negation: return negated(condition_of(condition.parts.front(), names));
    case Kind::all: return both(condition_of(condition.parts[0], names), condition_of(condition.parts[1], names));
    case Kind::any: return either(condition_of(condition.parts[0], names), condition_of(condition.parts[1], names));
    case Kind::entry: return impossible("it asks for the match cache");
    case Kind::values: case Kind::entries: case Kind::source: return impossible("it asks code");
    case Kind::context: break;
  }
  for (const char* of_sec : {"SEC_INTERNAL_EVENT", "_INTERNAL_EVENT", "_FILE_EVENT_"}) {
    if (condition.text.starts_with(of_sec)) return impossible("it asks for " + condition.text + ", which only SEC sets");
  }
  if (std::string why = contexts_.obstacle(condition.text); !why.empty()) return impossible(std::move(why));
  if (!contexts_.created(condition.text)) return constant(false);
  TextScope scope;
  scope.dollar = names;
  const bool unknown = names == nullptr && condition.text.find('$') != std::string::npos;
  const CarriedText name = carry_text(condition.text, scope);
  if (unknown || !name.obstacle.empty()) return impossible("its context has a value of the line in its name");
  LineTest out;
  out.text = fmt::format("context('sec', {})", as_expression(name));
  out.contexts.insert(condition.text);
  return out;
}

LineTest Importer::guard_of(const procedure::Guard& guard, MatchNames* names) const {
  return guard.condition ? condition_of(*guard.condition, guard.before_pattern ? nullptr : names) : LineTest{};
}

LineTest Importer::match_of(const Member& member) const { return both(pattern_of(member.pattern), guard_of(member.guard, nullptr)); }

// Whether the rule takes a line. Of a pair, whether the first half does.
LineTest Importer::match_of(const ProcedureRule& rule) const {
  if (rule.type != RuleType::group) return match_of(rule.members.front());
  LineTest out = constant(false), before;  // of several patterns the first that matches counts
  for (const Member& member : rule.members) {
    const LineTest one = match_of(member);
    if (member.then.how != procedure::Continue::How::next) out = either(out, both(before, one));
    before = both(before, negated(one));
  }
  return out;
}

}  // namespace correlator::rules::sec
