// SPDX-License-Identifier: Apache-2.0
// context=: names of contexts, ! && || ( ), varset, and code behind ->, :> or =.
#include <algorithm>

#include "field_test.h"
#include "parts.h"

namespace correlator::rules::sec {
namespace {

class ConditionReader {
 public:
  ConditionReader(Reading& reading, const Field& field) : reading_(reading), field_(field) {}

  // Operands from left to right. One thing is not as the manual says but as sec does it: in X || B && C the || counts as
  // && and C is not looked at. Files that run today depend on it, so it is kept, and said.
  std::optional<Condition> read(Slice text) {
    std::vector<Slice> operands;
    std::vector<bool> joins;  // && stands behind operand i
    for (;;) {
      const std::size_t either = find_outside(text.text, "||"), both = find_outside(text.text, "&&");
      const std::size_t at = std::min(either, both);
      if (at >= kUnbalanced) break;
      operands.push_back(text.part(0, at));
      joins.push_back(both < either);
      text = text.part(at + 2);
    }
    operands.push_back(text);
    auto left = negation(operands.front().trimmed());
    for (std::size_t i = 0; left && i < joins.size(); ++i) {
      auto right = negation(operands[i + 1].trimmed());
      if (!right) return std::nullopt;
      const bool swallows = !joins[i] && i + 1 < joins.size() && joins[i + 1];
      left = joined(joins[i] || swallows ? Condition::Kind::all : Condition::Kind::any, *std::move(left), *std::move(right));
      if (!swallows) continue;
      const Slice lost = operands[++i + 1].trimmed();
      if (!negation(lost)) return std::nullopt;
      reading_.warn(field_, lost.offset, lost.text.size(), "sec does not look at this operand, and takes the || before for &&",
                    "write parentheses: A || (B && C)");
      reading_.said.back().code = "W025";
    }
    return left;
  }

 private:
  std::nullopt_t wrong(Slice at, std::string message, std::string hint = {}) {
    reading_.error(field_, at.offset, at.text.size(), std::move(message), std::move(hint));
    return std::nullopt;
  }

  static Condition joined(Condition::Kind kind, Condition left, Condition right) {
    Condition out;
    out.kind = kind;
    out.parts.push_back(std::move(left));
    out.parts.push_back(std::move(right));
    return out;
  }

  std::optional<Condition> negation(Slice text) {
    if (text.empty()) return wrong(text, "an operand is missing here", "an operand is the name of a context, varset NAME, or code");
    if (text.text.front() == '!') {
      auto part = negation(text.part(1).trimmed());
      if (!part) return std::nullopt;
      Condition out;
      out.kind = Condition::Kind::negation;
      out.parts.push_back(*std::move(part));
      return out;
    }
    if (text.text.front() == '(' && closing(text.text) == text.text.size() - 1) return read(text.part(1, text.text.size() - 2));
    return operand(text);
  }

  std::optional<Condition> operand(Slice text) {
    Condition out;
    if (text.text.front() == '=') {
      out.kind = Condition::Kind::source;
      const Slice body = text.part(1).trimmed();
      out.text = unwrapped(body.text);
      out.constant = out.text.find('$') == std::string::npos;
      if (!reading_.code(field_, body.offset, "sub { 1 }")) return std::nullopt;  // made when it runs
      return out;
    }
    const std::size_t values = find_outside(text.text, "->"), entries = find_outside(text.text, ":>");
    if (values < kUnbalanced || entries < kUnbalanced) return call(text, std::min(values, entries), entries < values);
    Slice rest = text;
    const Slice first = rest.take_word();
    if (rest.empty()) {
      if (first.text.front() == '(') return wrong(text, "something stands behind a parenthesis", "write && or || between operands");
      return named(Condition::Kind::context, first);
    }
    const Slice second = rest.take_word();
    if (first.text == "varset" && rest.empty()) return named(Condition::Kind::entry, second);
    return wrong(text, "this is no operand: a name of a context holds no blanks", "write && or || between names, or varset NAME for an entry of the match cache");
  }

  std::optional<Condition> named(Condition::Kind kind, Slice name) {
    if (has_parenthesis(name.text)) {
      return wrong(name, "a parenthesis inside a name", "write \\( and \\) where they belong to the name");
    }
    Condition out;
    out.kind = kind;
    out.text = unwrapped(name.text);
    out.constant = out.text.find_first_of("$%") == std::string::npos;
    return out;
  }

  std::optional<Condition> call(Slice text, std::size_t at, bool by_entry) {
    Condition out;
    out.kind = by_entry ? Condition::Kind::entries : Condition::Kind::values;
    for (Slice rest = text.part(0, at).trimmed(); !rest.empty();) {
      const std::string word = unwrapped(rest.take_word().text);
      out.constant = out.constant && word.find_first_of("$%") == std::string::npos;
      out.words.push_back(word);
    }
    const Slice body = text.part(at + 2).trimmed();
    const std::string source = unwrapped(body.text);
    out.test = translate(source);
    if (out.test != nullptr) return out;
    auto code = reading_.code(field_, body.offset, source);
    if (!code) return std::nullopt;
    out.code = std::move(code);
    return out;
  }

  Reading& reading_;
  const Field& field_;
};

}  // namespace

std::optional<Guard> read_guard(Reading& reading, const Field& field) {
  Slice text{field.value, 0};
  Guard guard;
  if (find_outside(text.text, "") == kUnbalanced) {
    reading.error(field, 0, field.value.size(), "the parentheses do not match", "write \\( and \\) where they belong to a name or to code");
    return std::nullopt;
  }
  if (text.text.front() == '[' && text.text.back() == ']') {
    guard.before_pattern = true;
    text = text.part(1, text.text.size() - 2).trimmed();
  }
  guard.text = text.text;
  guard.condition = ConditionReader(reading, field).read(text);
  if (!guard.condition) return std::nullopt;
  return guard;
}

}  // namespace correlator::rules::sec
