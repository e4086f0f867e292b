// SPDX-License-Identifier: Apache-2.0
// Patterns against the lines at hand, and what a match leaves behind.
#include "core.h"

namespace correlator::engine {

using rules::procedure::LinePattern;

namespace {

std::shared_ptr<Bindings> bindings_of(const rules::TextPattern& regexp, const std::vector<std::string_view>& groups) {
  auto out = std::make_shared<Bindings>();
  out->numbered.resize(std::max<std::size_t>(groups.size(), 2));
  for (std::size_t i = 1; i < groups.size(); ++i) {
    if (groups[i].data() != nullptr) out->numbered[i] = std::string(groups[i]);
  }
  if (groups.size() == 1) out->numbered[1] = "1";  // what a match without groups is worth in Perl
  const auto& names = regexp.group_names();
  for (std::size_t i = 1; i < names.size() && i < groups.size(); ++i) {
    if (names[i].empty() || groups[i].data() == nullptr || out->find(names[i]) != nullptr) continue;
    out->named.emplace_back(names[i], out->numbered[i]);
  }
  return out;
}

}  // namespace

// The variables that every match has.
PatternHit Procedure::Core::bind_source(const LinePattern& pattern, std::string_view text) {
  auto out = std::make_shared<Bindings>();
  out->numbered.emplace_back(std::string(text));
  out->set("_inputsrc", buffers.sources(pattern.lines));
  out->set("_intcontext", line_context.empty() ? ScriptValue() : ScriptValue(line_context));
  return {true, std::move(out)};
}

void Procedure::Core::remember(const LinePattern& pattern, const std::shared_ptr<Bindings>& bindings) {
  std::vector<std::pair<std::string, ScriptValue>> mapped;
  for (const auto& [name, number] : pattern.names) {
    mapped.emplace_back(name, number < bindings->numbered.size() ? bindings->numbered[number] : ScriptValue());
  }
  for (auto& [name, value] : mapped) bindings->set(name, std::move(value));
  if (pattern.cache_as.empty()) return;
  if (cache.use_count() > 1) cache = std::make_shared<MatchCache>(*cache);  // a list that waits keeps what it saw
  (*cache)[pattern.cache_as] = bindings;
}

PatternHit Procedure::Core::match_text(const LinePattern& pattern, const rules::TextPattern& regexp) {
  static thread_local std::vector<std::string_view> groups;
  const std::string& text = buffers.last(pattern.lines);
  if (regexp.match(text, groups) == pattern.negated) return {};
  if (pattern.negated) return bind_source(pattern, text);
  auto bindings = bindings_of(regexp, groups);
  bindings->numbered[0] = text;
  bindings->set("_inputsrc", buffers.sources(pattern.lines));
  bindings->set("_intcontext", line_context.empty() ? ScriptValue() : ScriptValue(line_context));
  remember(pattern, bindings);
  return {true, std::move(bindings)};
}

namespace {

PatternHit match_code(Procedure::Core& core, const LinePattern& pattern) {
  const std::string text = core.buffers.last(pattern.lines);
  if (core.options.scripts == nullptr) return {};
  std::vector<ScriptArgument> arguments;
  for (std::uint32_t back = pattern.lines; back > 0; --back) arguments.push_back({core.buffers.line(back)});
  const std::uint32_t sources = core.options.joint_buffer ? pattern.lines : 1;
  for (std::uint32_t back = sources; back > 0; --back) {
    const std::string source = core.buffers.source(back);
    arguments.push_back({source == "synthetic" || source.empty() ? ScriptValue() : ScriptValue(source)});
  }
  ScriptResult result = core.options.scripts->call(pattern.code->number, arguments, true);
  if (result.failed) {
    core.say(2, "code of a pattern failed: " + result.error);
    return {};
  }
  const bool nothing = !result.fields && (result.values.empty() || (result.values.size() == 1 && (!result.values[0] || result.values[0]->empty() || *result.values[0] == "0")));
  if (nothing != pattern.negated) return {};
  if (pattern.negated) return core.bind_source(pattern, text);
  auto bindings = std::make_shared<Bindings>();
  bindings->numbered.emplace_back(text);
  if (result.fields) {
    bindings->named = std::move(result.fields->named);
  } else {
    bindings->numbered.insert(bindings->numbered.end(), result.values.begin(), result.values.end());
  }
  bindings->set("_inputsrc", core.buffers.sources(pattern.lines));
  bindings->set("_intcontext", core.line_context.empty() ? ScriptValue() : ScriptValue(core.line_context));
  core.remember(pattern, bindings);
  return {true, std::move(bindings)};
}

}  // namespace

PatternHit Procedure::Core::match(const LinePattern& pattern, std::uint32_t filter_id) {
  if (!filter.may_match(filter_id)) return {};
  switch (pattern.type) {
    case LinePattern::Type::regexp: return match_text(pattern, *pattern.regexp);
    case LinePattern::Type::substring: return {(buffers.last(pattern.lines).find(pattern.text) != std::string::npos) != pattern.negated, nullptr};
    case LinePattern::Type::code: return match_code(*this, pattern);
    case LinePattern::Type::truth: return {pattern.truth, nullptr};
    case LinePattern::Type::cached: {
      const auto entry = cache->find(pattern.text);
      if (pattern.negated) return {entry == cache->end(), nullptr};
      return entry == cache->end() ? PatternHit{} : PatternHit{true, entry->second};
    }
  }
  return {};
}

PatternHit Procedure::Core::member_matches(const rules::procedure::Member& member, std::uint32_t filter_id) {
  const auto& guard = member.guard;
  if (!filter.may_match(filter_id)) return {};
  if (guard.condition && guard.before_pattern && !holds(*guard.condition, {nullptr, nullptr, cache})) return {};
  PatternHit hit = match(member.pattern, filter_id);
  if (hit && guard.condition && !guard.before_pattern && !holds(*guard.condition, {hit.bindings, nullptr, cache})) return {};
  return hit;
}

// pattern2 of an operation, made of the values of its first match.
bool Procedure::Core::second_matches(OpenOperation& op, PatternHit& hit) {
  const rules::procedure::Member& member = op.owner->rule->members[1];
  const LinePattern& pattern = member.pattern;
  const bool both = op.setting.scope.dollar != nullptr && pattern.binds();
  if (member.guard.condition && member.guard.before_pattern && !holds(*member.guard.condition, {nullptr, nullptr, cache})) return false;
  if (!pattern.from_match) {
    hit = match(pattern, op.owner->filters[1]);
  } else if (pattern.type == LinePattern::Type::substring) {
    hit = {(buffers.last(pattern.lines).find(op.second_text) != std::string::npos) != pattern.negated, nullptr};
  } else {
    const std::string& text = buffers.last(pattern.lines);
    for (const std::string& needle : op.needles) {
      if (text.find(needle) == std::string::npos) return false;
    }
    if (!op.second) {
      auto compiled = rules::TextPattern::compile(op.second_text, pattern.lines);
      if (!compiled) return false;  // it was tried when the operation was opened
      op.second = *std::move(compiled);
    }
    hit = match_text(pattern, *op.second);
  }
  if (!hit || !member.guard.condition || member.guard.before_pattern) return hit.yes;
  const Scope scope = both ? Scope{hit.bindings, op.setting.scope.dollar, cache, op.setting.scope.cache} : Scope{hit.bindings != nullptr ? hit.bindings : op.setting.scope.dollar, nullptr, cache, nullptr};
  return holds(*member.guard.condition, scope);
}

}  // namespace correlator::engine
