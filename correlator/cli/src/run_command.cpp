// SPDX-License-Identifier: Apache-2.0
// correlator run: live, under rsyslog's omprog or with inputs of its own.
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>

#include "acting.h"
#include "base/text.h"
#include "commands.h"
#include "common.h"
#include "engine_service.h"
#include "host/open_files.h"
#include "host/sandbox.h"
#include "host/user.h"
#include "input/live.h"
#include "pipeline/live.h"
#include "time/clock.h"

namespace correlator::cli {
namespace {

// How long the end of the input waits for what was started.
constexpr Duration kLongestWait = Duration::minutes(10);

struct Options {
  RuleOptions rules;
  std::string state = "/var/lib/correlator", ledger, actions = kActionsDirectory, user, durability = "batched";
  std::string journal_directory;
  std::vector<std::string> follow;
  std::uint64_t spool_size = 64 << 20, decisions_size = store::DbOptions{}.decision_bytes;
  bool omprog = false, greeted = false, kmsg = false, journal = false, from_start = false;
  MetricsFileOptions metrics;
  bool no_sandbox = false, shadow = false, dispatch = false, json = false, events = false;
};

// What the steps of run() hand on.
struct Run {
  const Options& o;
  int code = kFine;
  std::shared_ptr<const rules::RuleSet> rules;
  std::vector<std::unique_ptr<input::LiveSource>> sources;
  host::Sandbox sandbox;
  SystemClock clock;
  std::optional<report::Printer> printer;
  std::unique_ptr<pipeline::Session> session;
  std::unique_ptr<Acting> acting;
  std::vector<engine::Decision> decided;  // not durable yet: nothing of them leaves
  StepCounts counts;

