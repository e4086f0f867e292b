// SPDX-License-Identifier: Apache-2.0
#include "importer.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "pattern/regex.h"

namespace correlator::rules::sec {
namespace {

Diagnostic remark(const char* code, const Place& place, std::string message, std::string hint) {
  Diagnostic d = make_error(code, std::move(message), std::move(hint));
  d.gravity = Gravity::warning;
  d.place = place;
  return d;
}

// In a pattern of a rule %{name} means [pattern] name.
std::string without_insertions(const std::string& regexp) {
  std::string out;
  for (std::size_t i = 0; i < regexp.size(); ++i) {
    if (regexp[i] == '\\' && i + 1 < regexp.size()) out += regexp[i++];
    else if (regexp[i] == '%') out += '\\';
    out += regexp[i];
  }
  return out;
}

std::string raw_match(const std::string& regexp, bool with_line) {
  const std::string all = "(?s)^(?<line>.*)$";
  const std::string written = regexp.empty() ? all : with_line ? fmt::format("^(?<line>(?s:.*?)(?:{})(?s:.*))$", regexp) : regexp;
  return fmt::format("[{{ match = {}, raw = true }}]", toml_text(without_insertions(written)));
}

// One condition of many; patterns that are tested alone become one pattern.
std::string joined_tests(const std::vector<LineTest>& all, const std::vector<LineTest>& none, const std::string& own) {
  constexpr std::size_t kAtOnce = 8;
  std::vector<std::string> parts;
  const auto add = [&](const std::string& text) {
    const bool closed = text.find(" or ") == std::string::npos && text.find(" and ") == std::string::npos;
    parts.push_back(closed || text.starts_with("not (") ? text : "(" + text + ")");
  };
  for (const LineTest& test : all) {
    if (!test.text.empty()) add(test.text);
  }
  std::vector<std::string> patterns;
  const auto flush = [&] {
    if (patterns.empty()) return;
    std::string text = patterns.size() == 1 ? patterns.front() : "(?:" + join(patterns, ")|(?:") + ")";
    parts.push_back("not (" + pattern_test(text) + ")");
    patterns.clear();
  };
  for (const LineTest& test : none) {
    if (!test.regexp.empty() && !own.empty() && apart(own, test.regexp)) continue;
    if (test.regexp.empty()) {
      add(negated(test).text);
      continue;
    }
    patterns.push_back(test.regexp);
    if (patterns.size() == kAtOnce) flush();
  }
  flush();
  return join(parts, " and ");
}

std::string stem_of(const std::string& file) {
  std::string out;
  for (const char c : std::filesystem::path(file).stem().string()) out += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' ? c : '-';
  return out.empty() ? "sec" : out;
}

std::string comment(const Diagnostic& d) { return fmt::format("# {}\n", printable(d.message)); }

}  // namespace

Diagnostic left_out(const Place& place, std::string what, std::string why, std::string hint) {
  return remark("W026", place, fmt::format("{} is left out: {}", what, why), std::move(hint));
}

void Importer::differ(Carrying& to, std::string message, std::string hint) {
  to.differs.push_back(remark("W027", to.rule.place, std::move(message), std::move(hint)));
}

Importer::Importer(const procedure::ProcedureProgram& program, const std::string& source) : program_(program), source_(source), contexts_(program) {
  for (const auto& file : program.files) {
    for (const ProcedureRule& rule : file->rules) {
      find_makers(rule, rule.action, true);
      for (const auto& list : {rule.action2, rule.init, rule.slide, rule.end}) find_makers(rule, list, false);
      for (const Member& member : rule.members) find_makers(rule, member.count, false);
    }
  }
}

std::string Importer::id_of(const ProcedureRule& rule) const {
  const ProcedureFile& file = file_of(rule);
  std::string stem = stem_of(file.name);
  std::size_t same = 0;
  for (const auto& other : program_.files) {
    if (other.get() == &file) break;
    same += stem_of(other->name) == stem ? 1 : 0;
  }
  if (same > 0) stem += fmt::format("-{}", same + 1);
  return fmt::format("{}.{}", stem, rule.number + 1);
}

// The pattern, and which lines come to it, in front of what is there already.
void Importer::write_match(Carrying& to, MatchNames& names, const Member& member, const Reach& reach) {
  const LinePattern& pattern = member.pattern;
  std::vector<LineTest> all = reach.all;
  all.push_back(guard_of(member.guard, &names));
  for (const LineTest& test : all) {
    if (!test.obstacle.empty() && to.obstacle.empty()) to.obstacle = test.obstacle;
    if (test.never && to.obstacle.empty()) to.obstacle = "it never matches: no rule creates its context";
  }
  std::string regexp;
  if (pattern.type == LinePattern::Type::substring && !pattern.negated) regexp = as_regexp(pattern.text);
  if (pattern.type == LinePattern::Type::regexp && !pattern.negated) regexp = with_names(names.regexp(), names.groups(), names.given());
  if (regexp.empty()) {  // every line, and those that are not meant do not count
    Member bare;
    bare.pattern = pattern;
    const LineTest test = match_of(bare);
    if (!test.obstacle.empty()) to.obstacle = test.obstacle;
    if (test.never) to.obstacle = "it never matches";
    all.push_back(test);
  }
  const std::string where = joined_tests(all, reach.none, regexp);
  const bool with_line = names.line_asked() || where.find("line ~") != std::string::npos;
  std::vector<std::string> lines = {fmt::format("match = {}", raw_match(regexp, with_line))};
  if (!where.empty()) lines.push_back(fmt::format("where = {}", toml_text(where)));
  to.lines.insert(to.lines.begin(), lines.begin(), lines.end());
}

void Importer::single(Carrying& to) {
  MatchNames names(&to.rule.members.front().pattern);
  TextScope scope;
  scope.dollar = &names;
  const CarriedText description = carry_text(to.rule.description, scope);
  scope.description = &description;
  scope.has_time = true;
  steps(to, "then", to.rule.action, {scope, std::nullopt, false, true, std::nullopt});
  write_match(to, names, to.rule.members.front(), reach_of(to.rule));
}

void Importer::suppressed(Carrying& to) {
  MatchNames names(&to.rule.members.front().pattern);
  const Key key = key_of(to, names);
  TextScope scope;
  scope.dollar = &names;
  scope.description = &key.description;
  write_key(to, key);
  to.lines.push_back(fmt::format("cooldown = \"{}s\"", to.rule.window + 1));
  scope.has_time = true;
  steps(to, "then", to.rule.action, {scope, std::nullopt, false, true, std::nullopt});
  write_match(to, names, to.rule.members.front(), reach_of(to.rule));
}

void Importer::counting(Carrying& to) {
  const ProcedureRule& rule = to.rule;
  const Member& member = rule.members.front();
  const bool twice = rule.type == RuleType::two_thresholds;
  if (rule.type == RuleType::group && (rule.members.size() > 1 || rule.group || rule.fires_again || member.count != nullptr)) to.obstacle = "only an EventGroup that counts lines of one pattern has its like";
  if (rule.init != nullptr || rule.slide != nullptr || rule.end != nullptr) to.obstacle = "lists for the beginning, the sliding and the end of a window have no like";
  if (member.threshold > 1024) to.obstacle = "a sliding window holds at most 1024";
  if (twice && rule.threshold2 > 0) to.obstacle = "thresh2= is more than 0: SEC forgets the oldest event at each one above it, which no `rate` does";
  MatchNames names(&member.pattern);
  const Key key = key_of(to, names);
  TextScope scope;
  scope.dollar = &names;
  scope.description = &key.description;
  write_key(to, key);
  if (member.threshold > 1) to.lines.push_back(fmt::format("count = {{ threshold = \"{} in {}s\", weight = \"1\" }}", member.threshold, rule.window + 1));
  to.lines.push_back(twice ? fmt::format("clear = {{ lasts = \"{}s\", renewed = true }}", rule.window2 + 1) : fmt::format("clear = {{ lasts = \"{}s\" }}", rule.window + 1));
  const bool many = member.threshold > 1;
  const auto known_of = [&](const std::set<std::string>& fields) { return many ? std::optional(fields) : std::nullopt; };
  scope.has_time = true;
  steps(to, "then", rule.action, {scope, known_of(key.same), true, true, known_of(key.fields)});
  scope.has_time = false;
  CarriedText second = key.description;
  if (twice) second = carry_text(rule.description2, scope);
  if (twice && !key.let.empty() && rule.description2 == rule.description) second = key.description;
  scope.description = &second;
  steps(to, "then_over", rule.action2, {scope, known_of(key.fields), false, false});
  write_match(to, names, member, reach_of(rule));
}

void Importer::scheduled(Carrying& to) {
  const procedure::Schedule& time = to.rule.schedule;
  if (to.rule.members.front().guard.condition) to.obstacle = "a schedule asks for no context";
  if (!time.any_year) to.obstacle = "its years are bounded, and a schedule knows none";
  const auto field = [](const auto& bits, std::size_t from, bool& every) {
    std::string out;
    every = true;
    for (std::size_t i = from; i < bits.size(); ++i) {
      every = every && bits[i];
      if (bits[i]) out += (out.empty() ? "" : ",") + std::to_string(i);
    }
    return every ? std::string("*") : out;
  };
  bool every = false, every_day = false, every_weekday = false;
  std::string cron = field(time.minute, 0, every) + " " + field(time.hour, 0, every) + " ";
  cron += field(time.day, 1, every_day) + " " + field(time.month, 1, every) + " " + field(time.weekday, 0, every_weekday);
  if (time.day[0] && !every_day) to.obstacle = "the last day of a month has no name there";
  if (!every_day && !every_weekday) to.obstacle = "it is bound by day and weekday; with both a schedule takes either";
  to.lines.push_back(fmt::format("schedule = \"{}\"", cron));
  TextScope scope;
  MatchNames none(nullptr);
  scope.dollar = &none;
  const CarriedText description = carry_text(to.rule.description, scope);
  scope.description = &description;
  steps(to, "then", to.rule.action, {scope, std::set<std::string>{}, false, false});
  differ(to, "SEC also runs it in the minute in which it starts, in the local zone of the process; a schedule begins with the next minute, in the zone of [input]", "[input] zone = \"Europe/Berlin\"");
}

void Importer::pair(Carrying& to) {
  const ProcedureRule& rule = to.rule;
  const Member& member = rule.members.front();
  const bool waits = rule.type == RuleType::pair_window;
  MatchNames names(&member.pattern);
  const Key key = key_of(to, names);
  const Second second = second_pattern(rule, names, key);
  if (to.obstacle.empty()) to.obstacle = second.obstacle;
  if (!second.one_way) differ(to, "a line that holds pattern2 more than once counts for the first value in it only", "begin pattern2 with ^ and end it with $");
  write_key(to, key);
  const std::string id = id_of(rule), cls = id + "-end";

  Reach reach = reach_of(rule), to_second = reach;
  LineTest first = match_of(member);
  if (!first.obstacle.empty()) to_second.remarks.push_back("a line that both patterns match is for the first one, and " + first.obstacle);
  else if (!first.never) to_second.none.push_back(std::move(first));
  to_second.all.clear();
  for (const LineTest& test : reach.all) to_second.all.push_back(test);
  const bool contexts = std::any_of(to_second.none.begin(), to_second.none.end(), [](const LineTest& test) { return !test.contexts.empty(); });
  if (contexts) to_second.remarks.push_back("what its second pattern asks of contexts is asked before the rules above it have set them");
  const std::string where = joined_tests(to_second.all, to_second.none, second.regexp);
  std::string fields;
  for (const std::string& field : key.values) fields += (fields.empty() ? "" : ", ") + fmt::format("{} = \"text\"", field);
  to.before = fmt::format("[class.\"{0}\"]\nkey      = [\"host\"]\n{1}\n[[event]]\nid    = \"{0}\"\nclass = \"{0}\"\nmatch = {2}\n\n", cls,
                          fields.empty() ? "" : fmt::format("requires = {{ {} }}\n", fields), raw_match(second.regexp, !where.empty()));
  if (!where.empty()) {
    const std::string with_line = fmt::format("requires = {{ {}line = \"text\" }}\n", fields.empty() ? "" : fields + ", ");
    to.before = fmt::format("[class.\"{0}\"]\nkey      = [\"host\"]\n{1}\n[[event]]\nid    = \"{0}\"\nclass = \"{0}\"\nmatch = {2}\n\n", cls, with_line, raw_match(second.regexp, true));
  }
  const std::string reference = where.empty() ? fmt::format("\"{}\"", cls) : fmt::format("{{ on = \"{}\", where = {} }}", cls, toml_text(where));
  to.lines.push_back(fmt::format("clear = {{ event = {}{} }}", reference, rule.window > 0 ? fmt::format(", lasts = \"{}s\"", rule.window + 1) : ""));

  TextScope scope;
  scope.dollar = &names;
  scope.description = &key.description;
  StepScope first_match{scope, std::nullopt, false, !waits, std::nullopt};
  first_match.texts.has_time = !waits;
  steps(to, waits ? "then_over" : "then", rule.action, first_match);
  MatchNames ending(&rule.members[1].pattern);
  TextScope over = scope;
  if (ending.binds() && names.binds()) over.percent = &names;
  if (ending.binds()) over.dollar = &ending;
  CarriedText description2 = carry_text(rule.description2, {over.dollar, over.percent, nullptr});
  over.description = &description2;
  std::set<std::string> of_first;
  for (const auto& [number, name] : names.given()) of_first.insert(name);
  of_first.insert({"desc", "line"});
  // Only the first match is kept with the case; its names cannot be those of the second.
  const std::size_t asked = ending.given().size() + static_cast<std::size_t>(ending.line_asked());
  StepScope second_match{over, std::nullopt, false, false};
  Carrying trial{rule, {}, {}, {}, {}, {}, {}};
  steps(trial, "then_clear", rule.action2, second_match);
  if (ending.given().size() + static_cast<std::size_t>(ending.line_asked()) > 0 || asked > 0) {
    to.left_out.push_back(left_out(rule.action2->actions.empty() ? rule.place : rule.action2->actions.front().place, "action2", "it holds a value of the second match, and a case keeps those of the first", "use %1 instead of $1"));
  } else {
    to.left_out.insert(to.left_out.end(), trial.left_out.begin(), trial.left_out.end());
    to.differs.insert(to.differs.end(), trial.differs.begin(), trial.differs.end());
    to.lines.insert(to.lines.end(), trial.lines.begin(), trial.lines.end());
  }
  write_match(to, names, member, reach);
  for (const std::string& text : to_second.remarks) {
    if (std::find(reach.remarks.begin(), reach.remarks.end(), text) == reach.remarks.end()) differ(to, text);
  }
}

// Lines that another rule would have taken away first.
void Importer::say_order(Carrying& to, const Reach& reach) const {
  constexpr const char* kHint = "rules of the TOML language never hide lines from each other";
  for (const std::string& text : reach.remarks) differ(to, text, kHint);
  const LinePattern& own = to.rule.members.front().pattern;
  const bool known = own.type == LinePattern::Type::regexp && !own.negated && own.regexp && own.regexp->scannable() != nullptr;
  for (const auto& [text, pattern] : reach.endings) {
    const bool other = pattern->type == LinePattern::Type::regexp && !pattern->negated;
    if (!known || !other || !apart(own.regexp->scannable()->pattern(), pattern->text)) differ(to, text, kHint);
  }
}

void Importer::carry(Carrying& to) {
  const Reach reach = reach_of(to.rule);
  if (to.rule.type != RuleType::calendar) to.obstacle = reach.obstacle;
  const auto impossible = [](const Member& member) { return member.pattern.type == LinePattern::Type::code || member.pattern.type == LinePattern::Type::cached || member.pattern.lines > 1 || (member.pattern.type == LinePattern::Type::regexp && (!member.pattern.regexp || member.pattern.regexp->scannable() == nullptr)); };
  if (to.rule.type != RuleType::calendar && impossible(to.rule.members.front()) && to.obstacle.empty()) to.obstacle = match_of(to.rule.members.front()).obstacle;
  if (!to.obstacle.empty()) return;
  switch (to.rule.type) {
    case RuleType::single: single(to); break;
    case RuleType::suppress_repeats: suppressed(to); break;
    case RuleType::threshold: case RuleType::two_thresholds: case RuleType::group: counting(to); break;
    case RuleType::pair: case RuleType::pair_window: pair(to); break;
    case RuleType::calendar: scheduled(to); break;
    case RuleType::script: to.obstacle = "a script whose exit code decides has its like in `or_else` of a step, not in a rule"; break;
    case RuleType::suppress: case RuleType::jump: break;  // they are conditions of other rules
  }
  if (to.rule.type != RuleType::calendar) {
    say_order(to, reach);
    say_lost_lines(to);
  }
  if (!to.obstacle.empty()) return;
  const auto acts = [](const std::string& line) { return line.starts_with("then") || line.starts_with("set") || line.starts_with("unset") || line.starts_with("collect") || line.starts_with("emit") || line.starts_with("empty"); };
  if (!to.left_out.empty() && std::none_of(to.lines.begin(), to.lines.end(), acts)) to.obstacle = "none of its actions can be said";
}

void Importer::write_rule(Carrying& to, std::string& out) const {
  out += fmt::format("\n# {}:{} {}\n", printable(to.rule.place.file), to.rule.place.line, procedure::rule_type_name(to.rule.type));
  for (const Diagnostic& d : to.left_out) out += comment(d);
  for (const Diagnostic& d : to.differs) out += comment(d);
  out += to.before;
  out += fmt::format("[[rule]]\nid    = \"{}\"\n", id_of(to.rule));
  if (!to.rule.description.empty()) out += fmt::format("title = {}\n", toml_text(printable(to.rule.description)));
  for (const std::string& line : to.lines) out += line + "\n";
}

std::string Importer::header(const Imported& result) const {
  std::string out = fmt::format("# Made by `correlator import sec` of {}: {} that decide the same, {} with a difference that is said\n", printable(source_), counted(result.whole, "rule"), result.differing);
  out += fmt::format("# below, {} in part, {} left out.\n", result.in_part, result.left_out);
  out += "# For all of them: a line counts for when it was written, not for when it was read, and with fractions of its second, where SEC knows\n"
         "# whole seconds. \"last message repeated 3 times\" repeats the line before it. Of a line the first 4 KiB are looked at.\n"
         "# A value alone that begins with - is refused as an argument. A rule holds 100,000 descriptions at a time, a\n# context 10,000 lines and 256 KiB.\nformat = 1\n";
  return out;
}

Imported Importer::run() {
  // What is left out may take contexts with it, and these other rules.
  std::set<const ProcedureRule*> gone;
  for (bool more = true; more;) {
    more = false;
    for (const auto& file : program_.files) {
      for (const ProcedureRule& rule : file->rules) {
        if (gone.contains(&rule)) continue;
        Carrying trial{rule, {}, {}, {}, {}, {}, {}};
        changed_ = false;
        carry(trial);
        more = more || changed_;
        if (trial.obstacle.empty()) continue;
        gone.insert(&rule);
        contexts_.leave_out(rule);
        more = true;
      }
    }
  }
  actions_ = {};
  Imported out;
  std::string body;
  for (const auto& file : program_.files) {
    for (const ProcedureRule& rule : file->rules) {
      Carrying one{rule, {}, {}, {}, {}, {}, {}};
      carry(one);
      if (!one.obstacle.empty()) {
        ++out.left_out;
        out.diagnostics.push_back(left_out(rule.place, procedure::rule_type_name(rule.type), one.obstacle));
        body += fmt::format("\n# {}:{} {}\n", printable(rule.place.file), rule.place.line, printable(out.diagnostics.back().message));
        continue;
      }
      ++(!one.left_out.empty() ? out.in_part : !one.differs.empty() ? out.differing : out.whole);
      out.diagnostics.insert(out.diagnostics.end(), one.left_out.begin(), one.left_out.end());
      out.diagnostics.insert(out.diagnostics.end(), one.differs.begin(), one.differs.end());
      if (rule.type != RuleType::suppress && rule.type != RuleType::jump) write_rule(one, body);
    }
  }
  out.programs = actions_.programs();
  out.toml = header(out) + body + actions_.written();
  return out;
}

Imported import_rules(const procedure::ProcedureProgram& program, const std::string& source) { return Importer(program, source).run(); }

}  // namespace correlator::rules::sec
