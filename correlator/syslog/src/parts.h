// SPDX-License-Identifier: Apache-2.0
// The stages of Parser::parse. Each fills fields of a Message from what is left of the frame.
#pragma once

#include <string>
#include <string_view>

#include "syslog/message.h"
#include "syslog/parser.h"

namespace correlator::syslog {

inline constexpr std::string_view kKernel = "kernel";

// What a tag may be, by where it stands.
enum class TagPlace {
  behind_host,  // "NAME: " is a program unless it is a kernel prefix
  undated       // no date and no host before it: "NAME: " is the kernel's unless the program is known
};

// "host tag[pid]: text" behind a date: host, program, pid, text. `bracketed` formats may have no host.
void read_host_and_tag(std::string_view rest, Message& m);
// "tag[pid]: text". Without a tag all of it is text, and the kernel's as far as facility and first words
// allow.
void read_tag(std::string_view rest, Message& m, TagPlace place);
// "imklog kern.warning tag: text" of the template with provenance.
bool read_provenance(std::string_view rest, Message& m);
// RFC 5424 behind "<PRI>1 ".
bool read_rfc5424(std::string_view rest, Message& m);
// A line without a date in front: printk stamps, dmesg's bracketed dates, wall messages, bare text.
void read_undated(std::string_view rest, Message& m);
// dmesg -x: "kern  :warn  : [    1.234567] text".
bool take_dmesg_prefix(std::string_view& rest, Message& m);
// "2026-11-22 08:44:52.460+0000: 1234: error : f:1 : text" behind its date and ": ".
void read_libvirt(std::string_view rest, Message& m);

// Removes what printk, dmesg and console servers put before a kernel message; gives true if there was
// anything.
bool strip_printk(std::string_view& text, Message& m);
// The two repeat forms.
void unwrap_repeats(Message& m);

bool read_kmsg(std::string_view frame, Message& m, std::string& scratch);
bool is_journal_export(std::string_view frame);
void read_journal_export(std::string_view frame, Message& m);

// Repeats, printk prefixes, origin: what all formats end with.
void finish(Message& m, const ParserOptions& options);
void set_origin(Message& m, const ParserOptions& options);

// The journal's fields, wherever they come from.
struct JournalFields {
  std::string_view message, host, identifier, comm, pid, syslog_pid, uid, exe, transport, facility, priority,
      cursor, boot_id, realtime, source_realtime, source_monotonic;
  // First occurrence wins: a client can repeat its own fields but not those with an underscore.
  void set(std::string_view name, std::string_view value);
  void fill(Message& m) const;
};

}  // namespace correlator::syslog
