// SPDX-License-Identifier: Apache-2.0
#include "host/turns.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace correlator::host {
namespace {

// As in linux/sched/types.h, which cannot stand beside sched.h.
struct Attributes {
  std::uint32_t size, policy;
  std::uint64_t flags;
  std::int32_t nice;
  std::uint32_t priority;
  std::uint64_t runtime, deadline, period;  // nanoseconds
  std::uint32_t least_use, most_use;
};
constexpr std::uint32_t kOrdinary = 0;  // SCHED_NORMAL

// The least that the kernel gives; its own choice is some milliseconds.
constexpr std::uint64_t kShortNs = 100'000;

// Zero: the kernel's own choice. Policy and nice stay as they are.
void take_turns_of(std::uint64_t ns) {
  Attributes attributes{};
  if (::syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0U) != 0) return;
  if (attributes.policy != kOrdinary) return;  // somebody chose: deadlines have runtimes of their own
  attributes.size = sizeof attributes;
  attributes.runtime = ns;
  // Whoever may not, or has an older kernel, waits a little longer.
  [[maybe_unused]] const long asked = ::syscall(SYS_sched_setattr, 0, &attributes, 0U);
}

}  // namespace

void take_short_turns() { take_turns_of(kShortNs); }
void take_usual_turns() { take_turns_of(0); }

}  // namespace correlator::host
