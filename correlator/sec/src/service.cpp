// SPDX-License-Identifier: Apache-2.0
#include "sec/service.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "children.h"
#include "dump_file.h"
#include "engine/procedure.h"
#include "inputs.h"
#include "journal.h"
#include "outputs.h"
#include "perl_library.h"
#include "process.h"
#include "program.h"
#include "signals.h"
#include "survival.h"
#include "time/clock.h"

namespace correlator::sec {
namespace {

using engine::Effect;

class Service {
 public:
  Service(std::vector<std::string> words, Options options)
      : words_(std::move(words)), options_(std::move(options)), clock_(options_.timeline), outputs_(options_.socket_timeout),
        nothing_(options_.timeline ? ::open("/dev/null", O_RDONLY | O_CLOEXEC) : -1), children_(nothing_.get()), inputs_(options_, clock_) {}

  int run() {
    journal_.open(options_);
    if (const Status entered = enter(options_, journal_, clock_.now()); !entered.ok()) {
      journal_.say(entered.error(), clock_.now());
      return 1;
    }
    if (!options_.state.empty()) {
      if (const Status kept = survival_.open(options_.state); !kept.ok()) {
        journal_.say(kept.error(), clock_.now());
        return 1;
      }
    }
    load(nullptr);
    begin();
    internal_event("SEC_STARTUP");
    sweep();
    while (going_) turn();
    internal_event("SEC_SHUTDOWN");
    end_children();
    settle();
    outputs_.flush();
    if (!options_.pid.empty()) ::unlink(options_.pid.c_str());
    return 0;
  }

 private:
  std::int64_t now() const { return clock_.now(); }

  // --- what survives

  // Inputs are opened where the last run stood, and what it had decided and not done is done.
  void begin() {
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
    for (const Effect& effect : survival_.kept().waiting()) perform(effect);
    outputs_.flush();
    note_done();
    survival_.forget_last_run();
  }

  // State, places of inputs and what was decided are written down together; then it is done.
  void settle() {
    outputs_.flush();
    engine::Effects todo;
    const Status written = survival_.settle(*engine_, survival_.on() ? inputs_.cursors() : std::vector<store::Cursor>(), todo);
    if (!written.ok() && unwritten_++ == 0) journal_.say(written.error(), now());  // goes on as without --state
    if (written.ok() && std::exchange(unwritten_, 0) > 0) journal_.say(3, "the state can be written again", now());
    for (const Effect& effect : todo) perform(effect);
    outputs_.flush();
    if (written.ok() && !todo.empty()) note_done();
  }

  void note_done() {
    if (const Status done = survival_.done(); !done.ok()) journal_.say(done.error(), now());
  }

  // --- rules

  void load(const rules::procedure::ProcedureProgram* before) {
    LoadedProgram loaded = load_program(options_.conf, {.buffer_lines = options_.buffer_lines, .code = &perl_}, before);
    for (const Diagnostic& d : loaded.diagnostics) journal_.say(d, now());
    program_ = loaded.program;
    inputs_.forget_scans();
    if (before != nullptr) engine_->replace(program_, now(), engine_options());
    else engine_.emplace(program_, engine_options());
  }

