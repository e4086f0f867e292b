// SPDX-License-Identifier: Apache-2.0
// Texts with variables on their way to a shell or to Perl.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/variables.h"

namespace correlator::engine {

using rules::ListVariable;
using rules::list_variable;
using rules::MatchVariable;
using rules::match_variable;

// Takes a text apart into what the rule says and what the log says.
class Writer {
 public:
  virtual ~Writer() = default;
  virtual void literal(char c) = 0;
  // One word, or as many as it has blanks for.
  virtual void value(std::string_view text, bool one_word = false) = 0;
  std::string take() { return std::move(out_); }

 protected:
  std::string out_;
};

// A line for the shell: values of the log are quoted where they stand, after the shell's own rules.
class ShellWriter final : public Writer {
 public:
  void literal(char c) override;
  void value(std::string_view text, bool one_word = false) override;

 private:
  enum class Inside { nothing, single, twice };
  Inside inside_ = Inside::nothing;
  bool escaped_ = false;
};

// A piece of Perl: values of the log are elements of an array that it is given.
class CodeWriter final : public Writer {
 public:
  explicit CodeWriter(std::vector<std::string>& values) : values_(values) {}
  void literal(char c) override;
  void value(std::string_view text, bool one_word = false) override;

 private:
  std::vector<std::string>& values_;
  bool single_ = false;   // inside '…'
  bool twice_ = false;    // inside "…"
  bool escaped_ = false;
};

}  // namespace correlator::engine
