// SPDX-License-Identifier: Apache-2.0
// What a process that reads hostile text may still do, enforced by the kernel.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace correlator::host {

struct SandboxOptions {
  std::vector<std::filesystem::path> writable;  // directories (with all below) and files; they must exist
};

struct Sandbox {
  int landlock = 0;      // ABI version in force; 0: the kernel has none
  bool seccomp = false;
  std::string describe() const;  // "landlock 4, seccomp" for `status`
};

// For the whole process and for good: no program is executed and no process started, nothing outside `writable` is written,
// created, renamed or removed, no socket but AF_UNIX is opened, nothing is traced, mounted or loaded. Reading stays free:
// rules and lookups may be anywhere. Must be called before other threads exist. What the kernel lacks is left out and shows in
// the result; E410 only if the kernel has it and refuses.
Result<Sandbox> enter_sandbox(const SandboxOptions& options);

}  // namespace correlator::host
