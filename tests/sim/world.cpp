// SPDX-License-Identifier: Apache-2.0
#include "world.h"

#include <fmt/format.h>

#include "base/fault.h"
#include "temp_dir.h"

namespace correlator::sim {
namespace {

// The lock files are real ones.
const std::filesystem::path& real_directory() {
  static const testing::TempDir dir;
  return dir.path();
}

std::shared_ptr<const pipeline::Matcher> matcher_of(const std::shared_ptr<const rules::RuleSet>& rules) {
  static std::map<const rules::RuleSet*, std::shared_ptr<const pipeline::Matcher>> built;
  auto& matcher = built[rules.get()];
  if (matcher == nullptr) matcher = std::make_shared<const pipeline::Matcher>(std::move(pipeline::Matcher::build(rules)).value());
  return matcher;
}

}  // namespace

World::World(std::uint64_t seed, WorldOptions given)
    : options(given), disk(Random(hash_words(seed, "disk"))), programs(clock, seed), vfs(Vfs::install()),
      state(real_directory() / "state"), ledger(real_directory() / "ledger"), beside(hash_words(seed, "beside")) {
  static Programs* running = nullptr;
  running = &programs;
  g_fault_hook = [](const char* point) {
    if (std::string_view(point) == "dispatch.pid.after" && current_life() != nullptr && !current_life()->dead) running->all.back().pid_recorded = true;
    pass_fault_point(point);
  };
  vfs.use(disk, clock, hash_words(seed, "sqlite"));
  current_life() = nullptr;
}

void World::unexpected(const std::string& doing, const Diagnostic& error) {
  if (current_life() != nullptr && current_life()->dead) return;  // the disk of the dead gives errors
  if (disk.trouble.of.empty()) wrong.push_back(fmt::format("{}: {} {}", doing, error.code, error.message));
}

std::shared_ptr<const rules::RuleSet> rules_in_files(const World& world) { return world.new_rules ? second_rules() : first_rules(); }

EngineLife::EngineLife(World& world, Peer& peer, Life plan) : world_(world), peer_(peer), life_(std::move(plan)) {
  life_.name = "engine";
  life_.on_death = [this] {
    world_.vfs.freeze();
    peer_.hang_up();
  };
}

// Work inside of the process; false if it died of it.
template <class Work>
bool EngineLife::alive_through(Work work) {
  const As as(life_);
  try {
    work();
  } catch (const Killed&) {
  }
  return !life_.dead;
}

bool EngineLife::start() {
  bool started = false;
  alive_through([&] {
    store::DbOptions options;
    options.spool_bytes = world_.options.spool_bytes;
    options.intake_bytes = world_.options.intake_bytes;
    options.busy = Duration::milliseconds(250);
    options.files = &world_.files;
    auto db = store::EngineDb::open(world_.state, options);
    if (!db) return world_.unexpected("opening the state", db.error());
    pipeline::SessionOptions session;
    const auto rules = rules_in_files(world_);
    session.matcher = matcher_of(rules);
    auto begun = pipeline::Session::start(rules, std::move(*db), session, {});
    if (!begun) return world_.unexpected("starting the engine", begun.error());
    session_ = std::move(*begun);
    pipeline::LiveOptions live;
    live.remembered_ids = 2000;
    live.sync.strict = world_.options.strict;
    if (world_.options.few_syncs) live.sync.burst = live.sync.per_second = 1;
    std::vector<std::unique_ptr<input::LiveSource>> sources;
    sources.push_back(peer_.connect());
    live_ = std::make_unique<pipeline::Live>(*session_, std::move(sources), world_.clock, live);
    for (const Diagnostic& missing : live_->resume()) world_.unexpected("resuming", missing);
    reports_ = std::make_unique<pipeline::Reports>(*session_, world_.ledger);
    live_->positions = [this](std::vector<store::Cursor>& cursors) { reports_->position(cursors); };
    live_->each_second = [this] { take_reports(); };
    live_->visible = [this] {
      world_.decisions_bell = true;
      world_.visible();
    };
    started = true;
  });
  if (!started) bury();
  return started && running();
}

void EngineLife::take_reports() {
  if (reports_->take() > 0) live_->record_now();
}

bool EngineLife::round() {
  bool going = true;
  alive_through([&] {
    if (std::exchange(world_.reports_bell, false)) take_reports();
    auto more = live_->round(Duration{});
    if (!more) world_.unexpected("a round of the engine", more.error());
    going = more && *more;
  });
  return going && !life_.dead;
}

bool EngineLife::command(const pipeline::ControlRequest& request) {
  bool done = false;
  alive_through([&] {
    const auto answer = pipeline::carry_out(*session_, request);
    done = answer ? live_->record_now() : answer.error().code == "E513";  // nothing has that key: that is an answer, too
  });
  return done && !life_.dead;
}

bool EngineLife::reload() {
  bool done = false;
  alive_through([&] {
    const auto before = session_->engine().rules();
    const Status status = session_->reload(rules_in_files(world_));
    if (!status.ok() && !life_.dead && session_->engine().rules()->hash != before->hash) world_.wrong.push_back("a reload that failed left the new rules in force");
    if (!status.ok()) world_.unexpected("reload", status.error());
    done = status.ok();
  });
  return done && !life_.dead;
}

void EngineLife::finish() {
  alive_through([&] {
    if (auto status = live_->finish(); !status) world_.unexpected("the end", status.error());
    if (auto status = session_->snapshot({}); !status) world_.unexpected("the last snapshot", status.error());
  });
  bury();
}

void EngineLife::bury() {
  const As as(life_);
  if (!life_.dead) peer_.hang_up();
  live_.reset();
  peer_.close_plugin_side();
  reports_.reset();
  session_.reset();
  world_.vfs.bury();
}

DispatcherLife::DispatcherLife(World& world, Life plan) : world_(world), life_(std::move(plan)) {
  life_.name = "dispatcher";
  life_.on_death = [this] { world_.vfs.freeze(); };
}

template <class Work>
bool DispatcherLife::alive_through(Work work) {
  const As as(life_);
  try {
    work();
  } catch (const Killed&) {
  }
  return !life_.dead;
}

bool DispatcherLife::start() {
  bool started = false;
  alive_through([&] {
    auto ledger = store::LedgerDb::open(world_.ledger);  // no thread of checkpoints here
    if (!ledger) return world_.unexpected("opening the ledger", ledger.error());
    dispatch::DispatchOptions options;
    options.actions_dir = "/actions";
    options.kill_switch = world_.ledger / "stop-actions";
    options.launcher = &world_.programs;
    // What goes on beside the ledger's commit is done before it or after it, as drawn.
    options.beside = [this](const std::function<Status()>& work) -> std::function<Status()> {
      if (world_.beside.chance(50)) return [done = work()] { return done; };
      return [this, work] {
        world_.ahead();
        fault_point("dispatch.durable.before");
        return work();
      };
    };
    reader_.emplace(world_.state, world_.files);
    if (auto lost = reader_->reconcile(*ledger); !lost) {
      return world_.unexpected("bringing ledger and state together", lost.error());
    } else {
      world_.forgotten += lost->size();
    }
    auto opened = dispatch::Dispatcher::open(std::move(*ledger), second_rules(), world_.clock, options);
    if (!opened) return world_.unexpected("starting the dispatcher", opened.error());
    dispatcher_.emplace(std::move(*opened));
    started = true;
  });
  if (!started) bury();
  return started && running();
}

bool DispatcherLife::round() {
  bool going = true;
  alive_through([&] {
    world_.programs.look();
    std::optional<Diagnostic> complaint;
    if (auto status = reader_->take(*dispatcher_, complaint); !status) {
      going = false;
      return world_.unexpected("taking decisions over", status.error());
    }
    auto outcomes = dispatcher_->poll(Duration{});
    if (!outcomes) {
      going = false;
      return world_.unexpected("a round of the dispatcher", outcomes.error());
    }
    if (!outcomes->empty()) world_.reports_bell = true;
  });
  return going && !life_.dead;
}

void DispatcherLife::approve() {
  alive_through([&] {
    const auto jobs = dispatcher_->ledger().open_jobs();
    if (!jobs) return;
    for (const store::Job& job : *jobs) {
      if (job.action != "ask" || !job.approved_by.empty() || job.state != store::JobState::waiting) continue;
      if (auto said = dispatcher_->judge(job.decision, "sim", true); !said) world_.unexpected("approving", said.error());
    }
  });
}

void DispatcherLife::bury() {
  const As as(life_);
  reader_.reset();
  dispatcher_.reset();
  world_.vfs.bury();
}

}  // namespace correlator::sim
