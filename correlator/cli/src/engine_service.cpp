// SPDX-License-Identifier: Apache-2.0
#include "engine_service.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <csignal>

#include "base/json.h"
#include "base/text.h"
#include "common.h"

namespace correlator::cli {
namespace {

constexpr Duration kHealthEvery = Duration::seconds(5);

volatile std::sig_atomic_t g_stop = 0, g_hangup = 0;

// Signals must end a poll(2) that waits: no SA_RESTART.
void handle(int number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  ::sigaction(number, &action, nullptr);
}

void say(std::string_view text) { std::fputs((printable(text) + "\n").c_str(), stderr); }

Json counters_of(const pipeline::LiveCounters& c) {
  return {{"frames", c.frames}, {"recorded", c.recorded}, {"repeated", c.repeated},
          {"refused", c.refused}, {"synced", c.synced}, {"unsynced", c.unsynced}};
}

}  // namespace

Result<std::unique_ptr<EngineService>> EngineService::start(pipeline::Session& session, pipeline::Live& live, const Clock& clock,
                                                            ServiceOptions options) {
  auto control = host::ControlServer::open(options.state / "engine.sock");
  if (!control) return control.error();
  auto door = host::Doorbell::open(options.state / "engine.bell", 0600);
  if (!door) return door.error();
  return std::unique_ptr<EngineService>(
      new EngineService(session, live, clock, std::move(options), std::move(*control), std::move(*door)));
}

EngineService::EngineService(pipeline::Session& session, pipeline::Live& live, const Clock& clock, ServiceOptions options,
                             host::ControlServer control, host::Doorbell door)
    : session_(session), live_(live), clock_(clock), options_(std::move(options)), control_(std::move(control)),
      dispatcher_(options_.ledger / "dispatch.bell"), door_(std::move(door)), reports_(session, options_.ledger), started_(clock.now()), metrics_file_(options_.metrics) {
  reloads_.loaded = started_;
  live_.watch(door_.fd(), [this] { take_reports(); });
  live_.positions = [this](std::vector<store::Cursor>& cursors) { reports_.position(cursors); };
  session_.let_decisions_go([this] { return reports_.decisions_taken(); });
  live_.watch(control_.fd(), [this] { take_requests(); });
  live_.watch(loader_.fd(), [this] { take_rules(); });
  auto also = std::move(live_.each_second);
  live_.each_second = [this, also] {
    each_second();
    if (also) also();
  };
  live_.visible = [this] { dispatcher_.ring(); };
  live_.soon = [this] { dispatcher_.ring_soon(); };
}

EngineService::~EngineService() { session_.let_decisions_go({}); }

Status EngineService::run() {
  handle(SIGTERM, [](int) { g_stop = 1; });
  handle(SIGINT, [](int) { g_stop = 1; });
  handle(SIGHUP, options_.reload_on_hangup ? [](int) { g_hangup = 1; } : SIG_IGN);
  manager_.ready("reading");
  Status status = live_.run([] { return g_stop != 0; });
  manager_.stopping();
  write_health();
  metrics_file_.write(metrics(), clock_.now());
  if (auto last = session_.snapshot({}); status.ok() && !last.ok()) status = last;
  return status;
}

void EngineService::take_requests() {
  while (auto request = control_.accept()) {
    auto parsed = pipeline::parse_request(request->line());
    if (!parsed) {
      request->reply(pipeline::answer_line(parsed.error()));
      continue;
    }
    if (parsed->verb == "metrics") {
      request->reply(pipeline::answer_line(metrics()));
      continue;
    }
    if (parsed->verb == "reload") {
      begin_reload(std::move(*request));
      continue;
    }
    Result<std::string> answer = pipeline::carry_out(session_, *parsed);
    if (answer && !live_.record_now()) {
      answer = make_error("E305", "the state cannot be written now", "it is tried again; look at `correlator status`");
    }
    request->reply(pipeline::answer_line(answer));
  }
}

void EngineService::begin_reload(std::optional<host::Request> asked) {
  if (asked) reload_asked_.push_back(std::move(*asked));
  if (loader_.start(options_.rule_paths)) manager_.reloading();
}

// The new rules, if they are good, come into force here: between two lines.
void EngineService::take_rules() {
  auto loaded = loader_.take();
  if (!loaded) return;
  Result<std::string> answer = std::string();
  if (loaded->rules == nullptr) {
    for (const Diagnostic& problem : loaded->diagnostics) complain(problem);
    answer = rules_stay(loaded->diagnostics);
  } else if (!live_.record_now()) {
    answer = make_error("E305", "the rules in force stay: the state cannot be written now", "it is tried again; look at `correlator status`, and reload then");
  } else if (auto status = session_.reload(loaded->rules); !status) {
    answer = status.error();
  } else {
    answer = fmt::format("{} in force", counted(loaded->rules->rules.size(), "rule"));
    if (options_.new_rules) options_.new_rules(loaded->rules);
    for (const std::string& note : session_.notes()) say(note);
  }
  reloads_.last_good = answer.ok();
  ++(answer ? reloads_.good : reloads_.failed);
  if (answer) reloads_.loaded = clock_.now();
  reload_said_ = fmt::format("{} {}", to_rfc3339(clock_.now()), answer ? *answer : answer.error().message);
  say(fmt::format("reload: {}", reload_said_));
  for (host::Request& asked : std::exchange(reload_asked_, {})) asked.reply(pipeline::answer_line(answer));
  manager_.ready("reading");
  health_at_.reset();
}

void EngineService::take_reports() {
  door_.answer();
  if (reports_.take() > 0) live_.record_now();
}

void EngineService::each_second() {
  take_reports();
  const Timestamp now = clock_.now();
  if (std::exchange(g_hangup, 0) != 0) begin_reload(std::nullopt);
  if (const auto period = manager_.watchdog(); period && (!alive_at_ || now < *alive_at_ || now - *alive_at_ >= *period)) {
    manager_.alive();
    alive_at_ = now;
  }
  const bool spooling = session_.db() != nullptr && session_.db()->spooling();
  if (spooling != was_spooling_) {
    say(spooling ? "the database cannot be written: lines go to the spool, nothing is acted on until they are over"
                 : "the database is written again; the spool is empty");
    was_spooling_ = spooling;
    health_at_.reset();
  }
  if (metrics_file_.due(now)) metrics_file_.write(metrics(), now);
  if (!health_at_ || now < *health_at_ || now - *health_at_ >= kHealthEvery) write_health();
}

std::string EngineService::metrics() const {
  report::MetricPage page;
  page.add(report::Metric::up, 1);
  page.add(report::Metric::build_info, 1, {CORRELATOR_VERSION});
  page.add(report::Metric::start_time, started_);
  tell_inputs(page, live_);
  if (options_.counts != nullptr) options_.counts->tell(page, *session_.engine().rules());
  tell_engine(page, session_.engine());
  if (const store::EngineDb* db = session_.db()) tell_store(page, *db, live_, options_.strict);
  page.add(report::Metric::rules_loaded, reloads_.loaded);
  page.add(report::Metric::reload_good, std::uint64_t{reloads_.last_good});
  page.add(report::Metric::reloads, reloads_.good);
  page.add(report::Metric::reload_failures, reloads_.failed);
  if (options_.tell_more) options_.tell_more(page, reloads_);
  return page.text();
}

void EngineService::write_health() {
  health_at_ = clock_.now();
  const store::EngineDb* db = session_.db();
  Json health = {{"pid", ::getpid()},
                 {"started", to_rfc3339(started_)},
                 {"time", to_rfc3339(*health_at_)},
                 {"sandbox", options_.sandbox},
                 {"durability", db != nullptr && db->spooling() ? "spooling" : live_.batching() ? "batched" : "synced"},
                 {"spooled", db != nullptr ? db->spooled() : 0},
                 {"counters", counters_of(live_.counters())},
                 {"reload", reload_said_},
                 {"reload_failed", !reloads_.last_good}};
  session_.note("engine", to_line(health));
}

}  // namespace correlator::cli
