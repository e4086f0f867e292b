// SPDX-License-Identifier: Apache-2.0
#include "rules/sec/lint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <functional>
#include <set>

#include "parts.h"
#include "pattern/pattern_set.h"

namespace correlator::rules::sec {
namespace {

// All texts of an action, with whether a shell reads them.
void texts_of(const ActionListPtr& list, const std::function<void(const Action&, const std::string&, bool)>& visit) {
  if (list == nullptr) return;
  for (const Action& action : list->actions) {
    for (const std::string& word : action.words) visit(action, word, false);
    for (const std::string& word : action.command) visit(action, word, false);
    if (action.text) visit(action, *action.text, false);
    if (action.shell_command) visit(action, *action.shell_command, true);
    texts_of(action.list, visit);
    texts_of(action.otherwise, visit);
  }
}

void variables_set(const ActionListPtr& list, std::set<std::string>& out) {
  if (list == nullptr) return;
  for (const Action& action : list->actions) {
    const bool asks = action.verb == Verb::when || action.verb == Verb::loop || action.verb == Verb::free;
    if (!action.variable.empty() && !asks) out.insert(action.variable);
    variables_set(action.list, out);
    variables_set(action.otherwise, out);
  }
}

// The highest $N of a text; 0 if there is none.
std::size_t highest_group(std::string_view text, char sign) {
  std::size_t out = 0;
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] != sign) continue;
    if (text[i + 1] == sign) {
      ++i;
      continue;
    }
    std::size_t n = 0, at = i + 1 + (text[i + 1] == '{' ? 1 : 0);
    while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) && n < 10000) n = n * 10 + static_cast<std::size_t>(text[at++] - '0');
    out = std::max(out, n);
  }
  return out;
}

std::vector<std::string> list_variables(std::string_view text) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] != '%') continue;
    if (text[i + 1] == '%') {
      ++i;
      continue;
    }
    std::size_t at = i + 1 + (text[i + 1] == '{' ? 1 : 0);
    const std::size_t begin = at;
    while (at < text.size() && (std::isalnum(static_cast<unsigned char>(text[at])) || text[at] == '_')) ++at;
    if (is_name(text.substr(begin, at - begin))) out.emplace_back(text.substr(begin, at - begin));
  }
  return out;
}

bool holds_variable(std::string_view text) { return text.find('$') != std::string_view::npos; }

class Lint {
 public:
  explicit Lint(const procedure::ProcedureProgram& program) : program_(program) {}

  Diagnostics run() {
    for (const auto& file : program_.files) {
      for (const ProcedureRule& rule : file->rules) {
        for (const auto& list : lists(rule)) variables_set(list, set_);
      }
    }
    for (const auto& file : program_.files) {
      for (const ProcedureRule& rule : file->rules) look_at(rule);
    }
    return std::move(out_);
  }

 private:
  static std::vector<ActionListPtr> lists(const ProcedureRule& rule) {
    std::vector<ActionListPtr> out = {rule.action, rule.action2, rule.init, rule.slide, rule.end};
    for (const Member& member : rule.members) out.push_back(member.count);
    return out;
  }

  void warn(const char* code, const Place& place, std::string message, std::string hint) {
    Diagnostic d = make_error(code, std::move(message), std::move(hint));
    d.gravity = Gravity::warning;
    d.place = place;
    out_.push_back(std::move(d));
  }

  void look_at(const ProcedureRule& rule) {
    if (rule.type == RuleType::calendar) return;
    for (const Member& member : rule.members) pattern(member.pattern);
    groups(rule);
    key(rule);
    for (const auto& list : lists(rule)) {
      texts_of(list, [&](const Action& action, const std::string& text, bool shell) {
        variables(action, text);
        if (shell && holds_variable(text)) {
          warn("W023", action.place, "log text goes into a command for the shell: " + text,
               "it is quoted here; cmdexec, spawnexec, pipeexec and reportexec take it as one argument and need no shell");
        }
      });
    }
  }

  void pattern(const LinePattern& pattern) {
    if (pattern.type != LinePattern::Type::regexp || pattern.from_match || !pattern.regexp) return;
    if (pattern.text.starts_with(".*")) warn("W002", pattern.place, "the pattern begins with .*", "it finds the same lines without, sooner");
    if (pattern.negated || pattern.regexp->scannable() == nullptr) return;
    const auto set = pattern::PatternSet::build({*pattern.regexp->scannable()}, {});
    if (set.literals(0).any_of.empty()) warn("W001", pattern.place, "the pattern has no literal text the scanner could look for", "every line is tried against it: add a word that every matching line holds");
  }

  void groups(const ProcedureRule& rule) {
    const LinePattern& first = rule.members.front().pattern;
    const bool pair = rule.members.size() == 2 && rule.type != RuleType::group;
    if (rule.type == RuleType::group || first.type != LinePattern::Type::regexp) return none(rule, first);
    if (!first.regexp || first.negated) return;
    const std::size_t there = first.regexp->group_count();
    const auto check = [&](const Place& place, const std::string& text) {
      const std::size_t asked = highest_group(text, '$');
      if (asked <= std::max<std::size_t>(there, 0) || (asked == 1 && there == 0)) return;
      warn("W021", place, fmt::format("${} is always empty: the pattern has {} group{}", asked, there, there == 1 ? "" : "s"), "groups are ( ) in the pattern, counted from the left");
    };
    check(rule.place, rule.description);
    texts_of(rule.action, [&](const Action& action, const std::string& text, bool) { check(action.place, text); });
    if (!pair) texts_of(rule.action2, [&](const Action& action, const std::string& text, bool) { check(action.place, text); });
  }

  // Patterns without variables leave a $ as it is.
  void none(const ProcedureRule& rule, const LinePattern& first) {
    if (rule.type == RuleType::group || first.binds()) return;
    if (highest_group(rule.description, '$') > 0) warn("W021", rule.place, "$1 stays as it is typed: a pattern of this type has no variables", "a RegExp pattern has them");
  }

  void key(const ProcedureRule& rule) {
    const bool counts = rule.type == RuleType::threshold || rule.type == RuleType::two_thresholds;
    if (!counts) return;
    if (rule.description.find("$0") != std::string::npos) {
      warn("W022", rule.place, "desc= holds the whole line with its time, so no two lines are counted together", "name what is counted: desc=failed logins of $1");
    } else if (!holds_variable(rule.description) && rule.members.front().pattern.binds()) {
      warn("W022", rule.place, "desc= is the same for all lines, so all of them are counted together", "put what shall be counted apart into it: desc=failed logins of $1");
    }
  }

  void variables(const Action& action, const std::string& text) {
    static const std::set<std::string> kBuiltIn = {"s", "t", "u"};
    for (const std::string& name : list_variables(text)) {
      if (kBuiltIn.contains(name) || set_.contains(name)) continue;
      warn("W024", action.place, "%" + name + " is never assigned, so it is empty", "%{name} ends the name where letters follow; %% is a percent sign");
    }
  }

  const procedure::ProcedureProgram& program_;
  std::set<std::string> set_;
  Diagnostics out_;
};

}  // namespace

Diagnostics lint(const procedure::ProcedureProgram& program) { return Lint(program).run(); }

}  // namespace correlator::rules::sec
