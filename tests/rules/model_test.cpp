// SPDX-License-Identifier: Apache-2.0
// What stands in the model after loading.
#include <algorithm>

#include "catch.h"
#include "load.h"
#include "rules/expand.h"
#include "rules/lint.h"

namespace correlator::rules {
namespace {

std::shared_ptr<const RuleSet> good(std::string_view text) {
  const Loaded loaded = test::load_text("format = 1\n" + std::string(text));
  INFO(text);
  REQUIRE(test::errors(loaded) == "");
  REQUIRE(loaded.rules);
  return loaded.rules;
}

std::string bad(std::string_view text) {
  const Loaded loaded = test::load_text("format = 1\n" + std::string(text));
  CHECK_FALSE(loaded.rules);
  return test::errors(loaded);
}

const Rule& rule(const RuleSet& set, std::string_view id) {
  return set.rules.at(set.find_rule(id).value());
}

TEST_CASE("built-in fields have their fixed ids") {
  const auto set = good("");
  const std::vector<std::string> want{"host", "program", "pid",      "facility", "level", "text",
                                      "time", "caller",  "severity", "part",     "class", "weight"};
  REQUIRE(set->fields.size() >= want.size());
  CHECK(std::vector<std::string>(set->fields.begin(), set->fields.begin() + 12) == want);
  CHECK(set->field("dimm") >= kBuiltinFields);
  CHECK(set->field("nonsense") == kNoField);
}

TEST_CASE("captures are typed by types, then by the class, then text") {
  const auto set = good(R"T(
[[event]]
id = "e"
class = "memory.corrected"
match = '(?<page>\w+) (?<dimm>\w+) (?<dev>\w+) (?<labels>.*) (?<pid>\d+) (?<other>x)?'
types = { dev = "bdf", labels = "list: or " }
let = { severity = "'corrected'" }
)T");
  const auto& captures = set->events[0].lines[0].captures;
  REQUIRE(captures.size() == 6);
  CHECK(captures[0].type == FieldType::hex);
  CHECK(captures[1].type == FieldType::text);
  CHECK(captures[2].bdf);
  CHECK(captures[3].type == FieldType::list);
  CHECK(captures[3].separator == " or ");
  CHECK(captures[4].field == kPid);
  CHECK(captures[4].type == FieldType::integer);
  CHECK(captures[5].group == 6);
}

TEST_CASE("lets stand in the order of their dependencies and may replace a capture") {
  const auto set = good(R"T(
[[event]]
id = "e"
class = "memory.corrected"
match = '(?<label>\w+)'
let = { dimm = "a + b", a = "b + '/'", b = "label", severity = "'corrected'", label = "trim(label)" }
)T");
  std::vector<std::string> order;
  for (const Let& let : set->events[0].lets) order.push_back(set->fields[let.field]);
  const auto at = [&](const char* name) {
    return std::find(order.begin(), order.end(), name) - order.begin();
  };
  CHECK(at("label") < at("b"));
  CHECK(at("b") < at("a"));
  CHECK(at("a") < at("dimm"));
}

TEST_CASE("captures of many lines are lists, except those that keep records apart") {
  const std::string event =
      "[[event]]\nid='e'\nclass='memory.corrected'\nlet={ severity=\"'corrected'\", dimm=\"";
  const std::string record =
      "\" }\n[event.record]\nmany='(?<seq>\\d+) (?<label>\\w+)'\nsame=['host','seq']\nwithin='1s'\n";
  good(event + "seq + text(len(label))" + record);
  CHECK(bad(event + "label" + record).find("`dimm` is declared as text and computed as list") !=
        std::string::npos);
}

TEST_CASE(
    "%{name} is inserted as a group of its own, and an error in the text around it has its own column") {
  const auto set = good(
      "[pattern]\nhex = '[0-9a-f]+'\nbdf = '%{hex}:%{hex}'\n[[event]]\nid='e'\nclass='probe.ok'\nmatch='at "
      "%{bdf}! \\%{x}'\n");
  CHECK(set->patterns[0].text == "at (?:(?:[0-9a-f]+):(?:[0-9a-f]+))! \\%{x}");
  CHECK(bad("[pattern]\nhex = '[0-9a-f]+'\n[[event]]\nid='e'\nclass='probe.ok'\nmatch='at %{hex} (x'\n") ==
        "t.toml:7:18: error: a ( that is never closed [E110]\n"
        "    match='at %{hex} (x'\n"
        "                     ^\n"
        "  hint: close it with ), or write \\( for the character itself\n");
}

TEST_CASE("a capture that may be missing is optional in an inline rule") {
  CHECK(bad("[[rule]]\nid='r'\nmatch='a(?<x>b)? (?:(?<y>c)|d) (?<z>e)'\nkey=['x','y','z']\n")
            .find("`x` may be missing") != std::string::npos);
  const auto set = good("[[rule]]\nid='r'\nmatch='a[(](?<x>b)+ (?P<z>(?:e|f)) \\(?'\nkey=['x','z']\n");
  CHECK(set->rules[0].key_names == std::vector<std::string>{"x", "z"});
  CHECK(set->events[0].inline_match);
  CHECK(set->classes.back().name == "rule:r");
}

TEST_CASE("programme patterns keep their captures, plain names are told") {
  const auto set = good(R"T(
[[event]]
id = "a"
class = "probe.ok"
from = 'vm-(?<vm>\w+)'
match = 'x'
[[event]]
id = "b"
class = "probe.ok"
from = "libvirtd"
match = 'x'
[[event]]
id = "c"
class = "probe.ok"
from = "input:libvirt"
match = 'x'
)T");
  CHECK(set->events[0].from.kind == From::Kind::program);
  CHECK(set->events[0].from.captures.at(0).group == 1);
  CHECK(set->events[0].from.name.empty());
  CHECK(set->program_patterns.at(set->events[1].from.pattern).text == "libvirtd");
  CHECK(set->events[1].from.name == "libvirtd");
  CHECK(set->events[2].from.kind == From::Kind::input);
  CHECK(set->events[2].from.name == "libvirt");
}

TEST_CASE("thresholds at their edges") {
  CHECK(std::get<Count>(rule(*good("[[rule]]\nid='r'\non='probe.ok'\ncount='1024 in 1us'\n"), "r").operation)
            .threshold.count == 1024);
  CHECK(bad("[[rule]]\nid='r'\non='probe.ok'\ncount='1025 in 1us'\n").find("E010") != std::string::npos);
  const auto set = good(
      "[[rule]]\nid='r'\non='probe.ok'\ncount={ threshold='18446744073709551615 in 1h', window='tumbling' "
      "}\n");
  CHECK(std::get<Count>(set->rules[0].operation).threshold.count == UINT64_MAX);
  CHECK(bad("[[rule]]\nid='r'\non='probe.ok'\ncount='18446744073709551616 in 1h'\n").find("E009") !=
        std::string::npos);
}

TEST_CASE("a setting may be a phrase, part of one, a duration or a number") {
  const auto set = good(R"T(
[settings]
n = 7
d = "2h"
streak = 4
[[rule]]
id = "r"
on = "probe.ok"
count = "${settings.n} in ${settings.d}"
hold = "${settings.d}"
[[rule]]
id = "s"
on = "probe.ok"
streak = "${settings.streak}"
broken_by = "memory.*"
)T");
  const auto& count = std::get<Count>(rule(*set, "r").operation);
  CHECK(count.threshold.count == 7);
  CHECK(count.threshold.within == Duration::hours(2));
  CHECK(rule(*set, "r").hold == Duration::hours(2));
  const auto& streak = std::get<Streak>(rule(*set, "s").operation);
  CHECK(streak.count == 4);
  CHECK(streak.broken_by.classes.ids().size() == 2);
}

TEST_CASE("cron expressions") {
  const auto cron = [](std::string_view text) {
    return std::get<Schedule>(
               good("[[rule]]\nid='r'\nschedule='" + std::string(text) + "'\n")->rules[0].operation)
        .cron;
  };
  const Cron a = cron("*/20 8-10,20 1 jan,3 sun-mon UTC");
  CHECK(a.minutes == (1ULL | 1ULL << 20 | 1ULL << 40));
  CHECK(a.hours == (1U << 8 | 1U << 9 | 1U << 10 | 1U << 20));
  CHECK(a.days == 1U << 1);
  CHECK(a.months == (1U << 1 | 1U << 3));
  CHECK(a.weekdays == 3);
  CHECK(a.day_or_weekday);
  CHECK_FALSE(cron("0 0 * * 7").day_or_weekday);
  CHECK(cron("0 0 * * 7").weekdays == 1);
  CHECK(cron("0 0 * * *").weekdays == 127);
  for (const char* text : {"60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "5-1 * * * *",
                           "*/0 * * * *", "a * * * *", ", * * * *", "1-2-3 * * * *"}) {
    CHECK(bad("[[rule]]\nid='r'\nschedule='" + std::string(text) + "'\n").find("E023") != std::string::npos);
  }
}

TEST_CASE("where of a reference: equalities are typed and quoted") {
  const auto set = good(R"T(
[[rule]]
id = "r"
on = { on = "memory.corrected", where = { dimm = "it's", page = "0x10", severity = "corrected" } }
)T");
  REQUIRE(set->rules[0].on[0].where);
  CHECK(set->rules[0].on[0].where->text() == "dimm == 'it\\'s' and page == 0x10 and severity == 'corrected'");
}

TEST_CASE("steps of a sequence see earlier ones by their name") {
  const auto set = good(R"T(
[[rule]]
id = "r"
key = ["host"]
sequence = { within = "1m", steps = [{ on = "memory.corrected", as = "a" }, { on = "memory.uncorrected", where = { dimm = "${a.dimm}" } }] }
then = { do = "migrate-guest", with = { guest = "${a.dimm}" } }
)T");
  const auto& sequence = std::get<Sequence>(set->rules[0].operation);
  REQUIRE(sequence.steps.size() == 2);
  const auto& slots = sequence.steps[1].where->slots();
  REQUIRE(slots.size() == 2);
  CHECK(std::count(slots.begin(), slots.end(), slot_of(Space::bound, 0U << 16 | set->field("dimm"))) == 1);
  // A later step is not visible to an earlier one.
  CHECK(bad(R"T(
[[rule]]
id = "r"
key = ["host"]
sequence = { within = "1m", steps = [{ on = "memory.corrected", where = "dimm == b.dimm" }, { on = "memory.uncorrected", as = "b" }] }
)T")
            .find("there is no name b.dimm") != std::string::npos);
}

TEST_CASE("arguments: with goes before the fields of the rule") {
  const auto set = good(R"T(
[action.say]
run = "say"
args = ["${host}", "${dimm}", "${settings.dimm_ce}", "${count}", "fixed"]
serial = "${host}"
[[rule]]
id = "r"
on = "memory.corrected"
then = [{ do = "say", with = { dimm = "<${dimm}>" } }]
)T");
  const Step& step = set->rules[0].then[0];
  REQUIRE(step.args.size() == 5);
  CHECK(step.args[0].expressions()[0].slots() == std::vector<std::uint32_t>{slot_of(Space::field, kHost)});
  CHECK(step.args[1].expressions()[0].slots() == std::vector<std::uint32_t>{slot_of(Space::with, 0)});
  CHECK(step.args[2].is_constant());
  CHECK(step.args[3].expressions()[0].slots() ==
        std::vector<std::uint32_t>{slot_of(Space::local, kLocalCount)});
  CHECK(step.args[4].is_constant());
  CHECK(step.serial_by);
}

TEST_CASE("without an event at hand only the key's fields are known") {
  CHECK(bad("[[rule]]\nid='r'\non='memory.corrected'\ncount='2 in 1h'\nclear='manual'\nthen_clear={ do='migrate-guest', "
            "with={ guest='${severity}' } }\n")
            .find("there is no name severity") != std::string::npos);
  // A case of one event keeps its fields.
  CHECK(good("[[rule]]\nid='r'\non='memory.corrected'\nclear={ lasts='1h' }\nthen_clear={ do='migrate-guest', "
             "with={ guest='${severity}' } }\nthen_over={ do='migrate-guest', with={ guest='${text}' } }\n"));
  CHECK(
      good("[[rule]]\nid='r'\non='memory.corrected'\nclear='manual'\nthen_clear={ do='migrate-guest', with={ "
           "guest='${dimm}' } }\n"));
  CHECK(bad("[[rule]]\nid='r'\nabsence={ of='probe.ok', for='1m' }\nthen={ do='migrate-guest', with={ "
            "guest='${text}' } }\n")
            .find("there is no name text") != std::string::npos);
  CHECK(good("[[rule]]\nid='r'\nabsence={ of='probe.ok', for='1m' }\nthen='crm-standby'\n"));
}

TEST_CASE("has() in a condition makes a field known to be there") {
  CHECK(good(
      "[[rule]]\nid='r'\non='memory.corrected'\nwhere=\"has(page) and weight > 1\"\nkey=['host','page']\n"));
  CHECK(
      bad("[[rule]]\nid='r'\non='memory.corrected'\nwhere=\"has(page) or weight > 1\"\nkey=['host','page']\n")
          .find("E018") != std::string::npos);
  CHECK(bad("[[rule]]\nid='r'\non='memory.corrected'\nwhere=\"not has(page)\"\nkey=['host','page']\n")
            .find("E018") != std::string::npos);
}

TEST_CASE("classes that an event can be") {
  const auto set = good(R"T(
[map.kind]
CE = "corrected"
UE = "uncorrected"
[[event]]
id = "e"
class = "memory.${kind(cls)}"
match = '(?<cls>.E) (?<dimm>\w+)'
let = { severity = "kind(cls) ?? 'info'" }
[[event]]
id = "f"
class = "${k}"
match = '(?<cls>.E) (?<dimm>\w+)'
let = { severity = "'corrected'", k = "cls == 'CE' ? ('memory.corrected') : x", x = "cls == 'UE' ? 'memory.uncorrected' : 'probe.ok'" }
)T");
  CHECK(std::holds_alternative<expr::Template>(set->events[0].class_of));
  CHECK(bad("[map.kind]\nCE='corrected'\nUE='uncorected'\n[[event]]\nid='e'\nclass='memory.${kind(c)}'"
            "\nmatch='(?<c>.)(?<dimm>.)'\nlet={severity=\"'info'\"}\n") ==
        "t.toml:7:7: error: there is no class `memory.uncorected` [E011]\n"
        "    class='memory.${kind(c)}'\n"
        "          ^~~~~~~~~~~~~~~~~~~\n"
        "  hint: did you mean `memory.uncorrected`?\n");
}

TEST_CASE("maps: keys that are all numbers are numbers, * is the rest") {
  const auto set = good("[map.bank]\n0 = 'L1'\n0x10 = 'L2'\n'*' = 'other'\n[map.word]\n0 = 'a'\nx = 'b'\n");
  CHECK(set->maps[0].entries[1].first == expr::Value(16));
  CHECK(*set->maps[0].otherwise == expr::Value("other"));
  CHECK(set->maps[1].entries[0].first == expr::Value("0"));
}

TEST_CASE("the identity of state follows what the windows mean") {
  const auto identity = [](std::string_view text) {
    return good("[[rule]]\nid='r'\n" + std::string(text))->rules[0].state_identity;
  };
  const std::string base = identity("on='memory.corrected'\ncount='3 in 1h'\n");
  CHECK(base == identity("on={ on='memory.corrected', where='weight > 1' }\ncount='30 in "
                         "2h'\ntitle='x'\nthen='crm-standby'\nwhere=\"dimm != 'a'\"\n"));
  CHECK(base != identity("on='memory.uncorrected'\ncount='3 in 1h'\n"));
  CHECK(base != identity("on='memory.*'\ncount='3 in 1h'\n"));
  CHECK(base != identity("on='memory.corrected'\nkey=['host']\ncount='3 in 1h'\n"));
  CHECK(base != identity("on='memory.corrected'\ncount={ threshold='3 in 1h', window='tumbling' }\n"));
  CHECK(base != identity("on='memory.corrected'\ndistinct='3 dimm in 1h'\n"));
  CHECK(identity("match='a'\ncount='3 in 1h'\n") != identity("match='b'\ncount='3 in 1h'\n"));
  CHECK(identity("on='probe.ok'\ndistinct='3 host in 1h'\n") !=
        identity("on='probe.ok'\ndistinct='3 part in 1h'\n"));
}

TEST_CASE("templates lie below a rule's own keys; expand prints what loads to the same") {
  const std::string text = R"T(format = 1
[template.slow]
count = "3 in 7d"
clear = { quiet_for = "14d" }
urgency = "notice"
[[rule]]
id = "r"
use = "slow"
on = { on = "memory.corrected", where = "dimm ~ '^D\\d'" }
urgency = "critical"
title = "it's \u00e4"
[[rule.then]]
do = "crm-standby"
[[rule.test]]
name = "t"
log = '''
+0s a kernel: x
'''
expect = []
)T";
  const RuleFile base{"base.toml", std::string(test::kBase)};
  const Loaded written = load({base, {"t.toml", text}});
  REQUIRE(test::errors(written) == "");
  CHECK(written.rules->rules[0].urgency == Urgency::critical);
  CHECK(std::get<Count>(written.rules->rules[0].operation).threshold.count == 3);
  const auto expanded = expand({base, {"t.toml", text}}, "r");
  REQUIRE(expanded);
  CHECK(*expanded ==
        "[[rule]]\n"
        "id = 'r'\n"
        "count = '3 in 7d'\n"
        "clear = { quiet_for = '14d' }\n"
        "urgency = 'critical'\n"
        "on = { on = 'memory.corrected', where = \"dimm ~ '^D\\\\d'\" }\n"
        "title = '''it's ä'''\n"
        "\n[[rule.then]]\ndo = 'crm-standby'\n"
        "\n[[rule.test]]\nname = 't'\nlog = '''\n+0s a kernel: x\n'''\nexpect = []\n");
  const Loaded again = load({base, {"t.toml", "format = 1\n" + *expanded}});
  REQUIRE(test::errors(again) == "");
  CHECK(again.rules->rules[0].state_identity == written.rules->rules[0].state_identity);
}

TEST_CASE("an override changes a definition where it stands, off takes it away") {
  const auto set = good(R"T(
[[rule]]
id = "r"
on = "memory.corrected"
count = "3 in 1h"
[[override]]
rule = "r"
set = { count = "5 in 1h", urgency = "notice" }
why = "x"
[[override]]
action = "crm-standby"
set = { timeout = "9s" }
why = "x"
)T");
  CHECK(std::get<Count>(set->rules[0].operation).threshold.count == 5);
  CHECK(set->actions[set->find_action("crm-standby").value()].timeout == Duration::seconds(9));
  CHECK(bad("[[rule]]\nid='r'\non='probe.ok'\nthen='crm-standby'\n[[override]]\naction='crm-standby'\noff="
            "true\nwhy='x'\n") ==
        "t.toml:5:6: error: action `crm-standby` is switched off by the override at t.toml:6 [E014]\n"
        "    then='crm-standby'\n"
        "         ^~~~~~~~~~~~~\n"
        "  hint: take the override or this use away\n");
}

TEST_CASE("a file that is no TOML hides what it defines, and nothing else") {
  const Loaded loaded = load({{"a.toml", "format = 1\n[class.x\n"},
                              {"b.toml", "format = 1\n[[rule]]\nid = 'r'\non = 'x'\nhold = '5'\n"}});
  REQUIRE(loaded.diagnostics.size() == 2);
  CHECK(loaded.diagnostics[0].code == "E001");
  CHECK(loaded.diagnostics[1].code == "E008");
  CHECK_FALSE(loaded.rules);
}

TEST_CASE("lint") {
  const auto set = good(R"T(
[settings]
unused = 1
used = 2
[action.wipe]
run = "wipe"
destructive = true
[same_error.s]
classes = ["memory.*"]
key = ["host", "dimm"]
channels = ["a"]
within = "5s"
[[event]]
id = "e"
class = "memory.corrected"
match = '.*CE (?<dimm>\w+)'
let = { severity = "'corrected'" }
channel = "a"
[[event]]
id = "f"
class = "memory.corrected"
match = 'CE (?<dimm>\w+)'
let = { severity = "'corrected'" }
channel = "b"
[[event.sample]]
line = "CE a"
expect = { dimm = "a" }
[[rule]]
id = "r"
on = "memory.uncorrected"
where = "weight > settings.used"
[[rule]]
id = "s"
on = "memory.corrected"
count = "${settings.dimm_ce}"
)T");
  std::string out;
  LintOptions options;
  options.price = [](const PatternText& pattern) {
    const bool literal = pattern.text.find("CE") != std::string::npos && !pattern.text.starts_with(".");
    return PatternPrice{literal ? "long enough" : "", 0.01};
  };
  for (const Diagnostic& d : lint(*set, options))
    out += d.code + " " + d.place.file + ":" + std::to_string(d.place.line) + " " + d.message + "\n";
  CHECK(out ==
        "W006 t.toml:4 nothing uses the setting `unused`\n"
        "W007 t.toml:6 action `wipe` is destructive and has no second opinion\n"
        "W008 t.toml:14 event `e` has no sample\n"
        "W001 t.toml:17 the pattern has no literal text: every line must be tried against it, some 400 ns a line, where looking for all literals together takes 22\n"
        "W002 t.toml:17 the pattern begins with .*, which changes nothing but costs time\n"
        "W009 t.toml:20 no [same_error] lists the channel `b` of event `f`\n"
        "W003 t.toml:29 rule `r` waits for memory.uncorrected, which no event and no rule produces\n"
        "W005 t.toml:29 rule `r` has no test\n"
        "W004 t.toml:33 rule `s` counts, and no test says where its boundary is\n");
}

TEST_CASE("[input] says whose word counts") {
  const auto set = good(R"([input]
trusted = ["relay-kernel", "relay-libvirt"]
writers = [{ uid = 109, exe = "/usr/sbin/corosync" }, { uid = 64055 }]
)");
  CHECK(set->trusted_inputs == std::vector<std::string>{"relay-kernel", "relay-libvirt"});
  REQUIRE(set->trusted_writers.size() == 2);
  CHECK(set->trusted_writers[0].uid == 109);
  CHECK(set->trusted_writers[0].exe == "/usr/sbin/corosync");
  CHECK(set->trusted_writers[1].uid == 64055);
  CHECK(set->trusted_writers[1].exe.empty());
}

}  // namespace
}  // namespace correlator::rules
