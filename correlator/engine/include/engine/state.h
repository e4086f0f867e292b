// SPDX-License-Identifier: Apache-2.0
// The engine's state as rows, so that a store can write what changed and a person can read it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace correlator::engine {

enum class StateKind : std::uint8_t {
  window = 1,    // owner rule id; key printed; body: JSON with the pairs
  record = 2,    // owner event id: an open record
  group = 3,     // owner same_error name
  context = 4,   // owner context name
  timer = 5,     // owner rule id: delayed steps (other timers are derived from their owners when loaded)
  open_case = 6, // owner rule id
  counter = 7,   // owner event id: increase_of
  engine = 8,    // owner "engine": clock, counters, cause times, forged limiter, …
  lookup = 9,    // owner lookup name
  evidence = 10, // owner "": id = intake number; body: JSON [time, host, text, file, line]
};

// One row. `id` is given by the engine when the object is made, is unique within its kind, and is not used again.
struct StateRow {
  StateKind kind = StateKind::window;
  std::uint64_t id = 0;
  std::string owner;
  std::string key;   // for people: "host=kvm1 dimm=D1"; JSON where values must come back exactly is in body
  std::string body;  // JSON
  bool erased = false;
};

}  // namespace correlator::engine
