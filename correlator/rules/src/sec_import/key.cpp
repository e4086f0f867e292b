// SPDX-License-Identifier: Apache-2.0
// desc= as a key, and the second pattern of a pair as an event with the same key.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "importer.h"
#include "pattern/regex.h"
#include "../sec/perl_regex.h"
#include "rules/variables.h"

namespace correlator::rules::sec {
namespace {

// Whether two different sets of values never give the same text.
bool tells_apart(const CarriedText& text, const MatchNames& names) {
  if (text.fields().size() < 2) return true;
  for (std::size_t i = 0; i + 1 < text.parts.size(); ++i) {
    if (!text.parts[i].field) continue;
    const GroupFacts& group = names.groups()[names.number_of(text.parts[i].text)];
    const TextPart& next = text.parts[i + 1];
    if (next.field || !group.bytes || (*group.bytes)[static_cast<unsigned char>(next.text.front())]) return false;
  }
  return true;
}

}  // namespace

Importer::Key Importer::key_of(Carrying& to, MatchNames& names) const {
  TextScope scope;
  scope.dollar = &names;
  Key out;
  out.description = carry_text(to.rule.description, scope);
  if (!out.description.obstacle.empty()) {
    to.obstacle = "desc= holds " + out.description.obstacle;
    return out;
  }
  out.values = out.description.fields();
  const bool optional = std::any_of(out.description.parts.begin(), out.description.parts.end(), [](const TextPart& part) { return part.optional; });
  const bool told_apart = tells_apart(out.description, names);
  if (told_apart) out.same = out.values;
  if (out.values.empty()) {
    out.key = {"'all'"};
  } else if (!optional && told_apart) {
    out.fields = out.values;
    out.key.assign(out.values.begin(), out.values.end());
  } else {
    out.let = as_expression(out.description);
    out.fields = {"desc"};
    out.key = {"desc"};
    out.description.parts = {{"desc", true, false}};
  }
  out.same.insert(out.fields.begin(), out.fields.end());
  return out;
}

void Importer::write_key(Carrying& to, const Key& key) {
  if (!key.let.empty()) to.lines.push_back(fmt::format("let   = {{ desc = {} }}", toml_text(key.let)));
  std::string names;
  for (const std::string& one : key.key) names += (names.empty() ? "" : ", ") + fmt::format("\"{}\"", one);
  to.lines.push_back(fmt::format("key   = [{}]", names));
}

namespace {

struct Filled {
  std::string text;                              // Perl's, with a group for each value
  std::vector<std::pair<std::string, std::string>> values;  // the group as it stands there, and what it is to be
  std::set<std::string> fields;
  std::string obstacle;
};

// pattern2 with groups where variables of the first match stand.
Filled fill(const LinePattern& pattern, MatchNames& first) {
  Filled out;
  const bool regexp = pattern.type == LinePattern::Type::regexp;
  const auto literal = [&](std::string_view text) { out.text += regexp ? std::string(text) : as_regexp(text); };
  for (std::size_t i = 0; i < pattern.text.size(); ++i) {
    const std::string_view behind = std::string_view(pattern.text).substr(i + 1);
    const bool dollar = pattern.text[i] == '$';
    if (dollar && behind.starts_with('$')) {
      literal("$");
      ++i;
      continue;
    }
    const MatchVariable variable = dollar ? match_variable(behind) : MatchVariable{};
    if (variable.length == 0) {
      literal(std::string_view(pattern.text).substr(i, 1));
      continue;
    }
    i += variable.length;
    const CarriedText value = first.value(variable.name);
    if (!value.obstacle.empty() || !variable.entry.empty()) out.obstacle = "pattern2 holds more than values of the first match";
    for (const TextPart& part : value.parts) {
      const std::size_t number = part.field ? first.number_of(part.text) : 0;
      if (!part.field) out.text += as_regexp(part.text);
      else if (number == 0 || part.optional) out.obstacle = "a value in pattern2 is not there in each first match";
      else if (!out.fields.insert(part.text).second) out.obstacle = "pattern2 holds a value twice";
      if (!part.field || !out.obstacle.empty()) continue;
      const GroupFacts& group = first.groups()[number];
      const std::string inner = first.regexp().substr(group.inner, group.close - group.inner);
      out.values.emplace_back(fmt::format("(?<{}>secvalue{})", part.text, number), fmt::format("(?<{}>{})", part.text, with_names(inner, groups_of(inner), {})));
      out.text += out.values.back().first;
    }
  }
  return out;
}

// The values put in, in RE2's spelling; empty if that cannot be.
std::string finished(const Filled& filled, bool regexp) {
  std::string text = filled.text;
  if (regexp) {
    const Rewritten rewritten = to_re2(filled.text, 1);
    if (!rewritten.obstacle.empty()) return {};
    text = rewritten.text;
  }
  text = in_ascii(text);
  for (const auto& [from, to] : filled.values) {
    const std::size_t at = text.find(from);
    if (at == std::string::npos) return {};
    text.replace(at, from.size(), to);
  }
  const auto compiled = pattern::Regex::compile(text);
  if (!compiled) return {};
  std::map<std::size_t, std::string> names;
  for (std::size_t i = 1; i < compiled->group_names().size(); ++i) {
    if (filled.fields.contains(compiled->group_names()[i])) names[i] = compiled->group_names()[i];
  }
  const std::vector<GroupFacts> groups = groups_of(text);
  const bool all = std::all_of(names.begin(), names.end(), [&](const auto& one) { return groups[one.first].always; });
  return all ? with_names(text, groups, names) : std::string();
}

}  // namespace

Importer::Second Importer::second_pattern(const ProcedureRule& rule, MatchNames& first, const Key& key) const {
  const Member& member = rule.members[1];
  const LinePattern& pattern = member.pattern;
  Second out;
  const bool regexp = pattern.type == LinePattern::Type::regexp;
  if (member.guard.condition) out.obstacle = "it has a context2";
  else if (pattern.negated || pattern.lines > 1 || (!regexp && pattern.type != LinePattern::Type::substring)) out.obstacle = "pattern2 is no RegExp or SubStr of one line";
  if (!out.obstacle.empty()) return out;
  if (!pattern.from_match) {
    if (!key.values.empty()) out.obstacle = "pattern2 holds no value of the first match, and ends the operations of every description";
    else if (!regexp) out.regexp = as_regexp(pattern.text);
    else if (!pattern.regexp || pattern.regexp->scannable() == nullptr) out.obstacle = "pattern2 needs backtracking";
    else out.regexp = in_ascii(pattern.regexp->scannable()->pattern());
    if (!out.regexp.empty()) out.regexp = with_names(out.regexp, groups_of(out.regexp), {});
    return out;
  }
  const Filled filled = fill(pattern, first);
  out.obstacle = filled.obstacle;
  if (out.obstacle.empty() && filled.fields != key.values) out.obstacle = "pattern2 and desc= do not hold the same values, so that one line can end several operations";
  if (out.obstacle.empty() && first.regexp().find("(?i") != std::string::npos) out.obstacle = "the first pattern folds case, and pattern2 takes its values as they are";
  if (!out.obstacle.empty()) return out;
  out.regexp = finished(filled, regexp);
  if (out.regexp.empty()) {
    out.obstacle = "pattern2 with values in it is no pattern that can be said";
    return out;
  }
  const std::vector<GroupFacts> groups = groups_of(out.regexp);
  std::size_t last = 0;
  for (const GroupFacts& group : groups) last = std::max(last, group.close + 1);
  out.one_way = groups.size() == 1 || fits_in_one_way(out.regexp, last);
  return out;
}

}  // namespace correlator::rules::sec
