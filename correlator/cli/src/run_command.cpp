// SPDX-License-Identifier: Apache-2.0
// correlator run: live lines on stdin.
#include <fmt/format.h>

#include <csignal>

#include "acting.h"
#include "base/text.h"
#include "commands.h"
#include "common.h"
#include "input/reader.h"
#include "pipeline/live.h"
#include "time/clock.h"

namespace correlator::cli {
namespace {

struct Options {
  RuleOptions rules;
  std::string state = "/var/lib/correlator", actions = kActionsDirectory;
  bool shadow = false, dispatch = false, json = false, events = false;
};

volatile std::sig_atomic_t g_stop = 0;
// How long the end of the input waits for what was started.
constexpr Duration kLongestWait = Duration::minutes(10);

// SIGTERM must end a read that waits: no SA_RESTART.
void stop_on(int signal_number) {
  struct sigaction action {};
  action.sa_handler = [](int) { g_stop = 1; };
  sigaction(signal_number, &action, nullptr);
}

int run(const Options& o) {
  int code = kFine;
  const auto rules = load_rules(o.rules, code);
  if (rules == nullptr) return code;
  auto db = store::EngineDb::open(o.state);
  if (!db) {
    complain(db.error());
    return exit_code(db.error());
  }
  const SystemClock clock;
  report::Printer printer =
      make_printer(o.json, !o.dispatch || o.shadow ? report::Tense::would : report::Tense::runs);
  std::unique_ptr<Acting> acting;
  auto session = pipeline::Session::start(rules, std::move(db).value(), {},
                                          [&](const engine::StepOutput& out, const rules::RuleSet& set) {
                                            if (o.events) {
                                              for (const engine::Event& event : out.events)
                                                printer.event(event, set);
                                            }
                                            for (const engine::Decision& decision : out.decisions) {
                                              printer.decision(decision);
                                              if (acting != nullptr) acting->decided(decision);
                                            }
                                            std::fflush(stdout);
                                          });
  if (!session) {
    complain(session.error());
    return exit_code(session.error());
  }
  for (const std::string& note : (*session)->notes()) std::fputs((printable(note) + "\n").c_str(), stderr);
  if (o.dispatch) {
    auto started =
        Acting::start({o.state, o.actions, o.shadow, {}}, rules, clock, *(*session)->db(), printer);
    if (!started) {
      complain(started.error());
      return exit_code(started.error());
    }
    acting = std::move(*started);
  }
  pipeline::LiveOptions live;
  live.zone = rules->zone;
  live.after_commit = [&]() -> Status {
    if (acting == nullptr) return {};
    Status status = acting->committed(**session);
    std::fflush(stdout);  // outcomes
    return status;
  };
  live.stop = [] { return g_stop != 0; };
  auto reader = input::open_reader("-");
  if (!reader) {
    complain(reader.error());
    return exit_code(reader.error());
  }
  stop_on(SIGTERM);
  stop_on(SIGINT);
  const Status status = pipeline::run_live(**session, std::move(reader).value(), clock, live);
  const Status last = acting == nullptr ? (*session)->commit({}, true)
                                        : acting->finish(**session, kLongestWait, [] { return false; });
  for (const Status& s : {status, last}) {
    if (s.ok()) continue;
    complain(s.error());
    code = exit_code(s.error());
  }
  return code;
}

}  // namespace

void add_run(CLI::App& app, CommandLine& out) {
  CLI::App* sub = app.add_subcommand("run", "Live: lines on standard input, decisions as they are taken");
  auto o = std::make_shared<Options>();
  add_rule_options(*sub, o->rules);
  sub->add_option("--state", o->state, "State directory (default: /var/lib/correlator)")->type_name("DIR");
  sub->add_flag("--dispatch", o->dispatch, "Run the actions in this process, too");
  sub->add_option("--actions", o->actions,
                  fmt::format("Directory of the action scripts (default: {})", kActionsDirectory))
      ->type_name("DIR");
  sub->add_flag("--shadow", o->shadow, "Record in the ledger what would run, and run nothing");
  sub->add_flag("--events", o->events, "Print the decoded events, too");
  sub->add_flag("--json", o->json, "One JSON object a line");
  sub->callback([o, &out] { out.command = [o] { return run(*o); }; });
}

}  // namespace correlator::cli
