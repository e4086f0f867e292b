// SPDX-License-Identifier: Apache-2.0
// SQLite over the simulated disk and clock: the databases' files, their locks and shared memory, as several processes have them.
#pragma once

#include <memory>
#include <vector>

#include "disk.h"
#include "time/clock.h"

namespace correlator::sim {

struct Shared;  // what processes that have one database open share: -shm

class Vfs {
 public:
  // Makes it SQLite's default, once and for good.
  static Vfs& install();

  // The world that the databases are in from now on; `random` seeds SQLite's own chance.
  void use(Disk& disk, SimulatedClock& clock, std::uint64_t seed);

  // At a death, and when the objects of the dead are gone: what these did to shared memory in between is undone.
  void freeze();
  void bury();

  Disk* disk = nullptr;
  SimulatedClock* clock = nullptr;
  Random random{0};

 private:
  struct Frozen {
    std::shared_ptr<Shared> shared;
    std::vector<std::string> regions;
  };
  std::vector<Frozen> frozen_;
};

}  // namespace correlator::sim
