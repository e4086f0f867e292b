// SPDX-License-Identifier: Apache-2.0
// Local sockets between our own processes: wake-ups that may be lost, and requests of the command line.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "time/timestamp.h"

namespace correlator::host {

// A descriptor that is closed with its owner.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() { reset(); }
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void reset(int fd = -1);

 private:
  int fd_;
};

// The receiving end of wake-ups. Anybody who may write to the socket may wake us: it costs one look.
class Doorbell {
 public:
  // What came: nothing, that something may come at once, that there is something.
  enum class Call { none, soon, now };

  // Replaces what is left of an earlier owner's socket. `mode` as for chmod. E413.
  static Result<Doorbell> open(const std::filesystem::path& path, mode_t mode);

  int fd() const { return socket_.get(); }
  // Takes all wake-ups that came, and says the most urgent.
  Call answer();
  // The same, and looks for `now` without falling asleep, for at most `most`: to be woken takes a third of what a sync does where
  // idle virtual CPUs halt.
  Call answer_awake(Duration most);

 private:
  Descriptor socket_;
};

// Sends datagrams to whoever has the name now, such as a log daemon through its restarts. Never waits.
class DatagramSender {
 public:
  explicit DatagramSender(std::filesystem::path path);
  // False if nobody is there or the queue is full.
  bool send(std::string_view datagram);

 private:
  std::filesystem::path path_;
  Descriptor socket_;
};

// The sending end. Nobody there, or a full queue (the other side will look anyway): nothing happens.
class Bell {
 public:
  explicit Bell(std::filesystem::path path) : sender_(std::move(path)) {}
  void ring() { sender_.send("!"); }
  // Announces a ring() that may come within a millisecond, or not at all.
  void ring_soon() { sender_.send("?"); }

 private:
  DatagramSender sender_;
};

// One request: a line in, a line out. Dropped unanswered it closes the connection.
class Request {
 public:
  Request(Descriptor connection, std::string line, uid_t uid) : connection_(std::move(connection)), line_(std::move(line)), uid_(uid) {}

  const std::string& line() const { return line_; }
  uid_t uid() const { return uid_; }  // of the peer, told by the kernel
  void reply(std::string_view line);

 private:
  Descriptor connection_;
  std::string line_;
  uid_t uid_;
};

// Listens for requests of root and of the user we run as; others are refused. To be polled: accept() never waits
// for a connection, and for a connected peer's line at most a second.
class ControlServer {
 public:
  static Result<ControlServer> open(const std::filesystem::path& path);  // E413

  int fd() const { return socket_.get(); }
  std::optional<Request> accept();

 private:
  Descriptor socket_;
};

// Sends a line to the owner of a control socket and returns its answer. Nothing if nobody listens there; E414 if it was
// refused or did not answer in time.
Result<std::optional<std::string>> ask(const std::filesystem::path& path, std::string_view line, Duration wait);

}  // namespace correlator::host
