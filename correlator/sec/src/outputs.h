// SPDX-License-Identifier: Apache-2.0
// Where effects go: standard output, files that stay open, sockets.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/procedure.h"
#include "host/socket.h"

namespace correlator::sec {

class Outputs {
 public:
  explicit Outputs(std::int64_t socket_timeout) : socket_timeout_(socket_timeout) {}

  void out(std::string_view text);
  void flush();
  // A file or a socket effect. What went wrong is said in the Status; the rules go on.
  Status put(const engine::Effect& effect, std::int64_t now);
  // Connections that were being made, and what they were given to send.
  void tend(std::int64_t now, Diagnostics& troubles);
  bool connecting() const;
  void close_all();

 private:
  struct Peer {
    host::Descriptor fd;
    std::deque<std::string> waiting;
    std::int64_t since = 0;
    bool connected = false;
  };
  Status file(const engine::Effect& effect);
  Status datagram(const std::string& path, const std::string& text);
  Status udp(const std::string& peer, const std::string& text);
  Status stream(std::map<std::string, Peer>& peers, const std::string& name, const std::string& text, bool tcp, std::int64_t now);
  void send_waiting(Peer& peer);

  std::int64_t socket_timeout_;
  std::string buffer_;
  std::map<std::string, host::Descriptor> files_, datagrams_, udp_;
  std::map<std::string, Peer> streams_, tcp_;
};

}  // namespace correlator::sec
