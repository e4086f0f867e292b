// SPDX-License-Identifier: Apache-2.0
// Host and tag: the part of a line where formats differ least and mean most.
#include <algorithm>
#include <array>

#include "names.h"
#include "parts.h"
#include "scan.h"

namespace correlator::syslog {
namespace {

constexpr std::size_t kMaxTag = 128;

bool is_tag_char(char c) {
  return is_alnum(c) || c == '_' || c == '-' || c == '.' || c == '/' || c == '@' || c == '+' || c == '(' ||
         c == ')' || c == '$' || c == '\\' || c == '%' || c == '#' || c == '*' || c == '~';
}

bool is_host_char(char c) {
  return is_alnum(c) || c == '-' || c == '.' || c == '_' || c == ':' || c == '@' || c == '/' || c == '%';
}

bool is_host(std::string_view word) {
  if (word.empty() || word.size() > 255 || word.back() == ':') return false;
  for (const char c : word) {
    if (!is_host_char(c)) return false;
  }
  return true;
}

struct Tag {
  std::string_view name;
  std::optional<std::uint32_t> pid;
  std::string_view behind;  // the text, one blank taken
};

// "name: ", "name[12]: ", "kernel:text". The name may be anything a program can be called, not
// "0000:01:00.0".
std::optional<Tag> tag_of(std::string_view rest) {
  std::size_t n = 0;
  while (n < rest.size() && n < kMaxTag && is_tag_char(rest[n])) ++n;
  if (n == 0 || n == rest.size()) return std::nullopt;
  Tag tag{rest.substr(0, n), std::nullopt, rest.substr(n)};
  if (take(tag.behind, '[')) {
    tag.pid = take_id(tag.behind);
    if (!tag.pid || !take(tag.behind, ']')) return std::nullopt;
  }
  if (!take(tag.behind, ':')) return std::nullopt;
  const bool separated = tag.behind.empty() || tag.behind[0] == ' ';
  if (!separated && tag.name != kKernel && !tag.pid) return std::nullopt;
  take(tag.behind, ' ');
  return tag;
}

// The kernel prints "comm[pid]: segfault at …" about a process: that is not the tag of the process.
bool is_about_process(std::string_view behind) {
  return behind.starts_with("segfault at ") || behind.starts_with("general protection") ||
         behind.starts_with("trap ") || behind.starts_with("bad frame") ||
         behind.starts_with("unhandled signal") || behind.starts_with("undefined instruction");
}

// Notes of the log daemon itself, written without a tag.
bool is_daemon_note(std::string_view text) {
  return text.starts_with("last message ") || text.starts_with("message repeated ") ||
         text.starts_with("-- ") || text.starts_with("--- ") || text.starts_with("syslogd ") ||
         text.starts_with("rsyslogd ") || text.starts_with("syslog-ng ") ||
         text.starts_with("exiting on signal ");
}

bool may_be_kernel(const Message& m) {
  return m.facility.value_or(0) == 0;
}

void set_program(const Tag& tag, Message& m) {
  m.program = tag.name;
  m.pid = tag.pid;
  m.text = tag.behind;
}

void set_untagged(std::string_view text, Message& m) {
  m.text = text;
  // Broken JSON is an application's, whatever else the line may be.
  const bool json = text.size() > 1 && text[0] == '{' && !is_digit(text[1]);
  if (may_be_kernel(m) && !is_daemon_note(text) && !json && !text.empty()) m.program = kKernel;
}

}  // namespace

void read_tag(std::string_view rest, Message& m, TagPlace place) {
  const std::string_view whole = rest;
  skip_blanks(rest);
  const auto tag = tag_of(rest);
  if (!tag) {
    set_untagged(whole, m);
    return;
  }
  bool program = true;
  if (tag->name == kKernel) {
    program = true;
  } else if (tag->pid) {
    // "IOAPIC[0]: …" is the kernel's, too.
    program =
        place == TagPlace::behind_host || (!is_about_process(tag->behind) && !is_kernel_prefix(tag->name));
  } else if (!may_be_kernel(m)) {
    program = true;
  } else if (m.facility == 0) {
    program = false;  // facility kern without "kernel:": the tag is a driver's name
  } else {
    program = place == TagPlace::behind_host ? !is_kernel_prefix(tag->name) : is_known_program(tag->name);
  }
  if (program) {
    set_program(*tag, m);
  } else {
    set_untagged(whole, m);
  }
}

// "db1kernel: EDAC MC1: …": the blank behind the host was lost on the way, as in logs that were typeset. Only before words that
// no program but the kernel begins with; "ipykernel: " is a program.
bool read_glued_host(std::string_view rest, Message& m) {
  const auto tag = tag_of(rest);
  if (!tag || tag->pid || tag->name.size() == kKernel.size() || !tag->name.ends_with(kKernel)) return false;
  if (!opens_kernel_text(first_word(tag->behind))) return false;
  m.host = tag->name.substr(0, tag->name.size() - kKernel.size());
  m.program = kKernel;
  m.text = tag->behind;
  return true;
}

namespace {

// "sonic WARNING kernel: …": SONiC's rsyslog writes %syslogseverity-text:::uppercase% behind the host. Only in front of a tag.
void take_severity(std::string_view& rest, Message& m) {
  static constexpr std::array<std::string_view, 8> kSeverities = {"EMERG", "ALERT", "CRIT", "ERR", "WARNING", "NOTICE", "INFO", "DEBUG"};
  const std::string_view word = first_word(rest);
  const auto severity = std::find(kSeverities.begin(), kSeverities.end(), word);
  if (severity == kSeverities.end()) return;
  std::string_view behind = rest.substr(word.size());
  if (!take(behind, ' ') || !tag_of(behind)) return;
  if (!m.level) m.level = static_cast<std::uint8_t>(severity - kSeverities.begin());
  rest = behind;
}

}  // namespace

void read_host_and_tag(std::string_view rest, Message& m) {
  skip_blanks(rest);
  if (is_daemon_note(rest)) {
    m.text = rest;
    return;
  }
  const std::string_view word = first_word(rest);
  if (is_host(word) && !opens_kernel_text(word)) {
    // "2026-… host" alone is an empty message of that host.
    m.host = word;
    rest.remove_prefix(word.size());
    take(rest, ' ');
    take_severity(rest, m);
  }
  if (m.host.empty() && read_glued_host(rest, m)) return;
  if (!read_provenance(rest, m)) read_tag(rest, m, TagPlace::behind_host);
}

bool read_provenance(std::string_view rest, Message& m) {
  if (m.format != Format::iso || rest.size() < 8 || (rest[0] != 'i' && rest[0] != 'r')) return false;
  const std::string_view input = first_word(rest);
  if (!is_input_name(input)) return false;
  rest.remove_prefix(input.size());
  if (!take(rest, ' ')) return false;
  const std::string_view priority = first_word(rest);
  const std::size_t dot = priority.find('.');
  if (dot == std::string_view::npos) return false;
  const auto facility = facility_of(priority.substr(0, dot));
  const auto level = level_of(priority.substr(dot + 1));
  if (!facility || !level) return false;
  rest.remove_prefix(priority.size());
  take(rest, ' ');
  m.format = Format::provenance;
  m.input = input;
  m.facility = facility;
  m.level = level;
  m.arrival = m.stamp.utc;
  read_tag(rest, m, TagPlace::behind_host);
  return true;
}

namespace {

// "host kernel: text" or "host name[12]: text" without a date: wall messages, journalctl -o short-monotonic.
bool read_host_before_tag(std::string_view rest, Message& m, bool any_program) {
  const std::string_view word = first_word(rest);
  if (!is_host(word) || word.find(':') != std::string_view::npos || word.size() == rest.size()) return false;
  const auto tag = tag_of(rest.substr(word.size() + 1));
  if (!tag || (tag->name != kKernel && !(any_program && tag->pid))) return false;
  if (is_about_process(tag->behind)) return false;
  m.host = word;
  set_program(*tag, m);
  return true;
}

}  // namespace

void read_undated(std::string_view rest, Message& m) {
  const bool dmesg = take_dmesg_prefix(rest, m);
  const bool stamped = strip_printk(rest, m);
  if (dmesg || stamped) m.format = Format::dmesg;
  if (rest.starts_with("event '") || rest.starts_with("event \"")) {
    m.program = "virsh-event";
    m.format = Format::virsh_event;
    m.text = rest;
    return;
  }
  if (read_host_before_tag(rest, m, stamped && m.uptime.has_value())) return;
  read_tag(rest, m, TagPlace::undated);
}

void read_libvirt(std::string_view rest, Message& m) {
  m.text = rest;
  if (rest.starts_with("event ")) {
    m.program = "virsh-event";
    m.format = Format::virsh_event;
    return;
  }
  m.program = "libvirtd";
  m.format = Format::libvirt;
  const auto pid = take_id(rest);
  if (!pid || !take(rest, ": ")) return;
  m.pid = pid;
  m.text = rest;
  const std::string_view level = first_word(rest);
  if (rest.substr(level.size()).starts_with(" : ")) m.level = level_of(level);
}

}  // namespace correlator::syslog
