// SPDX-License-Identifier: Apache-2.0
#include "time/zone.h"

#include <date/tz.h>
#include <fmt/format.h>

#include <chrono>
#include <stdexcept>

namespace correlator {
namespace {

using Micros = std::chrono::microseconds;

const date::time_zone* as_zone(const void* zone) { return static_cast<const date::time_zone*>(zone); }

}  // namespace

Result<Zone> Zone::find(std::string_view name) {
  Zone zone;
  zone.name_ = name;
  if (name == "UTC" || name == "Z") return zone;
  if (!name.empty() && (name[0] == '+' || name[0] == '-')) {
    const auto time = parse_rfc3339(fmt::format("1970-01-01T00:00:00{}", name));
    if (time) {
      zone.fixed_offset_ = Timestamp{} - *time;
      return zone;
    }
  } else {
    try {  // date signals an unknown zone with std::runtime_error
      zone.zone_ = name == "local" ? date::current_zone() : date::locate_zone(std::string(name));
      return zone;
    } catch (const std::exception&) {
    }
  }
  return make_error("E502", fmt::format("there is no time zone \"{}\"", name),
                    "use a name of the tz database such as \"Europe/Berlin\", an offset such as \"+02:00\", \"UTC\" or \"local\"");
}

Timestamp Zone::to_utc(const CivilTime& local) const {
  const Timestamp as_if_utc = from_civil(local);
  if (zone_ == nullptr) return as_if_utc - fixed_offset_;
  const date::local_time<Micros> point{Micros{as_if_utc.us}};
  const date::local_info info = as_zone(zone_)->get_info(date::floor<std::chrono::seconds>(point));
  // Skipped and doubled local times both take the offset that was in force before the change.
  return as_if_utc - Duration::seconds(info.first.offset.count());
}

CivilTime Zone::to_local(Timestamp time) const {
  if (zone_ == nullptr) return to_civil(time + fixed_offset_);
  const date::sys_time<Micros> point{Micros{time.us}};
  const date::sys_info info = as_zone(zone_)->get_info(date::floor<std::chrono::seconds>(point));
  return to_civil(time + Duration::seconds(info.offset.count()));
}

}  // namespace correlator
