// SPDX-License-Identifier: Apache-2.0
// What `virsh event --loop --timestamp` and `virsh qemu-monitor-event --loop --timestamp` print, as one line for
// each event.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "time/timestamp.h"

namespace correlator::input {

struct VirshLine {
  std::optional<Timestamp> time;  // of an event, if virsh printed it
  std::string text;               // one line, printable, at most kMaxText bytes
  bool event = false;             // false: what virsh says of itself, such as why it ends

  static constexpr std::size_t kMaxText = 2000;
  bool operator==(const VirshLine&) const = default;
};

// Folds lines into events. An event whose first line ends in ":" has further lines; whether all of them have come
// is only known when something else comes, or nothing for a while (`settle`). All other events are out at once.
class VirshEvents {
 public:
  std::vector<VirshLine> take(std::string_view bytes);
  // Whether an event waits for lines that may still come.
  bool waiting() const { return open_.has_value(); }
  // Nothing more came: what waits is whole.
  std::vector<VirshLine> settle();
  // virsh has ended: what it said last need not end in a newline.
  std::vector<VirshLine> end();

 private:
  void line(std::string_view text, std::vector<VirshLine>& out);
  void close(std::vector<VirshLine>& out);

  std::string rest_;               // a line without its end
  std::optional<VirshLine> open_;  // an event that may go on
};

}  // namespace correlator::input
