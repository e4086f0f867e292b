// SPDX-License-Identifier: Apache-2.0
// A frame becomes a Message. Every format is recognised by itself: a file may mix them line by line.
#pragma once

#include <memory>
#include <string_view>

#include "syslog/message.h"

namespace correlator::syslog {

struct ParserOptions {
  // Believe the provenance that a line itself carries (inputname and facility of the template, journal
  // fields). Switch it off for files whose first words after the host anyone can choose: then nothing is
  // better than claimed.
  bool believe_provenance = true;
  // Frames come from our own reader of /dev/kmsg: their input is "kmsg" and facility kern is vouched for.
  bool live_kmsg = false;
};

// Not thread-safe; make one for each thread. Allocates only for JSON, journal fields and escaped kmsg text.
class Parser {
 public:
  explicit Parser(ParserOptions options = {});
  ~Parser();
  Parser(Parser&&) noexcept;
  Parser& operator=(Parser&&) noexcept;

  // Fills `out` from one frame, with or without its line end. False, with `out.raw` alone set, if the frame
  // holds no message: a blank line or the continuation of a kmsg record. Never fails otherwise: what no
  // format explains is kept as raw text.
  bool parse(std::string_view frame, Message& out);

 private:
  struct Scratch;
  ParserOptions options_;
  std::unique_ptr<Scratch> scratch_;
};

}  // namespace correlator::syslog
