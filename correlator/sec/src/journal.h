// SPDX-License-Identifier: Apache-2.0
// The programme's own log: a file, syslog, standard error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/diagnostic.h"
#include "host/socket.h"
#include "sec/options.h"

namespace correlator::sec {

// A time as it stands in the log: Fri Nov 27 15:14:04 2026.
std::string stamp(std::int64_t now);

class Journal {
 public:
  void open(const Options& options);
  void reopen();
  // 1 critical … 6 debug. Warnings and worse are said on standard error also where it is no terminal.
  void say(int level, std::string_view text, std::int64_t now);
  void say(const Diagnostic& diagnostic, std::int64_t now);
  // The highest level that anything reads.
  int level() const;
  void set_level(int level) { debug_ = level; }
  int debug() const { return debug_; }

 private:
  std::string file_;
  std::string facility_;
  int debug_ = 6;
  bool terminal_ = false;
  host::Descriptor fd_;
};

}  // namespace correlator::sec
