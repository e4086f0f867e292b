// SPDX-License-Identifier: Apache-2.0
#include "read_rule.h"

#include <algorithm>
#include <set>

#include "base/hash.h"
#include "base/text.h"

namespace correlator::rules::sec {
namespace {

// The keywords of a rule type beside those of its patterns. A ! marks what must be there.
struct TypeRow {
  std::string_view name;
  RuleType type;
  std::string_view keys;
  int patterns;  // 0: none, 2: a pair, -1: as many as the name says
};

constexpr TypeRow kTypes[] = {
    {"single", RuleType::single, "desc! action! continue", 1},
    {"singlewithscript", RuleType::script, "desc! action! action2 script! shell continue", 1},
    {"singlewithsuppress", RuleType::suppress_repeats, "desc! action! window! continue", 1},
    {"pair", RuleType::pair, "desc! action! desc2! action2! window continue continue2", 2},
    {"pairwithwindow", RuleType::pair_window, "desc! action! desc2! action2! window! continue continue2", 2},
    {"singlewiththreshold", RuleType::threshold, "desc! action! action2 window! thresh! continue", 1},
    {"singlewith2thresholds", RuleType::two_thresholds, "desc! action! desc2! action2! window! thresh! window2! thresh2! continue", 1},
    {"eventgroup", RuleType::group, "desc! action! window! init slide end multact egptype egpattern", -1},
    {"suppress", RuleType::suppress, "desc", 1},
    {"calendar", RuleType::calendar, "time! desc! action! context", 0},
    {"jump", RuleType::jump, "desc cfset constset continue", 1},
    {"options", RuleType::single, "joincfset procallin", 0},
};

const TypeRow* find_type(std::string_view name) {
  for (const TypeRow& row : kTypes) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

std::uint32_t capped(std::int64_t n) { return static_cast<std::uint32_t>(std::min<std::int64_t>(n, 0xffffffff)); }

std::string suffix_of(std::size_t index) { return index == 0 ? "" : std::to_string(index + 1); }

std::string decode_substring(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    switch (text[++i]) {
      case 't': out += '\t'; break;
      case 'n': out += '\n'; break;
      case 'r': out += '\r'; break;
      case 's': out += ' '; break;
      case '0': break;
      case '\\': out += '\\'; break;
      default: out += '\\'; out += text[i];
    }
  }
  return out;
}

// Whether a variable of the first match may stand in a second pattern.
bool holds_variables(std::string_view text) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] != '$') continue;
    const char c = text[i + 1];
    if ((c >= '0' && c <= '9') || c == '{' || c == '+' || c == ':' || c == '$') return true;
  }
  return false;
}

}  // namespace

const Field* RuleReader::get(const std::string& key) const {
  const auto found = fields_.find(key);
  return found == fields_.end() ? nullptr : found->second;
}

bool RuleReader::collect() {
  for (const Field& field : group_.fields) {
    if (field.key == "rem" || field.key == "label") continue;
    const auto [at, fresh] = fields_.try_emplace(field.key, &field);
    if (!fresh) {
      reading_.warn(field, 0, field.value.size(), field.key + "= stands twice in this rule, and this one counts", "the one in line " + std::to_string(at->second->line) + " is lost");
      at->second = &field;
    }
  }
  if (fields_.empty()) return false;  // labels alone
  for (const auto& [key, field] : fields_) rule_.fingerprint = hash64(key + "=" + field->value, rule_.fingerprint);
  if (const Field* type = get("type")) return set_type(*type);
  reading_.error(group_.fields.front(), 0, 1, "the rule has no type=", "for example type=Single");
  return false;
}

bool RuleReader::set_type(const Field& field) {
  type_ = lower(field.value);
  rule_.type_text = field.value;
  if (type_.starts_with("eventgroup") && is_number(std::string_view(type_).substr(10))) {
    count_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(number_of(std::string_view(type_).substr(10)), 1000));
    if (count_ == 0) {
      reading_.error(field, 0, field.value.size(), "an EventGroup has at least one pattern", "type=EventGroup, or EventGroup2 and so on");
      return false;
    }
    type_ = "eventgroup";
  }
  const TypeRow* row = find_type(type_);
  if (row == nullptr) {
    std::vector<std::string> names;
    for (const TypeRow& r : kTypes) names.emplace_back(r.name);
    const std::string near = closest(type_, names);
    reading_.error(field, 0, field.value.size(), "there is no rule type " + field.value, near.empty() ? std::string() : "did you mean " + near + "?");
    return false;
  }
  rule_.type = row->type;
  is_options_ = type_ == "options";
  if (row->patterns == 2) count_ = 2;
  if (row->patterns == 0) count_ = 0;
  return check_fields();
}

