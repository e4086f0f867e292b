// SPDX-License-Identifier: Apache-2.0
#include "outputs.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

namespace correlator::sec {
namespace {

using engine::Effect;

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) {
      pollfd ready{fd, POLLOUT, 0};
      if (::poll(&ready, 1, 1000) > 0) continue;
    }
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

Diagnostic trouble(const std::string& what, const std::string& where) {
  return make_error("E401", what + " " + where + ": " + std::strerror(errno));
}

// A regular file, or a FIFO that somebody reads.
host::Descriptor open_output(const std::string& name) {
  struct stat info {};
  if (::stat(name.c_str(), &info) == 0 && S_ISFIFO(info.st_mode)) return host::Descriptor(::open(name.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  return host::Descriptor(::open(name.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666));
}

struct Address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
  int family = AF_UNSPEC;
};

std::optional<Address> unix_address(const std::string& path) {
  Address out;
  auto* address = reinterpret_cast<sockaddr_un*>(&out.bytes);
  if (path.size() >= sizeof(address->sun_path)) return std::nullopt;
  address->sun_family = AF_UNIX;
  std::memcpy(address->sun_path, path.c_str(), path.size() + 1);
  out.size = sizeof(sockaddr_un);
  out.family = AF_UNIX;
  return out;
}

// "host:port", where the host may be an address with colons.
std::optional<Address> internet_address(const std::string& peer, int type) {
  const std::size_t colon = peer.rfind(':');
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  std::string host = peer.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = type;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), peer.c_str() + colon + 1, &hints, &found) != 0 || found == nullptr) return std::nullopt;
  Address out;
  std::memcpy(&out.bytes, found->ai_addr, found->ai_addrlen);
  out.size = found->ai_addrlen;
  out.family = found->ai_family;
  ::freeaddrinfo(found);
  return out;
}

}  // namespace

void Outputs::out(std::string_view text) {
  buffer_ += text;
  if (buffer_.size() > (1U << 16U)) flush();
}

void Outputs::flush() {
  write_all(STDOUT_FILENO, buffer_);
  buffer_.clear();
}

Status Outputs::put(const Effect& effect, std::int64_t now) {
  switch (effect.kind) {
    case Effect::Kind::file:
    case Effect::Kind::file_once: return file(effect);
    case Effect::Kind::close_file: files_.erase(effect.target); return {};
    case Effect::Kind::datagram: return datagram(effect.target, effect.text);
    case Effect::Kind::close_datagram: datagrams_.erase(effect.target); return {};
    case Effect::Kind::udp: return udp(effect.target, effect.text);
    case Effect::Kind::close_udp: udp_.erase(effect.target); return {};
    case Effect::Kind::stream: return stream(streams_, effect.target, effect.text, false, now);
    case Effect::Kind::close_stream: streams_.erase(effect.target); return {};
    case Effect::Kind::tcp: return stream(tcp_, effect.target, effect.text, true, now);
    case Effect::Kind::close_tcp: tcp_.erase(effect.target); return {};
    default: return {};
  }
}

Status Outputs::file(const Effect& effect) {
  flush();  // what was written before stands before
  if (effect.kind == Effect::Kind::file_once) {
    const host::Descriptor once = open_output(effect.target);
    if (!once || !write_all(once.get(), effect.text)) return trouble("cannot write to", effect.target);
    return {};
  }
  auto found = files_.find(effect.target);
  if (found == files_.end()) {
    host::Descriptor opened = open_output(effect.target);
    if (!opened) return trouble("cannot open", effect.target);
    found = files_.emplace(effect.target, std::move(opened)).first;
  }
  if (write_all(found->second.get(), effect.text)) return {};
  const Diagnostic wrong = trouble("cannot write to", effect.target);
  files_.erase(found);
  return wrong;
}

