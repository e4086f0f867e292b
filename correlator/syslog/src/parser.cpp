// SPDX-License-Identifier: Apache-2.0
#include "syslog/parser.h"

#include <algorithm>

#include "dates.h"
#include "json.h"
#include "parts.h"
#include "scan.h"
#include "syslog/frame.h"

namespace correlator::syslog {
namespace {

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t") == std::string_view::npos;
}

// " SUBSYSTEM=pci", " DEVICE=+pci:0000:00:04.0": the two keys the kernel writes, alone without their record.
bool is_lone_continuation(std::string_view text) {
  return text.starts_with(" SUBSYSTEM=") || text.starts_with(" DEVICE=");
}

void take_priority(std::string_view& rest, Message& m) {
  std::string_view behind = rest.substr(1);
  const auto priority = take_number(behind, 3);
  if (!priority || *priority > 191 || !take(behind, '>')) return;
  m.facility = static_cast<std::uint8_t>(*priority >> 3);
  m.level = static_cast<std::uint8_t>(*priority & 7);
  rest = behind;
}

// An ISO date was taken; `rest` begins right behind it.
void read_behind_iso(std::string_view rest, std::string_view date, Message& m) {
  m.format = Format::iso;
  if (take(rest, ": ")) {
    read_libvirt(rest, m);
    return;
  }
  take(rest, ' ');
  // Only dmesg --time-format=iso writes a comma between T and offset, and it names no host.
  if (m.stamp.utc && date.size() > 19 && date[19] == ',' && date[10] == 'T') {
    m.format = Format::dmesg;
    read_tag(rest, m, TagPlace::undated);
    return;
  }
  read_host_and_tag(rest, m);
  if (m.host.empty() && m.program.starts_with("qemu")) m.format = Format::libvirt;
}

// Logs that people quote stand behind a tab or some blanks. Not behind more than twelve: journalctl puts the further lines of a
// message, which are any user's, below its text, and that begins farther to the right.
std::string_view without_indent(std::string_view line) {
  const std::size_t indent = std::min(line.find_first_not_of(" \t"), line.size());
  if (indent == 0 || indent > 12) return line;
  const std::string_view rest = line.substr(indent);
  std::string_view from = rest;
  Message unused;
  Stamp stamp;
  const bool dated = take_bsd_date(from, stamp) || take_iso_date(from, stamp) || (from.starts_with('[') && strip_printk(from, unused));
  return dated ? rest : line;
}

void read_line(std::string_view rest, Message& m) {
  rest = without_indent(rest);
  if (rest[0] == '<') {
    take_priority(rest, m);
    if (m.facility && rest.starts_with("1 ") && read_rfc5424(rest.substr(2), m)) return;
    if (rest.empty()) return;
  }
  const std::string_view from_date = rest;
  if (is_digit(rest[0])) {
    if (take_iso_date(rest, m.stamp)) {
      read_behind_iso(rest, from_date, m);
      return;
    }
    if (take_year_first_date(rest, m.stamp)) {
      m.format = Format::bsd;
      read_host_and_tag(rest, m);
      return;
    }
  } else if (is_upper(rest[0]) || is_lower(rest[0])) {
    if (take_bsd_date(rest, m.stamp)) {
      m.format = Format::bsd;
      take(rest, ':');
      read_host_and_tag(rest, m);
      return;
    }
    if (take_full_date(rest, m.stamp)) {
      m.format = Format::iso;
      read_host_and_tag(rest, m);
      return;
    }
  }
  read_undated(rest, m);
}

}  // namespace

struct Parser::Scratch {
  std::string text;
  JsonReader json;
};

Parser::Parser(ParserOptions options) : options_(std::move(options)), scratch_(std::make_unique<Scratch>()) {}
Parser::~Parser() = default;
Parser::Parser(Parser&&) noexcept = default;
Parser& Parser::operator=(Parser&&) noexcept = default;

bool Parser::parse(std::string_view frame, Message& out) {
  out = Message{};
  if (frame.starts_with("\xEF\xBB\xBF")) frame.remove_prefix(3);  // some editors begin a file with it
  if (frame.ends_with('\n')) frame.remove_suffix(1);
  while (frame.ends_with('\r')) frame.remove_suffix(1);
  out.raw = frame;
  if (is_blank(frame) || is_lone_continuation(frame)) return false;

  if (looks_like_json(frame) && scratch_->json.read(frame, out)) {
    finish(out, options_);
    return true;
  }
  if (is_journal_export(frame)) {
    read_journal_export(frame, out);
  } else if (is_digit(frame[0]) && read_kmsg(frame, out, scratch_->text)) {
    if (options_.live_kmsg) out.input = "kmsg";
  } else {
    read_line(frame, out);
  }
  finish(out, options_);
  return true;
}

void finish(Message& m, const ParserOptions& options) {
  if (m.program == kKernel && m.format != Format::kmsg) strip_printk(m.text, m);
  if (m.format == Format::libvirt || m.program == "libvirtd" || m.program.starts_with("virt")) {
    // libvirtd dates its lines itself, also those it sends to syslog.
    std::string_view rest = m.text;
    Stamp second;
    if (take_iso_date(rest, second) && take(rest, ": ")) {
      const auto thread = take_id(rest);
      if (thread) take(rest, ": ");
      m.text = rest;
    }
  }
  unwrap_repeats(m);
  set_origin(m, options);
}

}  // namespace correlator::syslog
