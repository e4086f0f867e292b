// SPDX-License-Identifier: Apache-2.0
// The readers of each subject; each reads nodes into Context::set and reports what is wrong.
#pragma once

#include "context.h"
#include "document.h"

namespace correlator::rules {

// read_names.cpp, in this order: later ones use earlier ones.
void read_input(Context& context, const Document& document);
void read_settings(Context& context, const Document& document);
void read_maps(Context& context, const Document& document);
void read_lookups(Context& context, const Document& document);
void read_calendars(Context& context, const Document& document);
void read_budgets(Context& context, const Document& document);
void read_probes(Context& context, const Document& document);

// read_class.cpp
void read_classes(Context& context, const Document& document);
void read_same_errors(Context& context, const Document& document);
// The classes of a text: a name, a glob or an [any_of] name. Empty if unknown, which is reported.
std::vector<ClassId> resolve_classes(Context& context, const Node& text);
// The field a name stands for in any of `classes`; kNoField if in none, which is reported with E012.
FieldId class_field(Context& context, const Node& name, const std::vector<ClassId>& classes);

// read_pattern.cpp
struct ReadPattern {
  std::uint32_t index = 0;         // into RuleSet::patterns
  std::vector<std::string> names;  // by group; empty for unnamed ones
  std::vector<bool> always;        // by group: takes part in every match
};
std::optional<ReadPattern> read_pattern(Context& context, const Node& text);
// A programme pattern, into RuleSet::program_patterns.
std::optional<ReadPattern> read_program_pattern(Context& context, const Node& text);
// [pattern] itself: reports broken and cyclic ones.
void read_patterns(Context& context, const Document& document);

// read_event.cpp, read_record.cpp, read_class_of.cpp
void read_events(Context& context, const Document& document);

// read_reference.cpp
// Where a condition of a reference stands: names of earlier steps come from `outer`.
struct ReferenceScope {
  const NameScope* outer = nullptr;
  Guard guard = Guard::required;
};
std::optional<EventRef> read_reference(Context& context, const Node& node, const ReferenceScope& scope = {});
std::vector<EventRef> read_references(Context& context, const Node& node);
std::vector<ClassId> class_list(const std::vector<EventRef>& references);
// Adds the fields of the classes: those that every one requires are always there. `events` adds the built-in
// ones.
void add_fields(const Context& context, NameScope& scope, const std::vector<ClassId>& classes);
// As add_fields, under "NAME." in the slots of step `step`.
void add_bound(const Context& context, NameScope& scope, const EventRef& reference, std::uint32_t step);

// read_cause.cpp
std::vector<Cause> read_causes(Context& context, const Node& node, const NameScope& scope,
                               const std::vector<ClassId>& classes);
void read_mutes(Context& context, const Document& document);

// read_let.cpp
struct LetScope {
  NameScope& scope;  // grows by each let
  Guard guard = Guard::none;
};
// The lets of a table in the order of their dependencies.
std::vector<Let> read_lets(Context& context, const Node& table, LetScope scope,
                           const std::function<std::optional<FieldType>(const std::string&)>& declared);

// read_rule.cpp, read_operation.cpp, read_steps.cpp, read_response.cpp, read_test.cpp
void read_rules(Context& context, const Document& document);
struct RuleParts {  // what the readers of one rule share
  Rule rule;
  std::vector<ClassId> classes;  // of the event at hand
  NameScope scope;               // fields and lets: for where, let, key
  NameScope then;                // for steps, emit, set
  bool latch = false;            // a case stays open after a firing
  bool broken = false;
};
void read_operation(Context& context, Table& table, RuleParts& parts);
std::vector<Step> read_steps(Context& context, const Node& node, const NameScope& names);
// The names that steps have beside fields: rule, key, count, acked, …
void add_step_names(NameScope& scope);
void read_response(Context& context, Table& table, RuleParts& parts);

// read_contexts.cpp
void read_contexts(Context& context, Table& table, RuleParts& parts);
// What is known when a case closes, or the time of a context is over: the fields that the key consists of. Where each event decides, it is
// of one event, whose fields are kept.
NameScope case_scope(const Context& context, const RuleParts& parts);
// The items of a list, or the one thing that stands instead of it.
std::vector<const Node*> one_or_more(const Node& node);

// read_test.cpp
std::vector<TestSpec> read_tests(Context& context, const Table& table);
std::string state_identity(const RuleSet& set, const Rule& rule);

// read_action.cpp
void read_actions(Context& context, const Document& document);
bool check_script(Context& context, const Node& text);

// A value as it stands in a file; a duration if `text` is one and `durations` is set.
expr::Value value_of(const Node& node, bool durations = false);
// Whether `name` can be a name in expressions; reports E034.
bool check_name(Context& context, const std::string& name, const Spot& spot, std::string_view kind);
// "disk.*": * stands for any text.
bool glob_matches(std::string_view glob, std::string_view text);

}  // namespace correlator::rules
