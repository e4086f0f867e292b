// SPDX-License-Identifier: Apache-2.0
// How long the turns are that the scheduler gives the calling thread and the threads and processes that it makes from then on. Its share
// of the CPUs stays what it is. Linux 6.12 and newer (sched_setattr(2), sched_runtime of an ordinary thread); elsewhere nothing happens.
#pragma once

namespace correlator::host {

// Many short turns: who asks for these is given a CPU sooner when it wakes, also from those who are in the middle of a longer one.
void take_short_turns();

// As everybody else.
void take_usual_turns();

}  // namespace correlator::host
