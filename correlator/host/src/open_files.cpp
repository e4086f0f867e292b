// SPDX-License-Identifier: Apache-2.0
#include "host/open_files.h"

#include <sys/resource.h>

#include <optional>

namespace correlator::host {
namespace {

std::optional<rlimit> g_usual;  // once it was raised

}  // namespace

std::uint64_t allow_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur < limit.rlim_max) {
    const rlimit usual = limit;
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return usual.rlim_cur;
    if (!g_usual) g_usual = usual;
  }
  return limit.rlim_cur;
}

void usual_open_files() {
  if (g_usual) ::setrlimit(RLIMIT_NOFILE, &*g_usual);
}

}  // namespace correlator::host
