// SPDX-License-Identifier: Apache-2.0
// correlator dispatch: the process that runs actions; correlator approve, deny: a person's word on one.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <csignal>

#include <filesystem>

#include "acting.h"
#include "base/json.h"
#include "base/text.h"
#include "commands.h"
#include "common.h"
#include "dispatch/decision_reader.h"
#include "dispatch/dispatcher.h"
#include "dispatch/errands.h"
#include "dispatch_metrics.h"
#include "host/notify.h"
#include "host/socket.h"
#include "host/user.h"
#include "metrics_file.h"
#include "pipeline/control.h"
#include "pipeline/rule_loader.h"
#include "time/clock.h"

namespace correlator::cli {
namespace {

// What runs may end by itself before a stop takes it down.
constexpr Duration kStopWait = Duration::seconds(80);  // below systemd's 90 s

struct Options {
  RuleOptions rules;
  std::string state = "/var/lib/correlator", ledger, actions = kActionsDirectory, group = "correlator";
  bool shadow = false;
  MetricsFileOptions metrics;
};

// From a line that may decide something to its decision takes the engine a third of this.
constexpr Duration kAwake = Duration::milliseconds(1);

volatile std::sig_atomic_t g_stop = 0, g_hangup = 0;

void handle(int number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  ::sigaction(number, &action, nullptr);
}

std::filesystem::path ledger_of(const std::string& state, const std::string& ledger) { return ledger.empty() ? state + "-dispatch" : ledger; }

// Rules decide what runs as root, and so do the scripts and the directories above both.
Status only_root_decides(const std::vector<std::filesystem::path>& rule_paths, const rules::RuleSet& rules, const std::string& actions) {
  for (const auto& path : rule_paths) {
    if (auto status = host::only_we_can_write(path); !status) return status;
  }
  for (const auto& [file, text] : rules.files) {
    if (auto status = host::only_we_can_write(file); !status) return status;
  }
  for (const rules::Action& action : rules.actions) {
    for (const std::string& script : {action.run, action.confirm}) {
      const std::filesystem::path file = std::filesystem::path(actions) / script;
      std::error_code failure;
      // One that is missing refuses its own actions, when they come.
      if (script.empty() || !std::filesystem::exists(file, failure)) continue;
      if (auto status = host::only_we_can_write(file); !status) return status;
    }
  }
  return host::only_we_can_write(actions);
}

class DispatchService {
 public:
  DispatchService(const Options& o, std::shared_ptr<const rules::RuleSet> rules, std::filesystem::path kill_switch, const Clock& clock,
                  dispatch::Dispatcher dispatcher, dispatch::Errands errands, host::ControlServer control, host::Doorbell door)
      : o_(o), rules_(std::move(rules)), kill_switch_(std::move(kill_switch)), clock_(clock), started_(clock.now()), metrics_file_(o.metrics), dispatcher_(std::move(dispatcher)), errands_(std::move(errands)), control_(std::move(control)), door_(std::move(door)),
        engine_(std::filesystem::path(o.state) / "engine.bell"), reader_(o.state) {
    reloads_.loaded = started_;
    dispatcher_.watch(control_.fd());
    dispatcher_.watch(door_.fd());
    dispatcher_.watch(loader_.fd());
  }

  Status run() {
    manager_.ready("waiting for decisions");
    while (g_stop == 0) {
      if (auto status = round(); !status) return status;
    }
    manager_.stopping();
    for (Duration left = kStopWait; dispatcher_.running() > 0 && left.us > 0; left = left - Duration::milliseconds(100)) {
      if (auto ended = dispatcher_.poll(Duration::milliseconds(100)); !ended) return ended.error();
    }
    return {};
  }

 private:
  Status round() {
    if (auto status = read_decisions(); !status) return status;
    std::vector<std::string> complaints;
    bool news = false;
    for (const store::Report& report : errands_.poll(complaints)) {
      if (auto status = dispatcher_.ledger().report(report); !status) return status;
      news = true;
    }
    for (const std::string& complaint : complaints) std::fputs((printable(complaint) + "\n").c_str(), stderr);
    auto outcomes = dispatcher_.poll(std::min(Duration::seconds(1), errands_.until_next()));
    if (!outcomes) return outcomes.error();
    if (news || !outcomes->empty()) engine_.ring();
    if (door_.answer() == host::Doorbell::Call::soon) {
      if (auto status = meet_awake(); !status) return status;
    }
    take_requests();
    take_rules();
    if (manager_.watchdog()) manager_.alive();
    if (const Timestamp now = clock_.now(); metrics_file_.due(now)) {
      if (const auto page = metrics(); page) metrics_file_.write(*page, now);
    }
    return {};
  }

