// SPDX-License-Identifier: Apache-2.0
// How many frames came through which input of the log daemon (rsyslog's inputname), told without parsing them: most lines mean nothing
// to the rules and never are.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace correlator::pipeline {

// What stands behind ,"inputname":" near the beginning of a JSON object, as the shipped template writes it; empty where it does not. No text
// of a message can stand there: the template escapes each quote of a value.
std::string_view module_of(std::string_view frame);

class ModuleCounts {
 public:
  // The log daemon's configuration says which names there are; whoever makes up names of his own fills this and no more.
  static constexpr std::size_t kMostNames = 32, kLongestName = 64;

  void count(std::string_view frame);
  // In the order of their first frames; what is beyond the bounds is "other".
  const std::vector<std::pair<std::string, std::uint64_t>>& counts() const { return counts_; }

 private:
  std::uint64_t& of(std::string_view name);

  std::vector<std::pair<std::string, std::uint64_t>> counts_;
  std::size_t last_ = 0;  // most lines come through the same one as the line before
};

}  // namespace correlator::pipeline
