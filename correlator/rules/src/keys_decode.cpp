// SPDX-License-Identifier: Apache-2.0
// Keys of the file, of classes and of decoding.
#include "keys.h"

namespace correlator::rules {
namespace {

constexpr KeySpec kFileKeys[] = {
    {"format", Shape::integer, true, "Version of the language; 1. Stands first in each file."},
    {"class", Shape::table, false, "[class.\"NAME\"]: what every event of a class carries.", &kClassSpec},
    {"event", Shape::tables, false, "[[event]]: which lines mean what.", &kEventSpec},
    {"same_error", Shape::table, false,
     "[same_error.NAME]: one error that several channels report counts once.", &kSameErrorSpec},
    {"rule", Shape::tables, false, "[[rule]]: what to diagnose and what to do.", &kRuleSpec},
    {"action", Shape::table, false, "[action.NAME]: a script that a rule may run.", &kActionSpec},
    {"budget", Shape::table, false, "[budget.NAME]: a brake that several actions share.", &kBudgetSpec},
    {"lookup", Shape::table, false, "[lookup.NAME]: a table of facts about the site.", &kLookupSpec},
    {"probe", Shape::table, false, "[probe.NAME]: a check that is run from time to time.", &kProbeSpec},
    {"settings", Shape::table, false, "Named thresholds that a later directory may replace."},
    {"override", Shape::tables, false, "[[override]]: changes a rule, event or action of another file.",
     &kOverrideSpec},
    {"calendar", Shape::table, false, "[calendar.NAME]: named times, for ignore, unless and mute.",
     &kCalendarSpec},
    {"pattern", Shape::table, false, "Named parts of patterns; %{name} inserts one."},
    {"map", Shape::table, false,
     "[map.NAME]: a function given by its values; the key \"*\" stands for all others."},
    {"any_of", Shape::table, false, "Named lists of classes, for event references."},
    {"template", Shape::table, false,
     "[template.NAME]: keys of a rule that several rules share through `use`."},
    {"input", Shape::table, false, "How lines are to be read.", &kInputSpec},
    {"mute", Shape::tables, false, "[[mute]]: times in which decisions are held or dropped.", &kMuteSpec},
};

constexpr KeySpec kClassKeys[] = {
    {"key", Shape::texts, true, "Default key of rules on this class: field names."},
    {"requires", Shape::table, false, "Fields that every event of the class sets, with their types."},
    {"may", Shape::table, false, "Fields that an event of the class may set, with their types."},
    {"counts", Shape::boolean, false,
     "false: its events are notices, no errors of their own; shown with weight 0 (true)."},
};

constexpr KeySpec kEventKeys[] = {
    {"id", Shape::text, true, "Unique name, for explain, statistics and override."},
    {"class", Shape::free, true, "Class name, \"${map(x)}\" over finitely many, or [[event.class]] tables.",
     &kArmSpec},
    {"from", Shape::text, false,
     "Who may have written the line: \"kernel\", a programme name or pattern, \"trusted:NAME\" for one that only "
     "a trusted writer may speak for, \"input:NAME\", or \"any\" (default)."},
    {"match", Shape::patterns, false, "Pattern or list of patterns; the first that matches is taken.",
     &kLineSpec},
    {"raw", Shape::boolean, false, "The patterns see the whole line instead of the message text."},
    {"types", Shape::table, false,
     "Type of each capture: text int hex bool duration time list:SEP gauge bdf."},
    {"let", Shape::table, false, "Fields computed by expressions."},
    {"record", Shape::table, false, "One event from several lines.", &kRecordSpec},
    {"weight", Shape::free, false,
     "Expression: how many errors the line reports (1), or { increase_of, per }.", &kIncreaseSpec},
    {"channel", Shape::text, false, "Who reports, for [same_error]."},
    {"stale", Shape::expression, false, "Condition: recorded, never acted on (an error of an earlier boot)."},
    {"implausible", Shape::expression, false,
     "Condition: recorded, never acted on (an address of all ones)."},
    {"sample", Shape::tables, false, "[[event.sample]]: lines checked at each load.", &kSampleSpec},
};

constexpr KeySpec kLineKeys[] = {
    {"match", Shape::pattern, true, "The pattern."},
    {"also", Shape::boolean, false, "The line is decoded by other events as well."},
    {"raw", Shape::boolean, false, "The pattern sees the whole line instead of the message text."},
};

constexpr KeySpec kArmKeys[] = {
    {"is", Shape::text, true, "Class name."},
    {"if", Shape::expression, false, "Condition; the first arm that holds is taken. None: always."},
    {"fields", Shape::table, false, "Fields computed by expressions if this arm is taken."},
};

constexpr KeySpec kIncreaseKeys[] = {
    {"increase_of", Shape::expression, true, "A counter that only rises: the weight is by how much."},
    {"per", Shape::expressions, false, "Values that each have a counter of their own; default: the host."},
};

constexpr KeySpec kRecordKeys[] = {
    {"once", Shape::patterns, false, "Lines that stand at most once; a second one opens the next record.",
     &kLineSpec},
    {"many", Shape::patterns, false, "Lines that repeat; their captures become lists.", &kLineSpec},
    {"last", Shape::patterns, false, "Lines that end the record.", &kLineSpec},
    {"same", Shape::texts, false, "Fields that keep records apart; default: the host."},
    {"within", Shape::duration, true, "How long after its first line a record takes lines."},
    {"needs", Shape::texts, false, "Fields without which the record is no event."},
    {"ready", Shape::texts, false, "Fields whose arrival delivers the event at once."},
    {"early", Shape::expression, false, "Condition that delivers the event at once."},
    {"max_lines", Shape::integer, false, "At most this many lines (64)."},
    {"ordered", Shape::boolean, false, "true: the lines come in the order of their patterns, all of `once` and `last` (false)."},
};

constexpr KeySpec kSampleKeys[] = {
    {"line", Shape::text, true, "A log line, from its time on or the message text alone."},
    {"more", Shape::texts, false, "Further lines of a record."},
    {"expect", Shape::table, false, "class, weight and fields that must come out."},
    {"reject", Shape::boolean, false, "true: the line must not match."},
};

constexpr KeySpec kSameErrorKeys[] = {
    {"classes", Shape::texts, true, "Classes of the events that may be one error."},
    {"key", Shape::texts, true, "Fields that are equal; events without them are never merged."},
    {"channels", Shape::texts, true, "Channels, the best first."},
    {"within", Shape::duration, true, "How long after its last line a group stays open."},
};

}  // namespace

const TableSpec kFileSpec{"the file", kFileKeys, "A rule file.", nullptr};
const TableSpec kClassSpec{"[class.NAME]", kClassKeys, "The contract between decoding and rules.",
                           &kFileSpec};
const TableSpec kEventSpec{"[[event]]", kEventKeys, "Decodes lines into an event.", &kFileSpec};
const TableSpec kLineSpec{"a line pattern", kLineKeys, "One pattern of an event.", nullptr};
const TableSpec kArmSpec{"[[event.class]]", kArmKeys, "One row of a decision table.", &kEventSpec};
const TableSpec kIncreaseSpec{"weight", kIncreaseKeys, "Weight of a cumulative counter.", &kEventSpec};
const TableSpec kRecordSpec{"[event.record]", kRecordKeys, "One event from several lines.", &kEventSpec};
const TableSpec kSampleSpec{"[[event.sample]]", kSampleKeys, "A line and what comes out of it.", &kEventSpec};
const TableSpec kSameErrorSpec{"[same_error.NAME]", kSameErrorKeys, "Counts one error once.", &kFileSpec};

}  // namespace correlator::rules
