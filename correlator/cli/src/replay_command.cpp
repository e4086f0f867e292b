// SPDX-License-Identifier: Apache-2.0
// correlator replay: archived logs in their own time.
#include <fmt/format.h>

#include <chrono>
#include <csignal>

#include "acting.h"
#include "base/json.h"
#include "base/text.h"
#include "commands.h"
#include "common.h"
#include "input/sources.h"
#include "pipeline/range_replay.h"
#include "progress.h"
#include "replay_profile.h"
#include "replay_sec.h"
#include "time/clock.h"

namespace correlator::cli {
namespace {

struct Options {
  std::vector<std::string> logs, sec;
  RuleOptions rules;
  std::string from, to, zone = "UTC", boot, host, state, recorded, actions = kActionsDirectory;
  int year = 0;
  bool act = false, shadow = false, events = false, json = false, windows = false, no_progress = false,
       no_read_ahead = false, profile = false, whole = false;
  std::size_t block_size = pipeline::StreamOptions{}.block_size;
  unsigned threads = usable_cpus();
  std::uint64_t commit_bytes = pipeline::ReplayOptions{}.commit_bytes;
  bool zone_given = false;
};

volatile std::sig_atomic_t g_interrupted = 0;  // how often

// How long a replay waits at its end for the actions it started, with their retries and their turns in a
// budget.
constexpr Duration kLongestWait = Duration::hours(1);

struct Bounds {
  std::optional<Timestamp> from, to, boot;
  Zone zone;
};

std::optional<Bounds> read_bounds(const Options& o, const rules::RuleSet& rules) {
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
pipeline::Sink make_sink(report::Printer& printer, ProgressBar& progress, const Options& o,
                         std::optional<Timestamp> from, WarmUp& warm_up,
                         const std::unique_ptr<Acting>* acting = nullptr) {
  return [&printer, &progress, &o, from, &warm_up, acting](const engine::StepOutput& out,
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
      if (acting != nullptr && *acting != nullptr) (*acting)->decided(decision);
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

int replay_recorded(const Options& o) {
  auto db = open_state_to_read(o.recorded);
  if (!db) {
    complain(db.error());
    return looking_exit_code(db.error());
  }
  report::Printer printer = make_printer(o.json, report::Tense::would);
  ProgressBar progress(false);
  WarmUp warm_up;
  auto result = pipeline::replay_recorded(*db, {}, make_sink(printer, progress, o, std::nullopt, warm_up));
  if (!result) {
    complain(result.error());
    return exit_code(result.error());
  }
  if (o.json) {
    printer.object({{"type", "recorded"},
                    {"records", result->records},
                    {"decisions", result->decisions},
                    {"different", result->different}});
  } else {
    printer.note(fmt::format("{} stepped again: {}, {}", counted(result->records, "record"),
                             counted(result->decisions, "decision"),
                             result->different == 0 ? "each to the byte as recorded"
                                                    : fmt::format("{} NOT as recorded", result->different)));
  }
  return result->different == 0 ? kFine : kNo;
}

void say_where_windows_stand(report::Printer& printer, const engine::Engine& engine) {
  printer.blank();
  printer.note("Where the windows stand:");
  engine.windows([&](const engine::WindowView& window) { printer.window(window); });
}

// Why more was read than the range asks for.
void say_what_was_read(const Options& o, const pipeline::ReplayResult& result) {
  for (const std::string& note : result.notes) std::fputs((printable(note) + "\n").c_str(), stderr);
  if (!result.doubt) return;
  std::fputs((printable("all before --from " + o.from + " was read, because what is decided from then on depends on it: " + *result.doubt) + "\n").c_str(), stderr);
}

int replay_logs(const Options& o) {
  int code = kFine;
  pipeline::SessionOptions how;
  const auto rules = load_rules(o.rules, code, &how.matcher);
  if (rules == nullptr) return code;
  const auto bounds = read_bounds(o, *rules);
  if (!bounds) return kUsage;
  input::SourceList sources = input::expand_sources(o.logs);
  complain(sources.diagnostics);
  if (has_errors(sources.diagnostics)) code = kNoInput;
  if (sources.sources.empty()) return kNoInput;

  std::optional<store::EngineDb> db;
  if (!o.state.empty()) {
    auto opened = store::EngineDb::open(o.state);
    if (!opened) {
      complain(opened.error());
      return exit_code(opened.error());
    }
    db = std::move(opened).value();
  }
  report::Printer printer =
      make_printer(o.json, !o.act || o.shadow ? report::Tense::would : report::Tense::runs);
  ProgressBar progress(!o.no_progress);
  const SystemClock clock;
  std::unique_ptr<Acting> acting;
  WarmUp warm_up;
  const auto begin = std::chrono::steady_clock::now();
  const pipeline::Sink sink = make_sink(printer, progress, o, bounds->from, warm_up, &acting);
  engine::Counters before;
  bool noted = false;
  const pipeline::StartSession start = [&](pipeline::Sink to) {
    auto started = pipeline::Session::start(rules, std::exchange(db, std::nullopt), how, std::move(to));
    if (!started) return started;
    if (!std::exchange(noted, true)) {
      for (const std::string& note : (*started)->notes()) std::fputs((printable(note) + "\n").c_str(), stderr);
    }
    before = (*started)->engine().counters();
    warm_up = {};
    return started;
  };
  std::unique_ptr<pipeline::Session> session;
  if (db) {
    auto started = start(sink);
    if (!started) {
      complain(started.error());
      return exit_code(started.error());
    }
    session = std::move(*started);
  }
  if (o.act || o.shadow) {
    auto started =
        Acting::start({o.state, o.actions, o.shadow, bounds->from}, rules, clock, *session->db(), printer);
    if (!started) {
      complain(started.error());
      return exit_code(started.error());
    }
    acting = std::move(*started);
  }

  pipeline::ReplayOptions options;
  options.stream.clock.zone = bounds->zone;
  options.stream.clock.boot = bounds->boot;
  if (o.year != 0) options.stream.clock.year = o.year;
  options.stream.pipes_end = clock.now();
  options.stream.block_size = o.block_size;
  options.threads = o.threads;
  options.stream.read_ahead = !o.no_read_ahead && o.threads > 1;
  options.to = bounds->to;
  options.commit_bytes = o.commit_bytes;
  options.profile = o.profile;
  options.host = o.host;
  options.progress = [&](const pipeline::Progress& p) { progress.show(p); };
  options.stop = [&] { return g_interrupted != 0 || !printer.good(); };
  if (acting != nullptr) {
    options.after_commit = [&]() -> Status {
      progress.clear();
      return acting->committed(*session);
    };
  }
  const auto replay = [&]() -> Result<pipeline::ReplayResult> {
    // With a state all is read: it is to know the whole log.
    if (session != nullptr) return pipeline::replay(*session, sources.sources, options);
    options.skip = !o.whole && !o.profile;
    if (!o.windows) options.from = bounds->from;
    auto range = pipeline::replay_range(start, sources.sources, options, sink);
    if (!range) return range.error();
    session = std::move(range->session);
    return std::move(range->result);
  };
  auto result = replay();
  progress.clear();
  if (result && acting != nullptr) {
    const auto interrupted_before = g_interrupted;
    const Status status =
        acting->finish(*session, kLongestWait, [&] { return g_interrupted > interrupted_before; });
    if (!status.ok()) result = status.error();
  }
  if (!result) {
    complain(result.error());
    return exit_code(result.error());
  }
  complain(result->problems);
  for (const Diagnostic& problem : result->problems) {
    if (problem.gravity == Gravity::error) code = exit_code(problem);
  }
  say_what_was_read(o, *result);
  const engine::Engine& engine = session->engine();
  if (o.windows) say_where_windows_stand(printer, engine);
  if (result->profile) print_profile(printer, *result->profile, *rules);
  report::Summary summary;
  summary.lines = result->lines;
  summary.counters = since(engine.counters(), before);
  summary.counters.events -= warm_up.events;
  summary.counters.decisions -= warm_up.decisions;
  summary.size = result->size;
  summary.passed_over = result->passed_over;
  summary.open_windows = engine.live_windows();
  summary.open_cases = engine.open_cases();
  summary.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  printer.summary(summary);
  return result->stopped && g_interrupted != 0 ? 128 + SIGINT : code;
}

int replay_with_sec(const Options& o) {
  SecReplay what{o.sec, o.logs, {}, o.year != 0 ? std::optional(o.year) : std::nullopt, o.state, o.profile};
  auto zone = Zone::find(o.zone);
  if (!zone) {
    complain(zone.error());
    return kUsage;
  }
  what.zone = *zone;
  return replay_sec(what);
}

}  // namespace

void add_replay(CLI::App& app, CommandLine& out) {
  CLI::App* sub =
      app.add_subcommand("replay", "Archived logs in their own time: what would have been decided");
  auto o = std::make_shared<Options>();
  sub->add_option(
      "LOG", o->logs,
      "Log files (.gz .zst .xz .bz2 too), directories, or - for stdin; several are merged by time");
  add_rule_options(*sub, o->rules);
  CLI::Option* sec = sub->add_option("--sec", o->sec, "A rule file of SEC instead: what it would have written and run, in the log's own time");
  sec->type_name("FILE")
      ->allow_extra_args(false);
  sub->add_option("--from", o->from,
                  "Print only what happens from this time on; what is before warms up the windows, and is read as far as it may matter")
      ->type_name("TIME");
  sub->add_option("--to", o->to, "Leave out what is after this time")->type_name("TIME");
  sub->add_flag("--whole", o->whole,
                "Read all of each log, for --from and --to too: where lines stand more than an hour out of order, or compressed files of one log do");
  sub->add_flag("--events", o->events, "Print the decoded events, too");
  sub->add_flag("--windows", o->windows, "Print at the end where each window stands");
  sub->add_flag("--json", o->json, "One JSON object a line");
  sub->add_option("--state", o->state,
                  "Keep windows, decisions and positions in this directory, and go on where it stopped")
      ->type_name("DIR");
  sub->add_flag("--act", o->act,
                "Run the actions, too, as they would run live; needs --state, whose ledger keeps one from "
                "running twice");
  sub->add_flag("--shadow", o->shadow, "As --act, but only record in the ledger what would run");
  sub->add_option("--actions", o->actions,
                  fmt::format("Directory of the action scripts (default: {})", kActionsDirectory))
      ->type_name("DIR");
  CLI::Option* recorded =
      sub->add_option("--recorded", o->recorded, "Step again what this state directory recorded, and compare");
  recorded->type_name("DIR");
  sub->add_flag("--profile", o->profile, "Print at the end what each pattern and each rule cost (on stderr; with --json an object); of --sec each rule")
      ->excludes(recorded);
  sub->add_option("--year", o->year,
                  "Year of the first line of logs whose dates have none (default: from the file's time; of a "
                  "pipe, from today)")
      ->type_name("YEAR");
  sub->add_option("--zone", o->zone,
                  "Time zone of dates without offset (default: [input] zone of the rules, else UTC)")
      ->type_name("ZONE")
      ->each([o](const std::string&) { o->zone_given = true; });
  sub->add_option("--boot", o->boot,
                  "When uptime 0 was, for logs with printk times only (default: 1970-01-01)")
      ->type_name("TIME");
  sub->add_option("--host", o->host, "Host of lines that name none: consoles, dmesg")->type_name("HOST");
  sub->add_option("--threads", o->threads,
                  "Threads that read and scan; changes nothing in the result (default: the CPUs this process may use, at most 16)")
      ->type_name("N")
      ->check(CLI::Range(1, 256));
  sub->add_flag("--no-progress", o->no_progress, "No progress line on a terminal");
  sub->add_option("--block-size", o->block_size, "Bytes read at a time; changes nothing in the result")
      ->group("");
  sub->add_option("--commit-bytes", o->commit_bytes,
                  "Commit after so many bytes; changes nothing in the result")
      ->group("");
  sub->add_flag("--no-read-ahead", o->no_read_ahead, "Read in the main thread; changes nothing in the result")
      ->group("");
  sub->callback([o, &out] {
    out.command = [o]() -> int {
      if (!o->recorded.empty()) return replay_recorded(*o);
      if (o->logs.empty()) {
        complain(make_error("E506", "no log to replay",
                            "name one: correlator replay /var/log/kern.log, or - for stdin"));
        return kUsage;
      }
      if (!o->sec.empty()) return replay_with_sec(*o);
      if ((o->act || o->shadow) && o->state.empty()) {
        complain(make_error(
            "E508", fmt::format("{} needs a state directory", o->act ? "--act" : "--shadow"),
            "add --state DIR: the ledger there keeps an action from running twice when you replay again"));
        return kUsage;
      }
      std::signal(SIGINT, [](int) { g_interrupted = g_interrupted + 1; });
      std::signal(SIGTERM, [](int) { g_interrupted = g_interrupted + 1; });
      return replay_logs(*o);
    };
  });
}

}  // namespace correlator::cli
