// SPDX-License-Identifier: Apache-2.0
// The journal's fields, and the export format: lines KEY=value, or KEY, eight bytes of length and the value.
#include "parts.h"
#include "scan.h"

namespace correlator::syslog {
namespace {

std::optional<std::uint64_t> whole_number(std::string_view text) {
  const auto value = take_number(text, 18);
  return text.empty() ? value : std::nullopt;
}

std::optional<std::uint8_t> small_number(std::string_view text) {
  const auto value = whole_number(text);
  if (!value || *value > 255) return std::nullopt;
  return static_cast<std::uint8_t>(*value);
}

std::optional<Timestamp> microseconds(std::string_view text) {
  const auto value = whole_number(text);
  if (!value) return std::nullopt;
  // Beyond the year 9999 it is not a time.
  if (*value > 253'402'300'799'999'999) return std::nullopt;
  return Timestamp{static_cast<std::int64_t>(*value)};
}

}  // namespace

void JournalFields::set(std::string_view name, std::string_view value) {
  struct Slot {
    std::string_view name;
    std::string_view JournalFields::*member;
  };
  static constexpr Slot kSlots[] = {{"MESSAGE", &JournalFields::message},
                                    {"_HOSTNAME", &JournalFields::host},
                                    {"SYSLOG_IDENTIFIER", &JournalFields::identifier},
                                    {"_COMM", &JournalFields::comm},
                                    {"_PID", &JournalFields::pid},
                                    {"SYSLOG_PID", &JournalFields::syslog_pid},
                                    {"_UID", &JournalFields::uid},
                                    {"_EXE", &JournalFields::exe},
                                    {"_TRANSPORT", &JournalFields::transport},
                                    {"SYSLOG_FACILITY", &JournalFields::facility},
                                    {"PRIORITY", &JournalFields::priority},
                                    {"__CURSOR", &JournalFields::cursor},
                                    {"_BOOT_ID", &JournalFields::boot_id},
                                    {"__REALTIME_TIMESTAMP", &JournalFields::realtime},
                                    {"_SOURCE_REALTIME_TIMESTAMP", &JournalFields::source_realtime},
                                    {"_SOURCE_MONOTONIC_TIMESTAMP", &JournalFields::source_monotonic}};
  for (const Slot& slot : kSlots) {
    if (slot.name == name) {
      if ((this->*slot.member).data() == nullptr) this->*slot.member = value;
      return;
    }
  }
}

void JournalFields::fill(Message& m) const {
  m.format = Format::journal;
  m.host = host;
  m.program = identifier.empty() ? comm : identifier;
  m.text = message;
  m.input = transport;
  m.transport = transport;
  m.exe = exe;
  m.id = cursor;
  m.boot_id = boot_id;
  m.pid = whole_id(pid.empty() ? syslog_pid : pid);
  m.uid = whole_id(uid);
  m.facility = small_number(facility);
  m.level = small_number(priority);
  if (m.level && *m.level > 7) m.level.reset();
  m.arrival = microseconds(realtime);
  const auto sent = microseconds(source_realtime);
  if (sent || m.arrival) {
    m.stamp.kind = Stamp::Kind::wall;
    m.stamp.utc = sent ? sent : m.arrival;
    m.stamp.civil = to_civil(*m.stamp.utc);
  }
  if (const auto printed = whole_number(source_monotonic); printed && transport == "kernel") {
    m.uptime = Duration{static_cast<std::int64_t>(*printed)};
    if (m.stamp.kind == Stamp::Kind::none) m.stamp.kind = Stamp::Kind::uptime;
  }
}

bool is_journal_export(std::string_view frame) {
  return frame.starts_with("__CURSOR=") && frame.find('\n') != std::string_view::npos;
}

void read_journal_export(std::string_view frame, Message& m) {
  JournalFields fields;
  while (!frame.empty()) {
    const std::size_t line_end = std::min(frame.find('\n'), frame.size());
    const std::string_view line = frame.substr(0, line_end);
    const std::size_t equals = line.find('=');
    if (equals != std::string_view::npos) {
      fields.set(line.substr(0, equals), line.substr(equals + 1));
      frame.remove_prefix(std::min(line_end + 1, frame.size()));
      continue;
    }
    // A frame that was cut may end inside a binary field: what is there of it counts.
    if (frame.size() - line_end < 9) break;
    const std::uint64_t length = little_endian(frame.substr(line_end + 1, 8));
    frame.remove_prefix(line_end + 9);
    const std::size_t have = static_cast<std::size_t>(std::min<std::uint64_t>(length, frame.size()));
    fields.set(line, frame.substr(0, have));
    frame.remove_prefix(std::min(have + 1, frame.size()));
  }
  fields.fill(m);
}

}  // namespace correlator::syslog