bool RuleReader::allowed(const std::string& key) const {
  if (key == "type") return true;
  for (const std::string_view word : split(find_type(type_)->keys, " ")) {
    if (word.substr(0, word.find('!')) == key) return true;
  }
  static const std::set<std::string> kOfPatterns = {"ptype", "pattern", "varmap", "context"};
  static const std::set<std::string> kOfGroups = {"count", "thresh", "egtoken", "continue"};
  const std::size_t digits = key.find_last_not_of("0123456789") + 1;
  const std::string name = key.substr(0, digits), number = key.substr(digits);
  const std::uint64_t index = number.empty() ? 1 : number.size() < 6 ? *parse_uint(number) : 0;
  if (!number.empty() && (index < 2 || number.front() == '0')) return false;
  return index <= count_ && (kOfPatterns.contains(name) || (rule_.type == RuleType::group && kOfGroups.contains(name)));
}

void RuleReader::need(const std::string& key) {
  if (get(key) != nullptr) return;
  reading_.error(*get("type"), 0, get("type")->value.size(), key + "= is missing", "a rule of this type needs it");
}

bool RuleReader::check_fields() {
  for (const auto& [key, field] : fields_) {
    if (allowed(key)) continue;
    std::vector<std::string> known = {"ptype", "pattern", "varmap", "context", "rem", "label", "type"};
    for (const std::string_view word : split(find_type(type_)->keys, " ")) known.emplace_back(word.substr(0, word.find('!')));
    const std::string near = closest(lower(key), known);
    Field at = *field;
    at.pieces = {{0, field->line, field->column, field->source}};
    reading_.error(at, 0, key.size(), "a rule of type " + get("type")->value + " has no keyword " + key,
                   near.empty() || near == key ? std::string() : "did you mean " + near + "? Keywords are in lower case");
  }
  for (const std::string_view word : split(find_type(type_)->keys, " ")) {
    if (word.ends_with('!')) need(std::string(word.substr(0, word.size() - 1)));
  }
  for (std::size_t i = 0; i < count_; ++i) {
    need("ptype" + suffix_of(i));
    need("pattern" + suffix_of(i));
  }
  return !reading_.failed;
}

std::optional<ProcedureRule> RuleReader::read() {
  if (!collect()) return std::nullopt;
  rule_.number = number_;
  rule_.place = {reading_.file, group_.line, 1};
  if (is_options_) {
    options_rule();
    return std::nullopt;
  }
  members();
  settings();
  if (rule_.type == RuleType::script) script();
  if (rule_.type == RuleType::jump) jump();
  if (rule_.type == RuleType::group) group_settings();
  if (reading_.failed) return std::nullopt;
  return std::move(rule_);
}

void RuleReader::members() {
  if (rule_.type == RuleType::calendar) {
    Member only;
    if (const Field* context = get("context")) {
      if (auto guard = read_guard(reading_, *context)) only.guard = *std::move(guard);
    }
    rule_.members.push_back(std::move(only));
    return;
  }
  for (std::size_t i = 0; i < count_; ++i) rule_.members.push_back(member(suffix_of(i), i));
}

Member RuleReader::member(const std::string& suffix, std::size_t index) {
  Member out;
  const bool pattern_read = read_pattern(out.pattern, *get("ptype" + suffix), *get("pattern" + suffix), index);
  if (const Field* field = get("varmap" + suffix); field != nullptr && pattern_read) varmap(out.pattern, *field);
  if (const Field* field = get("context" + suffix)) {
    if (auto guard = read_guard(reading_, *field)) out.guard = *std::move(guard);
  }
  if (const Field* field = get("continue" + suffix)) read_continue(out.then, *field, index);
  if (rule_.type != RuleType::group) return out;
  out.count = actions("count" + suffix);
  if (const auto n = number("thresh" + suffix, 1, "threshold")) out.threshold = capped(*n);
  const Field* token = get("egtoken" + suffix);
  out.token = token != nullptr ? token->value : std::to_string(index + 1);
  return out;
}