  bool failed(const Diagnostic& diagnostic) {
    complain(diagnostic);
    code = exit_code(diagnostic);
    return false;
  }
};

bool read_rules(Run& run) {
  run.rules = load_rules(run.o.rules, run.code);
  return run.rules != nullptr;
}

// While we are root, if we are: some of them nobody else may open.
bool open_inputs(Run& run) {
  const Options& o = run.o;
  const auto add = [&](Result<std::unique_ptr<input::LiveSource>> source) {
    if (!source) return run.failed(source.error());
    run.sources.push_back(std::move(*source));
    return true;
  };
  if (o.omprog) return add(input::omprog_source(STDIN_FILENO, STDOUT_FILENO, o.greeted));
  if (!o.follow.empty()) host::allow_open_files();  // of a central server they may be thousands
  for (const std::string& file : o.follow) {
    if (!add(input::follow_source(file, {o.from_start}))) return false;
  }
  if (o.kmsg && !add(input::kmsg_source())) return false;
  if (o.journal && !add(input::journal_source(o.journal_directory))) return false;
  return !run.sources.empty() || add(input::pipe_source(STDIN_FILENO, "stdin"));
}

// What sanitizers and gcov write at the end of a process is what the sandbox forbids; tests/host tests it in those builds, too.
#ifdef CORRELATOR_INSTRUMENTED
constexpr bool kMayBeSandboxed = false;
#else
constexpr bool kMayBeSandboxed = true;
#endif

// Under its own user the engine reads what others write into logs. With the actions in one process it must stay who it is.
bool give_up_rights(Run& run) {
  const Options& o = run.o;
  if (o.dispatch) return true;
  // rsyslogd starts its programs as root; somebody at a terminal who is root may want to be.
  const std::string user = o.user.empty() && o.omprog ? "correlator" : o.user;
  if (host::is_root() && !user.empty() && user != "root") {
    if (auto status = host::make_directory(o.state, 0750, user); !status) return run.failed(status.error());
    if (auto status = host::become_user(user); !status) return run.failed(status.error());
  }
  if (o.no_sandbox || !kMayBeSandboxed) return true;
  std::error_code failure;
  std::filesystem::create_directories(o.state, failure);
  host::SandboxOptions allowed{{o.state}};
  // Metrics are written beside their file and renamed, so it is the directory that must be writable. Where it is missing, that is
  // said with the first write.
  if (!o.metrics.file.empty()) {
    const std::filesystem::path metrics = std::filesystem::absolute(o.metrics.file, failure).parent_path();
    if (std::filesystem::is_directory(metrics, failure)) allowed.writable.push_back(metrics);
  }
  auto sandbox = host::enter_sandbox(allowed);
  if (!sandbox) return run.failed(sandbox.error());
  run.sandbox = *sandbox;
  return true;
}

bool open_state(Run& run) {
  store::DbOptions options;
  options.spool_bytes = run.o.spool_size;
  options.decision_bytes = run.o.decisions_size;
  options.busy = Duration::milliseconds(250);
  options.checkpoint_every = Duration::milliseconds(500);
  // When rsyslogd was killed the next one starts a second engine before the first has seen the end of its pipe.
  auto db = store::EngineDb::open(run.o.state, options);
  for (int tries = 0; !db && db.error().code == "E302" && run.o.omprog && tries < 60; ++tries) {
    ::usleep(100'000);
    db = store::EngineDb::open(run.o.state, options);
  }
  if (!db) return run.failed(db.error());
  auto session = pipeline::Session::start(run.rules, std::move(db).value(), {}, [&run](const engine::StepOutput& out, const rules::RuleSet& set) {
    run.counts.observe(out, set);
    for (const engine::Event& event : out.events) {
      if (run.o.events && run.printer) run.printer->event(event, set);
    }
    if (run.o.events && run.printer) std::fflush(stdout);
    for (const engine::Decision& decision : out.decisions) {
      if (run.printer) run.decided.push_back(decision);
      if (run.acting != nullptr) run.acting->decided(decision);
    }
  });
  if (!session) return run.failed(session.error());
  run.session = std::move(*session);
  for (const std::string& note : run.session->notes()) std::fputs((printable(note) + "\n").c_str(), stderr);
  return true;
}

bool start_acting(Run& run) {
  if (!run.o.dispatch) return true;
  auto started = Acting::start({run.o.state, run.o.actions, run.o.shadow, {}}, run.rules, run.clock, *run.session->db(), *run.printer);
  if (!started) return run.failed(started.error());
  run.acting = std::move(*started);
  return true;
}

void read_lines(Run& run) {
  const Options& o = run.o;
  pipeline::LiveOptions options;
  options.zone = run.rules->zone;
  options.sync.strict = o.durability == "strict";
  pipeline::Live live(*run.session, std::move(run.sources), run.clock, options);
  for (const Diagnostic& missing : live.resume()) complain(missing);
  ServiceOptions service;
  service.state = o.state;
  service.ledger = o.ledger.empty() ? o.state + "-dispatch" : o.ledger;
  service.rule_paths = rule_paths(o.rules);
  service.sandbox = run.sandbox.describe();
  service.reload_on_hangup = !o.omprog;
  service.counts = &run.counts;
  service.metrics = o.metrics;
  service.strict = options.sync.strict;
  Status acted;
  const auto act = [&] {
    if (run.acting != nullptr && acted.ok()) acted = run.acting->committed(*run.session);
    std::fflush(stdout);
  };
  live.each_second = act;
  live.decided = [&] {
    for (const engine::Decision& decision : std::exchange(run.decided, {})) {
      if (run.printer) run.printer->decision(decision);
    }
    act();
  };
  if (run.acting != nullptr) {
    // Outcomes are taken back when they come, whether lines do or not; what they decide is acted on at once.
    live.watch(run.acting->fd(), [&] {
      act();
      live.record_now();
    });
    service.new_rules = [&](const auto& rules) { run.acting->set_rules(rules); };
    service.tell_more = [&](report::MetricPage& page, const ReloadCounts& reloads) { run.acting->tell(page, reloads); };
  }
  auto engine = EngineService::start(*run.session, live, run.clock, service);
  if (!engine) {
    run.failed(engine.error());
    return;
  }
  const Status read = (*engine)->run();
  const Status last = run.acting == nullptr ? Status{} : run.acting->finish(*run.session, kLongestWait, [] { return false; });
  for (const Status& status : {read, acted, last}) {
    if (!status.ok()) run.failed(status.error());
  }
}

int run(const Options& o) {
  // logrotate's weekly signal goes to all of rsyslog's cgroup, at any moment.
  if (o.omprog) std::signal(SIGHUP, SIG_IGN);
  Run run{.o = o, .code = kFine, .rules = {}, .sources = {}, .sandbox = {}, .clock = {}, .printer = {}, .session = {}, .acting = {}, .decided = {}, .counts = {}};
  // Under omprog stdout is the protocol and nothing else.
  if (!o.omprog) run.printer = make_printer(o.json, !o.dispatch || o.shadow ? report::Tense::would : report::Tense::runs);
  if (read_rules(run) && open_inputs(run) && give_up_rights(run) && open_state(run) && start_acting(run)) read_lines(run);
  return run.code;
}

}  // namespace

void add_run(CLI::App& app, CommandLine& out) {
  CLI::App* sub = app.add_subcommand("run", "Live: decisions as lines arrive, from rsyslog (--omprog), standard input or inputs of its own");
  auto o = std::make_shared<Options>();
  add_rule_options(*sub, o->rules);
  sub->add_option("--state", o->state, "State directory (default: /var/lib/correlator)")->type_name("DIR");
  auto* omprog = sub->add_flag("--omprog", o->omprog, "rsyslog's omprog with confirmMessages: OK for each line once it is durable");
  sub->add_flag("--greeted", o->greeted, "The first OK was said already, by what started us")->needs(omprog);
  sub->add_option("--follow", o->follow, "Follow files through their rotation")->type_name("FILE")->excludes(omprog);
  sub->add_flag("--from-start", o->from_start, "Of a file that is followed for the first time: not only what is appended");
  sub->add_flag("--kmsg", o->kmsg, "The kernel's messages from /dev/kmsg")->excludes(omprog);
  sub->add_flag("--journal", o->journal, "The systemd journal")->excludes(omprog);
  sub->add_option("--journal-directory", o->journal_directory, "Journal files in this directory instead of the system's")->type_name("DIR");
  sub->add_option("--durability", o->durability, "batched: synced at once, in a storm every 20 ms (default); strict: each line")
      ->check(CLI::IsMember({"batched", "strict"}));
  sub->add_option("--spool-size", o->spool_size, "Bytes kept for when the database cannot be written (default: 64 MiB)")->type_name("N");
  add_metrics_file_options(*sub, o->metrics);
  sub->add_option("--user", o->user, "User to become when started as root (default with --omprog: correlator)")->type_name("NAME");
  sub->add_flag("--no-sandbox", o->no_sandbox, "Without Landlock and seccomp");
  sub->add_option("--decisions-size", o->decisions_size,
                  "Bytes of decisions kept when their lines are gone and the dispatcher has them (default: 256 MiB)")->type_name("N");
  sub->add_option("--ledger", o->ledger, "The dispatcher's directory (default: that of the state with -dispatch)")->type_name("DIR");
  sub->add_flag("--dispatch", o->dispatch, "Run the actions in this process, too");
  sub->add_option("--actions", o->actions, fmt::format("Directory of the action scripts (default: {})", kActionsDirectory))->type_name("DIR");
  sub->add_flag("--shadow", o->shadow, "Record in the ledger what would run, and run nothing");
  sub->add_flag("--events", o->events, "Print the decoded events, too");
  sub->add_flag("--json", o->json, "One JSON object a line");
  sub->callback([o, &out] { out.command = [o] { return run(*o); }; });
}

}  // namespace correlator::cli
