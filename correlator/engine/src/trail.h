// SPDX-License-Identifier: Apache-2.0
// Trail: which lines a window was moved by. The first 4 and the last 12 are remembered, as intake numbers;
// their texts live once, in the EvidenceStore.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "decoder.h"
#include "engine/event.h"

namespace correlator::engine {

struct TrailLine {
  Timestamp time;  // of the event, not of the line
  std::uint64_t seq = 0;
  Trust trust = Trust::none;
  bool operator==(const TrailLine&) const = default;
};

// Lines as evidence of a firing, in the order of (time of their event, intake number).
struct Evidence {
  std::vector<TrailLine> lines;  // at most 16: the first 4 and the last 12
  std::uint64_t total = 0;
  Trust trust() const;  // the lowest; vouched without lines, because then nobody claimed anything
  void add(const TrailLine& line);
  void add(const Event& event);
  void merge(const Evidence& other);

  void keep(EvidenceStore& store) const;
  void release(EvidenceStore& store) const;
  Json to_json() const;
  static std::optional<Evidence> from_json(const Json& json);
};

// 8 bytes while empty. The owner calls clear() before it goes, because the store counts references.
class Trail {
 public:
  void add(const Event& event, EvidenceStore& store);
  void drop_before(Timestamp time, EvidenceStore& store);
  void clear(EvidenceStore& store);
  bool empty() const { return !lines_ || lines_->lines.empty(); }
  // Those of events with a time in [from, to].
  Evidence between(Timestamp from, Timestamp to) const;
  Evidence all() const { return lines_ ? *lines_ : Evidence{}; }

  // Restoring: takes the lines and counts the references.
  void assign(Evidence lines, EvidenceStore& store);
  const Evidence* view() const { return lines_.get(); }

 private:
  std::unique_ptr<Evidence> lines_;
};

}  // namespace correlator::engine
