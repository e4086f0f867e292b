// SPDX-License-Identifier: Apache-2.0
// Signals that came, in the order in which they are handled.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace correlator::sec {

enum class Signal : std::uint8_t { hup, abrt, usr1, usr2, interrupt, term };

class Signals {
 public:
  Signals();
  // HUP, ABRT, USR1, USR2, INT, TERM, each once.
  std::vector<Signal> take();
  // As if it had come. False if there is no such one.
  bool emulate(std::string_view name);
};

}  // namespace correlator::sec
