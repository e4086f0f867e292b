// SPDX-License-Identifier: Apache-2.0
// Where variables stand in a text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace correlator::engine {

// A match variable behind its $ or %: "1", "{1}", "+{name}", ":{entry:name}".
struct MatchVariable {
  std::string_view entry;  // of the match cache; empty: of the match at hand
  std::string_view name;
  std::size_t length = 0;  // behind the sign; 0: this is no variable
};
MatchVariable match_variable(std::string_view behind);

// An action list variable behind its %: "name", "{name}", ".name", "{.name}".
struct ListVariable {
  std::string_view name;
  std::size_t length = 0;
};
ListVariable list_variable(std::string_view behind);

// Builds a line for the shell: values of the log are quoted where they stand, after the shell's own rules.
class ShellWriter {
 public:
  explicit ShellWriter(bool quotes) : quotes_(quotes) {}
  void literal(char c);
  // One word, or as many as it has blanks for.
  void value(std::string_view text, bool one_word = false);
  std::string take() { return std::move(out_); }

 private:
  enum class Inside { nothing, single, twice };
  bool quotes_;
  std::string out_;
  Inside inside_ = Inside::nothing;
  bool escaped_ = false;
};

}  // namespace correlator::engine
