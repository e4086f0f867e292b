// SPDX-License-Identifier: Apache-2.0
// What goes on over several lines: opened by a match, one for each rule and description, ended by a line or by time.
#include <algorithm>
#include <cctype>

#include "core.h"
#include "variables.h"

namespace correlator::engine {

using rules::procedure::RuleType;

namespace {

Second window_of(const OpenOperation& op) {
  const rules::procedure::ProcedureRule& rule = *op.owner->rule;
  return rule.type == RuleType::two_thresholds && op.fired ? rule.window2 : rule.window;
}

bool is_pair(const RuleState& run) { return run.rule->type == RuleType::pair || run.rule->type == RuleType::pair_window; }

bool asks_cache(const rules::procedure::ProcedureRule& rule) {
  for (const auto& list : {rule.action, rule.action2, rule.init, rule.slide, rule.end}) {
    if (list != nullptr && list->asks_cache) return true;
  }
  if (rule.members.size() > 1 && rule.members[1].guard.text.find(":{") != std::string::npos) return true;
  return rule.description2.find(":{") != std::string::npos;
}

// Values go into a regular expression as text.
std::string quote_value(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && static_cast<unsigned char>(c) < 0x80) out += '\\';
    if (c == '\n') out += 'n';
    else out += c;
  }
  return out;
}

}  // namespace

OpenOperation* Procedure::Core::find(RuleState& run, const std::string& description) {
  const auto found = run.open.find(description);
  return found == run.open.end() ? nullptr : found->second.get();
}

OperationPtr Procedure::Core::open(RuleState& run, Setting setting) {
  auto op = std::make_shared<OpenOperation>();
  op->serial = ++serial;
  op->description = setting.description;
  op->owner = &run;
  op->setting = std::move(setting);
  op->opened = op->start = now;
  if (!asks_cache(*run.rule)) op->setting.scope.cache = nullptr;
  else op->setting.scope.cache = std::make_shared<MatchCache>(*cache);
  run.open[op->description] = op;
  if (is_pair(run)) run.by_age[op->serial] = op;
  schedule(op);
  return op;
}

// One of an earlier run goes on.
void Procedure::Core::resume(const OperationPtr& op) {
  op->owner->open[op->description] = op;
  if (is_pair(*op->owner)) op->owner->by_age[op->serial] = op;
  schedule(op);
}

void Procedure::Core::close(OpenOperation& op) {
  if (!op.alive) return;
  op.alive = false;
  if (is_pair(*op.owner)) op.owner->by_age.erase(op.serial);
  op.second.reset();
  op.times.clear();
  const auto found = op.owner->open.find(op.description);
  if (found != op.owner->open.end() && found->second.get() == &op) op.owner->open.erase(found);
}

void Procedure::Core::schedule(const OperationPtr& op) {
  const Second window = window_of(*op);
  if (!op->alive || window == 0) return;
  const Second at = op->start + window + 1;
  if (op->queued != -1 && op->queued <= at) return;
  op->queued = at;
  operation_heap.push({at, op->serial, op});
}

bool Procedure::Core::over(const OpenOperation& op) const {
  const Second window = window_of(op);
  return window > 0 && now - op.start > window;
}

void Procedure::Core::run_of(const OperationPtr& op, const rules::procedure::ActionListPtr& list) {
  if (list != nullptr) run(list, op->setting);
}

// The window of an operation is over.
void Procedure::Core::expire(const OperationPtr& op) {
  const rules::procedure::ProcedureRule& rule = *op->owner->rule;
  switch (rule.type) {
    case RuleType::pair_window:
      run_of(op, rule.action);
      return close(*op);
    case RuleType::threshold:
    case RuleType::two_thresholds:
      if (op->fired) {
        Setting last = op->setting;
        if (rule.type == RuleType::two_thresholds) last.description = match_text(rule.description2, last.scope, last.description_from_log);
        if (rule.action2 != nullptr) run(rule.action2, last);
        return close(*op);
      }
      while (!op->times.empty() && now - op->times.front() > rule.window) op->times.pop_front();
      if (op->times.empty()) return close(*op);
      op->start = op->times.front();
      return schedule(op);
    case RuleType::group:
      if (op->fired && !rule.fires_again) {
        op->busy = true;
        run_of(op, rule.end);
        return close(*op);
      }
      if (slide(op)) schedule(op);
      return;
    default: return close(*op);
  }
}

void Procedure::Core::suppress_repeats(RuleState& run, Setting setting) {
  OpenOperation* op = find(run, setting.description);
  if (op != nullptr && !over(*op)) return;
  if (op != nullptr) close(*op);
  const OperationPtr opened = open(run, std::move(setting));
  run_of(opened, run.rule->action);
}

namespace {

OperationPtr current(Procedure::Core& core, RuleState& run, const std::string& description) {
  const auto found = run.open.find(description);
  if (found == run.open.end()) return nullptr;
  const OperationPtr op = found->second;
  if (core.over(*op)) core.expire(op);
  return op->alive ? op : nullptr;
}

}  // namespace

