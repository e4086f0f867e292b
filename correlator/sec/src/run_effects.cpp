// SPDX-License-Identifier: Apache-2.0
// What the engine wants done: files, commands, inputs; with --state only when it is written down.
#include <fmt/format.h>

#include <chrono>
#include <thread>
#include <utility>

#include "run.h"

namespace correlator::sec {

using engine::Effect;

// State, places of inputs and what was decided are written down together; then it is done.
void Run::settle() {
  outputs_.flush();
  engine::Effects todo;
  const Status written = survival_.settle(*engine_, survival_.on() ? inputs_.cursors() : std::vector<store::Cursor>(), todo);
  if (!written.ok() && unwritten_++ == 0) journal_.say(written.error(), now());  // goes on as without --state
  if (written.ok() && std::exchange(unwritten_, 0) > 0) journal_.say(3, "the state can be written again", now());
  for (const Effect& effect : todo) perform(effect);
  outputs_.flush();
  if (written.ok() && !todo.empty()) note_done();
}

void Run::note_done() {
  if (const Status done = survival_.done(); !done.ok()) journal_.say(done.error(), now());
}

// With --state what reaches the outside waits until it is written down.
void Run::carry_out() {
  for (Effect& effect : effects_) {
    if (!survival_.takes(effect)) perform(effect);
  }
  effects_.clear();
}

void Run::perform(const Effect& effect) {
  switch (effect.kind) {
    case Effect::Kind::say: return journal_.say(static_cast<int>(effect.number), effect.text, now());
    case Effect::Kind::out: return outputs_.out(effect.text);
    case Effect::Kind::command: return start(effect);
    case Effect::Kind::add_input:
      if (!inputs_.add(effect.target, effect.number, effect.text)) journal_.say(3, "the input " + effect.target + " cannot be opened, or is one already", now());
      return;
    case Effect::Kind::drop_input:
      if (!inputs_.drop(effect.target)) journal_.say(3, "there is no input " + effect.target + " that a rule added", now());
      return;
    case Effect::Kind::signal:
      if (!signals_.emulate(effect.target)) journal_.say(3, "there is no signal " + effect.target + " for sigemul", now());
      return;
    default:
      if (const Status done = outputs_.put(effect, now()); !done.ok()) journal_.say(6, done.error().message, now());
  }
}

void Run::start(const Effect& effect) {
  outputs_.flush();
  const Status started = children_.start(effect);
  if (started.ok()) return;
  journal_.say(2, started.error().message, now());
  if (effect.number == 0) return;
  engine::Effects more;
  engine_->script_ended(now(), effect.number, false, more);
  survival_.stir();
  for (Effect& next : more) {
    if (!survival_.takes(next)) perform(next);
  }
}

void Run::tell_silence(const std::string& name, bool silent) {
  if (options_.timeout_script.empty()) return;
  Effect effect;
  effect.kind = Effect::Kind::command;
  effect.words = {options_.timeout_script, silent ? "1" : "0", name};
  start(effect);
}

void Run::collect_children() {
  if (!children_.some()) return;
  std::vector<ChildLine> lines;
  std::vector<ChildEnd> ends;
  children_.collect(lines, ends);
  for (const ChildLine& line : lines) {
    journal_.say(6, "event of a child: " + line.text, now());
    engine_->queue(line.text, line.context);
  }
  survival_.stir(!lines.empty());
  for (const ChildEnd& end : ends) {
    if (end.signal != 0) journal_.say(3, fmt::format("signal {} ended: {}", end.signal, end.command), now());
    else if (end.code != 0) journal_.say(3, fmt::format("status {} of: {}", end.code, end.command), now());
    if (end.ticket == 0) continue;
    const bool success = end.code == 0 && (end.signal == 0 || options_.exact);  // SEC takes a killed script for a success
    engine_->script_ended(now(), end.ticket, success, effects_);
    survival_.stir();
    carry_out();
  }
}

void Run::end_children() {
  if (!options_.terminate_children) return;
  if (options_.internal_events) {
    for (int i = 0; i < 60 && children_.some(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      collect_children();
    }
  }
  children_.terminate();
}

}  // namespace correlator::sec