bool RuleReader::read_pattern(LinePattern& out, const Field& ptype, const Field& pattern, std::size_t index) {
  std::string name = lower(ptype.value);
  out.place = about(reading_.file, pattern, 0, 1, {}, {}).place;
  const std::size_t digits = name.find_last_not_of("0123456789") + 1;
  const std::string lines = name.substr(digits);
  name.resize(digits);
  if (name.starts_with('n')) {
    out.negated = true;
    name.erase(0, 1);
  }
  bool known = true;
  if (name == "regexp") out.type = LinePattern::Type::regexp;
  else if (name == "substr") out.type = LinePattern::Type::substring;
  else if (name == "perlfunc") out.type = LinePattern::Type::code;
  else if (name == "cached" && lines.empty()) out.type = LinePattern::Type::cached;
  else if (name == "value" && !out.negated && lines.empty()) known = false;
  else if (lower(ptype.value) == "tvalue") { out.type = LinePattern::Type::truth; out.negated = false; }
  else known = false;
  if (known && !lines.empty()) {
    const std::uint64_t n = number_of(lines);
    known = n >= 1 && n <= 10'000'000;
    if (known) out.lines = static_cast<std::uint32_t>(n);
  }
  if (!known) {
    reading_.error(ptype, 0, ptype.value.size(), "there is no pattern type " + ptype.value,
                   "types are RegExp, SubStr, PerlFunc (each with a number of lines behind it, and with an N in front), Cached, NCached, TValue");
    return false;
  }
  if (reading_.options.buffer_lines > 0 && out.lines > reading_.options.buffer_lines) {
    reading_.error(ptype, 0, ptype.value.size(), "the pattern looks at more lines than --bufsize keeps", "leave --bufsize out: it is chosen by the rules");
    return false;
  }
  pattern_text(out, pattern, index);
  return !reading_.failed;
}

void RuleReader::pattern_text(LinePattern& out, const Field& pattern, std::size_t index) {
  out.text = pattern.value;
  const bool second = (rule_.type == RuleType::pair || rule_.type == RuleType::pair_window) && index == 1;
  const bool may_vary = second && rule_.members.front().pattern.binds();
  switch (out.type) {
    case LinePattern::Type::regexp:
      out.from_match = may_vary && holds_variables(pattern.value);
      return regexp(out, pattern, index);
    case LinePattern::Type::substring:
      out.from_match = may_vary && holds_variables(pattern.value);
      out.text = decode_substring(pattern.value);
      return;
    case LinePattern::Type::code:
      out.code = reading_.code(pattern, 0, pattern.value);
      return;
    case LinePattern::Type::cached:
      if (is_name(pattern.value)) return;
      return reading_.error(pattern, 0, pattern.value.size(), "this is no name of a cached match", "a letter, then letters, digits and _");
    case LinePattern::Type::truth:
      out.truth = lower(pattern.value) == "true";
      if (out.truth || lower(pattern.value) == "false") return;
      return reading_.error(pattern, 0, pattern.value.size(), "a TValue is TRUE or FALSE");
  }
}

void RuleReader::regexp(LinePattern& out, const Field& pattern, std::size_t) {
  if (out.from_match) return;  // compiled with the values of each match
  auto compiled = TextPattern::compile(pattern.value, out.lines, reading_.options.may_backtrack);
  if (!compiled) {
    const std::size_t column = compiled.error().place.column;
    reading_.error(pattern, column > 0 ? column - 1 : 0, compiled.error().caret_length, "the regular expression cannot be used: " + compiled.error().message, compiled.error().hint);
    reading_.said.back().code = compiled.error().code == "E083" ? "E083" : "E082";
    return;
  }
  out.regexp = *std::move(compiled);
  if (!out.regexp->reason().empty()) {
    reading_.warn(pattern, 0, pattern.value.size(), "this pattern backtracks, because of: " + out.regexp->reason(),
                  "it is tried on every line, and given up on a line that takes it a million steps");
    reading_.said.back().code = "W020";
  }
}

void RuleReader::varmap(LinePattern& out, const Field& field) {
  if (out.negated || (out.type != LinePattern::Type::regexp && out.type != LinePattern::Type::code)) {
    return reading_.warn(field, 0, field.value.size(), "varmap has no effect here", "only RegExp and PerlFunc patterns have variables to name");
  }
  Slice text{field.value, 0};
  for (const Slice part : split_outside(text, ";")) {
    const Slice item = part.trimmed();
    if (item.empty()) continue;
    const std::size_t equals = item.text.find('=');
    const std::string_view name = trim(item.text.substr(0, equals));
    const std::string_view number = equals == std::string_view::npos ? std::string_view() : trim(item.text.substr(equals + 1));
    if (!is_name(name) || (equals != std::string_view::npos && (!is_number(number) || number.size() > 6))) {
      return reading_.error(field, item.offset, item.text.size(), "this is no part of a variable map",
                            "name=number names a variable, a name alone keeps the match in the cache: LOGIN; user=1; host=2");
    }
    if (equals == std::string_view::npos) out.cache_as = name;
    else out.names.emplace_back(name, static_cast<std::uint32_t>(*parse_uint(number)));
  }
}

