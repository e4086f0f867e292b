// SPDX-License-Identifier: Apache-2.0
#include "replay_logs.h"

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <vector>

#include "acting.h"
#include "base/text.h"
#include "host/open_files.h"
#include "input/sources.h"
#include "pipeline/range_replay.h"
#include "progress.h"
#include "replay_profile.h"
#include "time/clock.h"

namespace correlator::cli {
namespace {

volatile std::sig_atomic_t g_interrupted = 0;  // how often

// Beside the logs: the database and its log, libraries, pipes of actions.
constexpr std::uint64_t kOtherFiles = 64;

// How long a replay waits at its end for the actions it started, with their retries and their turns in a
// budget.
constexpr Duration kLongestWait = Duration::hours(1);

// Bytes of a page of the database that a replay makes: what it writes are blocks of lines, many at a time.
constexpr int kReplayPage = 16 << 10;

struct Bounds {
  std::optional<Timestamp> from, to, boot;
  Zone zone;
};

std::optional<Bounds> read_bounds(const ReplayArguments& o, const rules::RuleSet& rules) {
  Bounds bounds;
  bounds.zone = rules.zone;
  if (o.zone_given) {
    auto zone = Zone::find(o.zone);
    if (!zone) {
      complain(zone.error());
      return std::nullopt;
    }
    bounds.zone = *zone;
  }
  for (const auto& [text, target, name] : {std::tuple{&o.from, &bounds.from, "--from"},
                                           {&o.to, &bounds.to, "--to"},
                                           {&o.boot, &bounds.boot, "--boot"}}) {
    if (text->empty()) continue;
    *target = parse_time(*text, bounds.zone);
    if (!*target) {
      complain(make_error("E501", fmt::format("{} {}: not a time", name, *text),
                          "write 2026-01-01, \"2026-01-01 12:00\" or 2026-01-01T12:00:00Z"));
      return std::nullopt;
    }
  }
  if (bounds.from && bounds.to && *bounds.to < *bounds.from) {
    complain(make_error("E501", "--to is before --from", "nothing would be printed: exchange the two"));
    return std::nullopt;
  }
  return bounds;
}

// What only warmed up the windows: it is neither shown nor summed up.
struct WarmUp {
  std::uint64_t events = 0, decisions = 0;
};

// Prints what happens from `from` on; what came before only warmed up the windows.
pipeline::Sink make_sink(report::Printer& printer, ProgressBar& progress, const ReplayArguments& o,
                         std::optional<Timestamp> from, WarmUp& warm_up,
                         const std::unique_ptr<Acting>& acting) {
  return [&printer, &progress, &o, from, &warm_up, &acting](const engine::StepOutput& out,
                                                           const rules::RuleSet& rules) {
    const auto shown = [&](Timestamp time) { return !from || time >= *from; };
    if (progress.wanted()) progress.clear();
    for (const engine::Event& event : out.events) {
      if (!shown(event.time)) {
        ++warm_up.events;
      } else if (o.events) {
        printer.event(event, rules);
      }
    }
    for (const engine::Decision& decision : out.decisions) {
      if (acting != nullptr) acting->decided(decision);
      if (!shown(decision.time)) {
        ++warm_up.decisions;
      } else {
        printer.decision(decision);
      }
    }
  };
}

engine::Counters since(const engine::Counters& now, const engine::Counters& before) {
  engine::Counters d = now;
  d.lines -= before.lines;
  d.events -= before.events;
  d.decisions -= before.decisions;
  d.late -= before.late;
  d.undated -= before.undated;
  d.clamped -= before.clamped;
  d.forged -= before.forged;
  d.incomplete -= before.incomplete;
  d.keyless -= before.keyless;
  d.ambiguous -= before.ambiguous;
  d.evicted -= before.evicted;
  d.cooled -= before.cooled;
  d.folded -= before.folded;
  d.cut_chains -= before.cut_chains;
  d.outcomes -= before.outcomes;
  d.reloads -= before.reloads;
  return d;
}

// The process ends now, and the kernel takes its memory back at once where a million windows are freed one by one. What is kept
// stays referred to, so that it is no leak.
void leave_to_the_kernel(std::unique_ptr<pipeline::Session> session) {
  session->close();
  static auto& kept = *new std::vector<std::unique_ptr<pipeline::Session>>;
  kept.push_back(std::move(session));
}

void say_where_windows_stand(report::Printer& printer, const engine::Engine& engine) {
  printer.blank();
  printer.note("Where the windows stand:");
  engine.windows([&](const engine::WindowView& window) { printer.window(window); });
}

// Why more was read than the range asks for.
void say_what_was_read(const ReplayArguments& o, const pipeline::ReplayResult& result) {
  for (const std::string& note : result.notes) std::fputs((printable(note) + "\n").c_str(), stderr);
  if (!result.doubt) return;
  std::fputs((printable("all before --from " + o.from + " was read, because what is decided from then on depends on it: " + *result.doubt) + "\n").c_str(), stderr);
}

// One replay; its steps in their order, each false once `code` says how it ended.
class LogReplay {
 public:
  explicit LogReplay(const ReplayArguments& arguments)
      : o_(arguments),
        printer_(make_printer(o_.json, !o_.act || o_.shadow ? report::Tense::would : report::Tense::runs)),
        progress_(!o_.no_progress) {}