void Procedure::Core::count(RuleState& run, Setting setting) {
  OperationPtr op = current(*this, run, setting.description);
  if (op == nullptr) op = open(run, std::move(setting));
  if (op->fired) return;
  op->times.push_back(now);
  if (op->times.size() < run.rule->members.front().threshold) return;
  op->fired = true;
  run_of(op, run.rule->action);
}

void Procedure::Core::count_twice(RuleState& run, Setting setting) {
  OperationPtr op = current(*this, run, setting.description);
  if (op == nullptr) op = open(run, std::move(setting));
  op->times.push_back(now);
  if (op->fired) {
    if (op->times.size() <= run.rule->threshold2) return;
    op->times.pop_front();
    op->start = op->times.empty() ? now : op->times.front();
    return schedule(op);
  }
  if (op->times.size() < run.rule->members.front().threshold) return;
  op->times.clear();
  op->start = now;
  op->fired = true;
  schedule(op);
  run_of(op, run.rule->action);
}

// False if the pattern for the second match cannot be made of this first one.
bool Procedure::Core::begin_pair(RuleState& run, Setting setting) {
  if (const OperationPtr op = current(*this, run, setting.description); op != nullptr) return true;
  const rules::procedure::LinePattern& second = run.rule->members[1].pattern;
  std::string text;
  std::vector<std::string> needles;
  std::optional<rules::TextPattern> compiled;
  if (second.from_match) {
    const bool regexp = second.type == rules::procedure::LinePattern::Type::regexp;
    for (std::size_t i = 0; i < second.text.size(); ++i) {
      const std::string_view behind = std::string_view(second.text).substr(i + 1);
      if (second.text[i] == '$' && !behind.empty() && behind.front() == '$') {
        text += '$';
        ++i;
        continue;
      }
      const MatchVariable variable = second.text[i] == '$' ? match_variable(behind) : MatchVariable{};
      if (variable.length == 0) {
        text += second.text[i];
        continue;
      }
      i += variable.length;
      bool from_log = false;
      const std::string value = match_text("$" + std::string(behind.substr(0, variable.length)), setting.scope, from_log);
      text += regexp ? quote_value(value) : value;
      if (!value.empty()) needles.push_back(value);
    }
    const bool plain = run.filters[1] != Filter::kAlways && second.text.find('|') == std::string::npos && second.text.find("(?") == std::string::npos;
    if (!plain || second.negated) needles.clear();
    if (regexp && !plain) {
      auto made = rules::TextPattern::compile(text, second.lines);
      if (!made) {
        say(2, "rule " + std::to_string(run.rule->number + 1) + " of " + run.file->file->name + ": pattern2 with these values is no regular expression: " + made.error().message);
        return false;
      }
      compiled = *std::move(made);
    }
  }
  const OperationPtr op = open(run, std::move(setting));
  op->second_text = std::move(text);
  op->needles = std::move(needles);
  op->second = std::move(compiled);
  if (run.rule->type == RuleType::pair) run_of(op, run.rule->action);
  return true;
}

std::optional<rules::procedure::Continue> Procedure::Core::end_pairs(const std::shared_ptr<FileState>& file, RuleState& run) {
  if (run.by_age.empty() || !filter.may_match(run.filters[1])) return std::nullopt;
  std::vector<OperationPtr> asked;
  for (const auto& [age, op] : run.by_age) asked.push_back(op);
  bool some = false;
  for (const OperationPtr& op : asked) {
    if (!op->alive) continue;
    if (run.rule->type == RuleType::pair && over(*op)) {
      close(*op);
      continue;
    }
    PatternHit hit;
    if (!second_matches(*op, hit)) continue;
    some = true;
    ++run.matches;
    Setting second = op->setting;
    second.file = file;
    const bool both = op->setting.scope.dollar != nullptr && hit.bindings != nullptr;
    if (both) second.scope = {hit.bindings, op->setting.scope.dollar, cache, op->setting.scope.cache};
    else if (hit.bindings != nullptr) second.scope = {hit.bindings, nullptr, cache, nullptr};
    second.description_from_log = false;
    second.description = match_text(run.rule->description2, second.scope, second.description_from_log);
    this->run(run.rule->action2, second);
    close(*op);
  }
  if (!some) return std::nullopt;
  return run.rule->members[1].then;
}

void Procedure::Core::group(RuleState& run, std::uint32_t member, Setting setting) {
  const rules::procedure::Member& matched = run.rule->members[member];
  OperationPtr op = current(*this, run, setting.description);
  if (op == nullptr) {
    op = open(run, setting);
    op->busy = true;
    run_of(op, run.rule->init);
    op->busy = false;
    if (!op->alive) return;
  }
  const bool done = op->fired && !run.rule->fires_again;
  if (!done) {
    op->marks.emplace_back(now, member);
    bool from_log = false;
    op->tokens.push_back(match_text(matched.token, setting.scope, from_log));
  }
  if (matched.count != nullptr) this->run(matched.count, setting);
  if (!op->alive || done || !group_complete(*op)) return;
  op->fired = true;
  run_of(op, run.rule->action);
}

