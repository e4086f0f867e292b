// SPDX-License-Identifier: Apache-2.0
#include "host/notify.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

namespace correlator::host {

ServiceManager::ServiceManager() {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || *path == '\0') return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t length = std::strlen(path);
  if (length >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = '\0';  // an abstract name
  fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  if (fd_ >= 0 && ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), size) != 0) {
    ::close(fd_);
    fd_ = -1;
  }
  const char* period = std::getenv("WATCHDOG_USEC");
  const char* pid = std::getenv("WATCHDOG_PID");
  const bool ours = pid == nullptr || std::atol(pid) == ::getpid();
  if (fd_ >= 0 && period != nullptr && ours) watchdog_ = Duration{std::atoll(period) / 2};
}

ServiceManager::~ServiceManager() {
  if (fd_ >= 0) ::close(fd_);
}

void ServiceManager::send(std::string_view text) const {
  // A manager that does not listen is no reason to stop.
  if (fd_ >= 0) [[maybe_unused]] const ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
}

void ServiceManager::ready(std::string_view status) { send(fmt::format("READY=1\nSTATUS={}", status)); }
void ServiceManager::status(std::string_view status) { send(fmt::format("STATUS={}", status)); }
void ServiceManager::reloading() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", now.tv_sec * 1'000'000 + now.tv_nsec / 1000));
}
void ServiceManager::stopping() { send("STOPPING=1"); }
void ServiceManager::alive() { send("WATCHDOG=1"); }

}  // namespace correlator::host
