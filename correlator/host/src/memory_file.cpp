// SPDX-License-Identifier: Apache-2.0
#include "host/memory_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace correlator::host {

Descriptor memory_file(std::string_view content) {
  Descriptor file(::memfd_create("input", MFD_CLOEXEC));
  while (file && !content.empty()) {
    const ssize_t n = ::write(file.get(), content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      const int error = errno;
      file.reset();
      errno = error;
      return file;
    }
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  if (file) ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

}  // namespace correlator::host