  int run() {
    if (read_rules() && find_sources() && open_state() && start_session() && start_acting() && read_logs()) sum_up();
    return code_;
  }

 private:
  bool read_rules();
  bool find_sources();
  bool open_state();
  bool start_session();
  bool start_acting();
  bool read_logs();
  void sum_up();

  bool failed(const Diagnostic& error) {
    complain(error);
    code_ = exit_code(error);
    return false;
  }
  Result<std::unique_ptr<pipeline::Session>> start(pipeline::Sink to);
  pipeline::ReplayOptions options();
  Result<pipeline::ReplayResult> replay();

  const ReplayArguments& o_;
  int code_ = kFine;
  pipeline::SessionOptions how_;
  std::shared_ptr<const rules::RuleSet> rules_;
  Bounds bounds_;
  std::vector<input::Source> sources_;
  std::optional<store::EngineDb> db_;
  report::Printer printer_;
  ProgressBar progress_;
  const SystemClock clock_;
  std::unique_ptr<Acting> acting_;
  std::unique_ptr<pipeline::Session> session_;
  pipeline::Sink sink_;
  WarmUp warm_up_;
  engine::Counters before_;
  bool noted_ = false;  // what the first start had to say was said
  pipeline::ReplayResult result_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

bool LogReplay::read_rules() {
  rules_ = load_rules(o_.rules, code_, &how_.matcher);
  if (rules_ == nullptr) return false;
  auto bounds = read_bounds(o_, *rules_);
  if (!bounds) {
    code_ = kUsage;
    return false;
  }
  bounds_ = std::move(*bounds);
  return true;
}

// Logs of many hosts are merged by time, so that all sources are open at once.
bool LogReplay::find_sources() {
  input::SourceList found = input::expand_sources(o_.logs);
  complain(found.diagnostics);
  if (has_errors(found.diagnostics) || found.sources.empty()) code_ = kNoInput;
  sources_ = std::move(found.sources);
  if (sources_.empty()) return false;
  const std::uint64_t needed = sources_.size() + o_.threads + kOtherFiles, most = host::allow_open_files();
  if (needed <= most) return true;
  return failed(make_error("E211", fmt::format("{} logs are to be merged, and this process may have {} files open", sources_.size(), most),
                           fmt::format("allow it {}: ulimit -n {}, as root ulimit -H -n {} before it", needed, needed, needed)));
}

bool LogReplay::open_state() {
  if (o_.state.empty()) return true;
  store::DbOptions options;
  options.page_bytes = kReplayPage;
  auto opened = store::EngineDb::open(o_.state, options);
  if (!opened) return failed(opened.error());
  db_ = std::move(opened).value();
  return true;
}

Result<std::unique_ptr<pipeline::Session>> LogReplay::start(pipeline::Sink to) {
  auto started = pipeline::Session::start(rules_, std::exchange(db_, std::nullopt), how_, std::move(to));
  if (!started) return started;
  if (!std::exchange(noted_, true)) {
    for (const std::string& note : (*started)->notes()) std::fputs((printable(note) + "\n").c_str(), stderr);
  }
  before_ = (*started)->engine().counters();
  warm_up_ = {};
  return started;
}

// Without a state the sessions are begun by who reads: a range may need two.
bool LogReplay::start_session() {
  sink_ = make_sink(printer_, progress_, o_, bounds_.from, warm_up_, acting_);
  if (!db_) return true;
  auto started = start(sink_);
  if (!started) return failed(started.error());
  session_ = std::move(*started);
  return true;
}

bool LogReplay::start_acting() {
  if (!o_.act && !o_.shadow) return true;
  auto started = Acting::start({o_.state, o_.actions, o_.shadow, bounds_.from}, rules_, clock_, *session_->db(), printer_);
  if (!started) return failed(started.error());
  acting_ = std::move(*started);
  return true;
}

pipeline::ReplayOptions LogReplay::options() {
  pipeline::ReplayOptions options;
  options.stream.clock.zone = bounds_.zone;
  options.stream.clock.boot = bounds_.boot;
  if (o_.year != 0) options.stream.clock.year = o_.year;
  options.stream.pipes_end = clock_.now();
  options.stream.block_size = o_.block_size;
  options.threads = o_.threads;
  options.stream.read_ahead = !o_.no_read_ahead && o_.threads > 1;
  options.to = bounds_.to;
  options.commit_bytes = o_.commit_bytes;
  options.record_bytes = o_.record_bytes;
  options.profile = o_.profile;
  options.host = o_.host;
  options.progress = [this](const pipeline::Progress& p) { progress_.show(p); };
  options.stop = [this] { return g_interrupted != 0 || !printer_.good(); };
  if (acting_ != nullptr) {
    options.after_commit = [this]() -> Status {
      progress_.clear();
      return acting_->committed(*session_);
    };
  }
  return options;
}

Result<pipeline::ReplayResult> LogReplay::replay() {
  pipeline::ReplayOptions how = options();
  // With a state all is read: it is to know the whole log.
  if (session_ != nullptr) return pipeline::replay(*session_, sources_, how);
  how.skip = !o_.whole && !o_.profile;
  if (!o_.windows) how.from = bounds_.from;
  auto range = pipeline::replay_range([this](pipeline::Sink to) { return start(std::move(to)); }, sources_, how, sink_);
  if (!range) return range.error();
  session_ = std::move(range->session);
  return std::move(range->result);
}

bool LogReplay::read_logs() {
  auto result = replay();
  progress_.clear();
  if (result && acting_ != nullptr) {
    const auto interrupted_before = g_interrupted;
    const Status status = acting_->finish(*session_, kLongestWait, [&] { return g_interrupted > interrupted_before; });
    if (!status.ok()) return failed(status.error());
  }
  if (!result) return failed(result.error());
  result_ = std::move(*result);
  complain(result_.problems);
  for (const Diagnostic& problem : result_.problems) {
    if (problem.gravity == Gravity::error) code_ = exit_code(problem);
  }
  return true;
}

void LogReplay::sum_up() {
  say_what_was_read(o_, result_);
  const engine::Engine& engine = session_->engine();
  if (o_.windows) say_where_windows_stand(printer_, engine);
  if (result_.profile) print_profile(printer_, *result_.profile, *rules_);
  report::Summary summary;
  summary.lines = result_.lines;
  summary.counters = since(engine.counters(), before_);
  summary.counters.events -= warm_up_.events;
  summary.counters.decisions -= warm_up_.decisions;
  summary.size = result_.size;
  summary.passed_over = result_.passed_over;
  summary.open_windows = engine.live_windows();
  summary.open_cases = engine.open_cases();
  summary.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  printer_.summary(summary);
  leave_to_the_kernel(std::move(session_));
  if (result_.stopped && g_interrupted != 0) code_ = 128 + SIGINT;
}

}  // namespace

int replay_logs(const ReplayArguments& arguments) {
  std::signal(SIGINT, [](int) { g_interrupted = g_interrupted + 1; });
  std::signal(SIGTERM, [](int) { g_interrupted = g_interrupted + 1; });
  return LogReplay(arguments).run();
}

}  // namespace correlator::cli
