// SPDX-License-Identifier: Apache-2.0
#include "pipeline/control.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/json.h"
#include "base/text.h"

namespace correlator::pipeline {
namespace {

using Verb = engine::CommandRecord::Verb;
constexpr std::array<std::pair<std::string_view, Verb>, 6> kVerbs = {{{"ack", Verb::ack},
                                                                       {"repair", Verb::repair},
                                                                       {"reset", Verb::reset},
                                                                       {"silence", Verb::silence},
                                                                       {"hold", Verb::hold},
                                                                       {"release", Verb::release}}};

struct Met {
  std::size_t windows = 0, cases = 0;
};

Met met_by(const Session& session, const engine::CommandRecord& command) {
  Met met;
  session.engine().windows([&](const engine::WindowView& window) {
    if (window.rule != command.rule || (!command.key.empty() && engine::to_text(window.key) != command.key)) return;
    ++met.windows;
    met.cases += window.open_case ? 1 : 0;
  });
  return met;
}

Diagnostic no_rule(const rules::RuleSet& rules, const std::string& name) {
  std::vector<std::string> names;
  for (const rules::Rule& rule : rules.rules) names.push_back(rule.id);
  const std::string near = closest(name, names);
  return make_error("E512", fmt::format("no rule \"{}\" is in force", printable(name)),
                    near.empty() ? "`correlator windows` shows rules and keys" : fmt::format("did you mean \"{}\"?", near));
}

}  // namespace

std::string to_line(const ControlRequest& request) {
  return correlator::to_line(Json{{"verb", request.verb},
                                  {"rule", request.command.rule},
                                  {"key", request.command.key},
                                  {"lifetime", request.command.lifetime.us},
                                  {"author", request.command.author}});
}

Result<ControlRequest> parse_request(std::string_view line) {
  const auto json = parse_json(line);
  ControlRequest request;
  if (json && json->is_object()) request.verb = json->value("verb", "");
  const auto verb = std::find_if(kVerbs.begin(), kVerbs.end(), [&](const auto& one) { return one.first == request.verb; });
  if (request.verb != "reload" && request.verb != "metrics" && verb == kVerbs.end()) {
    return make_error("E511", "a request that this correlator does not know", "use the correlator command of the same version");
  }
  if (verb == kVerbs.end()) return request;
  request.command.verb = verb->second;
  request.command.rule = json->value("rule", "");
  request.command.key = json->value("key", "");
  request.command.lifetime = Duration{json->value("lifetime", std::int64_t{0})};
  request.command.author = json->value("author", "");
  return request;
}

Result<std::string> carry_out(Session& session, const ControlRequest& request) {
  const engine::CommandRecord& command = request.command;
  const auto rules = session.engine().rules();
  if (!rules->find_rule(command.rule)) return no_rule(*rules, command.rule);
  const Met met = met_by(session, command);
  // Silences and holds may come before what they are meant for.
  const bool needs_something = command.verb == Verb::ack || command.verb == Verb::repair || command.verb == Verb::reset;
  if (needs_something && met.windows == 0) {
    return make_error("E513", fmt::format("{} has no window{}", command.rule,
                                          command.key.empty() ? "" : fmt::format(" with the key {}", printable(command.key))),
                      fmt::format("`correlator windows --rule {}` shows its keys, as they are written here", command.rule));
  }
  session.command(command);
  const std::string whole = fmt::format("{}{}{}", command.rule, command.key.empty() ? "" : " ", printable(command.key));
  switch (command.verb) {
    case Verb::ack: return fmt::format("{}: {} acknowledged", whole, counted(met.cases, "open case"));
    case Verb::repair:
    case Verb::reset: return fmt::format("{}: {} closed, {} forgotten", whole, counted(met.cases, "case"), counted(met.windows, "window"));
    case Verb::silence: return fmt::format("{}: silenced for {} of log time", whole, to_string(command.lifetime));
    case Verb::hold: return fmt::format("{}: held until released", whole);
    default: return fmt::format("{}: released", whole);
  }
}

std::string answer_line(const Result<std::string>& answer) {
  if (answer) return correlator::to_line(Json{{"ok", true}, {"message", *answer}});
  return correlator::to_line(
      Json{{"ok", false}, {"code", answer.error().code}, {"message", answer.error().message}, {"hint", answer.error().hint}});
}

Result<std::string> parse_answer(std::string_view line) {
  const auto json = parse_json(line);
  if (!json || !json->is_object()) return make_error("E511", "an answer that this correlator does not know");
  if (json->value("ok", false)) return json->value("message", "");
  return make_error(json->value("code", "E414"), json->value("message", "it was refused"), json->value("hint", ""));
}

}  // namespace correlator::pipeline
