// SPDX-License-Identifier: Apache-2.0
// What the readers share while rule files are loaded: the sources, the diagnostics, the rule set under
// construction and the names in it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "keys.h"
#include "node.h"
#include "rules/model.h"
#include "scope.h"

namespace correlator::rules {

using Index = std::map<std::string, std::uint32_t, std::less<>>;

// Whether an expression has to say what happens when an optional field is missing.
enum class Guard { none, required };

// A definition and its name, after overrides.
struct Named {
  std::string name;
  Spot spot;  // of the name
  Node node;
};

struct ClassInfo {
  std::map<std::string, std::pair<FieldSpec, bool>, std::less<>> fields;  // name -> type, required
  bool broken = false;                                                    // unknown fields are no errors
};

struct ContextInfo {  // of a `context('name', …)`
  std::size_t keys = 0;    // key elements
  bool collects = false;   // some rule adds texts
};

struct LookupInfo {
  bool broken = false;
};

class Context {
 public:
  explicit Context(const Sources& from);

  const Sources& sources;
  Diagnostics diagnostics;
  RuleSet set;
  Zone zone;

  // Names of everything that is defined, well or badly, so that a broken definition makes no noise where it
  // is used.
  Index classes, rules, events, actions, lookups, maps, settings, budgets, calendars, channels;
  std::set<std::string, std::less<>> broken;            // "rule x", "action y": reported already
  std::map<std::string, std::string, std::less<>> off;  // "rule x" -> where it was switched off
  std::map<std::string, Named, std::less<>> patterns;   // [pattern]
  std::map<std::string, Named, std::less<>> any_of;
  std::map<std::string, Named, std::less<>> templates;
  std::vector<ClassInfo> class_info;
  std::vector<Named> action_nodes;                            // by action index
  std::map<std::string, std::size_t, std::less<>> rule_keys;  // rule id -> number of key elements
  std::map<std::string, ContextInfo, std::less<>> contexts;

  // Checks that need all rules; run at the end.
  std::vector<std::function<void()>> later;

  // Reports an error or a warning at a place.
  void error(std::string_view code, const Spot& spot, std::string message, std::string hint = {});
  void warn(std::string_view code, const Spot& spot, std::string message, std::string hint = {});
  // Reports an error of a compiler whose column is an offset in `text`.
  void error_inside(const Node& text, Diagnostic diagnostic);
  // An error that is complete already.
  void syntax_error(Diagnostic diagnostic);
  // A file could not be read: what it defines is missing, and saying so for each use would only be noise.
  void only_own_errors() { partial_ = true; }
  std::size_t errors() const { return errors_; }

  FieldId field(std::string_view name);
  FieldId find_field(std::string_view name) const;

  // The text with each ${settings.…} replaced; nullopt if that failed and was reported.
  std::optional<std::string> substituted(const Node& text);
  std::optional<Duration> duration(const Node& text, bool zero = false);
  std::optional<std::uint64_t> integer(const Node& node, std::uint64_t least, std::uint64_t most);
  struct Phrase {
    std::uint64_t count = 0;
    std::string what;  // "3 host in 1h": host; empty for "3 in 1h"
    Duration within{};
  };
  std::optional<Phrase> phrase(const Node& text, bool with_what);
  std::optional<Threshold> threshold(const Node& text);
  std::optional<Cron> cron(const Node& text, const Zone& zone);
  std::optional<Zone> zone_of(const Node& text);

  std::optional<expr::Expression> expression(const Node& node, const NameScope& scope, Guard guard);
  std::optional<expr::Expression> condition(const Node& node, const NameScope& scope, Guard guard);
  std::optional<expr::Template> text(const Node& node, const NameScope& scope, Guard guard);

  // Whether some rule sets the context, or collects in it; reports E037 otherwise. At the end.
  bool known_context(const std::string& name, bool collecting, const Spot& spot);

  // One of `choices`; reports E022 otherwise.
  bool one_of(const Node& text, std::initializer_list<std::string_view> choices);
  // Looks `name` up; reports `code` with the closest name. `kind` is what messages call it.
  std::optional<std::uint32_t> find(const Index& index, std::string_view code, std::string_view kind,
                                    std::string_view name, const Spot& spot);

 private:
  void add(Gravity gravity, std::string_view code, const Spot& spot, std::string message, std::string hint);
  template <class Compiled>
  std::optional<Compiled> compiled(const Node& node, const std::string& source, const NameScope& scope,
                                   Guard guard);
  void check_calls(const Node& node, const expr::Expression& expression);

  std::size_t errors_ = 0;
  bool partial_ = false;
  Index fields_;
};

// "did you mean" for `name`; empty if nothing is close.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates);
std::vector<std::string> names_of(const Index& index);

// The entries of one table, checked against its key table when constructed: unknown keys, wrong types and
// missing keys are reported, and get() gives only what has a type that its key accepts.
class Table {
 public:
  // Missing::allowed: keys may come from elsewhere, as with a template.
  enum class Missing { reported, allowed };
  Table(Context& context, const Node& node, const TableSpec& spec, Missing missing = Missing::reported);

  const Node* get(std::string_view key) const;
  const Entry* entry(std::string_view key) const;
  bool has(std::string_view key) const { return entry(key) != nullptr; }
  bool written(std::string_view key) const { return node_.find(key) != nullptr; }  // also with a wrong type
  Spot spot(std::string_view key) const;  // of the key; of the table if it is not there
  std::string text(std::string_view key, std::string_view otherwise = {}) const;
  bool flag(std::string_view key, bool otherwise) const;
  std::optional<Duration> duration(std::string_view key, bool zero = false) const;
  std::optional<std::uint64_t> integer(std::string_view key, std::uint64_t least, std::uint64_t most) const;
  // One text or a list of texts, as nodes.
  std::vector<const Node*> list(std::string_view key) const;
  const Node& node() const { return node_; }
  bool bad() const { return bad_; }
  // Reports E007 if `key` is there: it cannot take effect because of `why`.
  void no_effect(std::string_view key, std::string_view why, std::string hint = {});

 private:
  Context& context_;
  const Node& node_;
  const TableSpec& spec_;
  std::vector<const Entry*> good_;
  bool bad_ = false;
};

}  // namespace correlator::rules
