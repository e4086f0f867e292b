// SPDX-License-Identifier: Apache-2.0
#include "rules/timeline.h"

#include <fmt/format.h>

#include "base/text.h"

namespace correlator::rules {
namespace {

constexpr Timestamp kDefaultBase = {1'767'225'600'000'000};  // 2026-01-01T00:00:00Z

// Takes words off the front of one line.
class Words {
 public:
  explicit Words(std::string_view line) : line_(line) {}

  std::string_view next() {
    skip_blanks();
    begin_ = at_;
    while (at_ < line_.size() && line_[at_] != ' ' && line_[at_] != '\t') ++at_;
    return line_.substr(begin_, at_ - begin_);
  }
  std::string_view peek() {
    const Words saved = *this;
    const std::string_view word = next();
    *this = saved;
    return word;
  }
  std::string_view rest() {
    skip_blanks();
    return line_.substr(at_);
  }
  std::uint32_t column() const { return static_cast<std::uint32_t>(begin_ + 1); }  // of the word taken last

 private:
  void skip_blanks() {
    while (at_ < line_.size() && (line_[at_] == ' ' || line_[at_] == '\t')) ++at_;
  }

  std::string_view line_;
  std::size_t at_ = 0, begin_ = 0;
};

class Parser {
 public:
  Timeline run(std::string_view log, const Place& first) {
    place_ = first;
    indent_ = first.column > 0 ? first.column - 1 : 0;
    for (std::string_view line : split(log, "\n")) {
      if (line.ends_with('\r')) line.remove_suffix(1);
      one(line);
      ++place_.line;
      indent_ = 0;
    }
    return std::move(out_);
  }

 private:
  void fail(std::string_view line, std::uint32_t column, std::size_t length, std::string message,
            std::string hint) {
    Diagnostic d = make_error("E035", std::move(message), std::move(hint));
    d.place = place_;
    d.place.column = column + indent_;
    d.source = std::string(indent_, ' ') + std::string(line);
    d.caret_length = static_cast<std::uint32_t>(std::max<std::size_t>(length, 1));
    out_.diagnostics.push_back(std::move(d));
  }

  void one(std::string_view line) {
    const std::string_view text = trim(line);
    if (text.empty() || text.starts_with('#')) return;
    if (text.starts_with("---")) {
      directive(line);
    } else {
      log_line(line);
    }
  }

  TimelineStep step(TimelineStep::Kind kind) const {
    TimelineStep out;
    out.kind = kind;
    out.place = place_;
    out.place.column = 1 + indent_;
    return out;
  }

  void log_line(std::string_view line) {
    Words words(line);
    const std::string_view time = words.next();
    TimelineStep out = step(TimelineStep::Kind::line);
    const auto absolute = parse_rfc3339(time);
    if (!based_) {
      out_.base = absolute ? *absolute : kDefaultBase;
      based_ = true;
    }
    const auto moment = absolute ? absolute : parse_moment(time, out_.base);
    if (!moment) {
      fail(line, words.column(), time.size(), fmt::format("\"{}\" is no time", printable(time)),
           "begin the line with 2026-01-01T00:00:00Z, or with +1h from the first line");
      return;
    }
    out.time = *moment;
    if (words.peek().starts_with('@')) {
      const std::string_view arrival = words.next();
      out.arrival = parse_moment(arrival.substr(1), out_.base);
      if (!out.arrival) {
        fail(line, words.column(), arrival.size(),
             fmt::format("\"{}\" is no arrival time", printable(arrival)),
             "write @+2h or @2026-01-01T00:00:00Z");
        return;
      }
    }
    input(words, out);
    out.host = std::string(words.next());
    input(words, out);
    out.text = std::string(words.rest());
    if (out.host.empty() || out.text.empty()) {
      fail(line, 1, line.size(), out.host.empty() ? "the host is missing" : "the message is missing",
           "write TIME HOST PROGRAM: TEXT");
      return;
    }
    out_.steps.push_back(std::move(out));
  }

  static void input(Words& words, TimelineStep& out) {
    const std::string_view word = words.peek();
    if (word.size() < 3 || !word.starts_with('{') || !word.ends_with('}')) return;
    out.input = std::string(word.substr(1, word.size() - 2));
    words.next();
  }

  void directive(std::string_view line) {
    Words words(line);
    words.next();  // ---
    const std::string_view what = words.next();
    const std::uint32_t column = words.column();
    if (what == "restart" && words.rest().empty()) {
      out_.steps.push_back(step(TimelineStep::Kind::restart));
    } else if (what == "until") {
      TimelineStep out = step(TimelineStep::Kind::until);
      const std::string_view moment = words.next();
      const auto time = parse_moment(moment, based_ ? out_.base : kDefaultBase);
      if (!time || !words.rest().empty()) {
        fail(line, words.column(), moment.size(), fmt::format("\"{}\" is no time", printable(moment)),
             "write --- until +2h");
        return;
      }
      out.time = *time;
      out_.steps.push_back(std::move(out));
    } else if (what == "ack" && !words.peek().empty()) {
      TimelineStep out = step(TimelineStep::Kind::ack);
      out.target = std::string(words.next());
      out.key = std::string(trim(words.rest()));
      out_.steps.push_back(std::move(out));
    } else if (what == "action") {
      outcome(line, words);
    } else if (what == "probe") {
      probe(line, words);
    } else {
      fail(line, column, what.size(),
           fmt::format("\"{}\" is nothing that can happen between lines",
                       printable(trim(line.substr(line.find("---") + 3)))),
           "write --- restart, --- until +2h, --- ack RULE, --- action NAME fails, or --- probe NAME failed");
    }
  }

  void outcome(std::string_view line, Words& words) {
    TimelineStep out = step(TimelineStep::Kind::fails);
    out.target = std::string(words.next());
    const std::string_view result = words.next();
    if (result == "succeeds") out.kind = TimelineStep::Kind::succeeds;
    if ((result != "fails" && result != "succeeds") || !words.rest().empty()) {
      fail(line, words.column(), result.size(), "it does not say how the action ended",
           "write --- action NAME fails, or --- action NAME succeeds");
      return;
    }
    out_.steps.push_back(std::move(out));
  }

  void probe(std::string_view line, Words& words) {
    TimelineStep out = step(TimelineStep::Kind::probe_ok);
    out.target = std::string(words.next());
    const std::string_view result = words.next();
    if (result == "failed") out.kind = TimelineStep::Kind::probe_failed;
    if (result == "broken") out.kind = TimelineStep::Kind::probe_broken;
    if (result != "ok" && result != "failed" && result != "broken") {
      fail(line, words.column(), result.size(), "it does not say how the probe ended",
           "write --- probe NAME failed [ROW [OUTPUT]]; or ok, or broken");
      return;
    }
    out.host = std::string(words.next());
    out.text = std::string(trim(words.rest()));
    out_.steps.push_back(std::move(out));
  }

  Timeline out_{kDefaultBase, {}, {}};
  Place place_;
  std::uint32_t indent_ = 0;
  bool based_ = false;
};

}  // namespace

std::optional<Timestamp> parse_moment(std::string_view text, Timestamp base) {
  if (text.starts_with('+')) {
    const auto offset = parse_duration(text.substr(1));
    if (!offset) return std::nullopt;
    return base + *offset;
  }
  return parse_rfc3339(text);
}

Timeline parse_timeline(std::string_view log, const Place& first) {
  return Parser().run(log, first);
}

}  // namespace correlator::rules
