// SPDX-License-Identifier: Apache-2.0
#include "trusted_job.h"

#include <fmt/format.h>

#include <algorithm>

#include "admission.h"
#include "base/json.h"
#include "base/text.h"

namespace correlator::dispatch {
namespace {

using store::Job;
using store::JobState;
using Parts = std::vector<std::vector<std::string>>;

// The templates that a step of ours has for an action.
struct Use {
  const std::vector<expr::Template>* args = nullptr;
  const std::optional<expr::Template>* serial = nullptr;
};

// A step with that number that does that action, or falls back to it.
std::optional<Use> use_in(const std::vector<rules::Step>& steps, std::uint32_t number, std::uint32_t action) {
  for (const rules::Step& step : steps) {
    if (step.number != number) continue;
    if (step.action == action) return Use{&step.args, &step.serial_by};
    if (step.or_else == action) return Use{&step.or_else_args, &step.or_else_serial_by};
  }
  return std::nullopt;
}

std::optional<Use> find_use(const rules::Rule& rule, std::uint32_t number, std::uint32_t action) {
  if (auto use = use_in(rule.then, number, action)) return use;
  if (auto use = use_in(rule.then_clear, number, action)) return use;
  if (auto use = use_in(rule.then_over, number, action)) return use;
  for (const auto& set : rule.set) {
    if (auto use = use_in(set.at_end, number, action)) return use;
  }
  return std::nullopt;
}

std::optional<Parts> read_parts(const std::string& text) {
  const auto json = parse_json(text);
  if (!json || !json->is_array()) return std::nullopt;
  Parts parts;
  for (const Json& list : *json) {
    if (!list.is_array() || !std::all_of(list.begin(), list.end(), [](const Json& one) { return one.is_string(); })) return std::nullopt;
    parts.push_back(list.get<std::vector<std::string>>());
  }
  return parts;
}

// Why the decision may not run; empty if argv and serial were made.
std::string fill(Job& job, const store::StoredDecision& decision, const rules::RuleSet& rules) {
  const auto rule = rules.find_rule(decision.rule);
  const auto action = rules.find_action(decision.action);
  if (!rule || !action) return fmt::format("these rules have no {}", rule ? fmt::format("action {}", decision.action) : fmt::format("rule {}", decision.rule));
  const auto use = find_use(rules.rules[*rule], decision.step, *action);
  if (!use) return fmt::format("step {} of {} does not run {} by these rules", decision.step, decision.rule, decision.action);
  const auto parts = read_parts(decision.arguments);
  const std::size_t wanted = use->args->size() + (use->serial->has_value() ? 1 : 0);
  if (!parts || parts->size() != wanted) return fmt::format("{} has other arguments by these rules: was a reload of one side forgotten?", decision.action);
  for (std::size_t i = 0; i < use->args->size(); ++i) {
    const expr::Template& argument = (*use->args)[i];
    std::string text = argument.assemble((*parts)[i]);
    // The engine refuses this, too; a program must not take what was captured for an option.
    if (argument.is_single() && !argument.is_constant() && text.starts_with('-')) {
      return fmt::format("argument {} is a substitution that begins with \"-\"", i + 1);
    }
    if (text.find('\0') != std::string::npos) return fmt::format("argument {} holds a NUL byte", i + 1);
    job.argv.push_back(std::move(text));
  }
  if (use->serial->has_value()) job.serial = (*use->serial)->assemble(parts->back());
  const auto document = parse_json(decision.document);
  job.budget = budget_key(rules.actions[*action], rules, document && document->is_object() ? document->value("key", Json::object()) : Json::object());
  return {};
}

}  // namespace

std::optional<Job> make_job(const store::StoredDecision& decision, const rules::RuleSet& rules, Timestamp now) {
  if (decision.action.empty() || decision.fate != "decided") return std::nullopt;
  Job job;
  job.decision = decision.id;
  job.rule = decision.rule;
  job.action = decision.action;
  job.document = decision.document;
  job.decided = decision.time;
  job.received = now;
  job.taken = decision.n;
  if (std::string why = fill(job, decision, rules); !why.empty()) {
    job.state = JobState::refused;
    job.reason = std::move(why);
  }
  return job;
}

}  // namespace correlator::dispatch
