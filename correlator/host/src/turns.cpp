// SPDX-License-Identifier: Apache-2.0
#include "host/turns.h"

#include <linux/sched.h>
#include <linux/sched/types.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace correlator::host {
namespace {

// The least that the kernel gives; its own choice is some milliseconds.
constexpr std::uint64_t kShortNs = 100'000;

// Zero: the kernel's own choice. Policy and nice stay as they are.
void take_turns_of(std::uint64_t ns) {
  sched_attr attributes{};
  if (::syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0U) != 0) return;
  if (attributes.sched_policy != SCHED_NORMAL) return;  // somebody chose: deadlines have runtimes of their own
  attributes.size = sizeof attributes;
  attributes.sched_runtime = ns;
  // Whoever may not, or has an older kernel, waits a little longer.
  [[maybe_unused]] const long asked = ::syscall(SYS_sched_setattr, 0, &attributes, 0U);
}

}  // namespace

void take_short_turns() { take_turns_of(kShortNs); }
void take_usual_turns() { take_turns_of(0); }

}  // namespace correlator::host
