// SPDX-License-Identifier: Apache-2.0
// What the readers of one rule share: where an error is said, and how text is cut where parentheses hide things.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/procedure.h"
#include "rules/sec/reader.h"
#include "statement.h"

namespace correlator::rules::sec {

using procedure::Action;
using procedure::ActionList;
using procedure::ActionListPtr;
using procedure::Code;
using procedure::Condition;
using procedure::Continue;
using procedure::GroupPattern;
using procedure::Guard;
using procedure::LinePattern;
using procedure::Member;
using procedure::ProcedureFile;
using procedure::ProcedureRule;
using procedure::RuleType;
using procedure::Schedule;
using procedure::Verb;

// One rule on its way. Any error refuses the rule, and all of its errors are said.
struct Reading {
  const std::string& file;
  const ReadOptions& options;
  Diagnostics& said;
  bool failed = false;

  void error(const Field& field, std::size_t offset, std::size_t length, std::string message, std::string hint = {});
  void warn(const Field& field, std::size_t offset, std::size_t length, std::string message, std::string hint = {});
  // Nothing after saying why not.
  std::optional<Code> code(const Field& field, std::size_t offset, std::string_view source);
};

// A part of a field's value that knows where it stands there.
struct Slice {
  std::string_view text;
  std::size_t offset = 0;

  bool empty() const { return text.empty(); }
  Slice part(std::size_t from, std::size_t n = std::string_view::npos) const { return {text.substr(from, n), offset + from}; }
  Slice trimmed() const;
  // The word in front, which is taken off with the blanks behind it.
  Slice take_word();
};

// "(…)" without its outermost parentheses and the blanks inside them, if it begins with one and ends with one; with \( and \) as
// they are meant.
std::string unwrapped(std::string_view text);
// The same, without the second.
Slice inside_parentheses(Slice text);

constexpr std::size_t kUnbalanced = std::string_view::npos - 1;
// The first place at which `wanted` stands outside of parentheses; npos if none, kUnbalanced if they do not match.
std::size_t find_outside(std::string_view text, std::string_view wanted);
// The parts between `separator`s outside of parentheses.
std::vector<Slice> split_outside(Slice text, std::string_view separator);
// The place of the ")" that closes the "(" at the front; npos if there is none.
std::size_t closing(std::string_view text);

// One that is meant as such: not \( or \).
bool has_parenthesis(std::string_view text);

bool is_name(std::string_view text);  // a letter, then letters, digits, _
bool is_blank(std::string_view text);  // holds nothing else, perhaps nothing at all
bool is_number(std::string_view text);
// Of digits. Those that are larger than any time are all the same: some thirty million years of seconds.
constexpr std::uint64_t kLargestNumber = 1'000'000'000'000'000;
std::uint64_t number_of(std::string_view digits);

// Not there after an error was said.
ActionListPtr read_actions(Reading& reading, const Field& field, Slice text);
std::optional<Guard> read_guard(Reading& reading, const Field& field);
std::optional<Schedule> read_schedule(Reading& reading, const Field& field);

}  // namespace correlator::rules::sec