  engine::Procedure::Options engine_options() const {
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

  // --- one turn of the loop: children, one line, what is due, signals

  void turn() {
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

  void read_input() {
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

  void sweep() {
    swept_ = now();
    if (const auto due = engine_->next_due()) survival_.stir(*due <= now() + 1);
    engine_->sweep(now(), effects_);
    carry_out();
    Diagnostics troubles;
    outputs_.tend(now(), troubles);
    for (const Diagnostic& d : troubles) journal_.say(3, d.message, now());
  }

  void idle() {
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
  void pass_time() {
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

  // --- effects

  // With --state what reaches the outside waits until it is written down.
  void carry_out() {
    for (Effect& effect : effects_) {
      if (!survival_.takes(effect)) perform(effect);
    }
    effects_.clear();
  }

  void perform(const Effect& effect) {
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

  void start(const Effect& effect) {
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

  void tell_silence(const std::string& name, bool silent) {
    if (options_.timeout_script.empty()) return;
    Effect effect;
    effect.kind = Effect::Kind::command;
    effect.words = {options_.timeout_script, silent ? "1" : "0", name};
    start(effect);
  }

  void collect_children() {
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

  void internal_event(const char* text) {
    if (!options_.internal_events) return;
    engine_->internal_event(now(), text, "SEC_INTERNAL_EVENT", effects_);
    survival_.stir();
    carry_out();
  }

  // --- signals

  void handle(Signal signal) {
    outputs_.flush();
    switch (signal) {
      case Signal::hup: return restart();
      case Signal::abrt: return soft_restart();
      case Signal::usr1: return dump();
      case Signal::usr2:
        internal_event("SEC_PRE_LOGROTATE");
        outputs_.close_all();
        journal_.reopen();
        return internal_event("SEC_LOGROTATE");
      case Signal::interrupt:
        if (::isatty(STDIN_FILENO) == 1) going_ = false;
        else next_log_level();
        return;
      case Signal::term: going_ = false; return;
    }
  }

  void next_log_level() {
    journal_.set_level(journal_.debug() % 6 + 1);
    engine_->set_log_level(journal_.level());
    journal_.say(4, fmt::format("SIGINT: the log level is now {}", journal_.debug()), now());
  }

  // Everything anew, except that nothing that was read is lost (in SEC it is).
  void restart() {
    internal_event("SEC_PRE_RESTART");
    read_options();
    outputs_.close_all();
    if (options_.terminate_children) children_.terminate();
    journal_.open(options_);
    load(nullptr);
    survival_.stir();
    inputs_.renew(options_.exact ? Inputs::Reopen::all_at_end : Inputs::Reopen::all);
    internal_event("SEC_RESTART");
  }

  void soft_restart() {
    internal_event("SEC_PRE_SOFTRESTART");
    read_options();
    outputs_.close_all();
    journal_.open(options_);
    const auto before = program_;
    load(before.get());
    inputs_.renew(options_.keep_open ? Inputs::Reopen::closed : Inputs::Reopen::all);
    internal_event("SEC_SOFTRESTART");
  }

  void read_options() {
    Diagnostics warnings;
    options_ = parse_options(words_, warnings);
  }

  void dump() {
    DumpFacts facts{options_, words_, now(), inputs_, children_};
    const Status written = write_dump(facts, engine_->dump(now()));
    if (!written.ok()) journal_.say(2, written.error().message, now());
  }

  void end_children() {
    if (!options_.terminate_children) return;
    if (options_.internal_events) {
      for (int i = 0; i < 60 && children_.some(); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        collect_children();
      }
    }
    children_.terminate();
  }

  std::vector<std::string> words_;
  Options options_;
  Clock clock_;
  Journal journal_;
  Outputs outputs_;
  host::Descriptor nothing_;
  Children children_;
  Inputs inputs_;
  Signals signals_;
  PerlLibrary perl_;
  std::shared_ptr<const rules::procedure::ProcedureProgram> program_;
  std::optional<engine::Procedure> engine_;
  engine::Effects effects_;
  Survival survival_;
  int unwritten_ = 0;  // times that it could not be written since it could
  std::int64_t swept_ = 0;
  bool going_ = true;
};

}  // namespace

int serve(const std::vector<std::string>& words) {
  Diagnostics warnings;
  Options options = parse_options(words, warnings);
  for (const Diagnostic& d : warnings) std::fputs(to_text(d).c_str(), stderr);
  if (options.help) {
    std::fputs(options_help().c_str(), stdout);
    return 0;
  }
  if (options.version) {
    std::printf("correlator sec, for rule files of SEC 2.9.4%s\n", PerlLibrary::is_there() ? ", with Perl" : ", without Perl");
    return 0;
  }
  if (options.conf.empty()) std::fputs("sec: no rule files are named, so nothing will happen; --conf=FILE names them\n", stderr);
  if (options.test_only) return test_rules(options);
  return Service(words, std::move(options)).run();
}

}  // namespace correlator::sec
