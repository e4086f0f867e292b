// SPDX-License-Identifier: Apache-2.0
// The loop: lines, time, rules.
#include "run.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <thread>
#include <utility>

#include "process.h"
#include "program.h"
#include "time/clock.h"

namespace correlator::sec {

Run::Run(std::vector<std::string> words, Options options)
    : words_(std::move(words)), options_(std::move(options)), clock_(options_.timeline), outputs_(options_.socket_timeout),
      nothing_(options_.timeline ? ::open("/dev/null", O_RDONLY | O_CLOEXEC) : -1), children_(nothing_.get()), inputs_(options_, clock_) {}

bool Run::prepare() {
  started_ = now();
  journal_.open(options_);
  Status ready = enter(options_, journal_, now());
  if (ready.ok() && !options_.state.empty()) ready = survival_.open(options_.state);
  if (!ready.ok()) journal_.say(ready.error(), now());
  return ready.ok();
}

int Run::go() {
  if (!prepare()) return 1;
  load(nullptr);
  begin();
  internal_event("SEC_STARTUP");
  sweep();
  while (going_) turn();
  internal_event("SEC_SHUTDOWN");
  end_children();
  settle();
  outputs_.flush();
  return 0;  // the pid file stays, as SEC's does
}

// Inputs are opened where the last run stood, and what it had decided and not done is done.
void Run::begin() {
  Diagnostics troubles;
  if (survival_.on()) {
    std::vector<std::string> dropped;
    survival_.kept().bring_back(*engine_, dropped);
    for (const std::string& what : dropped) journal_.say(3, "dropped of the state: " + what, now());
    if (clock_.is_timeline()) clock_.set(std::max(now(), engine_->now()));
    swept_ = clock_.is_timeline() ? now() : 0;
  }
  inputs_.open_all(troubles, survival_.on() ? survival_.kept().cursors() : std::vector<store::Cursor>());
  for (const Diagnostic& d : troubles) journal_.say(d, now());
  if (!survival_.on()) return;
  for (const engine::Effect& effect : survival_.kept().waiting()) perform(effect);
  outputs_.flush();
  note_done();
  survival_.forget_last_run();
}

void Run::load(const rules::procedure::ProcedureProgram* before) {
  LoadedProgram loaded = load_program(options_.conf, {.buffer_lines = options_.buffer_lines, .code = &perl_}, before);
  for (const Diagnostic& d : loaded.diagnostics) journal_.say(d, now());
  configured_ = now();
  for (const auto& file : loaded.program->files) {
    const bool kept = before != nullptr && std::find(before->files.begin(), before->files.end(), file) != before->files.end();
    if (!kept) loaded_[file->name] = configured_;
  }
  program_ = loaded.program;
  inputs_.forget_scans();
  if (before != nullptr) engine_->replace(program_, now(), engine_options());
  else engine_.emplace(program_, engine_options());
}

engine::Procedure::Options Run::engine_options() const {
  engine::Procedure::Options how;
  how.buffer_lines = options_.buffer_lines;
  how.joint_buffer = options_.joint_buffer;
  how.internal_contexts = options_.internal_contexts;
  how.store_limit = options_.store_limit;
  how.quote_description = options_.quoting;
  how.paste_log_text = options_.exact;
  how.log_level = journal_.level();
  how.scripts = perl_.scripts();
  if (options_.rule_times) how.cpu_time = thread_cpu_time;
  return how;
}

void Run::turn() {
  collect_children();
  if (engine_->has_queued()) {
    engine_->next_queued(now(), effects_);
    survival_.stir();
    carry_out();
  } else {
    read_input();
  }
  if (options_.sweep_every == 0 || now() - swept_ >= options_.sweep_every) sweep();
  if (survival_.is_time(false)) settle();
  for (const Signal signal : signals_.take()) {
    settle();
    handle(signal);
  }
}

void Run::read_input() {
  InputLine line;
  std::uint64_t passed = 0;
  const bool skipping = !engine_->asks_every_line() && engine_->buffer_lines() == 1 && children_.list().empty();
  const Input::Next got = inputs_.next(line, clock_.is_timeline() ? nullptr : engine_->filter(), skipping, passed);
  engine_->passed(passed);
  survival_.stir(passed > 0 || got == Input::Next::line);
  for (const auto& [name, silent] : inputs_.silences()) tell_silence(name, silent);
  if (got == Input::Next::line) {
    engine_->line(now(), {line.source, line.context, line.text, line.candidates}, effects_);
    carry_out();
  } else if (got == Input::Next::end && !options_.tail) {
    going_ = engine_->has_queued();
  } else {
    idle();
  }
}

void Run::sweep() {
  swept_ = now();
  if (const auto due = engine_->next_due()) survival_.stir(*due <= now() + 1);
  engine_->sweep(now(), effects_);
  carry_out();
  Diagnostics troubles;
  outputs_.tend(now(), troubles);
  for (const Diagnostic& d : troubles) journal_.say(3, d.message, now());
}

void Run::idle() {
  if (survival_.is_time(true)) settle();
  outputs_.flush();
  if (clock_.is_timeline() && !children_.some()) return pass_time();
  std::vector<pollfd> ready;
  for (const int fd : children_.descriptors()) ready.push_back({fd, POLLIN, 0});
  for (const auto& input : inputs_.all()) {
    if (input->is_open() && !S_ISREG(input->info().st_mode) && input->fd() >= 0) ready.push_back({input->fd(), POLLIN, 0});
  }
  int wait = std::max(1, static_cast<int>(options_.poll_timeout * 1000));
  if (children_.some()) wait = std::min(wait, 20);
  ::poll(ready.data(), ready.size(), wait);
  if (std::any_of(ready.begin(), ready.end(), [](const pollfd& p) { return (p.revents & (POLLHUP | POLLERR)) != 0; })) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

// A clock of its own goes to the next second that something happens in.
void Run::pass_time() {
  const auto input = inputs_.next_second();
  if (!input || *input <= now()) {
    if (!input) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return;
  }
  std::int64_t next = *input;
  if (const auto due = engine_->next_due()) {
    const std::int64_t every = std::max<std::int64_t>(options_.sweep_every, 1);
    const std::int64_t late = std::max<std::int64_t>(*due - swept_, 1);
    next = std::min(next, swept_ + (late + every - 1) / every * every);
  }
  if (options_.sweep_every > 1) swept_ += (next - swept_) / options_.sweep_every * options_.sweep_every - ((next - swept_) % options_.sweep_every == 0 ? options_.sweep_every : 0);
  clock_.set(std::max(next, now() + 1));
}

}  // namespace correlator::sec
