// SPDX-License-Identifier: Apache-2.0
#include "machine.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>

namespace correlator::sim {
namespace {

constexpr int kMostTurns = 200'000;

WorldOptions world_options(Random random, const RunOptions& options) {
  WorldOptions world;
  world.strict = options.strict;
  if (random.chance(40)) world.spool_bytes = static_cast<std::uint64_t>(random.between(8, 24)) * 1024;
  world.few_syncs = random.chance(40);
  return world;
}

std::vector<Step> script_of(Random random, const RunOptions& options, bool reload) {
  ScriptOptions script;
  script.lines = static_cast<int>(random.between(options.lines / 3, options.lines));
  script.reload = reload;
  script.commands = !reload && options.mode == Mode::kills;
  if (options.mode == Mode::power) {
    script.lines *= 4;
    script.storms = random.chance(60) ? 3 : 0;
    script.meaning = random.chance(50) ? 95 : 60;
  }
  return draw_script(random, script);
}

}  // namespace

Machine::Machine(std::uint64_t seed, const RunOptions& options)
    : reloads(hash_words(seed, "reload") % 3 == 0), steps(script_of(Random(hash_words(seed, "script")), options, reloads)),
      world(seed, world_options(Random(hash_words(seed, "world")), options)), peer(steps, world.clock, Random(hash_words(seed, "peer"))),
      random_(hash_words(seed, "machine")), options_(options) {
  gone.resize(steps.size());
  world.visible = [this] { between_commit_and_sync(); };
  world.ahead = [this] { with_the_ledger_ahead(); };
  const bool power = options.mode == Mode::power;
  kills_left_ = static_cast<int>(random_.between(0, power ? 2 : 8));
  dispatcher_kills_left_ = static_cast<int>(random_.between(0, power ? 1 : 4));
  cuts_left_ = power ? static_cast<int>(random_.between(1, 4)) : 0;
  storm_cut_percent_ = random_.one_of<double>({0.3, 1, 4});
  trouble_percent_ = random_.chance(50) ? 0 : static_cast<double>(random_.between(1, 30)) / 10;
  polite_ = random_.chance(40);
  if (!reloads && !power && random_.chance(20)) {
    world.options.intake_bytes = 16 * 1024;
    trims = true;
  }
}

Machine::~Machine() { hold_database(false); }

Life Machine::plan(bool mortal, std::int64_t points, std::int64_t operations) {
  Life life;
  if (!mortal) return life;
  if (random_.chance(60)) {
    life.points = random_.between(0, random_.chance(50) ? 12 : points);
  } else {
    life.operations = random_.between(0, random_.chance(50) ? 40 : operations);
  }
  return life;
}

bool Machine::engine_round() {
  const Timestamp begin = world.clock.now();
  const std::uint64_t before = engine_->live().counters().synced;
  const bool batched = engine_->live().batching();
  const bool alive = engine_->round();  // what it did until it died counts, too
  if (!engine_->live().batching()) {
    unsynced_since_.reset();
  } else if (!unsynced_since_) {
    unsynced_since_ = begin;
  }
  // What ends a batch between two lines is a sync, too, and no commit.
  const std::uint64_t synced = engine_->live().counters().synced - before + (batched && !engine_->live().batching() ? 1 : 0);
  bucket_.take(begin, synced, world.clock.now() - begin);
  return alive;
}

bool Machine::look_after_engine() {
  if (engine_ && engine_->running()) {
    // A plug-in that does not answer for confirmTimeout is killed.
    if (const auto since = peer.waits_since(); since && world.clock.now() - *since > Duration::seconds(10)) engine_->kill();
    // Best while the engine holds what is answered (a refusal is an answer) and not written.
    const bool holds = !peer.in_flight() && engine_->session().uncommitted() > 0;
    if (kills_left_ > 0 && random_.chance(holds ? 5 : 0.3)) engine_->kill();
    if (engine_->running() && !engine_round()) engine_->kill();
    if (engine_->running()) return false;
  }
  if (engine_) {
    engine_.reset();
    ++result.engine_deaths;
    engine_at_ = world.clock.now() + Duration::milliseconds(random_.between(1, 1500));
  }
  if (world.clock.now() < engine_at_) return false;
  const bool mortal = kills_left_ > 0;
  kills_left_ -= mortal ? 1 : 0;
  engine_.emplace(world, peer, plan(mortal, 150, 800));
  bucket_ = {};
  unsynced_since_.reset();
  return engine_->start();
}

bool Machine::look_after_dispatcher() {
  if (dispatcher_ && dispatcher_->running()) {
    const bool rung = std::exchange(world.decisions_bell, false);
    if (!rung && !random_.chance(30) && peer.next() < steps.size()) return false;
    if (dispatcher_kills_left_ > 0 && random_.chance(0.3)) dispatcher_->kill();
    if (dispatcher_->running() && !dispatcher_->round()) dispatcher_->kill();
    if (dispatcher_->running() && world.clock.now() >= approve_at_) {
      dispatcher_->approve();
      approve_at_ = world.clock.now() + Duration::seconds(random_.between(5, 90));
    }
    if (dispatcher_->running()) return world.reports_bell;
  }
  if (dispatcher_) bury_dispatcher();
  if (world.clock.now() < dispatcher_at_) return false;
  const bool mortal = dispatcher_kills_left_ > 0;
  dispatcher_kills_left_ -= mortal ? 1 : 0;
  dispatcher_.emplace(world, plan(mortal, 40, 150));
  return dispatcher_->start();
}

void Machine::bury_dispatcher() {
  dispatcher_.reset();
  ++result.dispatcher_deaths;
  // systemd takes down what a dead service left behind; without it programs go on.
  if (random_.chance(50)) world.programs.kill_all();
  dispatcher_at_ = world.clock.now() + Duration::milliseconds(random_.between(1, 5000));
}

// The engine's decisions can be read and are not synced: the dispatcher, a process of its own, may be as quick as that.
void Machine::between_commit_and_sync() {
  if (!dispatcher_ || !dispatcher_->running() || !random_.chance(30)) return;
  if (!dispatcher_->round()) dispatcher_->kill();
  if (!dispatcher_->running() && !cut_wanted_) bury_dispatcher();
}

// What the dispatcher took over is durable in its ledger alone, until the next moment. The power may go now.
void Machine::with_the_ledger_ahead() {
  if (cuts_left_ == 0 || !engine_ || !engine_->running() || !random_.chance(20)) return;
  cut_wanted_ = true;
  engine_->kill();
  dispatcher_->kill();
}

// Steps that are no lines, once all lines before them are answered.
bool Machine::do_steps() {
  bool done = false;
  if (peer.next() < steps.size() && !peer.in_flight() && engine_ && engine_->running()) {
    const Step& step = steps[peer.next()];
    if (step.kind == Step::Kind::reload && step.due <= world.clock.now()) {
      world.new_rules = reload_wanted_ = done = true;
      peer.pass();
    } else if (step.kind == Step::Kind::command && step.due <= world.clock.now() && command_at_ <= world.clock.now()) {
      done = engine_->command(step.command);
      command_at_ = world.clock.now() + Duration::seconds(1);
      if (done) peer.pass();
    }
  }
  // A reload that could not be written is asked for again; lines go on meanwhile.
  if (reload_wanted_ && !peer.in_flight() && engine_ && engine_->running() && reload_at_ <= world.clock.now()) {
    if (engine_->reload()) reload_wanted_ = false, ++result.reloads;
    reload_at_ = world.clock.now() + Duration::seconds(1);
    done = true;
  }
  return done;
}

// Another process begins a transaction and does not end it.
void Machine::hold_database(bool held) {
  const As as(holding_);
  if (held && holder_ == nullptr) {
    const std::string file = (world.state / "engine.db").string();
    if (sqlite3_open_v2(file.c_str(), &holder_, SQLITE_OPEN_READWRITE, nullptr) != SQLITE_OK ||
        sqlite3_exec(holder_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) != SQLITE_OK) {
      sqlite3_close(holder_);
      holder_ = nullptr;
    }
  } else if (!held && holder_ != nullptr) {
    sqlite3_close(holder_);
    holder_ = nullptr;
  }
}

void Machine::weather() {
  Trouble& trouble = world.disk.trouble;
  const bool over = world.clock.now() >= trouble_until_ || peer.next() >= steps.size();
  if (!trouble.of.empty() && over) {
    hold_database(false);
    trouble = {};
  }
  const bool in_batch = engine_ && engine_->running() && engine_->live().batching();
  if (!trouble.of.empty() || peer.next() >= steps.size() || !random_.chance(in_batch ? 2 * trouble_percent_ : trouble_percent_)) return;
  ++result.troubles;
  trouble.of = random_.chance(80) ? "engine" : "dispatcher";
  trouble_until_ = world.clock.now() + (random_.chance(60) ? Duration::milliseconds(random_.between(1, 3000)) : Duration::seconds(random_.between(3, 40)));
  switch (random_.between(0, 3)) {
    case 0: trouble.full = true; break;
    case 1: trouble.database_io = static_cast<double>(random_.between(5, 100)); break;
    case 2: trouble.spool_io = static_cast<double>(random_.between(5, 60)); [[fallthrough]];
    default:
      if (trouble.of == "engine") hold_database(true);
      trouble.full = trouble.full || random_.chance(30);
  }
  if (random_.chance(15)) trouble.spool_io = static_cast<double>(random_.between(20, 100));
}

void Machine::let_time_pass(bool active) {
  const Timestamp now = world.clock.now();
  // The engine sleeps no longer than until it must sync.
  const bool batching = engine_ && engine_->running() && engine_->live().batching();
  const Timestamp deadline = batching && unsynced_since_ && now < *unsynced_since_ + kUnsynced ? *unsynced_since_ + kUnsynced : Timestamp::max();
  if (active) return world.clock.set(std::min(deadline, now + Duration{random_.between(20, 300)}));
  Timestamp next = std::min(world.programs.next_end(), now + Duration::seconds(random_.between(1, 20)));
  if (const Timestamp due = peer.next_due(); due > now) next = std::min(next, due);
  if (!engine_) next = std::min(next, engine_at_);
  if (!dispatcher_) next = std::min(next, dispatcher_at_);
  if (!world.disk.trouble.of.empty()) next = std::min(next, trouble_until_);
  // A line that waits for its answer, lines that wait for their sync.
  if (engine_ && engine_->running() && (engine_->live().batching() || peer.in_flight())) next = std::min(next, now + Duration::milliseconds(random_.between(1, 25)));
  world.clock.set(std::min(deadline, std::max(next, now + Duration{100})));
}

bool Machine::settled() {
  if (peer.next() < steps.size() || peer.in_flight() || reload_wanted_ || !engine_ || !engine_->running() || !dispatcher_ || !dispatcher_->running()) return false;
  if (engine_->session().uncommitted() > 0 || engine_->session().db()->spooling() || engine_->live().batching()) return false;
  if (!dispatcher_->idle() || dispatcher_->waiting() > 0) return false;
  return ++settled_rounds_ > 5;  // reports and decisions on their way
}

// Cuts are few: most are kept for when something is not yet where it belongs.
double Machine::cut_percent() {
  if (!engine_ || !engine_->running()) return 0.3;
  if (engine_->live().batching()) batched_at_ = world.clock.now();
  if (batched_at_ && world.clock.now() - *batched_at_ < Duration::seconds(2)) return storm_cut_percent_;
  return engine_->session().db()->spooling() ? 1.5 : 0.3;
}

bool Machine::turn() {
  if (engine_ && engine_->running() && engine_->session().db()->spooling()) ++result.spooled;
  weather();
  bool active = peer.turn();
  active = do_steps() || active;
  active = look_after_engine() || active;
  active = peer.turn(false) || active;
  active = look_after_dispatcher() || active;
  return active;
}

void Machine::run() {
  int turns = 0;
  while (!settled() && world.wrong.empty()) {
    if (++turns > kMostTurns) {
      world.wrong.push_back(fmt::format("it does not come to an end: step {} of {}, {} programs run", peer.next(), steps.size(), world.programs.alive()));
      break;
    }
    if (peer.next() >= steps.size()) kills_left_ = dispatcher_kills_left_ = 0;
    const bool drawn = cuts_left_ > 0 && peer.next() < steps.size() && random_.chance(cut_percent());
    if (std::exchange(cut_wanted_, false) || (drawn && engine_ && dispatcher_)) cut_power();
    let_time_pass(turn());
  }
  if (!peer.protocol_error.empty()) world.wrong.push_back(peer.protocol_error);
  result.refused = peer.refused;
  result.repeated = peer.repeated;
  // At last the engine ends in order, or is killed once more.
  if (engine_ && polite_ && world.wrong.empty()) engine_->finish();
  if (engine_ && !polite_) engine_->kill();
  engine_.reset();
  if (dispatcher_ && !polite_) dispatcher_->kill();
  dispatcher_.reset();
  current_life() = nullptr;
}

}  // namespace correlator::sim