bool Procedure::Core::group_complete(const OpenOperation& op) {
  const rules::procedure::ProcedureRule& rule = *op.owner->rule;
  std::vector<std::uint32_t> counted(rule.members.size());
  for (const auto& [time, member] : op.marks) ++counted[member];
  for (std::size_t i = 0; i < counted.size(); ++i) {
    if (counted[i] < rule.members[i].threshold) return false;
  }
  if (!rule.group) return true;
  std::string text;
  for (const std::string& token : op.tokens) text += (text.empty() && &token == &op.tokens.front() ? "" : " ") + token;
  switch (rule.group->type) {
    case rules::procedure::LinePattern::Type::substring: return (text.find(rule.group->text) != std::string::npos) != rule.group->negated;
    case rules::procedure::LinePattern::Type::regexp: {
      std::vector<std::string_view> groups;
      return rule.group->regexp->match(text, groups) != rule.group->negated;
    }
    default: break;
  }
  if (options.scripts == nullptr) return false;
  std::vector<std::string> tokens(op.tokens.begin(), op.tokens.end());
  std::vector<std::int64_t> times;
  for (const auto& [time, member] : op.marks) times.push_back(time);
  const std::vector<ScriptArgument> arguments{{text}, {{}, nullptr, &tokens}, {{}, nullptr, nullptr, &times}};
  const ScriptResult result = options.scripts->call(rule.group->code->number, arguments, true);
  if (result.failed) {
    say(2, "code of egpattern failed: " + result.error);
    return false;
  }
  const bool nothing = result.values.empty() || (result.values.size() == 1 && (!result.values[0] || result.values[0]->empty() || *result.values[0] == "0"));
  return nothing == rule.group->negated;
}

// Events that are too old go. False if none is left: the group ends with its last list.
bool Procedure::Core::slide(const OperationPtr& op) {
  const rules::procedure::ProcedureRule& rule = *op->owner->rule;
  while (!op->marks.empty() && now - op->marks.front().first > rule.window) {
    op->marks.pop_front();
    op->tokens.pop_front();
  }
  if (op->marks.empty()) {
    op->busy = true;
    run_of(op, rule.end);
    close(*op);
    return false;
  }
  op->start = op->marks.front().first;
  run_of(op, rule.slide);
  return op->alive;
}

namespace {

// The rules that reset, getwpos or setwpos mean.
std::vector<RuleState*> rules_meant(const Setting& setting, const rules::procedure::Action& action) {
  std::vector<RuleState*> out;
  if (setting.file == nullptr) return out;
  if (!action.numbered) {
    for (const auto& run : setting.file->rules) out.push_back(run.get());
    return out;
  }
  const std::int64_t index = action.relative ? static_cast<std::int64_t>(setting.rule) + action.number : action.number - 1;
  if (index >= 0 && index < static_cast<std::int64_t>(setting.file->rules.size())) out.push_back(setting.file->rules[static_cast<std::size_t>(index)].get());
  return out;
}

}  // namespace

void Procedure::Core::reset(const Setting& setting, const rules::procedure::Action& action, const std::string& description) {
  for (RuleState* run : rules_meant(setting, action)) {
    const auto found = run->open.find(description);
    if (found == run->open.end()) continue;
    const OperationPtr op = found->second;
    close(*op);
  }
}

OperationPtr Procedure::Core::named(const Setting& setting, const rules::procedure::Action& action, const std::string& description) {
  for (RuleState* run : rules_meant(setting, action)) {
    const auto found = run->open.find(description);
    if (found != run->open.end()) return found->second;
  }
  return nullptr;
}

// setwpos: the window begins later, and what happened before that does not count any more.
void Procedure::Core::move_window(const OperationPtr& op, Second to) {
  if (op->busy || to < op->start || to > now) return;
  const rules::procedure::ProcedureRule& rule = *op->owner->rule;
  const auto moved = [&](const OperationPtr& moving, Second start) {
    moving->start = start;
    schedule(moving);
  };
  if (rule.type == RuleType::group) {
    while (!op->marks.empty() && op->marks.front().first < to) {
      op->marks.pop_front();
      op->tokens.pop_front();
    }
    if (!op->marks.empty()) return moved(op, op->marks.front().first);
    op->busy = true;
    run_of(op, rule.end);
    return close(*op);
  }
  if (rule.type == RuleType::threshold || rule.type == RuleType::two_thresholds) {
    while (!op->times.empty() && op->times.front() < to) op->times.pop_front();
    if (op->times.empty() && !op->fired) return close(*op);
    return moved(op, op->times.empty() ? to : op->times.front());
  }
  moved(op, to);
}

}  // namespace correlator::engine
