// SPDX-License-Identifier: Apache-2.0
// Window rows as the first version of the database had them: {"k":[…],"s":…,"e":[…],"n":…,"u":1,"c":…,"f":{…}}. They
// stand there until their window changes.
#include <charconv>

#include "base/json.h"
#include "key_body.h"
#include "rows.h"

namespace correlator::engine {
namespace {

class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool eat(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool at(char c) const { return !rest_.empty() && rest_[0] == c; }
  bool done() const { return rest_.empty(); }

  // One JSON value, whatever it is; empty if it does not end.
  std::string_view value() {
    std::size_t i = 0;
    int depth = 0;
    bool quoted = false;
    for (; i < rest_.size(); ++i) {
      const char c = rest_[i];
      if (quoted) {
        if (c == '\\') ++i;
        if (c == '"') quoted = false;
      } else if (c == '"') {
        quoted = true;
      } else if (c == '[' || c == '{') {
        ++depth;
      } else if (c == ']' || c == '}') {
        if (depth == 0) break;
        --depth;
      } else if (c == ',' && depth == 0) {
        break;
      }
    }
    if (quoted || depth != 0) return {};
    const std::string_view out = rest_.substr(0, i);
    rest_.remove_prefix(i);
    return out;
  }

  template <class Integer>
  bool number(Integer& n) {
    const auto read = std::from_chars(rest_.data(), rest_.data() + rest_.size(), n);
    if (read.ec != std::errc()) return false;
    rest_.remove_prefix(static_cast<std::size_t>(read.ptr - rest_.data()));
    return true;
  }

 private:
  std::string_view rest_;
};

// Texts without escapes and plain numbers are read here, everything else by the JSON reader.
std::optional<std::vector<expr::Value>> key_of(std::string_view text) {
  Scanner in(text);
  std::vector<expr::Value> out;
  if (!in.eat('[')) return std::nullopt;
  while (!in.at(']')) {
    if (!out.empty() && !in.eat(',')) return std::nullopt;
    const std::string_view item = in.value();
    if (item.size() >= 2 && item[0] == '"' && item.find('\\') == std::string_view::npos) {
      out.emplace_back(item.substr(1, item.size() - 2));
      continue;
    }
    const auto json = parse_json(item);
    if (!json) return std::nullopt;
    auto value = expr::from_json(*json);
    if (!value) return std::nullopt;
    out.push_back(std::move(*value));
  }
  return out;
}

std::optional<Evidence> lines_of(std::string_view text) {
  Scanner in(text);
  Evidence out;
  std::uint64_t trust = 0;
  if (!in.eat('[') || !in.number(out.total) || !in.eat(',')) return std::nullopt;
  if (in.at('"')) {
    const auto json = parse_json(text);
    return json ? Evidence::from_json(*json) : std::nullopt;
  }
  if (!in.number(trust) || trust > 2) return std::nullopt;
  TrailLine line;
  line.trust = static_cast<Trust>(trust);
  while (in.eat(',')) {
    std::int64_t time = 0, seq = 0;
    if (!in.number(time) || !in.eat(',') || !in.number(seq)) return std::nullopt;
    line.time.us += time;
    line.seq += static_cast<std::uint64_t>(seq);
    out.lines.push_back(line);
  }
  if (!in.eat(']')) return std::nullopt;
  return out;
}

}  // namespace

bool read_json_key_body(std::string_view body, KeyBody& out) {
  Scanner in(body);
  bool key = false;
  if (!in.eat('{')) return false;
  for (;;) {
    if (!in.eat('"') || in.done()) return false;
    std::string_view name;
    char letter = 0;
    for (const char c : std::string_view("ksencuf")) {
      if (in.eat(c)) {
        letter = c;
        break;
      }
    }
    if (letter == 0 || !in.eat('"') || !in.eat(':')) return false;
    const std::string_view value = in.value();
    if (value.empty()) return false;
    Timestamp time;
    switch (letter) {
      case 'k': {
        auto values = key_of(value);
        if (!values) return false;
        out.room = pack(*values);
        out.key = out.room;
        key = true;
        break;
      }
      case 's':
        out.state = value;
        break;
      case 'e':
        out.lines = lines_of(value);
        if (!out.lines) return false;
        break;
      case 'n':
      case 'c':
        if (!Scanner(value).number(time.us)) return false;
        (letter == 'n' ? out.newest : out.decided_at) = time;
        break;
      case 'u':
        out.untrusted = true;
        break;
      default:
        out.frozen = value;
        break;
    }
    if (in.eat('}')) break;
    if (!in.eat(',')) return false;
  }
  if (!key || out.state.empty()) return false;
  return true;
}

}  // namespace correlator::engine