Status Outputs::datagram(const std::string& path, const std::string& text) {
  auto found = datagrams_.find(path);
  if (found == datagrams_.end()) {
    host::Descriptor fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto address = unix_address(path);
    if (!address || !fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address->bytes), address->size) != 0) return trouble("cannot reach socket", path);
    found = datagrams_.emplace(path, std::move(fd)).first;
  }
  if (::send(found->second.get(), text.data(), text.size(), MSG_NOSIGNAL) >= 0) return {};
  const Diagnostic wrong = trouble("cannot send to socket", path);
  datagrams_.erase(found);
  return wrong;
}

Status Outputs::udp(const std::string& peer, const std::string& text) {
  auto found = udp_.find(peer);
  if (found == udp_.end()) {
    const auto address = internet_address(peer, SOCK_DGRAM);
    if (!address) return make_error("E401", "there is no UDP peer " + peer, "a peer is host:port");
    host::Descriptor fd(::socket(address->family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address->bytes), address->size) != 0) return trouble("cannot reach", peer);
    found = udp_.emplace(peer, std::move(fd)).first;
  }
  if (::send(found->second.get(), text.data(), text.size(), MSG_NOSIGNAL) >= 0) return {};
  const Diagnostic wrong = trouble("cannot send to", peer);
  udp_.erase(found);
  return wrong;
}

Status Outputs::stream(std::map<std::string, Peer>& peers, const std::string& name, const std::string& text, bool tcp, std::int64_t now) {
  auto found = peers.find(name);
  if (found == peers.end()) {
    const auto address = tcp ? internet_address(name, SOCK_STREAM) : unix_address(name);
    if (!address) return make_error("E401", "there is no peer " + name, tcp ? "a peer is host:port" : "the path of a socket is at most 107 bytes");
    Peer peer;
    peer.fd.reset(::socket(address->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    peer.since = now;
    const int result = peer.fd ? ::connect(peer.fd.get(), reinterpret_cast<const sockaddr*>(&address->bytes), address->size) : -1;
    if (result != 0 && errno != EINPROGRESS && errno != EAGAIN) return trouble("cannot connect to", name);
    peer.connected = result == 0;
    found = peers.emplace(name, std::move(peer)).first;
  }
  found->second.waiting.push_back(text);
  if (found->second.connected) send_waiting(found->second);
  if (found->second.fd) return {};
  peers.erase(found);
  return trouble("cannot send to", name);
}

void Outputs::send_waiting(Peer& peer) {
  while (!peer.waiting.empty()) {
    std::string& text = peer.waiting.front();
    const ssize_t n = ::send(peer.fd.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) {
      peer.fd.reset();
      return;
    }
    text.erase(0, static_cast<std::size_t>(n));
    if (text.empty()) peer.waiting.pop_front();
  }
}

bool Outputs::connecting() const {
  for (const auto* peers : {&streams_, &tcp_}) {
    for (const auto& [name, peer] : *peers) {
      if (!peer.waiting.empty()) return true;
    }
  }
  return false;
}

void Outputs::tend(std::int64_t now, Diagnostics& troubles) {
  for (auto* peers : {&streams_, &tcp_}) {
    for (auto at = peers->begin(); at != peers->end();) {
      Peer& peer = at->second;
      pollfd ready{peer.fd.get(), POLLOUT, 0};
      if (!peer.waiting.empty() && ::poll(&ready, 1, 0) > 0) {
        int error = 0;
        socklen_t size = sizeof(error);
        ::getsockopt(peer.fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
        if (error == 0) {
          peer.connected = true;
          send_waiting(peer);
        } else {
          errno = error;
          troubles.push_back(trouble("cannot connect to", at->first));
          peer.fd.reset();
        }
      } else if (!peer.connected && now - peer.since > socket_timeout_) {
        errno = ETIMEDOUT;
        troubles.push_back(trouble("cannot connect to", at->first));
        peer.fd.reset();
      }
      at = peer.fd ? std::next(at) : peers->erase(at);
    }
  }
}

void Outputs::close_all() {
  flush();
  files_.clear();
  datagrams_.clear();
  udp_.clear();
  streams_.clear();
  tcp_.clear();
}

}  // namespace correlator::sec
