// SPDX-License-Identifier: Apache-2.0
// A Message: what one frame of a log says, and who vouches for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "time/timestamp.h"

namespace correlator::syslog {

// The time as it was printed. What it means in UTC may need a year, a zone or a boot time: see
// archive_clock.h.
struct Stamp {
  enum class Kind : std::uint8_t {
    none,      // the line carries no time
    wall,      // date and year; `utc` is set if an offset was printed, else `civil` is local to the archive's
               // zone
    yearless,  // "Nov  3 17:40:22": `civil` without its year
    uptime     // only a printk time: Message::uptime
  };
  Kind kind = Kind::none;
  CivilTime civil;               // as printed, for yearless (year is 0) and for wall without offset
  std::optional<Timestamp> utc;  // wall with an offset, or a time that was absolute already
};

// Who says that the kernel said this.
enum class Origin : std::uint8_t {
  program,         // does not claim to be from the kernel
  kernel,          // vouched for: imklog, imkmsg or our own kmsg reader with facility kern, or the journal's
                   // _TRANSPORT=kernel with facility kern and identifier kernel
  claimed_kernel,  // says kernel and nothing speaks against it: plain archives, consoles, dmesg
  forged_kernel    // says kernel, but input, uid, pid or facility show that user space wrote it
};

// True for lines that may be decoded as the kernel's. Never for forged ones.
constexpr bool from_kernel(Origin origin) {
  return origin == Origin::kernel || origin == Origin::claimed_kernel;
}

std::string_view to_string(Origin origin);

// How the frame was written.
enum class Format : std::uint8_t {
  raw,           // no header known to us: console lines, undated lines, JSON that is broken
  bsd,           // RFC 3164, journalctl short and short-precise
  rfc5424,       //
  iso,           // RFC 3339 date, host, tag; journalctl short-iso, short-full
  provenance,    // the rsyslog template that writes inputname and facility.severity into the line
  dmesg,         // dmesg in any of its forms, printk lines, journalctl short-monotonic
  kmsg,          // a record of /dev/kmsg
  journal,       // journal export, journalctl -o json
  rsyslog_json,  // a JSON object of rsyslog
  libvirt,       // libvirtd's own log, QEMU's per-domain log
  virsh_event    // virsh event --timestamp
};

std::string_view to_string(Format format);

// All views point into the frame, into the Parser that made it, or to constants: valid until its next
// parse().
struct Message {
  std::string_view raw;      // the frame without its line end
  std::string_view host;     // empty if the line names none
  std::string_view program;  // tag without pid; "kernel" for everything that is or claims to be the kernel's
  std::string_view text;     // what rules match: behind tag, printk time, caller and a second time stamp
  std::string_view caller;   // printk's caller id, "T593001" or "C1"
  std::string_view input;    // rsyslog's inputname, the journal's _TRANSPORT, "kmsg" for our own reader
  std::string_view transport;  // the journal's _TRANSPORT, also where imjournal passed it on
  std::string_view exe;        // path of the writing program, where `input` knows it
  std::string_view from_ip;    // address the message came from
  std::string_view id;         // identity given upstream: rsyslog's uuid or cid, the journal's cursor
  std::string_view boot_id;    // the journal's _BOOT_ID

  std::optional<std::uint32_t> pid;
  std::optional<std::uint32_t> uid;       // of the writer, where `input` knows it (sources.h)
  std::optional<std::uint8_t> facility;   // 0 kern .. 23 local7; /dev/kmsg may carry more
  std::optional<std::uint8_t> level;      // 0 emerg .. 7 debug. It is not severity: see the module's README
  std::optional<std::uint64_t> sequence;  // of a /dev/kmsg record, also through imkmsg

  Stamp stamp;
  std::optional<Timestamp>
      arrival;                     // rsyslog's timegenerated, the journal's realtime; none in plain archives
  std::optional<Duration> uptime;  // printk time

  Origin origin = Origin::program;
  Format format = Format::raw;
  std::uint32_t repeated = 0;          // N of "message repeated N times: [ x]"; text is that of x
  std::uint32_t repeats_previous = 0;  // N of "last message repeated N times"; stands for the line before
  bool truncated = false;              // set by whoever cut the frame
};

// True if the line carries a date of its own, with or without year: it can be an anchor.
bool dated(const Message& message);

}  // namespace correlator::syslog
