// SPDX-License-Identifier: Apache-2.0
// Commands that rules start. They inherit what SEC's children inherit; their lines and their ends are told.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <list>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/procedure.h"
#include "host/socket.h"

namespace correlator::sec {

struct ChildLine {
  std::string text, context;
};
struct ChildEnd {
  std::int64_t ticket = 0;
  int code = 0;    // exit status; 0 also where a signal ended it
  int signal = 0;
  std::string command;
};

class Children {
 public:
  // `input`: what their standard input is where nothing is fed to them; -1: ours.
  explicit Children(int input = -1) : input_(input) {}
  ~Children();
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;

  Status start(const engine::Effect& command);
  // What they wrote and which of them ended since.
  void collect(std::vector<ChildLine>& lines, std::vector<ChildEnd>& ends);
  bool some() const { return !running_.empty(); }
  std::vector<int> descriptors() const;
  void terminate();
  struct Shown {
    pid_t pid;
    std::string command, context;
    bool spawns;
  };
  std::vector<Shown> list() const;

 private:
  struct Running {
    pid_t pid;
    std::int64_t ticket;
    std::string command, context, partial;
    host::Descriptor output;
  };
  void read_lines(Running& child, std::vector<ChildLine>& lines, bool to_end);

  int input_;
  std::list<Running> running_;
};

}  // namespace correlator::sec
