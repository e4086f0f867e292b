// SPDX-License-Identifier: Apache-2.0
// JSON without its escapes, for a search that only wants to know whether a text may be in it.
#include <cstring>

#include "syslog/frame.h"

namespace correlator::syslog {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// "12ab" of \u12ab as UTF-8. False for what is no single character.
bool add_unicode(std::string_view digits, std::string& out) {
  if (digits.size() < 4) return false;
  unsigned code = 0;
  for (const char c : digits.substr(0, 4)) {
    const int digit = hex_digit(c);
    if (digit < 0) return false;
    code = code << 4 | static_cast<unsigned>(digit);
  }
  if (code >= 0xD800 && code < 0xE000) return false;
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xE0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
  return true;
}

char meaning_of(char escape) {
  switch (escape) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case '"':
    case '\\':
    case '/': return escape;
    default: return '\0';
  }
}

}  // namespace

bool without_escapes(std::string_view frame, std::string& out) {
  out.clear();
  // Bytes that are not UTF-8 go through the reader as characters of the last plane: whether one is such a byte only it can say.
  if (!looks_like_json(frame) || has_byte_array(frame) || frame.find('\xF4') != std::string_view::npos) return false;
  while (!frame.empty()) {
    const auto* slash = static_cast<const char*>(std::memchr(frame.data(), '\\', frame.size()));
    const std::size_t plain = slash == nullptr ? frame.size() : static_cast<std::size_t>(slash - frame.data());
    out.append(frame.substr(0, plain));
    frame.remove_prefix(plain);
    if (frame.empty()) return true;
    if (frame.size() < 2) return false;
    if (frame[1] == 'u') {
      if (!add_unicode(frame.substr(2), out)) return false;
      frame.remove_prefix(6);
      continue;
    }
    const char meaning = meaning_of(frame[1]);
    if (meaning == '\0') return false;
    out += meaning;
    frame.remove_prefix(2);
  }
  return true;
}

}  // namespace correlator::syslog
