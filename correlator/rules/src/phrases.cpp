// SPDX-License-Identifier: Apache-2.0
// Values that are small languages of their own: durations, "10 in 24h", cron expressions, zones.
#include <fmt/format.h>

#include <array>

#include "base/text.h"
#include "context.h"

namespace correlator::rules {

std::optional<std::string> Context::substituted(const Node& node) {
  if (node.text.find("${") == std::string::npos) return node.text;
  const NameScope scope(*this);
  const auto result = text(node, scope, Guard::none);
  if (!result) return std::nullopt;
  if (!result->is_constant()) {
    error("E102", node.spot, "only settings can stand here", "write ${settings.NAME}");
    return std::nullopt;
  }
  return expr::to_text(*result->constant());
}

std::optional<Duration> Context::duration(const Node& node, bool zero) {
  const auto written = substituted(node);
  if (!written) return std::nullopt;
  const auto result = parse_duration(trim(*written));
  if (!result) {
    const std::string digits(trim(*written));
    const bool number = parse_uint(digits).has_value();
    error("E008", node.spot, fmt::format("\"{}\" is not a duration", *written),
          number ? fmt::format("write the unit: \"{}s\", \"{}m\", \"{}h\"", digits, digits, digits)
                 : "write for example \"90s\", \"1h30m\", \"72h\" or \"7d\": units w d h m s ms us, the "
                   "largest first");
    return std::nullopt;
  }
  if (result->us == 0 && !zero) {
    error("E010", node.spot, "a duration of nothing can never be met",
          "write a longer time, or take the key away");
    return std::nullopt;
  }
  return result;
}

std::optional<std::uint64_t> Context::integer(const Node& node, std::uint64_t least, std::uint64_t most) {
  std::uint64_t value = static_cast<std::uint64_t>(node.number);
  bool good = node.number >= 0;
  std::string written = std::to_string(node.number);
  if (node.is(Node::Kind::text)) {
    const auto text = substituted(node);
    if (!text) return std::nullopt;
    const auto parsed = parse_uint(trim(*text));
    good = parsed.has_value();
    value = parsed.value_or(0);
    written = *text;
    if (!good) {
      error("E004", node.spot, fmt::format("\"{}\" is not an integer", written),
            "the setting must hold a number");
      return std::nullopt;
    }
  }
  if (!good || value < least || value > most) {
    error("E010", node.spot, fmt::format("{} is not possible here", written),
          most == UINT64_MAX ? fmt::format("write at least {}", least)
                             : fmt::format("write {} to {}", least, most));
    return std::nullopt;
  }
  return value;
}

// "10 in 24h" and, with_what, "3 host in 1h".
std::optional<Context::Phrase> Context::phrase(const Node& node, bool with_what) {
  const auto written = substituted(node);
  if (!written) return std::nullopt;
  const std::string_view form = with_what ? "\"3 host in 1h\"" : "\"10 in 24h\"";
  const auto bad = [&](std::string message, std::string hint) -> std::optional<Phrase> {
    error("E009", node.spot, std::move(message), std::move(hint));
    return std::nullopt;
  };
  const std::string_view text = trim(*written);
  const auto in = text.rfind(" in ");
  if (in == std::string_view::npos) {
    return bad(fmt::format("\"{}\" is not a phrase such as {}", *written, form),
               "write a number, ` in ` and a duration");
  }
  const std::string_view head = trim(text.substr(0, in)), tail = trim(text.substr(in + 4));
  const auto blank = std::min(head.find(' '), head.size());
  Phrase out;
  const auto count = parse_uint(head.substr(0, blank));
  if (!count)
    return bad(fmt::format("\"{}\" does not begin with a number", *written), fmt::format("write {}", form));
  out.count = *count;
  out.what = std::string(trim(head.substr(blank)));
  if (out.what.empty() == with_what) {
    return bad(with_what ? "the phrase does not say what must differ"
                         : fmt::format("`{}` is too much in \"{}\"", out.what, *written),
               fmt::format("write {}", form));
  }
  const auto within = parse_duration(tail);
  if (!within) return bad(fmt::format("\"{}\" is not a duration", tail), fmt::format("write {}", form));
  out.within = *within;
  if (out.count == 0 || out.within.us == 0) {
    error("E010", node.spot,
          out.count == 0 ? "a threshold of zero is met before anything happens"
                         : "a window of no length holds nothing",
          "write at least 1 and a duration");
    return std::nullopt;
  }
  return out;
}

std::optional<Threshold> Context::threshold(const Node& node) {
  const auto parsed = phrase(node, false);
  if (!parsed) return std::nullopt;
  return Threshold{parsed->count, parsed->within};
}

std::optional<Zone> Context::zone_of(const Node& node) {
  auto found = Zone::find(node.text);
  if (found) return *found;
  error("E024", node.spot, found.error().message, found.error().hint);
  return std::nullopt;
}

namespace {

struct CronField {
  std::string_view name;
  std::uint32_t least, most;
};
constexpr std::array<CronField, 5> kCronFields{
    {{"minute", 0, 59}, {"hour", 0, 23}, {"day", 1, 31}, {"month", 1, 12}, {"weekday", 0, 7}}};
constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kWeekdays{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

std::optional<std::uint32_t> cron_number(std::string_view text, const CronField& field) {
  const std::string name = lower(text);
  for (std::uint32_t i = 0; field.most == 12 && i < kMonths.size(); ++i) {
    if (kMonths[i] == name) return i + 1;
  }
  for (std::uint32_t i = 0; field.most == 7 && i < kWeekdays.size(); ++i) {
    if (kWeekdays[i] == name) return i;
  }
  const auto number = parse_uint(text);
  if (!number || *number < field.least || *number > field.most) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

// "*", "5", "1-5", "*/15", "0-30/10", lists of those.
std::optional<std::uint64_t> cron_bits(std::string_view text, const CronField& field) {
  std::uint64_t bits = 0;
  for (std::string_view part : split(text, ",")) {
    std::uint32_t step = 1;
    if (const auto slash = part.find('/'); slash != std::string_view::npos) {
      const auto number = parse_uint(part.substr(slash + 1));
      if (!number || *number == 0 || *number > 60) return std::nullopt;
      step = static_cast<std::uint32_t>(*number);
      part = part.substr(0, slash);
    }
    std::uint32_t from = field.least, to = field.most == 7 ? 6 : field.most;
    if (part != "*") {
      const auto dash = part.find('-');
      const auto first = cron_number(part.substr(0, dash), field);
      const auto last = dash == std::string_view::npos ? first : cron_number(part.substr(dash + 1), field);
      if (!first || !last || *last < *first) return std::nullopt;
      from = *first;
      to = *last;
    }
    for (std::uint32_t n = from; n <= to; n += step) bits |= 1ULL << (field.most == 7 ? n % 7 : n);
  }
  return bits;
}

}  // namespace

std::optional<Cron> Context::cron(const Node& node, const Zone& default_zone) {
  const auto written = substituted(node);
  if (!written) return std::nullopt;
  std::vector<std::string_view> words;
  for (std::string_view word : split(*written, " ")) {
    if (!word.empty()) words.push_back(word);
  }
  if (words.size() != 5 && words.size() != 6) {
    error("E023", node.spot,
          fmt::format("a cron expression has 5 fields and perhaps a zone; this has {}", words.size()),
          "write \"minute hour day month weekday\", e.g. \"30 6 * * mon-fri Europe/Berlin\"");
    return std::nullopt;
  }
  std::array<std::uint64_t, 5> bits{};
  for (std::size_t i = 0; i < 5; ++i) {
    const auto parsed = cron_bits(words[i], kCronFields[i]);
    if (!parsed) {
      const CronField& field = kCronFields[i];
      error("E023", node.spot, fmt::format("\"{}\" is not possible for the {}", words[i], field.name),
            fmt::format("write *, a number from {} to {}, a range 1-5, a list 1,3 or a step */2", field.least,
                        field.most));
      return std::nullopt;
    }
    bits[i] = *parsed;
  }
  Cron cron;
  cron.minutes = bits[0];
  cron.hours = static_cast<std::uint32_t>(bits[1]);
  cron.days = static_cast<std::uint32_t>(bits[2]);
  cron.months = static_cast<std::uint16_t>(bits[3]);
  cron.weekdays = static_cast<std::uint8_t>(bits[4]);
  cron.day_or_weekday = !words[2].starts_with("*") && !words[4].starts_with("*");
  cron.zone = default_zone;
  cron.text = *written;
  if (words.size() == 6) {
    auto found = Zone::find(words[5]);
    if (!found) {
      error("E024", node.spot, found.error().message, found.error().hint);
      return std::nullopt;
    }
    cron.zone = *found;
  }
  return cron;
}

}  // namespace correlator::rules
