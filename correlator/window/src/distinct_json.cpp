// SPDX-License-Identifier: Apache-2.0
// DistinctWindow as JSON. Values are log text and may hold any byte.
#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "ints.h"
#include "window/distinct.h"

namespace correlator::window {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

void put_text(std::string& out, const std::string& text) {
  if (printable(text) == text) {
    out += Json(text).dump();
    return;
  }
  out += R"({"bytes":")";
  for (const char c : text) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  out += "\"}";
}

// The JSON string at the front of `text`, its quotes included; empty if there is none.
std::string_view front_string(std::string_view text) {
  if (text.empty() || text.front() != '"') return {};
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return text.substr(0, i + 1);
    }
  }
  return {};
}

bool take_string(std::string_view& text, std::string& out) {
  skip_blanks(text);
  const std::string_view quoted = front_string(text);
  if (quoted.empty()) return false;
  const std::string_view inner = quoted.substr(1, quoted.size() - 2);
  text.remove_prefix(quoted.size());
  if (inner.find('\\') == std::string_view::npos) {
    out = inner;
    return true;
  }
  const std::optional<Json> json = parse_json(quoted);
  if (!json || !json->is_string()) return false;
  out = json->get<std::string>();
  return true;
}

bool take_text(std::string_view& text, std::string& out) {
  if (!take(text, '{')) return take_string(text, out);
  std::string name, hex;
  if (!take_string(text, name) || name != "bytes" || !take(text, ':') || !take_string(text, hex))
    return false;
  if (!take(text, '}') || hex.size() % 2 != 0) return false;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const std::size_t high = kDigits.find(hex[i]), low = kDigits.find(hex[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return false;
    out += static_cast<char>(high * 16 + low);
  }
  return true;
}

}  // namespace

void DistinctWindow::encode(std::string& out) const {
  out += '[';
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    out += i > 0 ? ",[" : "[";
    put_text(out, entries_[i].value->text);
    for (const Timestamp time : entries_[i].value->older) {
      out += ',';
      put_int(out, time.us);
    }
    out += ',';
    put_int(out, entries_[i].newest.us);
    out += ']';
  }
  out += ']';
}

std::optional<DistinctWindow> DistinctWindow::decode(std::string_view& text) {
  DistinctWindow window;
  const auto value = [&](std::string_view& rest) {
    Entry entry{{}, 0, std::make_unique<Value>()};
    std::vector<Timestamp>& times = entry.value->older;
    bool first = true;
    const bool read = take_array(rest, [&](std::string_view& element) {
      if (std::exchange(first, false)) return take_text(element, entry.value->text);
      Timestamp time;
      if (times.size() == kMaxTimes || !take_int(element, time.us)) return false;
      if (!times.empty() && time <= times.back()) return false;
      times.push_back(time);
      return true;
    });
    if (!read || times.empty() || window.entries_.size() == kMaxValues) return false;
    entry.newest = times.back();
    times.pop_back();
    times.shrink_to_fit();
    entry.hash = hash64(entry.value->text);
    if (!window.entries_.empty() && entry.newest < window.entries_.back().newest) return false;
    window.entries_.push_back(std::move(entry));
    return true;
  };
  if (!take_array(text, value)) return std::nullopt;
  window.entries_.shrink_to_fit();
  return window;
}

}  // namespace correlator::window
