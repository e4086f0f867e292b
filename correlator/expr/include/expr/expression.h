// SPDX-License-Identifier: Apache-2.0
// The small total language of rule files: no loops, no assignment, no side effects, always an answer.
// Grammar and semantics are in this module's README.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "expr/scope.h"
#include "expr/value.h"

namespace correlator::expr {

struct Program;  // compiled form, private to the module

// A call of a function of the Scope, so that the reader of a rule can check its constant arguments,
// e.g. that open('x') names a rule.
struct Call {
  std::uint32_t function = 0;                   // Signature::id
  std::string name;                             // as written
  std::vector<std::optional<Value>> arguments;  // the value of each argument that is constant
  std::string column;                           // of a row
  std::uint32_t offset = 1;                     // 1-based byte offset in the source text
};

// Immutable and cheap to copy; eval may run in several threads at once.
class Expression {
 public:
  // Parses, resolves names, checks types, compiles the patterns of `~`. An error's place has only a column:
  // the 1-based byte offset within `text`; file, line and source are left to the caller. Codes E101-E109,
  // E120, and those of patterns (E110-E119).
  static Result<Expression> compile(std::string_view text, const Scope& scope);

  Value eval(const Bindings& bindings) const;
  // eval(…).is_true(): a condition that is none is false.
  bool holds(const Bindings& bindings) const;

  const std::string& text() const;
  Type type() const;      // Type::any if only known at run time
  bool optional() const;  // the result may be none

  // What can make the result none, each as written: optional symbols, lookups, conversions such as "int(n)".
  // Empty exactly if !optional().
  const std::vector<std::string>& optional_names() const;
  // The optional symbols that are used somewhere without saying what happens when they are missing, also
  // where a surrounding and/or/not/?: takes none for false: `page == 5 or fatal` reads `page` unguarded,
  // `page ?? 0`, `has(page)`, `has(page) and page == 5` and `max(1, page)` do not.
  const std::vector<std::string>& unguarded_names() const;

  const std::vector<std::string>& symbols() const;  // every symbol used, each once, in order of first use
  const std::vector<std::uint32_t>& slots() const;  // their slots, without constants
  const std::vector<Call>& calls() const;           // in order of the text
  const std::optional<Value>& constant() const;     // the value if it does not depend on any binding

 private:
  friend class Template;
  explicit Expression(std::shared_ptr<const Program> program) : program_(std::move(program)) {}
  std::shared_ptr<const Program> program_;
};

// "text ${expression} text". A template that is one single "${…}" keeps the type of its expression; every
// other one is text, with to_text() of each part and nothing where a part is none. "$${" is a literal "${";
// any other "$" stands for itself.
class Template {
 public:
  // Errors as Expression::compile (column within `text`), and E121 for a "${" without its "}".
  static Result<Template> compile(std::string_view text, const Scope& scope);

  Value eval(const Bindings& bindings) const;
  // to_text(eval()) in two halves: the texts of the expressions, and the template's text around them. So what was captured
  // can be handed to another process that puts it into the template as its own rule files have it. assemble() takes
  // the value of a constant expression from the template, not from `parts`; a part that is missing is empty.
  std::vector<std::string> parts(const Bindings& bindings) const;
  std::string assemble(std::span<const std::string> parts) const;

  const std::string& source() const { return text_; }
  Type type() const;
  bool is_single() const { return single_; }
  bool is_constant() const { return constant_.has_value(); }
  const std::optional<Value>& constant() const { return constant_; }
  // eval() may give none: only a single "${…}" can.
  bool optional() const;
  // The expressions in their order.
  const std::vector<Expression>& expressions() const { return expressions_; }
  // Of all expressions, also of those whose none becomes empty text.
  std::vector<std::string> optional_names() const;
  std::vector<std::string> unguarded_names() const;

 private:
  std::string text_;
  std::vector<std::string> literals_;  // one more than expressions_: before, between and behind them
  std::vector<Expression> expressions_;
  std::optional<Value> constant_;
  bool single_ = false;
};

}  // namespace correlator::expr
