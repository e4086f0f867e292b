// SPDX-License-Identifier: Apache-2.0
// Signals, and the internal events that tell rules of them.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/json.h"
#include "dump_file.h"
#include "run.h"

namespace correlator::sec {

void Run::internal_event(const char* text) {
  if (!options_.internal_events) return;
  engine_->internal_event(now(), text, "SEC_INTERNAL_EVENT", effects_);
  survival_.stir();
  carry_out();
}

void Run::handle(Signal signal) {
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

void Run::next_log_level() {
  journal_.set_level(journal_.debug() % 6 + 1);
  engine_->set_log_level(journal_.level());
  // Told at every level, as SEC does.
  journal_.say(std::min(4, journal_.debug()), fmt::format("SIGINT: the log level is now {}", journal_.debug()), now());
}

// Everything anew, except that nothing that was read is lost (in SEC it is).
void Run::restart() {
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

void Run::soft_restart() {
  internal_event("SEC_PRE_SOFTRESTART");
  read_options();
  outputs_.close_all();
  journal_.open(options_);
  const auto before = program_;
  load(before.get());
  inputs_.renew(options_.keep_open ? Inputs::Reopen::closed : Inputs::Reopen::all);
  internal_event("SEC_SOFTRESTART");
}

void Run::read_options() {
  Diagnostics warnings;
  options_ = parse_options(words_, warnings);
}

void Run::dump() {
  DumpFacts facts{options_, words_, now(), started_, configured_, loaded_, inputs_, children_};
  const Status written = write_dump(facts, engine_->dump(now()));
  if (!written.ok()) journal_.say(2, written.error().message, now());
}

}  // namespace correlator::sec
