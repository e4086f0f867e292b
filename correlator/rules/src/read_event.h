// SPDX-License-Identifier: Apache-2.0
// What the readers of one [[event]] share.
#pragma once

#include "readers.h"

namespace correlator::rules {

// One capture name of an event: from which lines, with which type.
struct CaptureInfo {
  FieldType type = FieldType::text;
  std::string separator;
  bool bdf = false;
  bool many = false;      // in a line of role `many`: a list
  bool optional = false;  // not in every match
  bool in_each = false;   // in every match of a line that an ordered record cannot do without
};

struct EventParts {
  EventDef def;
  std::vector<ClassId> classes;  // that it can be; empty: unknown and reported
  LetTexts let_texts;
  std::map<std::string, CaptureInfo> captures;
  std::optional<NameScope> scope;
  bool broken = false;
};

// Roles and patterns: `match` and [event.record]. Fills def.lines and captures; types are not set yet.
void read_lines(Context& context, Table& table, const Table* record, EventParts& parts);
void read_from(Context& context, const Table& table, EventParts& parts);
// `types`, then the type that the classes declare, then text.
void read_types(Context& context, const Table& table, EventParts& parts);
// What the names of an event's expressions are: its captures and what every line has.
NameScope event_scope(const Context& context, const EventParts& parts);
void read_record(Context& context, Table& record, EventParts& parts);

// Which classes the event can be, from the text alone; reports unknown ones and those that cannot be told.
void possible_classes(Context& context, const Table& table, EventParts& parts);
// Compiles `class`, after the lets.
void read_class_of(Context& context, const Table& table, EventParts& parts);
// Each class the event can be has all its required fields and no field of another type.
void check_contract(Context& context, const Table& table, const EventParts& parts);

// The inline pattern of a rule as an event and a class of its own.
std::optional<ClassId> read_inline_event(Context& context, Table& rule, const std::string& id);

}  // namespace correlator::rules
