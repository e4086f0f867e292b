// SPDX-License-Identifier: Apache-2.0
// What people and programs read: exact texts, and hostile ones that must not reach a terminal raw.
#include "report/printer.h"

#include "base/json.h"
#include "catch.h"
#include "rules/loader.h"

using namespace correlator;
using report::Printer;

namespace {

const Timestamp kTime = *parse_rfc3339("2026-01-01T00:00:00.5Z");

// What a printer wrote.
template <class Use>
std::string printed(report::PrinterOptions options, Use&& use) {
  std::FILE* file = std::tmpfile();
  REQUIRE(file != nullptr);
  Printer printer(file, options);
  use(printer);
  CHECK(printer.good());
  std::string out(static_cast<std::size_t>(std::ftell(file)), '\0');
  std::rewind(file);
  REQUIRE(std::fread(out.data(), 1, out.size(), file) == out.size());
  std::fclose(file);
  return out;
}

engine::Decision decision() {
  engine::Decision d;
  d.id = "00112233445566778899aabbccddeeff";
  d.time = kTime;
  d.rule = "dimm.failing";
  d.key = {{"host", std::string("kvm1")}, {"dimm", std::string("D 1")}};
  d.step = 1;
  d.action = "notify";
  d.argv = {"--host", "kvm1", "it's $(id)"};
  d.why = "10 of 10";
  d.trust = engine::Trust::vouched;
  d.evidence = {{7, kTime, "kvm1", "EDAC \x1b[31mMC0\n", "a.log", 12}};
  d.evidence_total = 20;
  return d;
}

std::shared_ptr<const rules::RuleSet> rules_with_a_class() {
  auto loaded = rules::load({{"t.toml", "format = 1\n[class.e]\nkey = [\"host\"]\n"}});
  REQUIRE(loaded.rules != nullptr);
  return loaded.rules;
}

engine::Event event() {
  engine::Event e;
  e.severity = rules::Severity::corrected;
  e.time = kTime;
  e.weight = 37;
  e.fields.set(rules::kHost, std::string("kvm\x1b]0;owned\x07"));
  e.fields.set(rules::kPart, std::string("D1"));
  e.file = "a.log";
  e.line_number = 12;
  e.line_numbers = {12, 13, 15};
  e.late = true;
  return e;
}

}  // namespace

TEST_CASE("a decision for people") {
  CHECK(printed({.tense = report::Tense::would}, [](Printer& p) { p.decision(decision()); }) ==
        "DECISION 2026-01-01T00:00:00.500Z  dimm.failing  host=kvm1 dimm=D 1\n"
        "  why    10 of 10\n"
        "  would run: notify --host kvm1 'it'\\''s $(id)'\n"
        "  | 2026-01-01T00:00:00.500Z kvm1 EDAC \\x1b[31mMC0\\n  [a.log:12]\n"
        "  | … 20 lines in all\n"
        "  id     00112233445566778899aabbccddeeff\n");
}

TEST_CASE("a decision that runs, one that was held, one without an action") {
  auto text = [](engine::Decision d) { return printed({.tense = report::Tense::runs}, [&](Printer& p) { p.decision(d); }); };
  CHECK(text(decision()).find("\n  runs: notify ") != std::string::npos);
  engine::Decision held = decision();
  held.fate = engine::Decision::Fate::held;
  held.fate_reason = "unless b";
  CHECK(text(held).find("\n  held: notify --host kvm1 'it'\\''s $(id)' (unless b)\n") != std::string::npos);
  engine::Decision quiet = decision();
  quiet.action.clear();
  CHECK(text(quiet).find("\n  nothing to run: this rule only reports\n") != std::string::npos);
}

TEST_CASE("a decision for programs: one line, what was stored is what is printed") {
  const std::string line = printed({.json = true}, [](Printer& p) { p.decision(decision()); });
  REQUIRE(line.find('\n') == line.size() - 1);
  const auto json = parse_json(line);
  REQUIRE(json);
  CHECK(json->at("type") == "decision");
  CHECK(json->at("time") == "2026-01-01T00:00:00.500Z");
  CHECK(json->at("id") == "00112233445566778899aabbccddeeff");
  CHECK(json->at("rule") == "dimm.failing");
  CHECK(json->at("key") == Json{{"host", "kvm1"}, {"dimm", "D 1"}});
  CHECK(json->at("step") == 1);
  CHECK(json->at("action") == "notify");
  CHECK(json->at("argv") == Json::array({"--host", "kvm1", "it's $(id)"}));
  CHECK(json->at("why") == "10 of 10");
  CHECK(json->at("evidence").at(0).at("text") == "EDAC \x1b[31mMC0\n");
  CHECK(json->at("evidence").at(0).at("line") == 12);
  CHECK(line.find('\x1b') == std::string::npos);
  const std::string stored = line.substr(0, line.size() - 1);
  CHECK(printed({.json = true}, [&](Printer& p) { p.stored_decision(stored); }) == line);
  CHECK(printed({}, [&](Printer& p) { p.stored_decision(stored); }) == printed({}, [](Printer& p) { p.decision(decision()); }));
}

