// SPDX-License-Identifier: Apache-2.0
// Time zones from the system's tz database: log lines without an offset, schedules and calendars.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "time/timestamp.h"

namespace correlator {

// An immutable zone; cheap to copy. Default: UTC.
class Zone {
 public:
  Zone() = default;
  // "UTC", "Europe/Berlin", "+02:00", or "local" for the machine's own zone. E502 if there is no such zone.
  static Result<Zone> find(std::string_view name);

  // A local time that the clocks skipped is read as if they had not been put forward; one that happened
  // twice is the first of the two.
  Timestamp to_utc(const CivilTime& local) const;
  CivilTime to_local(Timestamp time) const;
  const std::string& name() const { return name_; }

 private:
  std::string name_ = "UTC";
  const void* zone_ = nullptr;  // date::time_zone, owned by the library for the life of the process
  Duration fixed_offset_{};
};

}  // namespace correlator
