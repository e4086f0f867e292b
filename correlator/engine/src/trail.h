// SPDX-License-Identifier: Apache-2.0
// Trail: which lines a window was moved by. The first 4 and the last 12 are remembered, as intake numbers;
// their texts live once, in the EvidenceStore.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
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
  static constexpr std::size_t kLines = 16;  // at most: the first 4 and the last 12

  std::vector<TrailLine> lines;
  std::uint64_t total = 0;
  Trust trust() const;  // the lowest; vouched without lines, because then nobody claimed anything
  void add(const TrailLine& line);
  void add(const Event& event);
  void merge(const Evidence& other);

  void keep(EvidenceStore& store) const;
  void release(EvidenceStore& store) const;
  Json to_json() const;
  static std::optional<Evidence> from_json(const Json& json);

  // The same in few bytes, as trails and rows of windows have it; not empty.
  void encode(std::string& out) const;
  // Takes it off the front of `in`. nullopt for bytes that encode() did not write.
  static std::optional<Evidence> decode(std::string_view& in);
  // The same into `out`, whose room is used again; false for nullopt.
  static bool decode(std::string_view& in, Evidence& out);
};

// The evidence of one key, encoded: a million of them are alive at once, and their rows have the same bytes. 8 bytes
// while empty. The owner calls clear() before it goes, because the store counts references.
class Trail {
 public:
  void add(const Event& event, EvidenceStore& store);
  void drop_before(Timestamp time, EvidenceStore& store);
  void clear(EvidenceStore& store);
  bool empty() const { return !bytes_; }
  // Those of events with a time in [from, to].
  Evidence between(Timestamp from, Timestamp to) const;
  Evidence all() const;
  std::string_view encoded() const;  // empty if there are no lines
  // Times of the first and of the last line; none if there are no lines.
  std::optional<std::pair<Timestamp, Timestamp>> times() const;

  // Restoring: takes the lines and counts the references. False if they are not what a trail holds. `encoded`: the bytes that they were
  // decoded from, if there were any.
  bool assign(const Evidence& lines, EvidenceStore& store, std::string_view encoded = {});

 private:
  bool append(const TrailLine& line);  // false: it is not that simple
  void put(const Evidence& lines);
  void put(std::string_view encoded, std::string_view more = {});

  std::unique_ptr<char[]> bytes_;  // their number in the first two bytes
};

}  // namespace correlator::engine
