// SPDX-License-Identifier: Apache-2.0
// correlator run: live lines on stdin.
#include <csignal>

#include "base/text.h"
#include "commands.h"
#include "common.h"
#include "dispatch/dispatch_thread.h"
#include "input/reader.h"
#include "pipeline/live.h"
#include "time/clock.h"

namespace correlator::cli {
namespace {

struct Options {
  RuleOptions rules;
  std::string state = "/var/lib/correlator", actions = "/usr/lib/correlator/actions";
  bool shadow = false, dispatch = false, json = false, events = false;
};

volatile std::sig_atomic_t g_stop = 0;

// SIGTERM must end a read that waits: no SA_RESTART.
void stop_on(int signal_number) {
  struct sigaction action {};
  action.sa_handler = [](int) { g_stop = 1; };
  sigaction(signal_number, &action, nullptr);
}

std::unique_ptr<dispatch::DispatchThread> start_dispatcher(const Options& o, std::shared_ptr<const rules::RuleSet> rules,
                                                           const Clock& clock, int& code) {
  auto ledger = store::LedgerDb::open(o.state);
  if (!ledger) {
    complain(ledger.error());
    code = exit_code(ledger.error());
    return nullptr;
  }
  dispatch::DispatchOptions options;
  options.actions_dir = o.actions;
  options.kill_switch = std::filesystem::path(o.state) / "stop-actions";
  options.shadow = o.shadow;
  auto dispatcher = dispatch::Dispatcher::open(std::move(*ledger), std::move(rules), clock, options);
  if (!dispatcher) {
    complain(dispatcher.error());
    code = exit_code(dispatcher.error());
    return nullptr;
  }
  return std::make_unique<dispatch::DispatchThread>(std::move(*dispatcher));
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
  report::Printer printer = make_printer(o.json, !o.dispatch || o.shadow);
  std::vector<engine::Decision> decided;
  auto session = pipeline::Session::start(rules, std::move(db).value(), {}, [&](const engine::StepOutput& out, const rules::RuleSet& set) {
    if (o.events) {
      for (const engine::Event& event : out.events) printer.event(event, set);
    }
    for (const engine::Decision& decision : out.decisions) printer.decision(decision);
    std::fflush(stdout);
    decided.insert(decided.end(), out.decisions.begin(), out.decisions.end());
  });
  if (!session) {
    complain(session.error());
    return exit_code(session.error());
  }
  for (const std::string& note : (*session)->notes()) std::fputs((printable(note) + "\n").c_str(), stderr);
  std::unique_ptr<dispatch::DispatchThread> dispatcher;
  if (o.dispatch) {
    dispatcher = start_dispatcher(o, rules, clock, code);
    if (dispatcher == nullptr) return code;
  }
  pipeline::LiveOptions live;
  live.zone = rules->zone;
  live.after_commit = [&] {
    // Durable by now, so the dispatcher may see them.
    if (dispatcher != nullptr) {
      dispatcher->submit(std::exchange(decided, {}));
      for (const engine::OutcomeRecord& outcome : dispatcher->take_outcomes()) (*session)->outcome(outcome);
    }
    decided.clear();
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
  if (dispatcher != nullptr) {
    dispatcher->submit(std::exchange(decided, {}));
    dispatcher->drain(Duration::minutes(10));
    for (const engine::OutcomeRecord& outcome : dispatcher->take_outcomes()) (*session)->outcome(outcome);
    if (const auto failure = dispatcher->failure()) complain(*failure);
  }
  const Status last = (*session)->commit({}, true);
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
  sub->add_option("--actions", o->actions, "Directory of the action scripts (default: /usr/lib/correlator/actions)")->type_name("DIR");
  sub->add_flag("--shadow", o->shadow, "Record in the ledger what would run, and run nothing");
  sub->add_flag("--events", o->events, "Print the decoded events, too");
  sub->add_flag("--json", o->json, "One JSON object a line");
  sub->callback([o, &out] { out.command = [o] { return run(*o); }; });
}

}  // namespace correlator::cli