  // An announced decision: what reading it needs is fetched into the CPU's caches, by reading, and nobody has to wake us when it is there.
  Status meet_awake() {
    if (auto status = read_decisions(); !status) return status;
    door_.answer_awake(kAwake);
    return {};
  }

  Result<std::string> metrics() {
    report::MetricPage page;
    if (auto status = tell_dispatcher(page, dispatcher_.ledger(), {started_, kill_switch_, *rules_, reloads_}, clock_.now()); !status) return status.error();
    return page.text();
  }

  Status read_decisions() {
    std::optional<Diagnostic> complaint;
    if (auto status = reader_.take(dispatcher_, complaint); !status) return status;
    // Said once: it is looked at again each round.
    if (complaint && complaint->message != said_) complain(*complaint);
    said_ = complaint ? complaint->message : std::string{};
    return {};
  }

  void take_requests() {
    while (auto request = control_.accept()) {
      const auto json = parse_json(request->line());
      const std::string verb = json && json->is_object() ? json->value("verb", "") : "";
      if (verb == "approve" || verb == "deny") {
        request->reply(pipeline::answer_line(dispatcher_.judge(json->value("decision", ""), json->value("author", ""), verb == "approve")));
      } else if (verb == "metrics") {
        request->reply(pipeline::answer_line(metrics()));
      } else if (verb == "reload") {
        reload_asked_.push_back(std::move(*request));
        loader_.start(rule_paths(o_.rules));
      } else if (verb == "undo") {
        const Status status = dispatcher_.undo(json->value("decision", ""));
        request->reply(pipeline::answer_line(status.ok() ? Result<std::string>("it is undone as a job of its own") : status.error()));
      } else {
        request->reply(pipeline::answer_line(make_error("E511", "a request that this correlator does not know", "use the correlator command of the same version")));
      }
    }
  }

  void take_rules() {
    if (std::exchange(g_hangup, 0) != 0) loader_.start(rule_paths(o_.rules));
    auto loaded = loader_.take();
    if (!loaded) return;
    complain(loaded->diagnostics);
    if (loaded->rules != nullptr) {
      if (auto safe = only_root_decides(rule_paths(o_.rules), *loaded->rules, o_.actions); !safe) {
        complain(safe.error());
        loaded->rules.reset();
        loaded->diagnostics = {safe.error()};
      }
    }
    const Result<std::string> answer = loaded->rules == nullptr ? Result<std::string>(rules_stay(loaded->diagnostics)) : put_in_force(loaded->rules);
    reloads_.last_good = answer.ok();
    ++(answer ? reloads_.good : reloads_.failed);
    for (host::Request& asked : std::exchange(reload_asked_, {})) asked.reply(pipeline::answer_line(answer));
  }

  std::string put_in_force(const std::shared_ptr<const rules::RuleSet>& rules) {
    reloads_.loaded = clock_.now();
    rules_ = rules;
    dispatcher_.set_rules(rules);
    errands_.set_rules(rules);
    std::fputs("reload: the new rules are in force\n", stderr);
    return fmt::format("{} in force", counted(rules->rules.size(), "rule"));
  }

