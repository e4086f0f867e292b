// SPDX-License-Identifier: Apache-2.0
// Records of /dev/kmsg: "6,369,13119327,-,caller=T1;text" and lines " KEY=value" behind it.
#include "parts.h"
#include "scan.h"
#include "syslog/frame.h"

namespace correlator::syslog {
namespace {

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The kernel writes backslash, control characters and everything beyond ASCII as \xNN.
std::string_view unescape(std::string_view text, std::string& scratch) {
  if (text.find('\\') == std::string_view::npos) return text;
  scratch.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '\\' && i + 3 < text.size() && text[i + 1] == 'x' &&
                        hex_value(text[i + 2]) >= 0 && hex_value(text[i + 3]) >= 0;
    if (!escape) {
      scratch += text[i];
      continue;
    }
    scratch += static_cast<char>(hex_value(text[i + 2]) * 16 + hex_value(text[i + 3]));
    i += 3;
  }
  return scratch;
}

}  // namespace

bool read_kmsg(std::string_view frame, Message& m, std::string& scratch) {
  if (!is_kmsg_record(frame)) return false;
  std::string_view rest = frame;
  const auto priority = take_number(rest, 5);
  take(rest, ',');
  // The formats allow 20 digits; what does not fit 18 is not a number of this kernel.
  const auto sequence = take_number(rest, 18);
  if (!priority || *priority > 0x7ff || !sequence || !take(rest, ',')) return false;
  const auto us = take_number(rest, 18);
  if (!us || !take(rest, ',')) return false;
  const std::size_t semicolon = rest.find(';');
  if (semicolon == std::string_view::npos) return false;
  const std::string_view flags = rest.substr(0, semicolon);
  const std::size_t caller = flags.find(",caller=");
  if (caller != std::string_view::npos) {
    const std::string_view id = flags.substr(caller + 8);
    m.caller = id.substr(0, id.find(','));
  }
  m.format = Format::kmsg;
  m.level = static_cast<std::uint8_t>(*priority & 7);
  m.facility = static_cast<std::uint8_t>(*priority >> 3);
  m.sequence = *sequence;
  m.uptime = Duration{static_cast<std::int64_t>(*us)};
  m.stamp.kind = Stamp::Kind::uptime;
  rest.remove_prefix(semicolon + 1);
  const std::string_view text = unescape(rest.substr(0, rest.find('\n')), scratch);
  if (*m.facility == 0) {
    m.program = kKernel;
    m.text = text;
  } else {
    read_tag(text, m, TagPlace::behind_host);  // systemd and others write here with a tag
  }
  return true;
}

}  // namespace correlator::syslog
