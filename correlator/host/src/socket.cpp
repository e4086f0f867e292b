// SPDX-License-Identifier: Apache-2.0
#include "host/socket.h"

#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

namespace correlator::host {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxLine = 1 << 20;

Diagnostic cannot(std::string_view what, const fs::path& path, int error) {
  return make_error("E413", fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(error)),
                    "the directory must exist and be writable, and its path be shorter than 100 bytes");
}

bool address_of(const fs::path& path, sockaddr_un& address) {
  address = {};
  address.sun_family = AF_UNIX;
  const std::string& text = path.native();
  if (text.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, text.c_str(), text.size() + 1);
  return true;
}

const sockaddr* generic(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }

Result<Descriptor> listen_at(const fs::path& path, int type, mode_t mode) {
  sockaddr_un address{};
  if (!address_of(path, address)) return cannot("listen at", path, ENAMETOOLONG);
  Descriptor socket(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return cannot("listen at", path, errno);
  // Whoever holds the directory's lock owns the name; a dead owner's socket is only in the way.
  ::unlink(path.c_str());
  if (::bind(socket.get(), generic(address), sizeof address) != 0) return cannot("listen at", path, errno);
  if (::chmod(path.c_str(), mode) != 0) return cannot("listen at", path, errno);
  if (type == SOCK_STREAM && ::listen(socket.get(), 16) != 0) return cannot("listen at", path, errno);
  return socket;
}

void set_timeout(int fd, int option, Duration wait) {
  const timeval time{wait.us / 1'000'000, wait.us % 1'000'000};
  ::setsockopt(fd, SOL_SOCKET, option, &time, sizeof time);
}

// Up to the newline, which is left out. Nothing if the peer stopped before or took too long.
std::optional<std::string> read_line(int fd) {
  std::string line;
  std::array<char, 4096> buffer;
  while (line.size() < kMaxLine) {
    const ssize_t n = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return std::nullopt;
    line.append(buffer.data(), static_cast<std::size_t>(n));
    if (const std::size_t end = line.find('\n'); end != std::string::npos) return line.substr(0, end);
  }
  return std::nullopt;
}

bool write_line(int fd, std::string_view line) {
  std::string text(line);
  text += '\n';
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::send(fd, text.data() + done, text.size() - done, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

}  // namespace

void Descriptor::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Result<Doorbell> Doorbell::open(const fs::path& path, mode_t mode) {
  auto socket = listen_at(path, SOCK_DGRAM, mode);
  if (!socket) return socket.error();
  Doorbell bell;
  bell.socket_ = std::move(*socket);
  return bell;
}

Doorbell::Call Doorbell::answer() {
  Call call = Call::none;
  char said = 0;
  while (::recv(socket_.get(), &said, 1, MSG_DONTWAIT) >= 0) call = std::max(call, said == '?' ? Call::soon : Call::now);
  return call;
}

Doorbell::Call Doorbell::answer_awake(Duration most) {
  using std::chrono::steady_clock;
  const auto end = steady_clock::now() + std::chrono::microseconds(most.us);
  Call call = answer();
  while (call != Call::now && steady_clock::now() < end) {
    ::sched_yield();
    call = std::max(call, answer());
  }
  return call;
}

DatagramSender::DatagramSender(fs::path path) : path_(std::move(path)), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {}

bool DatagramSender::send(std::string_view datagram) {
  sockaddr_un address{};
  if (!socket_ || !address_of(path_, address)) return false;
  return ::sendto(socket_.get(), datagram.data(), datagram.size(), MSG_NOSIGNAL, generic(address), sizeof address) >= 0;
}

void Request::reply(std::string_view line) {
  set_timeout(connection_.get(), SO_SNDTIMEO, Duration::seconds(1));
  write_line(connection_.get(), line);
  connection_.reset();
}

Result<ControlServer> ControlServer::open(const fs::path& path) {
  // Who may connect is decided by who the peer is, not by the mode.
  auto socket = listen_at(path, SOCK_STREAM, 0666);
  if (!socket) return socket.error();
  ControlServer server;
  server.socket_ = std::move(*socket);
  return server;
}

std::optional<Request> ControlServer::accept() {
  Descriptor connection(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!connection) return std::nullopt;
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(connection.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return std::nullopt;
  set_timeout(connection.get(), SO_SNDTIMEO, Duration::seconds(1));
  if (peer.uid != 0 && peer.uid != ::geteuid()) {
    write_line(connection.get(), R"({"ok":false,"message":"only root and the user that runs correlator may do this"})");
    return std::nullopt;
  }
  set_timeout(connection.get(), SO_RCVTIMEO, Duration::seconds(1));
  auto line = read_line(connection.get());
  if (!line) return std::nullopt;
  return Request(std::move(connection), std::move(*line), peer.uid);
}

Result<std::optional<std::string>> ask(const fs::path& path, std::string_view line, Duration wait) {
  sockaddr_un address{};
  if (!address_of(path, address)) return cannot("connect to", path, ENAMETOOLONG);
  const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return cannot("connect to", path, errno);
  if (::connect(socket.get(), generic(address), sizeof address) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED) return std::optional<std::string>{};
    return cannot("connect to", path, errno);
  }
  set_timeout(socket.get(), SO_RCVTIMEO, wait);
  set_timeout(socket.get(), SO_SNDTIMEO, wait);
  std::optional<std::string> answer;
  if (write_line(socket.get(), line)) answer = read_line(socket.get());
  if (!answer) {
    return make_error("E414", fmt::format("{} did not answer within {}", path.string(), to_string(wait)),
                      "look at its log: it may be busy with the rules, or it has just stopped");
  }
  return answer;
}

}  // namespace correlator::host