  const Options& o_;
  std::shared_ptr<const rules::RuleSet> rules_;
  std::filesystem::path kill_switch_;
  const Clock& clock_;
  Timestamp started_;
  ReloadCounts reloads_;
  MetricsFile metrics_file_;
  dispatch::Dispatcher dispatcher_;
  dispatch::Errands errands_;
  host::ControlServer control_;
  host::Doorbell door_;
  host::Bell engine_;
  host::ServiceManager manager_;
  pipeline::RuleLoader loader_;
  dispatch::DecisionReader reader_;
  std::vector<host::Request> reload_asked_;
  std::string said_;
};

int run(const Options& o) {
  int code = kFine;
  const auto failed = [&](const Diagnostic& diagnostic) {
    complain(diagnostic);
    return exit_code(diagnostic);
  };
  const auto rules = load_rules(o.rules, code);
  if (rules == nullptr) return code;
  if (auto status = only_root_decides(rule_paths(o.rules), *rules, o.actions); !status) return failed(status.error());
  const auto ledger_dir = ledger_of(o.state, o.ledger);
  if (auto status = host::make_directory(ledger_dir, 0750, "root", o.group); !status) return failed(status.error());
  auto ledger = store::LedgerDb::open(ledger_dir, true, true);
  if (!ledger) return failed(ledger.error());
  auto lost = dispatch::DecisionReader(o.state).reconcile(*ledger);
  if (!lost) return failed(lost.error());
  for (const std::string& decision : *lost) {
    std::fputs(fmt::format("{} was lost with the power before it could be acted on; its line comes again\n", printable(decision)).c_str(), stderr);
  }
  const SystemClock clock;
  dispatch::DispatchOptions options;
  options.actions_dir = o.actions;
  options.kill_switch = ledger_dir / "stop-actions";
  options.output_dir = ledger_dir / "output";
  if (auto status = host::make_directory(options.output_dir, 0700, "root"); !status) return failed(status.error());
  options.shadow = o.shadow;
  auto dispatcher = dispatch::Dispatcher::open(std::move(*ledger), rules, clock, options);
  if (!dispatcher) return failed(dispatcher.error());
  auto control = host::ControlServer::open(ledger_dir / "dispatch.sock");
  if (!control) return failed(control.error());
  auto door = host::Doorbell::open(ledger_dir / "dispatch.bell", 0666);
  if (!door) return failed(door.error());
  handle(SIGTERM, [](int) { g_stop = 1; });
  handle(SIGINT, [](int) { g_stop = 1; });
  handle(SIGHUP, [](int) { g_hangup = 1; });
  DispatchService service(o, rules, options.kill_switch, clock, std::move(*dispatcher), dispatch::Errands(rules, clock, options), std::move(*control), std::move(*door));
  const Status status = service.run();
  return status.ok() ? kFine : failed(status.error());
}

struct Judgement {
  std::string state = "/var/lib/correlator", ledger, verb, decision;
};

int judge(const Judgement& o) {
  const std::string request = to_line(Json{{"verb", o.verb}, {"decision", lower(o.decision)}, {"author", author()}});
  auto answer = host::ask(ledger_of(o.state, o.ledger) / "dispatch.sock", request, Duration::seconds(30));
  Result<std::string> said = answer ? Result<std::string>("") : Result<std::string>(answer.error());
  if (answer && !answer->has_value()) {
    said = make_error("E414", fmt::format("no dispatcher runs on {}", ledger_of(o.state, o.ledger).string()), "start correlator-dispatch.service");
  } else if (answer) {
    said = pipeline::parse_answer(**answer);
  }
  if (said) {
    std::puts(printable(*said).c_str());
    return kFine;
  }
  complain(said.error());
  return said.error().code == "E404" || said.error().code == "E403" ? kNo : exit_code(said.error());
}

void add_judgement(CLI::App& app, CommandLine& out, const char* verb, const char* text) {
  CLI::App* sub = app.add_subcommand(verb, text);
  auto o = std::make_shared<Judgement>();
  o->verb = verb;
  sub->add_option("--state", o->state, "State directory (default: /var/lib/correlator)")->type_name("DIR");
  sub->add_option("--ledger", o->ledger, "The dispatcher's directory (default: that of the state with -dispatch)")->type_name("DIR");
  sub->add_option("DECISION", o->decision, "Its id, or the beginning of it")->required();
  sub->callback([o, &out] { out.command = [o] { return judge(*o); }; });
}

}  // namespace

void add_dispatch(CLI::App& app, CommandLine& out) {
  CLI::App* sub = app.add_subcommand("dispatch", "The dispatcher: runs what the engine decided, by rules and scripts that only root can write");
  auto o = std::make_shared<Options>();
  add_rule_options(*sub, o->rules);
  sub->add_option("--state", o->state, "The engine's state directory (default: /var/lib/correlator)")->type_name("DIR");
  sub->add_option("--ledger", o->ledger, "Directory of the ledger and the kill switch (default: that of the state with -dispatch)")->type_name("DIR");
  sub->add_option("--actions", o->actions, fmt::format("Directory of the action scripts (default: {})", kActionsDirectory))->type_name("DIR");
  sub->add_option("--group", o->group, "Group that may read the ledger: the engine's (default: correlator)")->type_name("NAME");
  sub->add_flag("--shadow", o->shadow, "Record what would run, and run nothing");
  add_metrics_file_options(*sub, o->metrics);
  sub->callback([o, &out] { out.command = [o] { return run(*o); }; });
  add_judgement(app, out, "approve", "Agree to an action that waits for a person");
  add_judgement(app, out, "deny", "Refuse an action that waits for a person");
  add_judgement(app, out, "undo", "Take an action back, where it has a way back");
}

}  // namespace correlator::cli
