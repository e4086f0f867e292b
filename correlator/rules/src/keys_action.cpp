// SPDX-License-Identifier: Apache-2.0
// Keys of actions, lookups, probes and what a site sets.
#include "keys.h"

namespace correlator::rules {
namespace {

constexpr KeySpec kActionKeys[] = {
    {"run", Shape::text, true, "File name of a script in the actions directory."},
    {"args", Shape::texts, false, "One text for each element of argv, with ${…}."},
    {"needs", Shape::texts, false, "Names that each use must give: by `with`, the key or a required field."},
    {"timeout", Shape::duration, false, "After this the script and its children are killed (1m)."},
    {"retry", Shape::integer, false, "How often to try again after a failure (0)."},
    {"retry_after", Shape::duration, false, "How long to wait before (10s)."},
    {"idempotent", Shape::boolean, false, "Running it twice does no harm; needed for `retry` after a crash."},
    {"max_age", Shape::duration, false, "Older decisions are recorded and not acted on (15m)."},
    {"budget", Shape::text, false, "Name of a [budget.NAME]."},
    {"limit", Shape::free, false, "\"3 in 1h\", or { at_most = \"3 in 1h\", over = \"digest\" }.",
     &kLimitSpec},
    {"confirm", Shape::text, false, "Script that gives a second opinion before the action starts."},
    {"destructive", Shape::boolean, false, "Takes service away; on untrusted lines only with `confirm`."},
    {"echoes", Shape::mixeds, false, "Events that this action itself causes.", &kEchoSpec},
    {"serial", Shape::text, false, "Text with ${…}: uses with the same text run one after the other."},
    {"approve", Shape::boolean, false, "A person has to agree first."},
    {"stdin", Shape::text, false, "What the script reads: the \"decision\" as JSON (default), or the \"lines\" of the step."},
    {"mode", Shape::text, false, "\"live\" (default) or \"shadow\": decided and recorded, never run."},
    {"undo", Shape::text, false,
     "What takes it back: options of the same script (\"--undo\"), or another script in the actions "
     "directory."},
};

constexpr KeySpec kLimitKeys[] = {
    {"at_most", Shape::phrase, true, "\"3 in 1h\""},
    {"over", Shape::text, false, "\"drop\" (default) or \"digest\": what becomes of the others."},
};

constexpr KeySpec kEchoKeys[] = {
    {"on", Shape::texts, true, "Class, glob or [any_of] name, or a list of them."},
    {"where", Shape::free, false, "A condition, or a table of equalities."},
    {"for", Shape::duration, false, "How long after the action's end (1m)."},
};

constexpr KeySpec kBudgetKeys[] = {
    {"at_most", Shape::integer, false, "Starts in `per`."},
    {"per", Shape::duration, false, "The time that `at_most` is about (1h)."},
    {"in_flight", Shape::integer, false, "How many at the same time."},
    {"over", Shape::text, false, "\"all\" (default), or a field: one budget for each of its values."},
};

constexpr KeySpec kLookupKeys[] = {
    {"file", Shape::text, false, "CSV, TSV or JSON lines file with these columns."},
    {"run", Shape::text, false, "Script in the actions directory that prints the rows."},
    {"every", Shape::duration, false, "With `run`: how often."},
    {"key", Shape::texts, true, "Columns that are looked up."},
    {"columns", Shape::texts, true, "All columns, in their order."},
    {"many", Shape::boolean, false, "A key has several rows; for `each`."},
    {"max_age", Shape::duration, false, "Older content gives none."},
};

constexpr KeySpec kProbeKeys[] = {
    {"run", Shape::text, true, "Script in the actions directory."},
    {"each", Shape::text, false, "Lookup: the script runs once for each row."},
    {"every", Shape::duration, true, "How often."},
    {"timeout", Shape::duration, false, "After this the probe is broken (10s)."},
};

constexpr KeySpec kOverrideKeys[] = {
    {"rule", Shape::text, false, "Id of the rule."},
    {"event", Shape::text, false, "Id of the event."},
    {"action", Shape::text, false, "Name of the action."},
    {"set", Shape::table, false, "Keys and their new values."},
    {"off", Shape::boolean, false, "true: as if it were not there."},
    {"why", Shape::text, true, "The reason, for whoever reads this next year."},
};

constexpr KeySpec kCalendarKeys[] = {
    {"cron", Shape::texts, false, "Cron expressions: the minutes that belong to it."},
    {"spans", Shape::tables, false, "Spans of time: { from, to }.", &kSpanSpec},
    {"zone", Shape::text, false, "Time zone; default: [input] zone."},
};

constexpr KeySpec kSpanKeys[] = {
    {"from", Shape::free, true, "First moment, RFC 3339."},
    {"to", Shape::free, true, "First moment after it, RFC 3339."},
};

constexpr KeySpec kWriterKeys[] = {
    {"uid", Shape::integer, true, "The user, by number, as the log socket reports it."},
    {"exe", Shape::text, false, "Path of the program; default: any program of that user."},
};

constexpr KeySpec kInputKeys[] = {
    {"zone", Shape::text, false, "Time zone of lines without an offset (UTC)."},
    {"trusted", Shape::texts, false,
     "Names of rsyslog's inputs into which only trusted peers can write: what they say of a line's origin is "
     "believed."},
    {"writers", Shape::tables, false,
     "Programs that are believed though root does not run them: { uid, exe }.", &kWriterSpec},
};

constexpr KeySpec kMuteKeys[] = {
    {"during", Shape::mixeds, true, "Causes: events, open(…), context(…), calendar.NAME.", &kCauseSpec},
    {"rules", Shape::texts, false, "Ids or globs of the rules that are muted; default: all."},
    {"except", Shape::texts, false, "Ids or globs of rules that are not."},
    {"effect", Shape::text, false, "\"hold\" (default): decided when the cause has ended; \"drop\"."},
    {"why", Shape::text, false, "The reason, shown with what is held."},
};

}  // namespace

const TableSpec kActionSpec{"[action.NAME]", kActionKeys, "A script that rules may run.", &kFileSpec};
const TableSpec kLimitSpec{"limit", kLimitKeys, "How often an action may start.", &kActionSpec};
const TableSpec kEchoSpec{"echoes", kEchoKeys, "An event that the action causes.", &kActionSpec};
const TableSpec kBudgetSpec{"[budget.NAME]", kBudgetKeys, "A brake for several actions.", &kFileSpec};
const TableSpec kLookupSpec{"[lookup.NAME]", kLookupKeys, "A table of facts.", &kFileSpec};
const TableSpec kProbeSpec{"[probe.NAME]", kProbeKeys, "A check that is run from time to time.", &kFileSpec};
const TableSpec kOverrideSpec{"[[override]]", kOverrideKeys, "Changes what another file says.", &kFileSpec};
const TableSpec kCalendarSpec{"[calendar.NAME]", kCalendarKeys, "Named times.", &kFileSpec};
const TableSpec kSpanSpec{"spans", kSpanKeys, "A span of time.", &kCalendarSpec};
const TableSpec kInputSpec{"[input]", kInputKeys, "How lines are read.", &kFileSpec};
const TableSpec kWriterSpec{"writers", kWriterKeys, "A program that is believed.", &kInputSpec};
const TableSpec kMuteSpec{"[[mute]]", kMuteKeys, "Holds or drops decisions.", &kFileSpec};

std::span<const TableSpec* const> all_tables() {
  static constexpr const TableSpec* kAll[] = {
      &kFileSpec,     &kClassSpec,    &kEventSpec,     &kLineSpec,     &kArmSpec,       &kIncreaseSpec,
      &kRecordSpec,   &kSampleSpec,   &kSameErrorSpec, &kRuleSpec,     &kReferenceSpec, &kCountSpec,
      &kRateSpec,     &kSequenceSpec, &kAbsenceSpec,   &kGroupSpec,    &kMemberSpec,    &kLevelSpec,
      &kScheduleSpec, &kCauseSpec,    &kClearSpec,     &kEmitSpec,     &kSetSpec,       &kCollectSpec,
      &kUnsetSpec,
      &kStepSpec,     &kTestSpec,     &kExpectSpec,    &kActionSpec,   &kLimitSpec,     &kEchoSpec,
      &kBudgetSpec,   &kLookupSpec,   &kProbeSpec,     &kOverrideSpec, &kCalendarSpec,  &kSpanSpec,
      &kInputSpec,    &kWriterSpec,   &kMuteSpec};
  return kAll;
}

}  // namespace correlator::rules
