// SPDX-License-Identifier: Apache-2.0
// The engine's state as rows, so that a store can write what changed and a person can read it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/decision.h"
#include "time/timestamp.h"

namespace correlator::engine {

enum class StateKind : std::uint8_t {
  window = 1,    // owner rule id; key printed; body: bytes, see src/key_body.cpp
  record = 2,    // owner event id: an open record
  group = 3,     // owner same_error name
  context = 4,   // owner context name
  timer = 5,     // owner rule id: delayed steps (other timers are derived from their owners when loaded)
  open_case = 6, // owner rule id
  counter = 7,   // owner event id: increase_of
  engine = 8,    // owner "engine": clock, counters, cause times, forged limiter, …
  lookup = 9,    // owner lookup name
  evidence = 10, // owner "": id = intake number; body: JSON [time, host, text, file, line]; where nobody keeps lines, or carried over
};

// What a person wants to see of a window: its body is not for reading.
struct WindowSummary {
  std::uint64_t have = 0;                     // of what its rule counts
  Timestamp oldest = Timestamp::min();        // time of its oldest line; min(): it has none
  Timestamp newest = Timestamp::min();        // of its events; min(): there was none
};

// One row. `id` is given by the engine when the object is made, is unique within its kind, and is not used again.
struct StateRow {
  StateKind kind = StateKind::window;
  std::uint64_t id = 0;
  std::string owner;
  std::string key;   // for people: "host=kvm1 dimm=D1"; what must come back exactly is in body
  std::string body;  // JSON; of a window bytes
  bool erased = false;
  WindowSummary window = {};  // of a window; not read back
};

using RowVisitor = std::function<Status(const StateRow&)>;

// Where a state is restored from, kind by kind: a million rows need not be in memory at once.
class StateSource {
 public:
  virtual ~StateSource() = default;
  // Gives all rows of the kind, in any order; stops with the first error of `visit`.
  virtual Status each(StateKind kind, const RowVisitor& visit) = 0;
};

struct LineRecord;
// What a stepped line says as evidence.
EvidenceLine evidence_of(const LineRecord& record, std::uint64_t seq);

// The lines that were stepped, kept by whoever keeps the intake: what they say as evidence is no state then, and is read when a decision
// needs it. The intake does not keep them for ever: Engine::carry_over() makes rows of what it still needs.
class EvidenceTexts {
 public:
  virtual ~EvidenceTexts() = default;
  // As the intake has it; none if it does not.
  virtual Result<std::optional<EvidenceLine>> line(std::uint64_t seq) = 0;
  // As it was carried over, of kind evidence; none if it was not.
  virtual Result<std::optional<StateRow>> row(std::uint64_t seq) = 0;
};

}  // namespace correlator::engine
