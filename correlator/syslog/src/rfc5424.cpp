// SPDX-License-Identifier: Apache-2.0
#include "dates.h"
#include "parts.h"
#include "scan.h"

namespace correlator::syslog {
namespace {

// The next field up to a blank; "-" is none.
std::optional<std::string_view> take_field(std::string_view& rest) {
  const std::string_view word = first_word(rest);
  if (word.empty()) return std::nullopt;
  rest.remove_prefix(word.size());
  take(rest, ' ');
  return word == "-" ? std::string_view{} : word;
}

// `[id name="value" …][id …]` with \" \\ \] inside values. False and nothing taken if it is malformed.
bool take_structured_data(std::string_view& rest) {
  std::string_view at = rest;
  if (take(at, '-')) {
    if (!at.empty() && at[0] != ' ') return false;
    rest = at;
    return true;
  }
  if (at.empty() || at[0] != '[') return false;
  while (take(at, '[')) {
    bool quoted = false;
    for (;;) {
      if (at.empty()) return false;
      const char c = at[0];
      at.remove_prefix(1);
      if (quoted && c == '\\' && !at.empty()) {
        at.remove_prefix(1);
      } else if (c == '"') {
        quoted = !quoted;
      } else if (c == ']' && !quoted) {
        break;
      }
    }
  }
  if (!at.empty() && at[0] != ' ') return false;
  rest = at;
  return true;
}

}  // namespace

bool read_rfc5424(std::string_view rest, Message& m) {
  Stamp stamp;
  if (rest.starts_with("- ")) {
    rest.remove_prefix(2);
  } else if (!take_iso_date(rest, stamp) || !take(rest, ' ')) {
    return false;
  }
  const auto host = take_field(rest), program = take_field(rest), pid = take_field(rest),
             msgid = take_field(rest);
  if (!host || !program || !pid || !msgid) return false;
  m.format = Format::rfc5424;
  m.stamp = stamp;
  m.host = *host;
  m.program = *program;
  m.pid = whole_id(*pid);
  // Structured data that is not what it should be is kept as text: nothing of a line gets lost.
  take_structured_data(rest);
  take(rest, ' ');
  take(rest, "\xEF\xBB\xBF");
  m.text = rest;
  if (m.program.empty()) read_tag(rest, m, TagPlace::behind_host);
  return true;
}

}  // namespace correlator::syslog
