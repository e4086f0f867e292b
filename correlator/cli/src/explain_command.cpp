// SPDX-License-Identifier: Apache-2.0
// correlator explain: which events and rules a line meets, and why or why not.
#include <fmt/format.h>

#include <algorithm>
#include <iostream>

#include "base/json.h"
#include "base/text.h"
#include "commands.h"
#include "common.h"
#include "engine/json.h"
#include "pipeline/live.h"
#include "pipeline/session.h"
#include "syslog/parser.h"
#include "engine/provenance.h"
#include "time/clock.h"

namespace correlator::cli {
namespace {

struct Options {
  std::vector<std::string> lines;
  RuleOptions rules;
  std::string state;
  bool json = false;
};

// A decision's id is hex and nothing else; a log line never is.
bool looks_like_id(const std::string& text) {
  return text.size() >= 6 && text.size() <= 32 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Json message_json(const syslog::Message& m, syslog::Origin origin) {
  Json out = {{"type", "line"},     {"format", to_string(m.format)}, {"host", m.host},
              {"program", m.program}, {"origin", to_string(origin)}, {"text", m.text}};
  if (m.pid) out["pid"] = *m.pid;
  if (!m.caller.empty()) out["caller"] = m.caller;
  if (!m.input.empty()) out["input"] = m.input;
  return out;
}

void print_message(report::Printer& printer, const syslog::Message& m, syslog::Origin origin, Timestamp time) {
  if (printer.json()) {
    Json json = message_json(m, origin);
    json["time"] = to_rfc3339(time);
    return printer.object(json);
  }
  printer.note(fmt::format("line     {} format, {}{}{}", to_string(m.format), m.host.empty() ? "no host" : fmt::format("host {}", m.host),
                           m.program.empty() ? "" : fmt::format(", program {}", m.program),
                           origin == syslog::Origin::program ? "" : fmt::format(", {}", to_string(origin))));
  printer.note(fmt::format("time     {}", to_rfc3339(time)));
  printer.note(fmt::format("text     {}", m.text));
}

// One line through a session of its own, so that nothing is changed; with --state its windows stand where the
// state's do.
int explain_line(const Options& o, std::shared_ptr<const rules::RuleSet> rules) {
  report::Printer printer = make_printer(o.json);
  std::vector<engine::Event> events;
  std::vector<engine::Decision> decisions;
  auto session = pipeline::Session::start(
      rules, std::nullopt, {}, [&](const engine::StepOutput& out, const rules::RuleSet&) {
        events.insert(events.end(), out.events.begin(), out.events.end());
        decisions.insert(decisions.end(), out.decisions.begin(), out.decisions.end());
      });
  if (!session) {
    complain(session.error());
    return exit_code(session.error());
  }
  std::optional<engine::Engine> standing;
  if (!o.state.empty()) {
    auto db = open_state_to_read(o.state);
    auto engine = db ? pipeline::restore_engine(*db, {}) : Result<engine::Engine>(db.error());
    if (!engine) {
      complain(engine.error());
      return looking_exit_code(engine.error());
    }
    standing.emplace(std::move(engine).value());
  }
  const SystemClock clock;
  std::uint64_t number = 0;
  for (const std::string& text : o.lines) {
    syslog::Parser parser;
    syslog::Message message;
    if (!parser.parse(text, message)) continue;
    const pipeline::Effective at = pipeline::effective_time(message, clock.now(), rules->zone, pipeline::LiveOptions{}.ahead);
    print_message(printer, message, syslog::origin_of(message, engine::sources_of(*rules)), at.time);
    pipeline::Line line;
    line.frame = text;
    line.stream = "explain";
    line.line_number = ++number;
    line.time = at.time;
    if (!(*session)->line(line) && !o.json) printer.note("no pattern matches this line");
  }
  (*session)->end();
  if (events.empty() && !o.json) printer.note("it decodes to no event");
  for (const engine::Event& event : events) {
    printer.event(event, *rules);
    if (!o.json) printer.note(fmt::format("  fields {}", to_line(engine::to_json(event, *rules)["fields"])));
    const engine::Engine& engine = standing ? *standing : (*session)->engine();
    for (const engine::Explanation& e : engine.explain(event)) {
      if (o.json) {
        printer.object({{"type", "explanation"},
                        {"time", to_rfc3339(event.time)},
                        {"rule", e.rule},
                        {"takes_part", e.takes_part},
                        {"text", e.text}});
      } else {
        printer.note(fmt::format("  {} {}: {}", e.takes_part ? "✓" : "·", e.rule, e.text));
      }
    }
  }
  for (const engine::Decision& decision : decisions) printer.decision(decision);
  return kFine;
}

}  // namespace

void add_explain(CLI::App& app, CommandLine& out) {
  CLI::App* sub = app.add_subcommand(
      "explain", "Which events and rules a line meets and why or why not; or why a decision was taken");
  auto o = std::make_shared<Options>();
  sub->add_option(
         "LINE", o->lines,
         "A log line in quotes (several make one record), a decision's id, or - to read lines from stdin")
      ->required();
  add_rule_options(*sub, o->rules);
  sub->add_option("--state", o->state, "Say where the windows of this state directory stand")
      ->type_name("DIR");
  sub->add_flag("--json", o->json, "One JSON object a line");
  sub->callback([o, &out] {
    out.command = [o]() -> int {
      if (o->lines.size() == 1 && looks_like_id(o->lines[0])) {
        return show_decision(o->state.empty() ? "/var/lib/correlator" : o->state, o->lines[0], o->json);
      }
      if (o->lines.size() == 1 && o->lines[0] == "-") {
        o->lines.clear();
        for (std::string line; std::getline(std::cin, line);) o->lines.push_back(line);
      }
      int code = kFine;
      auto rules = load_rules_unproven(o->rules, code);
      return rules == nullptr ? code : explain_line(*o, std::move(rules));
    };
  });
}

}  // namespace correlator::cli