void RuleReader::read_continue(Continue& out, const Field& field, std::size_t index) {
  Slice rest{field.value, 0};
  const std::string how = lower(rest.take_word().text);
  if (how == "takenext" && rest.empty()) out.how = Continue::How::next;
  else if (how == "dontcont" && rest.empty()) out.how = Continue::How::stop;
  else if (how == "endmatch" && rest.empty()) out.how = Continue::How::end;
  else if (how == "goto" && !rest.empty() && rest.text.find_first_of(" \t") == std::string_view::npos)
    jumps.push_back({number_, index, std::string(rest.text), field});
  else reading_.error(field, 0, field.value.size(), "this is no way to go on", "TakeNext, GoTo label, DontCont or EndMatch");
}

ActionListPtr RuleReader::actions(const std::string& key) {
  const Field* field = get(key);
  return field == nullptr ? nullptr : read_actions(reading_, *field, {field->value, 0});
}

std::optional<std::int64_t> RuleReader::number(const std::string& key, std::int64_t least, const char* what) {
  const Field* field = get(key);
  if (field == nullptr) return std::nullopt;
  const auto n = is_number(field->value) ? static_cast<std::int64_t>(number_of(field->value)) : -1;
  if (n >= least) return n;
  reading_.error(*field, 0, field->value.size(), std::string("this is no ") + what, "a number, at least " + std::to_string(least));
  return std::nullopt;
}

std::optional<bool> RuleReader::yes_no(const std::string& key) {
  const Field* field = get(key);
  if (field == nullptr) return std::nullopt;
  const std::string value = lower(field->value);
  if (value == "yes") return true;
  if (value == "no") return false;
  reading_.error(*field, 0, field->value.size(), key + "= is yes or no");
  return std::nullopt;
}

void RuleReader::settings() {
  if (const Field* field = get("desc")) rule_.description = field->value;
  if (const Field* field = get("desc2")) rule_.description2 = field->value;
  rule_.action = actions("action");
  rule_.action2 = actions("action2");
  rule_.window = number("window", rule_.type == RuleType::pair ? 0 : 1, "window in seconds").value_or(0);
  rule_.window2 = number("window2", 1, "window in seconds").value_or(0);
  if (rule_.type == RuleType::threshold || rule_.type == RuleType::two_thresholds) {
    rule_.members.front().threshold = capped(number("thresh", 1, "threshold").value_or(1));
    rule_.threshold2 = capped(number("thresh2", 0, "threshold").value_or(0));
  }
  if (const Field* field = get("time")) {
    if (auto schedule = read_schedule(reading_, *field)) rule_.schedule = *schedule;
  }
}

void RuleReader::script() {
  rule_.script = get("script")->value;
  rule_.shell = yes_no("shell").value_or(true);
  for (Slice rest{rule_.script, 0}; !rule_.shell && !rest.empty();) rule_.script_words.emplace_back(rest.take_word().text);
}

void RuleReader::jump() {
  rule_.constant_sets = yes_no("constset").value_or(true);
  if (const Field* field = get("cfset")) {
    for (Slice rest{field->value, 0}; !rest.empty();) rule_.sets.emplace_back(rest.take_word().text);
  }
}

void RuleReader::group_settings() {
  rule_.init = actions("init");
  rule_.slide = actions("slide");
  rule_.end = actions("end");
  rule_.fires_again = yes_no("multact").value_or(false);
  const Field* type = get("egptype");
  const Field* pattern = get("egpattern");
  for (std::size_t i = 0; i < count_ && pattern == nullptr; ++i) {
    if (const Field* token = get("egtoken" + suffix_of(i))) reading_.error(*token, 0, token->value.size(), "egtoken= without egpattern= has no use", "add egptype= and egpattern=");
  }
  if (type == nullptr && pattern == nullptr) return;
  if (type == nullptr || pattern == nullptr) {
    return reading_.error(type != nullptr ? *type : *pattern, 0, 1, "egptype= and egpattern= stand together or not at all");
  }
  LinePattern read;
  if (!read_pattern(read, *type, *pattern, 0)) return;
  if (read.lines != 1 || read.type == LinePattern::Type::cached || read.type == LinePattern::Type::truth) {
    return reading_.error(*type, 0, type->value.size(), "there is no such type for egpattern", "RegExp, SubStr or PerlFunc, perhaps with an N in front");
  }
  rule_.group = GroupPattern{read.type, read.negated, read.text, read.regexp, read.code};
}

void RuleReader::options_rule() {
  OptionsRule out;
  if (const Field* field = get("joincfset")) {
    for (Slice rest{field->value, 0}; !rest.empty();) out.sets.emplace_back(rest.take_word().text);
  }
  if (const Field* field = get("procallin")) {
    const std::string value = lower(field->value);
    out.sees_input = value != "no";
    if (out.sees_input && value != "yes") reading_.warn(*field, 0, field->value.size(), "procallin= is yes or no, and counts as yes");
  }
  if (!reading_.failed) options = std::move(out);
}

}  // namespace correlator::rules::sec
