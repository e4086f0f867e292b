// SPDX-License-Identifier: Apache-2.0
// Resolves and types a parsed program; one walk over the tree.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "presence.h"
#include "program.h"

namespace correlator::expr {

class Checker {
 public:
  Checker(Program& program, std::string_view source, const Scope& scope)
      : program_(program), source_(source), scope_(scope) {}

  Status run();

 private:
  Presence visit(std::uint32_t node);
  Presence visit_under(std::uint32_t node, const Names& facts);  // with `facts` known to be present
  Presence visit_symbol(std::uint32_t node);
  Presence visit_list(std::uint32_t node);
  Presence visit_call(std::uint32_t node);
  Presence visit_builtin(std::uint32_t node, const BuiltinInfo& info);
  Presence visit_site_call(std::uint32_t node, const Signature& signature);
  Presence visit_logic(std::uint32_t node);
  Presence visit_comparison(std::uint32_t node);
  Presence visit_none_test(std::uint32_t node, std::uint32_t tested);
  Presence visit_in(std::uint32_t node);
  Presence visit_match(std::uint32_t node);
  Presence visit_arithmetic(std::uint32_t node);
  Presence visit_coalesce(std::uint32_t node);
  Presence visit_choice(std::uint32_t node);

  void require_condition(std::uint32_t node, std::string_view operation);
  bool require_value(std::uint32_t node, std::string_view operation);  // refuses a literal none
  bool check_column(std::uint32_t node, const Signature& signature, const std::string& column);
  bool check_arguments(std::uint32_t node, const std::vector<Type>& first, const std::vector<Type>& rest);
  bool check_count(std::uint32_t node, std::size_t least, bool variadic, std::string_view parameters);
  void check_bits(std::uint32_t node);
  void resolve_pattern(std::uint32_t node);
  void unknown_name(std::uint32_t node, const std::string& name);
  void unknown_function(std::uint32_t node, const std::string& name);
  void fold(std::uint32_t node);
  bool foldable(const Node& node) const;

  void fail(std::string_view code, std::uint32_t node, std::string message, std::string hint);
  void mismatch(std::uint32_t node, std::string hint);  // of the two operands of `node`
  Node& at(std::uint32_t node) { return program_.nodes[node]; }
  const Node& at(std::uint32_t node) const { return program_.nodes[node]; }
  std::string written(std::uint32_t node) const;  // as in the source, in full
  std::string shown(std::uint32_t node) const;    // the same, shortened for a message
  std::string described_node(std::uint32_t node) const;
  const Value* constant(std::uint32_t node) const;
  std::span<const std::uint32_t> arguments(std::uint32_t node) const;
  std::string closest_name(std::string_view name, bool functions) const;

  Program& program_;
  std::string_view source_;
  const Scope& scope_;
  Names present_;           // known to be there at this point of the walk
  Names optional_symbols_;  // every symbol that may be none
  std::optional<Diagnostic> error_;
};

// The type of `left op right`: nullopt if the two do not fit together. Type::any if it depends on run time.
std::optional<Type> arithmetic_type(Op op, Type left, Type right);

// The type of a value that is one or the other: none gives way, two different types are known only at run
// time.
Type joined_type(Type a, Type b);

// What to write instead when `left op right` compares or combines two types that do not fit.
std::string mismatch_hint(Op op, Type left, const std::string& left_text, Type right,
                          const std::string& right_text, bool right_is_literal);

}  // namespace correlator::expr
