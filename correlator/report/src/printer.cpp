// SPDX-License-Identifier: Apache-2.0
#include "report/printer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "decision_words.h"
#include "engine/json.h"

namespace correlator::report {
namespace {

constexpr const char* kBold = "1";
constexpr const char* kRed = "1;31";
constexpr const char* kYellow = "33";
constexpr const char* kDim = "2";

// Long lines of evidence are cut for people; --json has them whole.
constexpr std::size_t kMaxText = 160;

const char* tint_of(std::string_view severity) {
  if (severity == "fatal" || severity == "uncorrected" || severity == "critical") return kRed;
  if (severity == "corrected" || severity == "deferred" || severity == "recoverable" || severity == "warning")
    return kYellow;
  return kDim;
}

bool is_plain_word(std::string_view word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_=./:,@%+#").find(c) != std::string_view::npos;
  });
}

// What became of the action, in the words of a person who reads a replay.
std::string action_line(const DecisionWords& decision, Tense tense) {
  if (decision.action.empty()) return "nothing to run: this rule only reports";
  std::vector<std::string> words = {std::string(decision.action)};
  words.insert(words.end(), decision.argv.begin(), decision.argv.end());
  const std::string command = command_line(words);
  if (!decision.fate.empty()) return fmt::format("{}: {} ({})", decision.fate, command, printable(decision.reason));
  const char* verb = tense == Tense::would ? "would run:" : tense == Tense::runs ? "runs:" : "action";
  return fmt::format("{} {}", verb, command);
}

}  // namespace

std::string command_line(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) {
    if (!out.empty()) out += ' ';
    if (is_plain_word(word)) {
      out += word;
      continue;
    }
    out += '\'';
    for (const char c : printable(word)) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    out += '\'';
  }
  return out;
}

void Printer::put(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), out_) != text.size()) good_ = false;
}

std::string Printer::tint(std::string_view text, const char* code) const {
  return options_.colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
}

void Printer::object(const Json& json) {
  put(to_line(json) + "\n");
}

void Printer::event(const engine::Event& event, const rules::RuleSet& rules) {
  if (options_.json) return object(engine::to_json(event, rules));
  const std::string severity(to_string(event.severity));
  std::string line =
      fmt::format("{}  {}  {:<22} {}  {}", to_rfc3339(event.time),
                  printable(expr::to_text(event.fields.get(rules::kHost))), rules.classes[event.cls].name,
                  tint(fmt::format("{:<11}", severity), tint_of(severity)),
                  printable(expr::to_text(event.fields.get(rules::kPart))));
  if (event.weight != 1) line += fmt::format("  ×{}", event.weight);
  for (const auto& [set, word] : {std::pair{event.late, "late"},
                                  {event.stale, "stale"},
                                  {event.implausible, "implausible"},
                                  {event.folded, "same error"},
                                  {!rules.classes[event.cls].counts, "notice"}}) {
    if (set) line += fmt::format("  ({})", word);
  }
  if (!event.file.empty()) {
    line += tint(fmt::format("  {}:{}", printable(event.file), event.line_number), kDim);
    if (event.line_numbers.size() > 1)
      line += tint(fmt::format(" and {} more", event.line_numbers.size() - 1), kDim);
  }
  put(line + "\n");
}

std::string Printer::decision_text(const DecisionWords& decision) const {
  std::string out = fmt::format("{} {}  {}  {}\n", tint("DECISION", tint_of(decision.urgency)), decision.time,
                                tint(printable(decision.rule), kBold), printable(decision.key));
  out += fmt::format("  why    {}\n", printable(decision.why));
  out += fmt::format("  {}\n", action_line(decision, options_.tense));
  constexpr std::size_t kShown = 8;
  const auto& input = decision.input;
  if (!input.empty()) out += fmt::format("  stdin  {}\n", counted(input.size(), "line"));
  for (std::size_t i = 0; i < std::min(input.size(), kShown); ++i)
    out += tint(fmt::format("  > {}\n", shorten(printable(input[i]), kMaxText)), kDim);
  if (input.size() > kShown) out += tint(fmt::format("  > … {} more\n", input.size() - kShown), kDim);
  for (const DecisionWords::Line& line : decision.evidence) {
    const std::string place = line.place.empty() ? "" : fmt::format("  [{}]", printable(line.place));
    out += tint(fmt::format("  | {} {} {}{}\n", line.time, printable(line.host), shorten(printable(line.text), kMaxText), place), kDim);
  }
  if (decision.evidence_total > decision.evidence.size())
    out += tint(fmt::format("  | … {} in all\n", counted(decision.evidence_total, "line")), kDim);
  return out + tint(fmt::format("  id     {}\n", decision.id), kDim);
}

