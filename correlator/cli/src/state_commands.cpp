// SPDX-License-Identifier: Apache-2.0
// correlator status, windows, decisions, why: looking into a state directory.
#include <fmt/format.h>
#include <signal.h>

#include <cerrno>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "commands.h"
#include "common.h"
#include "pipeline/session.h"
#include "store/ledger_db.h"

namespace correlator::cli {
namespace {

struct Options {
  std::string state = "/var/lib/correlator";
  bool json = false;
  std::string rule, from, to, id;
  std::uint64_t limit = 0;
};

void add_common(CLI::App& sub, Options& o) {
  sub.add_option("--state", o.state, "State directory (default: /var/lib/correlator)")->type_name("DIR");
  sub.add_flag("--json", o.json, "One JSON object a line");
}

// Opens the state and hands it over; says why it cannot.
template <class Use>
int with_state(const Options& o, Use&& use) {
  auto db = open_state_to_read(o.state);
  if (!db) {
    complain(db.error());
    return looking_exit_code(db.error());
  }
  const Status status = use(*db);
  if (status.ok()) return kFine;
  complain(status.error());
  return exit_code(status.error());
}

Json counters_json(const engine::Counters& c) {
  return {{"lines", c.lines},         {"events", c.events},         {"decisions", c.decisions},
          {"late", c.late},           {"undated", c.undated},       {"clamped", c.clamped},
          {"forged", c.forged},       {"incomplete", c.incomplete}, {"keyless", c.keyless},
          {"ambiguous", c.ambiguous}, {"evicted", c.evicted},       {"cooled", c.cooled},
          {"folded", c.folded},       {"cut_chains", c.cut_chains}, {"outcomes", c.outcomes},
          {"reloads", c.reloads}};
}

// What the process that runs (or ran last) said of itself.
void print_engine(report::Printer& printer, const Json& said) {
  const bool runs = ::kill(said.value("pid", 0), 0) == 0 || errno == EPERM;
  printer.note(fmt::format("engine   process {}, {}, as of {}", said.value("pid", 0), runs ? "running" : "not running any more",
                           printable(said.value("time", ""))));
  printer.note(fmt::format("         durability: {}, sandbox: {}", printable(said.value("durability", "")), printable(said.value("sandbox", ""))));
  if (const auto spooled = said.value("spooled", std::uint64_t{0}); spooled > 0) {
    printer.note(fmt::format("         {} in the spool: the database cannot be written", counted(spooled, "batch")));
  }
  if (const std::string reload = said.value("reload", ""); !reload.empty()) {
    printer.note(fmt::format("reload   {}{}", said.value("reload_failed", false) ? "FAILED " : "", printable(reload)));
  }
}

// "the oldest 3 decisions, up to 2026-01-01T00:00:00Z".
std::string told(const store::DroppedDecisions& dropped) {
  return fmt::format("the oldest {}, up to {}", counted(dropped.count, "decision"), to_rfc3339(dropped.newest));
}

int status(const Options& o) {
  return with_state(o, [&](store::EngineDb& db) -> Status {
    auto engine = pipeline::restore_engine(db, {});
    if (!engine) return engine.error();
    auto cursors = db.cursors();
    if (!cursors) return cursors.error();
    report::Printer printer = make_printer(o.json);
    const auto dropped = db.dropped_decisions();
    if (!dropped) return dropped.error();
    const std::string clock = engine->clock() ? to_rfc3339(*engine->clock()) : "";
    Json inputs = Json::array();
    for (const store::Cursor& cursor : *cursors)
      inputs.push_back({{"stream", cursor.stream}, {"offset", cursor.offset}});
    Json object = {{"type", "status"},
                   {"time", clock},
                   {"rules", engine->rules() == nullptr ? "" : engine->rules()->hash},
                   {"records", engine->seq()},
                   {"windows", engine->live_windows()},
                   {"cases", engine->open_cases()},
                   {"counters", counters_json(engine->counters())},
                   {"inputs", std::move(inputs)}};
    auto said = db.note("engine");
    if (!said) return said.error();
    const auto health = parse_json(*said);
    if (health && health->is_object()) object["engine"] = *health;
    if (dropped->count > 0) object["decisions_dropped"] = {{"count", dropped->count}, {"newest", to_rfc3339(dropped->newest)}};
    if (o.json) {
      printer.object(object);
      return {};
    }
    if (health && health->is_object()) print_engine(printer, *health);
    printer.note(fmt::format("clock    {}", clock.empty() ? "no line yet" : clock));
    printer.note(fmt::format("intake   {}", counted(engine->seq(), "record")));
    printer.note(fmt::format("windows  {}, {} open", counted(engine->live_windows(), "window"),
                             counted(engine->open_cases(), "case")));
    if (dropped->count > 0) printer.note(fmt::format("dropped  {}", told(*dropped)));
    for (const auto& [name, value] : object["counters"].items()) {
      if (value.get<std::uint64_t>() > 0)
        printer.note(fmt::format("{:<11}{}", name, value.get<std::uint64_t>()));
    }
    for (const store::Cursor& cursor : *cursors)
      printer.note(fmt::format("input    {} at byte {}", cursor.stream, cursor.offset));
    return {};
  });
}

int windows(const Options& o) {
  return with_state(o, [&](store::EngineDb& db) -> Status {
    auto engine = pipeline::restore_engine(db, {});
    if (!engine) return engine.error();
    report::Printer printer = make_printer(o.json);
    engine->windows([&](const engine::WindowView& window) {
      if (o.rule.empty() || window.rule == o.rule) printer.window(window);
    });
    return {};
  });
}

int decisions(const Options& o) {
  store::DecisionFilter filter;
  if (!o.rule.empty()) filter.rule = o.rule;
  filter.limit = o.limit;
  for (const auto& [text, target] : {std::pair{&o.from, &filter.from}, {&o.to, &filter.to}}) {
    if (text->empty()) continue;
    *target = parse_time(*text, Zone{});
    if (!*target) {
      complain(make_error("E501", fmt::format("{}: not a time", *text),
                          "write 2026-01-01 or 2026-01-01T12:00:00Z"));
      return kUsage;
    }
  }
  return with_state(o, [&](store::EngineDb& db) {
    report::Printer printer = make_printer(o.json);
    return db.each_decision(filter, [&](std::string_view document) {
      printer.stored_decision(document);
      return printer.good();
    });
  });
}

int why(const Options& o) {
  return show_decision(o.state, o.id, o.json);
}

void add(CLI::App& app, CommandLine& out, const char* name, const char* text, int (*run)(const Options&),
         void (*more)(CLI::App&, Options&)) {
  CLI::App* sub = app.add_subcommand(name, text);
  auto o = std::make_shared<Options>();
  add_common(*sub, *o);
  if (more != nullptr) more(*sub, *o);
  sub->callback([o, run, &out] { out.command = [o, run] { return run(*o); }; });
}

}  // namespace

int show_decision(const std::string& state, const std::string& id, bool json) {
  Options o;
  o.state = state;
  int found = 0;
  store::DroppedDecisions dropped;
  const int code = with_state(o, [&](store::EngineDb& db) -> Status {
    auto ledger = store::LedgerDb::open(state, false);  // without one nothing ever acted on this state
    store::DecisionFilter filter;
    filter.id_prefix = lower(id);
    report::Printer printer = make_printer(json);
    Status failure;
    const Status read = db.each_decision(filter, [&](std::string_view document) {
      printer.stored_decision(document);
      ++found;
      const auto decision = ledger ? parse_json(document) : std::nullopt;
      if (!decision) return true;
      auto job = ledger->find(decision->value("id", ""));
      if (!job) failure = job.error();
      if (!failure.ok() || !*job) return failure.ok();
      Timestamp since = (*job)->received;
      failure = ledger->each_attempt((*job)->decision, [&](const store::Attempt& attempt) {
        since = std::max({since, attempt.started, attempt.ended});
        return true;
      });
      printer.outcome(**job, since);
      return failure.ok();
    });
    if (auto gone = db.dropped_decisions()) dropped = *gone;
    return failure.ok() ? read : failure;
  });
  if (code != kFine || found > 0) return code;
  const std::string gone = dropped.count == 0 ? "" : fmt::format("; {}, were dropped (run --decisions-size)", told(dropped));
  complain(make_error("E507", fmt::format("no decision has an id that begins with {}{}", id, gone),
                      "`correlator decisions` lists them"));
  return kNo;
}

void add_status(CLI::App& app, CommandLine& out) {
  add(app, out, "status", "What a state directory holds, and what was not counted and why", status, nullptr);
}

void add_windows(CLI::App& app, CommandLine& out) {
  add(app, out, "windows", "Where each window stands", windows, [](CLI::App& sub, Options& o) {
    sub.add_option("--rule", o.rule, "Only this rule's")->type_name("RULE");
  });
}

void add_decisions(CLI::App& app, CommandLine& out) {
  add(app, out, "decisions", "What was decided, with reasons and evidence", decisions,
      [](CLI::App& sub, Options& o) {
        sub.add_option("--rule", o.rule, "Only this rule's")->type_name("RULE");
        sub.add_option("--from", o.from, "Not before")->type_name("TIME");
        sub.add_option("--to", o.to, "Not after")->type_name("TIME");
        sub.add_option("-n,--limit", o.limit, "Only the newest N")->type_name("N");
      });
}

void add_why(CLI::App& app, CommandLine& out) {
  add(app, out, "why", "Why one decision was taken", why, [](CLI::App& sub, Options& o) {
    sub.add_option("ID", o.id, "The decision's id, or its beginning")->required();
  });
}

}  // namespace correlator::cli
