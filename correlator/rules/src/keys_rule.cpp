// SPDX-License-Identifier: Apache-2.0
// Keys of rules and of what stands inside of them.
#include "keys.h"

namespace correlator::rules {
namespace {

constexpr KeySpec kRuleKeys[] = {
    {"id", Shape::text, true, "Unique name; the state of the rule is bound to it."},
    {"title", Shape::text, false, "One line for people."},
    {"urgency", Shape::text, false, "\"notice\", \"warning\" (default) or \"critical\"."},
    {"use", Shape::text, false, "Name of a [template.NAME] whose keys are laid below this rule's own."},
    {"on", Shape::references, false,
     "Which events: a class, a glob, an [any_of] name, { on, where }, or a list.", &kReferenceSpec},
    {"match", Shape::patterns, false, "Inline pattern instead of `on`; the captures are the fields.",
     &kLineSpec},
    {"from", Shape::text, false, "With `match`: who may have written the line."},
    {"types", Shape::table, false, "With `match`: types of the captures."},
    {"where", Shape::expression, false, "Condition on the event; may ask for what `let` computes."},
    {"let", Shape::table, false, "Values computed for each event by expressions."},
    {"key", Shape::expressions, false, "What has a window of its own; default: the key of the class."},
    {"count", Shape::free, false, "\"10 in 24h\", or a table.", &kCountSpec},
    {"rate", Shape::table, false, "{ raise = \"1000 in 10m\", clear = \"10 in 10m\" }", &kRateSpec},
    {"distinct", Shape::phrase, false, "\"3 host in 1h\": that many different values."},
    {"streak", Shape::integer, false, "That many in a row, not broken by `broken_by`."},
    {"broken_by", Shape::reference, false, "With `streak`: the event that ends the row.", &kReferenceSpec},
    {"sequence", Shape::table, false, "Several events one after the other.", &kSequenceSpec},
    {"absence", Shape::table, false, "Something that should come does not.", &kAbsenceSpec},
    {"group", Shape::table, false, "Several events with a threshold each in one window.", &kGroupSpec},
    {"level", Shape::table, false, "A value above or below a bound, or rising.", &kLevelSpec},
    {"schedule", Shape::free, false, "\"0 6 * * 1\" or \"0 6 * * 1 Europe/Berlin\": at these minutes.",
     &kScheduleSpec},
    {"ignore", Shape::mixeds, false, "Causes: events that are not counted at all.", &kCauseSpec},
    {"unless", Shape::mixeds, false, "Causes: counted, but the decision waits until the cause has ended.",
     &kCauseSpec},
    {"cooldown", Shape::duration, false, "Without a latch: no second decision of a key for so long."},
    {"clear", Shape::mixed, false, "What closes the case: { quiet_for }, { event }, { level }, { lasts } or \"manual\".",
     &kClearSpec},
    {"hold", Shape::duration, false, "Wait that long, so that the order of arrival cannot matter."},
    {"emit", Shape::free, false, "A synthetic event for other rules, or a list of those.", &kEmitSpec},
    {"set", Shape::free, false, "Opens contexts.", &kSetSpec},
    {"unset", Shape::mixeds, false, "Closes contexts.", &kUnsetSpec},
    {"collect", Shape::free, false, "Adds texts to contexts, and opens these where they are not.", &kCollectSpec},
    {"empty", Shape::mixeds, false, "Lets go what contexts collected.", &kUnsetSpec},
    {"then", Shape::mixeds, false, "What to do: an action, a list, or steps.", &kStepSpec},
    {"then_clear", Shape::mixeds, false, "What to do when the case closes.", &kStepSpec},
    {"then_over", Shape::mixeds, false, "What to do instead when the case closes because `lasts` is over.", &kStepSpec},
    {"max_keys", Shape::integer, false, "How many keys the rule may hold (100000; at most 1000000)."},
    {"test", Shape::tables, false, "[[rule.test]]: a timeline and its decisions.", &kTestSpec},
};

constexpr KeySpec kReferenceKeys[] = {
    {"on", Shape::texts, true, "Class, glob or [any_of] name, or a list of them."},
    {"where", Shape::free, false, "A condition, or a table of equalities."},
    {"as", Shape::text, false, "Name under which later steps see this event."},
};

constexpr KeySpec kCountKeys[] = {
    {"threshold", Shape::phrase, true, "\"10 in 24h\""},
    {"weight", Shape::expression, false, "How much an event counts; default: its weight."},
    {"window", Shape::text, false, "\"sliding\" (default) or \"tumbling\"."},
    {"rearm", Shape::text, false,
     "\"on-clear\" (default) or \"at-once\": fires again after the same number."},
};

constexpr KeySpec kRateKeys[] = {
    {"raise", Shape::phrase, true, "Fires at this rate."},
    {"clear", Shape::phrase, true, "The case closes when there are fewer than this."},
};

constexpr KeySpec kSequenceKeys[] = {
    {"within", Shape::duration, true, "From the first step to the last."},
    {"steps", Shape::references, true, "2 to 16 event references.", &kReferenceSpec},
    {"ordered", Shape::boolean, false, "true (default): in this order."},
};

constexpr KeySpec kAbsenceKeys[] = {
    {"after", Shape::reference, false, "The question: this event wants an answer.", &kReferenceSpec},
    {"of", Shape::references, true, "The answer, or the heartbeat.", &kReferenceSpec},
    {"within", Shape::duration, false, "With `after`: how long the answer may take."},
    {"for", Shape::duration, false, "Without `after`: how long the heartbeat may be silent."},
    {"expected", Shape::text, false, "\"LOOKUP.COLUMN\": keys that must speak even if they never did."},
    {"grace", Shape::duration, false, "With `expected`: extra time after the rule came into force."},
};

constexpr KeySpec kGroupKeys[] = {
    {"within", Shape::duration, true, "One window for all members."},
    {"of", Shape::tables, true, "The members: { on, where, count }.", &kMemberSpec},
};

constexpr KeySpec kMemberKeys[] = {
    {"on", Shape::texts, true, "Class, glob or [any_of] name, or a list of them."},
    {"where", Shape::free, false, "A condition, or a table of equalities."},
    {"count", Shape::integer, false, "How many of it (1)."},
};

constexpr KeySpec kLevelKeys[] = {
    {"of", Shape::expression, true, "The value."},
    {"above", Shape::integer, false, "Fires when the value is greater."},
    {"below", Shape::integer, false, "Fires when the value is smaller."},
    {"rises_by", Shape::integer, false, "Fires when the value rose by so much `within`."},
    {"within", Shape::duration, false, "With `rises_by`: the time it takes."},
};

constexpr KeySpec kScheduleKeys[] = {
    {"cron", Shape::text, true, "Minute, hour, day, month, weekday, as in cron."},
    {"zone", Shape::text, false, "Time zone; default: [input] zone."},
};

constexpr KeySpec kCauseKeys[] = {
    {"on", Shape::texts, true, "Class, glob or [any_of] name, or a list of them."},
    {"where", Shape::free, false, "A condition, or a table of equalities."},
    {"before", Shape::duration, false, "So long before the cause already."},
    {"after", Shape::duration, false, "So long after the cause."},
    {"same", Shape::texts, false, "Fields that are equal in cause and event."},
};

constexpr KeySpec kClearKeys[] = {
    {"quiet_for", Shape::duration, false, "No event of the key for so long."},
    {"event", Shape::reference, false, "This event, with the same key.", &kReferenceSpec},
    {"level", Shape::expression, false, "A condition over an event of the rule's own."},
    {"lasts", Shape::duration, false, "The case ends by itself so long after its first event; alone, or beside `event` or `level`."},
    {"renewed", Shape::boolean, false, "With `lasts`: true: so long after its newest event (false)."},
};

constexpr KeySpec kEmitKeys[] = {
    {"class", Shape::text, false, "Class of the new event; or `line`."},
    {"line", Shape::text, false, "Instead of a class: a line that is decoded as if it had come, as text with ${expressions}."},
    {"fields", Shape::table, false,
     "Its fields, as expressions; the host and the key's fields are there already."},
    {"after", Shape::duration, false, "Wait so long before the event comes."},
    {"unless", Shape::expression, false, "With `after`: not if \"acked\", \"cleared\" or this condition."},
};

constexpr KeySpec kSetKeys[] = {
    {"name", Shape::text, true, "Name of the context."},
    {"key", Shape::expressions, false, "What it is about; default: the rule's key."},
    {"for", Shape::duration, false, "How long it lives; default: until unset."},
    {"at_end", Shape::mixeds, false, "What to do when its time is over.", &kStepSpec},
};

constexpr KeySpec kCollectKeys[] = {
    {"name", Shape::text, true, "Name of the context."},
    {"key", Shape::expressions, false, "What it is about; default: the rule's key."},
    {"text", Shape::text, false, "What is added, as text with ${expressions}; default: the text of the line."},
    {"for", Shape::duration, false, "How long a context lives that this opens; default: until unset."},
    {"renewed", Shape::boolean, false, "With `for`: true: so long after its newest text (false)."},
    {"at_most", Shape::integer, false, "How many texts are kept, the newest (1000; at most 10000)."},
    {"at_end", Shape::mixeds, false, "What to do when its time is over.", &kStepSpec},
};

constexpr KeySpec kUnsetKeys[] = {
    {"name", Shape::text, true, "Name of the context."},
    {"key", Shape::expressions, false, "What it is about; default: the rule's key."},
};

constexpr KeySpec kStepKeys[] = {
    {"do", Shape::text, true, "Name of an [action.NAME]."},
    {"with", Shape::table, false, "Arguments of the action, as texts with ${expressions}."},
    {"lines", Shape::expression, false, "A list of texts, or one, for the script's stdin."},
    {"if", Shape::expression, false, "Condition, judged at the firing."},
    {"each", Shape::text, false, "\"lookup(args)\": the step once for each row."},
    {"as", Shape::text, false, "With `each`: the name of the row."},
    {"where", Shape::expression, false, "With `each`: which rows."},
    {"order", Shape::expression, false, "With `each`: in the order of this value."},
    {"at_once", Shape::integer, false, "With `each`: how many at a time."},
    {"or_else", Shape::text, false, "Action to run instead if this one fails."},
    {"on_failure", Shape::text, false, "\"stop\" (default) or \"continue\"."},
    {"after", Shape::duration, false, "Wait so long before the step is decided."},
    {"unless", Shape::expression, false,
     "With `after` or `every`: not if \"acked\", \"cleared\" or this condition."},
    {"every", Shape::duration, false, "Repeat the step."},
    {"at_most", Shape::integer, false, "With `every`: how often in all."},
};

constexpr KeySpec kTestKeys[] = {
    {"name", Shape::text, true, "What the test shows."},
    {"lookup", Shape::table, false, "Rows of lookups: lookup.hosts = [{ host = \"a\" }]."},
    {"log", Shape::text, true, "The timeline."},
    {"expect", Shape::tables, true, "Exactly the decisions that come out.", &kExpectSpec},
};

constexpr KeySpec kExpectKeys[] = {
    {"at", Shape::text, true, "\"+23h59m\" from the first line, or RFC 3339."},
    {"action", Shape::text, false, "Name of the action; none: a decision without one."},
    {"key", Shape::table, false, "Values of the key."},
    {"with", Shape::table, false, "Arguments of the action."},
    {"lines", Shape::texts, false, "The lines that the action gets, exactly."},
};

}  // namespace

const TableSpec kRuleSpec{"[[rule]]", kRuleKeys, "Diagnoses events and decides.", &kFileSpec};
const TableSpec kReferenceSpec{"an event reference", kReferenceKeys, "Which events.", &kRuleSpec};
const TableSpec kCountSpec{"count", kCountKeys, "A number in a time.", &kRuleSpec};
const TableSpec kRateSpec{"rate", kRateKeys, "A number in a time, with its own end.", &kRuleSpec};
const TableSpec kSequenceSpec{"sequence", kSequenceKeys, "Events one after the other.", &kRuleSpec};
const TableSpec kAbsenceSpec{"absence", kAbsenceKeys, "What does not come.", &kRuleSpec};
const TableSpec kGroupSpec{"group", kGroupKeys, "Several thresholds in one window.", &kRuleSpec};
const TableSpec kMemberSpec{"a member of group", kMemberKeys, "One threshold of a group.", &kGroupSpec};
const TableSpec kLevelSpec{"level", kLevelKeys, "A value against a bound.", &kRuleSpec};
const TableSpec kScheduleSpec{"schedule", kScheduleKeys, "Minutes in a time zone.", &kRuleSpec};
const TableSpec kCauseSpec{"a cause", kCauseKeys, "An event that excuses others.", &kRuleSpec};
const TableSpec kClearSpec{"clear", kClearKeys, "What closes the case.", &kRuleSpec};
const TableSpec kEmitSpec{"emit", kEmitKeys, "A synthetic event.", &kRuleSpec};
const TableSpec kSetSpec{"set", kSetKeys, "Opens a context.", &kRuleSpec};
const TableSpec kCollectSpec{"collect", kCollectKeys, "Adds a text to a context.", &kRuleSpec};
const TableSpec kUnsetSpec{"unset", kUnsetKeys, "Closes a context.", &kRuleSpec};
const TableSpec kStepSpec{"[[rule.then]]", kStepKeys, "One step of the response.", &kRuleSpec};
const TableSpec kTestSpec{"[[rule.test]]", kTestKeys, "A test inside of the file.", &kRuleSpec};
const TableSpec kExpectSpec{"expect", kExpectKeys, "One expected decision.", &kTestSpec};

}  // namespace correlator::rules