TEST_CASE("a stored decision that is damaged prints what there is and does no harm") {
  for (const char* bad : {"{}", "[]", "7", "{\"key\":[1],\"evidence\":{\"a\":1},\"argv\":[1,{}],\"time\":{}}", "{", ""}) {
    INFO(bad);
    const std::string text = printed({}, [&](Printer& p) { p.stored_decision(bad); });
    CHECK(text.find('\x1b') == std::string::npos);
  }
}

TEST_CASE("an event") {
  const auto rules = rules_with_a_class();
  CHECK(printed({}, [&](Printer& p) { p.event(event(), *rules); }) ==
        "2026-01-01T00:00:00.500Z  kvm\\x1b]0;owned\\x07  e                      corrected    D1  ×37  (late)  a.log:12 and 2 more\n");
  const auto json = parse_json(printed({.json = true}, [&](Printer& p) { p.event(event(), *rules); }));
  REQUIRE(json);
  CHECK(json->at("type") == "event");
  CHECK(json->at("event") == "e");
  CHECK(json->at("weight") == 37);
  CHECK(json->at("lines") == Json::array({12, 13, 15}));
  CHECK(json->at("line") == 12);
  CHECK(json->at("file") == "a.log");
  CHECK(json->at("severity") == "corrected");
}

TEST_CASE("L21: the summary says what is still open; zero counts are left out for people") {
  report::Summary s;
  s.lines = 1234;
  s.counters.events = 1;
  s.counters.decisions = 2;
  s.counters.clamped = 3;
  s.open_windows = 4;
  s.open_cases = 1;
  s.seconds = 0.25;
  CHECK(printed({}, [&](Printer& p) { p.summary(s); }) ==
        "1,234 lines, 1 event, 2 decisions; 4 windows and 1 case still open, 3 clamped (0.2 s)\n");
  const auto json = parse_json(printed({.json = true}, [&](Printer& p) { p.summary(s); }));
  REQUIRE(json);
  for (const char* name : {"type", "lines", "events", "decisions", "late", "undated", "clamped", "open", "seconds", "outcomes", "reloads"}) {
    INFO(name);
    CHECK(json->contains(name));
  }
  CHECK(json->at("open") == 4);
}

TEST_CASE("a window") {
  engine::WindowView w;
  w.rule = "r";
  w.key = {{"host", std::string("h\x1b")}};
  w.stands = "2 of 3";
  w.have = 2;
  w.need = 3;
  w.newest = kTime;
  w.open_case = true;
  CHECK(printed({}, [&](Printer& p) { p.window(w); }) == "r  host=h\\x1b  2 of 3  case open\n");
  CHECK(printed({.json = true}, [&](Printer& p) { p.window(w); }) ==
        "{\"type\":\"window\",\"time\":\"2026-01-01T00:00:00.500Z\",\"rule\":\"r\",\"key\":{\"host\":\"h\\u001b\"},\"have\":2,"
        "\"need\":3,\"open\":true,\"stands\":\"2 of 3\"}\n");
}

TEST_CASE("colours only where asked for") {
  const auto coloured = printed({.colour = true}, [](Printer& p) { p.decision(decision()); });
  CHECK(coloured.find("\x1b[33mDECISION\x1b[0m") == 0);
  CHECK(coloured.find("\x1b[31m") == std::string::npos);  // the evidence's own
}

TEST_CASE("notes are for people; a full disk is noticed") {
  CHECK(printed({.json = true}, [](Printer& p) { p.note("x"); p.blank(); }).empty());
  CHECK(printed({}, [](Printer& p) { p.note("x\x1b"); p.blank(); }) == "x\\x1b\n\n");
  std::FILE* full = std::fopen("/dev/full", "w");
  REQUIRE(full != nullptr);
  std::setvbuf(full, nullptr, _IONBF, 0);
  Printer printer(full, {});
  printer.note("x");
  CHECK_FALSE(printer.good());
  std::fclose(full);
}