void Printer::decision(const engine::Decision& decision) {
  if (options_.json) return object(engine::to_json(decision));
  put(decision_text(words_of(decision)));
}

void Printer::stored_decision(std::string_view document) {
  if (options_.json) return put(std::string(document) + "\n");
  try {
    if (const auto json = parse_json(document); json && json->is_object()) return put(decision_text(words_of(*json)));
  } catch (const Json::exception&) {  // a member of another type: the database was changed by hand
  }
  put(printable(document) + "\n");
}

void Printer::window(const engine::WindowView& window) {
  if (options_.json) {
    Json key = Json::object();
    for (const auto& [name, value] : window.key) key[name] = engine::plain_json(value);
    return object({{"type", "window"},
                   {"time", to_rfc3339(window.newest)},
                   {"rule", window.rule},
                   {"key", std::move(key)},
                   {"have", window.have},
                   {"need", window.need},
                   {"open", window.open_case},
                   {"stands", window.stands}});
  }
  put(fmt::format("{}  {}  {}{}\n", tint(printable(window.rule), kBold),
                  printable(engine::to_text(window.key)), printable(window.stands),
                  window.open_case ? tint("  case open", kYellow) : ""));
}

void Printer::outcome(const store::Job& job, Timestamp time) {
  const std::string_view state = to_string(job.state);
  if (options_.json) {
    Json object = {{"type", "outcome"}, {"time", to_rfc3339(time)}, {"decision", job.decision},
                   {"rule", job.rule},  {"action", job.action},     {"argv", job.argv},
                   {"state", state},    {"tries", job.tries},       {"reason", job.reason}};
    return this->object(object);
  }
  const bool good = job.state == store::JobState::done || job.state == store::JobState::shadow;
  const bool bad = job.state == store::JobState::failed || job.state == store::JobState::timed_out ||
                   job.state == store::JobState::unknown;
  std::vector<std::string> words = {job.action};
  words.insert(words.end(), job.argv.begin(), job.argv.end());
  put(fmt::format("ACTION   {}  {}  {}{}\n", to_rfc3339(time),
                  tint(state, bad    ? kRed
                              : good ? kBold
                                     : kYellow),
                  command_line(words),
                  job.reason.empty() ? "" : fmt::format("  ({})", printable(job.reason))));
  put(tint(fmt::format("  id     {}\n", job.decision), kDim));
}

void Printer::summary(const Summary& s) {
  const engine::Counters& c = s.counters;
  if (options_.json) {
    return object({{"type", "summary"},
                   {"lines", s.lines},
                   {"events", c.events},
                   {"decisions", c.decisions},
                   {"late", c.late},
                   {"undated", c.undated},
                   {"clamped", c.clamped},
                   {"open", s.open_windows},
                   {"cases", s.open_cases},
                   {"forged", c.forged},
                   {"incomplete", c.incomplete},
                   {"keyless", c.keyless},
                   {"ambiguous", c.ambiguous},
                   {"evicted", c.evicted},
                   {"cooled", c.cooled},
                   {"folded", c.folded},
                   {"outcomes", c.outcomes},
                   {"reloads", c.reloads},
                   {"bytes_not_read", s.passed_over},
                   {"seconds", s.seconds}});
  }
  std::string out = fmt::format("{}, {}, {}; {} and {} still open", counted(s.lines, "line"),
                                counted(c.events, "event"), counted(c.decisions, "decision"),
                                counted(s.open_windows, "window"), counted(s.open_cases, "case"));
  for (const auto& [n, word] : {std::pair{c.late, "late"},
                                {c.undated, "undated"},
                                {c.clamped, "clamped"},
                                {c.forged, "forged"},
                                {c.ambiguous, "ambiguous"},
                                {c.evicted, "evicted"}}) {
    if (n > 0) out += fmt::format(", {} {}", n, word);
  }
  if (s.passed_over > 0) {
    out += fmt::format(", {:.1f} of {:.1f} MB not read", static_cast<double>(s.passed_over) / 1e6, static_cast<double>(s.size) / 1e6);
  }
  put(fmt::format("{} ({:.1f} s)\n", out, s.seconds));
}

void Printer::note(std::string_view text) {
  if (!options_.json) put(fmt::format("{}\n", printable(text)));
}

void Printer::blank() {
  if (!options_.json) put("\n");
}

}  // namespace correlator::report
