// SPDX-License-Identifier: Apache-2.0
// Whose word counts: what a site believes beside what a line's provenance proves by itself.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "syslog/message.h"

namespace correlator::syslog {

// A program whose lines are believed though root did not write them. `exe` empty: any program of that user.
// Without the uid a path proves nothing: everyone may start /usr/sbin/corosync.
struct Writer {
  std::uint32_t uid = 0;
  std::string exe;
};

struct Sources {
  // Inputs into which only those can write whom the site trusts to say where their lines come from, by
  // rsyslog's input name: a relay's port for kernel lines with TLS and permitted peers, a socket in a
  // directory of root's.
  std::vector<std::string> inputs;
  std::vector<Writer> writers;
};

// The origin of a parsed message, given what the site trusts: a kernel line of a trusted input is vouched for
// if it carries facility kern and no process.
Origin origin_of(const Message& message, const Sources& sources);

// Whether it is known that the writer of a program's line may be believed: root by the log daemon's word
// (imuxsock's credentials, the journal's _UID), one of the writers, or whoever can write to a trusted input.
bool trusted_writer(const Message& message, const Sources& sources);

// Whether a line of a program that only trusted writers may speak for can be one of its own: the writer is trusted, or
// nothing is known of how the line came (a file, an archive).
bool may_speak(const Message& message, const Sources& sources);

}  // namespace correlator::syslog
