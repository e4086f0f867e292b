// SPDX-License-Identifier: Apache-2.0
// One step: the clock, the timers that are due, then the record itself.
#include "engine/engine.h"

#include "core.h"
#include "engine_state.h"
#include "rows.h"

namespace correlator::engine {

namespace {

constexpr std::uint32_t kLongestChain = 64;

}  // namespace

Core::Core(Options given)
    : options(given), decoder(std::make_unique<Decoder>(given, evidence, counters, *this)) {}

// References to evidence are not given back: the store goes, too.
Core::~Core() = default;

void Core::step(const IntakeRecord& record, StepOutput& to) {
  step_out = &to;
  seq = record.seq;
  engine_dirty = true;
  if (const auto* r = std::get_if<RulesRecord>(&record.what)) {
    install(r->rules);
  } else if (rules) {
    if (const auto* l = std::get_if<LineRecord>(&record.what)) line(*l);
    if (const auto* m = std::get_if<MarkRecord>(&record.what)) mark(*m);
    if (const auto* l = std::get_if<LookupRecord>(&record.what)) lookup_changed(*l);
    if (const auto* c = std::get_if<CommandRecord>(&record.what)) command(*c);
    if (const auto* o = std::get_if<OutcomeRecord>(&record.what)) outcome(*o);
    if (const auto* p = std::get_if<ProbeRecord>(&record.what)) probe(*p);
    if (std::holds_alternative<EndRecord>(record.what)) {
      std::vector<Event> events;
      decoder->end(clock.value_or(Timestamp::min()), events);
      take(events);
    }
  }
  evidence.sweep();
  step_out = nullptr;
}

void Core::line(const LineRecord& record) {
  ++counters.lines;
  if (record.undated) ++counters.undated;
  if (record.clamped) ++counters.clamped;
  advance(record.time);
  now = record.time;
  decoded.clear();
  {
    const Decoding decoding(watch);
    decoder->decode(record, seq, *clock, decoded);
  }
  take(decoded);
}

void Core::mark(const MarkRecord& record) {
  advance(record.time);
  now = *clock;
  // Conditions end without an event that says so: a mark is when they are looked at.
  std::vector<std::uint64_t> waiting;
  for (const auto& [rule, id] : held_by_condition) waiting.push_back(id);
  for (const std::uint64_t id : waiting) judge_held(id, *clock);
  settle();
}

void Core::advance(Timestamp t) {
  if (!clock) clock = t;
  clock_goal = std::max(*clock, t);
  if (fresh_rules) {
    fresh_rules = false;
    for (const auto& run : runs) {
      if (!run->in_force) rule_came_into_force(*run, clock_goal);
    }
  }
  fire_timers();
  clock = clock_goal;
  if (!orphan_rules.empty()) forget_orphans();
}

void Core::rule_came_into_force(RuleRun& run, Timestamp since) {
  run.in_force = since;
  now = since;
  run.op->in_force(since, run);
}

// The clock goes from timer to timer, so that one leap forgets no more than many small moves.
void Core::fire_timers() {
  const Timestamp due = clock_goal - options.disorder;
  for (;;) {
    const auto record = decoder->next_deadline();
    const Timer* timer = timers.next();
    // Of equal deadlines the records come first.
    if (record && *record <= due && (timer == nullptr || *record <= timer->deadline)) {
      now = *record;
      clock = std::max(*clock, now + options.disorder);
      decoded.clear();
      {
        const Decoding decoding(watch);
        decoder->complete_next(*clock, decoded);
      }
      take(decoded);
    } else if (timer != nullptr && timer->deadline <= due) {
      clock = std::max(*clock, timer->deadline + options.disorder);
      fire_timer(timers.pop());
      settle();
    } else {
      return;
    }
  }
}

void Core::fire_timer(const Timer& timer) {
  now = timer.deadline;
  const bool of_rule = timer.kind != TimerKind::record && timer.kind != TimerKind::context;
  const Watched watched(of_rule ? watch : nullptr, timer.rule, false);
  switch (timer.kind) {
    case TimerKind::record:
      return;
    case TimerKind::hold: {
      RuleRun& run = *static_cast<RuleRun*>(timer.owner);
      run.hold_armed.reset();
      release_waiter(run);
      judge_held_of(timer.rule, now);
      break;
    }
    case TimerKind::absence:
    case TimerKind::schedule: {
      RuleRun& run = *runs[timer.rule];
      KeyState& key = *static_cast<KeyState*>(timer.owner);
      run.armed.erase(&key);
      run.mark(key);
      run.op->on_timer(key, timer.deadline, run);
      run.settle(key);
      break;
    }
    case TimerKind::clear: {
      Case& open = *static_cast<Case*>(timer.owner);
      open.armed.reset();
      on_case_timer(*runs[open.rule], open);
      break;
    }
    case TimerKind::context:
      on_context_end(*static_cast<Context*>(timer.owner));
      break;
    case TimerKind::delayed:
      on_delayed(*static_cast<Delayed*>(timer.owner));
      break;
    case TimerKind::held:
      judge_held(timer.id, timer.deadline);
      break;
    case TimerKind::forget: {
      RuleRun& run = *static_cast<RuleRun*>(timer.owner);
      run.forget_armed.reset();
      run.drop_idle(timer.deadline);
      return;
    }
  }
}

void Core::take(std::vector<Event>& events) {
  for (Event& event : events) {
    if (queue.empty()) {
      handle({std::move(event), 0});
    } else {
      queue.push_back({std::move(event), 0});
    }
    drain();
  }
  settle();
}

// Lines that rules made come after the line at hand, with all of its events.
void Core::settle() {
  drain();
  const Timestamp before = now;
  for (; !made_lines.empty(); now = before) {
    const Made line = std::move(made_lines.front());
    made_lines.pop_front();
    if (line.depth > kLongestChain) {
      ++counters.cut_chains;
      continue;
    }
    now = line.time;
    std::vector<LineRef> lines;
    for (const TrailLine& one : line.firing->evidence.lines) {
      const EvidenceLine* text = evidence.find(one.seq);
      lines.push_back({one.seq, text != nullptr ? text->time : one.time});
    }
    std::vector<Event> events;
    decoder->decode_made(line.text, line.host, line.time, line.trust, lines, *clock, events);
    for (Event& event : events) {
      queue.push_back({std::move(event), line.depth});
      drain();
    }
  }
}

// What an event causes is diagnosed after it has met all rules, before the next event.
void Core::drain() {
  while (!queue.empty() || !stale_lookups.empty()) {
    if (queue.empty()) {
      const std::string name = std::move(stale_lookups.back());
      stale_lookups.pop_back();
      if (const auto cls = rules->find_class("lookup.stale")) {
        Fields fields;
        fields.set(rules::kPart, name);
        if (const auto field = rules->field("lookup"); field != rules::kNoField) fields.set(field, name);
        deliver(synthetic(*cls, now, std::move(fields), Trust::vouched, {}));
      }
      continue;
    }
    Queued next = std::move(queue.front());
    queue.pop_front();
    handle(std::move(next));
  }
}

void Core::handle(Queued next) {
  if (next.depth > kLongestChain) {
    ++counters.cut_chains;
    return;
  }
  const Timestamp before = now;
  now = next.event.time;
  depth = next.depth + 1;
  ++counters.events;
  diagnose(next.event);
  // Behind it: whoever wants it further has a copy by now, and what it causes waits in the queue.
  if (step_out != nullptr) step_out->events.push_back(std::move(next.event));
  depth = 0;
  now = before;
}

Engine::Engine(Options options) : state_(std::make_unique<State>(options)) {}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;

void Engine::step(const IntakeRecord& record, StepOutput& out) {
  state_->core.step(record, out);
}
void Engine::watch(RuleWatch* watch) {
  state_->core.watch = watch;
}
std::uint64_t Engine::seq() const {
  return state_->core.seq;
}
std::optional<Timestamp> Engine::clock() const {
  return state_->core.clock;
}
const Counters& Engine::counters() const {
  return state_->core.counters;
}
std::shared_ptr<const rules::RuleSet> Engine::rules() const {
  return state_->core.rules;
}
void Engine::take_changes(std::vector<StateRow>& out) {
  state_->core.take_changes(out);
}

Status Engine::restore(std::shared_ptr<const rules::RuleSet> rules, std::uint64_t seq, StateSource& rows,
                       std::shared_ptr<EvidenceTexts> texts, std::uint64_t carried) {
  auto fresh = std::make_unique<State>(state_->core.options);
  const bool with_evidence = texts == nullptr;
  fresh->core.seq = seq;
  fresh->core.watch = state_->core.watch;
  fresh->core.evidence.read_from(std::move(texts), seq, carried);
  fresh->core.restart_rules(std::move(rules));
  if (const Status read = fresh->core.restore_rows(rows, with_evidence); !read.ok()) return read;
  state_ = std::move(fresh);
  return {};
}

Status Engine::restore(std::shared_ptr<const rules::RuleSet> rules, std::uint64_t seq,
                       const std::vector<StateRow>& rows) {
  RowList list(rows);
  return restore(std::move(rules), seq, list);
}

void Engine::keep_lines_in(std::shared_ptr<EvidenceTexts> texts) {
  state_->core.evidence.read_from(std::move(texts), 0, 0);
}

void Engine::lines_are_kept() {
  state_->core.evidence.stored(state_->core.seq);
}

Status Engine::carry_over(const RowVisitor& write) {
  return state_->core.evidence.carry_over(write);
}

void Engine::carried_over() {
  state_->core.evidence.carried_over(state_->core.seq);
}

const Status& Engine::failure() const {
  return state_->core.evidence.failure();
}

}  // namespace correlator::engine
