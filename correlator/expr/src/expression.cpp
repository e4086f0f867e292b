// SPDX-License-Identifier: Apache-2.0
#include "expr/expression.h"

#include "compile.h"

namespace correlator::expr {

Result<std::shared_ptr<const Program>> compile_part(std::string_view text, std::uint32_t start,
                                                    bool in_braces, const Scope& scope, std::uint32_t& end) {
  Result<Program> parsed = parse(text, start, in_braces, end);
  if (!parsed.ok()) return parsed.error();
  Program program = std::move(*parsed);
  if (const Status status = check(program, text, scope); !status.ok()) return status.error();
  return std::make_shared<const Program>(std::move(program));
}

Result<Expression> Expression::compile(std::string_view text, const Scope& scope) {
  std::uint32_t end = 0;
  auto program = compile_part(text, 0, false, scope, end);
  if (!program.ok()) return program.error();
  return Expression(std::move(*program));
}

Value Expression::eval(const Bindings& bindings) const {
  Value scratch;
  const Value& value = evaluate(*program_, program_->root, bindings, scratch);
  return &value == &scratch ? std::move(scratch) : value;
}

bool Expression::holds(const Bindings& bindings) const {
  Value scratch;
  return evaluate(*program_, program_->root, bindings, scratch).is_true();
}

const std::string& Expression::text() const {
  return program_->text;
}
Type Expression::type() const {
  return program_->nodes[program_->root].type;
}
bool Expression::optional() const {
  return !program_->optional_names.empty();
}
const std::vector<std::string>& Expression::optional_names() const {
  return program_->optional_names;
}
const std::vector<std::string>& Expression::unguarded_names() const {
  return program_->unguarded_names;
}
const std::vector<std::string>& Expression::symbols() const {
  return program_->symbols;
}
const std::vector<std::uint32_t>& Expression::slots() const {
  return program_->slots;
}
const std::vector<Call>& Expression::calls() const {
  return program_->calls;
}
const std::optional<Value>& Expression::constant() const {
  return program_->constant;
}

}  // namespace correlator::expr
