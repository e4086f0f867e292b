// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "compile.h"
#include "expr/expression.h"

namespace correlator::expr {
namespace {

std::vector<std::string> united(const std::vector<Expression>& expressions,
                                const std::vector<std::string>& (Expression::*names)() const) {
  std::vector<std::string> out;
  for (const Expression& expression : expressions) {
    for (const std::string& name : (expression.*names)()) {
      if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
    }
  }
  return out;
}

}  // namespace

Result<Template> Template::compile(std::string_view text, const Scope& scope) {
  Template out;
  out.text_ = text;
  out.literals_.emplace_back();
  for (std::size_t at = 0; at < text.size();) {
    if (text.substr(at).starts_with("$${")) {
      out.literals_.back() += "${";
      at += 3;
    } else if (text.substr(at).starts_with("${")) {
      std::uint32_t end = 0;
      auto program = compile_part(text, static_cast<std::uint32_t>(at) + 2, true, scope, end);
      if (!program.ok()) return program.error();
      out.expressions_.push_back(Expression(std::move(*program)));
      out.literals_.emplace_back();
      at = end;
    } else {
      out.literals_.back() += text[at++];
    }
  }
  out.single_ = out.expressions_.size() == 1 && out.literals_[0].empty() && out.literals_[1].empty();
  const bool constant = std::all_of(out.expressions_.begin(), out.expressions_.end(),
                                    [](const Expression& e) { return e.constant().has_value(); });
  if (constant) out.constant_ = out.eval(NoBindings());
  return out;
}

Value Template::eval(const Bindings& bindings) const {
  if (constant_) return *constant_;
  if (single_) return expressions_[0].eval(bindings);
  std::string out = literals_[0];
  for (std::size_t i = 0; i < expressions_.size(); ++i) {
    Value scratch;
    const Program& program = *expressions_[i].program_;
    const Value& value = evaluate(program, program.root, bindings, scratch);
    if (const std::string* text = value.text()) {
      out += *text;
    } else {
      out += to_text(value);
    }
    out += literals_[i + 1];
  }
  return out;
}

std::vector<std::string> Template::parts(const Bindings& bindings) const {
  std::vector<std::string> out;
  out.reserve(expressions_.size());
  for (const Expression& expression : expressions_) out.push_back(to_text(expression.eval(bindings)));
  return out;
}

std::string Template::assemble(std::span<const std::string> parts) const {
  std::string out = literals_[0];
  for (std::size_t i = 0; i < expressions_.size(); ++i) {
    if (const auto& constant = expressions_[i].constant()) {
      out += to_text(*constant);
    } else if (i < parts.size()) {
      out += parts[i];
    }
    out += literals_[i + 1];
  }
  return out;
}

Type Template::type() const {
  return single_ ? expressions_[0].type() : Type::text;
}
bool Template::optional() const {
  return single_ && expressions_[0].optional();
}
std::vector<std::string> Template::optional_names() const {
  return united(expressions_, &Expression::optional_names);
}
std::vector<std::string> Template::unguarded_names() const {
  return united(expressions_, &Expression::unguarded_names);
}

}  // namespace correlator::expr
