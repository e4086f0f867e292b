// SPDX-License-Identifier: Apache-2.0
// What a service tells its manager: the datagrams of sd_notify(3).
#pragma once

#include <optional>
#include <string_view>

#include "time/timestamp.h"

namespace correlator::host {

class ServiceManager {
 public:
  // From NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID; without them every call does nothing.
  ServiceManager();
  ~ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  void ready(std::string_view status);  // READY=1
  void status(std::string_view status);
  void reloading();                     // RELOADING=1, to be followed by ready()
  void stopping();
  // How often the watchdog wants to hear from us: half its time. None if it does not watch.
  std::optional<Duration> watchdog() const { return watchdog_; }
  void alive();  // WATCHDOG=1

 private:
  void send(std::string_view text) const;

  int fd_ = -1;
  std::optional<Duration> watchdog_;
};

}  // namespace correlator::host
