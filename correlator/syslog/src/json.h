// SPDX-License-Identifier: Apache-2.0
// JSON objects of rsyslog and of journalctl -o json. The only place that knows simdjson.
#pragma once

#include <memory>
#include <string_view>

#include "syslog/message.h"

namespace correlator::syslog {

class JsonReader {
 public:
  JsonReader();
  ~JsonReader();

  // False if the frame is not one well-formed JSON object. Views in `m` are valid until the next read().
  bool read(std::string_view frame, Message& m);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace correlator::syslog
