// SPDX-License-Identifier: Apache-2.0
// Which names an expression of a rule file may use where it stands.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "expr/scope.h"
#include "rules/model.h"

namespace correlator::rules {

class Context;

expr::Type type_of(FieldType type);
std::string_view to_string(FieldType type);
std::optional<FieldType> parse_field_type(std::string_view text);
// Whether a value of `have` can stand where `want` is declared; a type known only at run time can.
bool fits(expr::Type have, FieldType want);

class NameScope final : public expr::Scope {
 public:
  explicit NameScope(const Context& context) : context_(&context) {}

  void add(const std::string& name, expr::Symbol symbol) { symbols_[name] = std::move(symbol); }
  void field(const std::string& name, FieldId id, expr::Type type, bool optional);
  void remove(const std::string& name) { symbols_.erase(name); }
  const expr::Symbol* find(std::string_view name) const;
  // From here on the name is known to be there: a condition asked for it.
  void present(std::string_view name);
  const std::map<std::string, expr::Symbol, std::less<>>& symbols() const { return symbols_; }

  // Something that names come from is broken and reported: an unknown name is no error of its own.
  bool lenient = false;
  // Set when an unknown name was asked for that a broken definition may have given.
  mutable bool tainted = false;

  std::optional<expr::Symbol> symbol(std::string_view name) const override;
  std::optional<expr::Signature> function(std::string_view name) const override;
  std::vector<std::string> names() const override;

 private:
  const Context* context_;
  std::map<std::string, expr::Symbol, std::less<>> symbols_;
};

// The names x of every `has(x)` that must be true for `condition` to hold: those joined by `and` at its top.
std::vector<std::string> asked_for(std::string_view condition);
// The identifiers in an expression, outside of quotes.
std::vector<std::string> identifiers(std::string_view expression);
// The texts that an expression can give if they are finitely many and visible: a literal, `c ? a : b`,
// map(x), and lets made of those; nullopt otherwise.
using LetTexts = std::map<std::string, std::string, std::less<>>;
std::optional<std::vector<std::string>> possible_texts(std::string_view expression, const LetTexts& lets,
                                                       const Context& context);
// The same for text with ${…}.
std::optional<std::vector<std::string>> possible_template_texts(std::string_view text, const LetTexts& lets,
                                                                const Context& context);

}  // namespace correlator::rules
