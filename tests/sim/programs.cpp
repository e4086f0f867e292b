// SPDX-License-Identifier: Apache-2.0
#include "programs.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>

namespace correlator::sim {
namespace {

using dispatch::ProcessEnd;

class SimChild final : public dispatch::Child {
 public:
  SimChild(Program& program, const SimulatedClock& clock, Life* life, bool adopted)
      : program_(program), clock_(clock), life_(life), adopted_(adopted) {}
  // As Process does it: what a living dispatcher started dies with its Child.
  ~SimChild() override {
    if (!adopted_ && !told_) kill();
  }
  SimChild(const SimChild&) = delete;
  SimChild& operator=(const SimChild&) = delete;

  std::int64_t pid() const override { return program_.pid; }
  int exit_fd() const override { return -1; }
  int output_fd() const override { return -1; }
  void read_output() override { output_ = "said by " + program_.script; }
  std::optional<ProcessEnd> try_wait() override {
    if (dead() || !program_.ended) return std::nullopt;
    told_ = program_.end_taken = true;
    if (adopted_) return ProcessEnd{-1, 0, false};
    return ProcessEnd{program_.signal != 0 ? -1 : program_.exit_code, program_.signal, true};
  }
  void terminate() override {
    if (!program_.ignores_term) end_by(SIGTERM);
  }
  void kill() override { end_by(SIGKILL); }
  const std::string& output() const override { return output_; }

 private:
  bool dead() const { return life_ != nullptr && life_->dead; }
  void end_by(int signal) {
    if (dead() || program_.ended) return;
    program_.ended = true;
    program_.ends = clock_.now();
    program_.signal = signal;
  }

  Program& program_;
  const SimulatedClock& clock_;
  Life* life_;
  bool adopted_, told_ = false;
  std::string output_;
};

std::string variable(const dispatch::ProcessSpec& spec, std::string_view name) {
  for (const auto& [known, value] : spec.environment) {
    if (known == name) return value;
  }
  return {};
}

}  // namespace

bool says_yes(std::uint64_t seed, const std::string& decision) { return hash_words(seed, "opinion " + decision) % 3 != 0; }

namespace {

class Ready final : public dispatch::Held {
 public:
  Ready(Programs& programs, const dispatch::ProcessSpec& spec) : programs_(programs), spec_(spec) {}
  Result<std::unique_ptr<dispatch::Child>> go() override { return programs_.run(spec_); }

 private:
  Programs& programs_;
  dispatch::ProcessSpec spec_;
};

}  // namespace

std::unique_ptr<dispatch::Held> Programs::hold(const dispatch::ProcessSpec& spec) { return std::make_unique<Ready>(*this, spec); }

Result<std::unique_ptr<dispatch::Child>> Programs::run(const dispatch::ProcessSpec& spec) {
  if (current_life() != nullptr && current_life()->dead) return make_error("E401", "nobody is there to start it");
  Program program;
  program.pid = next_pid_++;
  program.decision = variable(spec, "CORRELATOR_DECISION");
  program.attempt = static_cast<std::uint32_t>(std::strtoul(variable(spec, "CORRELATOR_ATTEMPT").c_str(), nullptr, 10));
  program.script = spec.program.filename().string();
  program.arguments = spec.arguments;
  program.started = clock_.now();
  program.opinion = program.script == "second";
  Random random(hash_words(seed_, program.decision + " " + variable(spec, "CORRELATOR_ATTEMPT") + " " + program.script));
  Duration takes = Duration::milliseconds(random.between(1, 3000));
  if (program.opinion) {
    // It cannot tell at first, sometimes.
    const bool early = std::none_of(all.begin(), all.end(), [&](const Program& one) { return one.opinion && one.end_taken && one.decision == program.decision; });
    program.exit_code = early && random.chance(30) ? 9 : says_yes(seed_, program.decision) ? 0 : 1;
  } else if (random.chance(15)) {
    program.exit_code = random.chance(80) ? 1 : 6;
  } else if (random.chance(8)) {
    takes = Duration::hours(1000);  // hangs
    program.ignores_term = random.chance(50);
  } else if (random.chance(8)) {
    takes = Duration::seconds(random.between(20, 39));
  } else if (random.chance(4)) {
    program.signal = SIGSEGV;
  }
  program.ends = program.started + takes;
  all.push_back(std::move(program));
  return std::unique_ptr<dispatch::Child>(std::make_unique<SimChild>(all.back(), clock_, current_life(), false));
}

std::unique_ptr<dispatch::Child> Programs::adopt(std::int64_t pid, const std::string& decision, const std::filesystem::path&) {
  look();
  for (Program& program : all) {
    if (program.pid == pid && program.decision == decision && !program.ended) return std::make_unique<SimChild>(program, clock_, current_life(), true);
  }
  return nullptr;
}

bool Programs::look() {
  bool news = false;
  for (Program& program : all) {
    if (program.ended || program.ends > clock_.now()) continue;
    program.ended = news = true;
  }
  return news;
}

Timestamp Programs::next_end() const {
  Timestamp next = Timestamp::max();
  for (const Program& program : all) {
    if (!program.ended) next = std::min(next, program.ends);
  }
  return next;
}

std::size_t Programs::alive() const {
  return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](const Program& one) { return !one.ended; }));
}

void Programs::kill_all() {
  for (Program& program : all) {
    if (program.ended) continue;
    program.ended = true;
    program.ends = clock_.now();
    program.signal = SIGKILL;
  }
}

}  // namespace correlator::sim
