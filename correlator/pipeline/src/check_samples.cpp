// SPDX-License-Identifier: Apache-2.0
#include "check_samples.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "pipeline/session.h"

namespace correlator::pipeline {
namespace {

using rules::EventDef;
using rules::Sample;

// Samples are so far apart that no window, record or group reaches from one to the next.
constexpr Duration kApart = Duration::days(3);

// The message text alone gets a header that fits the event's `from`; a whole line stays as it is.
std::string dressed(const EventDef& event, const std::string& line, std::size_t number) {
  syslog::Parser parser;
  syslog::Message message;
  if (!parser.parse(line, message)) return line;
  const bool has_header = message.stamp.kind != syslog::Stamp::Kind::none || !message.host.empty() ||
                          message.format != syslog::Format::raw;
  if (has_header) return line;
  const std::string host = fmt::format("sample{}", number);
  switch (event.from.kind) {
    case rules::From::Kind::kernel: return fmt::format("2026-01-01T00:00:00Z {} kernel: {}", host, line);
    case rules::From::Kind::program:
      return fmt::format("2026-01-01T00:00:00Z {} {}: {}", host, event.from.name.empty() ? "program" : event.from.name, line);
    case rules::From::Kind::input:
      return fmt::format("2026-01-01T00:00:00Z {} {} daemon.info program: {}", host, event.from.name, line);
    case rules::From::Kind::any: break;
  }
  return fmt::format("2026-01-01T00:00:00Z {} program: {}", host, line);
}

Diagnostic failed(const Sample& sample, std::string message, std::string hint) {
  Diagnostic d = make_error("E070", std::move(message), std::move(hint));
  d.place = sample.place;
  return d;
}

class Samples {
 public:
  Samples(Session& session, std::vector<engine::Event>& events) : session_(session), events_(events) {}

  std::optional<Diagnostic> run(const rules::RuleSet& rules, const EventDef& event, const Sample& sample) {
    events_.clear();
    now_ = now_ + kApart;
    ++number_;
    bool matched = false;
    for (const std::string& text : sample.lines) {
      const std::string frame = dressed(event, text, number_);
      Line line;
      line.frame = frame;
      line.stream = "sample";
      line.line_number = ++line_number_;
      line.time = now_;
      matched = session_.line(line) || matched;
    }
    session_.end();
    std::erase_if(events_, [&](const engine::Event& e) { return e.definition != event.index; });
    if (sample.reject) {
      if (events_.empty()) return std::nullopt;
      return failed(sample, fmt::format("event \"{}\": this sample must be rejected, but it gave {}", event.id, rules.classes[events_[0].cls].name),
                    "make the pattern narrower");
    }
    if (events_.empty()) {
      return failed(sample, fmt::format("event \"{}\": this sample gave no event", event.id),
                    matched ? "a pattern matches, but `from`, a required field or `needs` is missing: try `correlator explain`"
                            : "no pattern matches: try `correlator explain`");
    }
    return compare(rules, event, sample, events_[0]);
  }

 private:
  static std::optional<Diagnostic> compare(const rules::RuleSet& rules, const EventDef& event, const Sample& sample,
                                           const engine::Event& got) {
    const std::string& cls = rules.classes[got.cls].name;
    if (!sample.expect_class.empty() && sample.expect_class != cls) {
      return failed(sample, fmt::format("event \"{}\": expected class {}, got {}", event.id, sample.expect_class, cls), "");
    }
    for (const auto& [name, wanted] : sample.expect) {
      const expr::Value value = name == "weight" ? expr::Value(got.weight) : got.fields.get(rules.field(name));
      if (value == wanted || expr::to_text(value) == expr::to_text(wanted)) continue;
      return failed(sample, fmt::format("event \"{}\": expected {} = {}, got {}", event.id, name, printable(expr::to_text(wanted)),
                                        value.is_none() ? "none" : printable(expr::to_text(value))),
                    "");
    }
    return std::nullopt;
  }

  Session& session_;
  std::vector<engine::Event>& events_;
  Timestamp now_ = *parse_rfc3339("2026-01-01T00:00:00Z");
  std::size_t number_ = 0;
  std::uint64_t line_number_ = 0;
};

}  // namespace

void check_samples(const std::shared_ptr<const Matcher>& matcher, const std::function<bool(const Place&)>& wanted, CheckReport& report) {
  const rules::RuleSet& rules = *matcher->rules();
  const bool any = std::any_of(rules.events.begin(), rules.events.end(), [&](const EventDef& event) {
    return std::any_of(event.samples.begin(), event.samples.end(), [&](const Sample& sample) { return wanted(sample.place); });
  });
  if (!any) return;
  std::vector<engine::Event> events;
  SessionOptions options;
  options.matcher = matcher;
  options.load_lookups = false;
  auto session = Session::start(matcher->rules(), std::nullopt, options, [&](const engine::StepOutput& out, const rules::RuleSet&) {
    events.insert(events.end(), out.events.begin(), out.events.end());
  });
  if (!session) {
    report.diagnostics.push_back(session.error());
    return;
  }
  Samples samples(**session, events);
  for (const EventDef& event : rules.events) {
    for (const Sample& sample : event.samples) {
      if (!wanted(sample.place)) continue;
      ++report.samples;
      if (auto problem = samples.run(rules, event, sample)) report.diagnostics.push_back(std::move(*problem));
    }
  }
}

}  // namespace correlator::pipeline
