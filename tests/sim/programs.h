// SPDX-License-Identifier: Apache-2.0
// Programs that the dispatcher starts, in virtual time. They outlive a dispatcher that dies. What one does depends on the seed,
// its decision and the number of the attempt, not on when it is started.
#pragma once

#include <list>
#include <map>
#include <string>
#include <vector>

#include "dispatch/launcher.h"
#include "disk.h"
#include "time/clock.h"

namespace correlator::sim {

struct Program {
  std::int64_t pid = 0;
  std::uint32_t attempt = 0;  // as it was told, from 1
  std::string decision, script;
  std::vector<std::string> arguments;
  Timestamp started, ends;  // `ends`: by itself
  int exit_code = 0, signal = 0;
  bool ignores_term = false, ended = false;
  bool opinion = false;  // a second opinion, not an action
  // What the dispatcher came to know, for the invariants.
  bool pid_recorded = false;   // it went on behind the record of the pid
  bool end_taken = false;     // it was told the end
};

// What a script does at last, whoever starts it and how often: a second opinion is yes or no.
bool says_yes(std::uint64_t seed, const std::string& decision);

class Programs final : public dispatch::Launcher {
 public:
  Programs(const SimulatedClock& clock, std::uint64_t seed) : clock_(clock), seed_(seed) {}

  std::unique_ptr<dispatch::Held> hold(const dispatch::ProcessSpec& spec) override;
  Result<std::unique_ptr<dispatch::Child>> run(const dispatch::ProcessSpec& spec);
  std::unique_ptr<dispatch::Child> adopt(std::int64_t pid, const std::string& decision, const std::filesystem::path& output) override;

  // Time has passed. Whether something ended by itself.
  bool look();
  Timestamp next_end() const;
  std::size_t alive() const;
  void kill_all();  // the power is gone, or systemd cleans up

  std::list<Program> all;  // in the order of their starts

 private:
  const SimulatedClock& clock_;
  std::uint64_t seed_;
  std::int64_t next_pid_ = 1000;
};

}  // namespace correlator::sim
