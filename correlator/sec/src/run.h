// SPDX-License-Identifier: Apache-2.0
// One run of the programme: its parts, and what is done with them. The functions stand in the file of their subject.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "children.h"
#include "engine/procedure.h"
#include "host/socket.h"
#include "inputs.h"
#include "journal.h"
#include "outputs.h"
#include "perl_library.h"
#include "sec/options.h"
#include "signals.h"
#include "survival.h"

namespace correlator::sec {

class Run {
 public:
  Run(std::vector<std::string> words, Options options);
  // Until it is told to end, or its inputs have ended; the exit code.
  int go();

 private:
  std::int64_t now() const { return clock_.now(); }

  // run.cpp: one turn of the loop is children, one line, what is due, signals
  bool prepare();
  void begin();
  void turn();
  void read_input();
  void sweep();
  void idle();
  void pass_time();
  void load(const rules::procedure::ProcedureProgram* before);
  engine::Procedure::Options engine_options() const;

  // run_effects.cpp
  void settle();
  void note_done();
  void carry_out();
  void perform(const engine::Effect& effect);
  void start(const engine::Effect& effect);
  void tell_silence(const std::string& name, bool silent);
  void collect_children();
  void end_children();

  // run_signals.cpp
  void internal_event(const char* text);
  void handle(Signal signal);
  void next_log_level();
  void restart();
  void soft_restart();
  void read_options();
  void dump();

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
  std::map<std::string, std::int64_t> loaded_;  // when each rule file was read
  std::int64_t started_ = 0, configured_ = 0;   // when this began, when rules were last read
  std::optional<engine::Procedure> engine_;
  engine::Effects effects_;
  Survival survival_;
  int unwritten_ = 0;  // times that it could not be written since it could
  std::int64_t swept_ = 0;
  bool going_ = true;
};

}  // namespace correlator::sec
