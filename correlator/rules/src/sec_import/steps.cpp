// SPDX-License-Identifier: Apache-2.0
// Action lists as steps, [action.NAME] tables, and contexts.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "importer.h"

namespace correlator::rules::sec {
namespace {

struct Reason {
  const char* why;
  const char* hint;
};

// Why an action has no step.
Reason reason(Verb verb) {
  switch (verb) {
    case Verb::add: case Verb::fill: return {"lines are collected where a rule decides, not where its case closes", ""};
    case Verb::prepend: case Verb::pop: case Verb::shift: case Verb::trim:
      return {"what a context collects is added behind what is there, and goes all at once", ""};
    case Verb::copy: case Verb::empty: case Verb::getsize:
      return {"there are no variables that steps share", "collected() and collected_count() stand where the value is needed"};
    case Verb::obsolete: case Verb::set: case Verb::alias: case Verb::unalias: case Verb::exists: case Verb::getaliases:
    case Verb::getltime: case Verb::setltime: case Verb::getctime: case Verb::setctime:
      return {"contexts are only set and unset there", ""};
    case Verb::event: return {"lines are made where a rule decides, not where its case closes", ""};
    case Verb::tevent: case Verb::cevent: return {"the line that it makes has a delay or a context of its own", ""};
    case Verb::reset: case Verb::getwpos: case Verb::setwpos: return {"a rule does not reach into the windows of others", ""};
    case Verb::assign: case Verb::assignsq: case Verb::free: case Verb::varset: case Verb::when: case Verb::loop: case Verb::leave:
    case Verb::again:
      return {"there are no variables that steps share", "`let` computes values, `if` of a step asks for them"};
    case Verb::eval: case Verb::call: case Verb::lcall: return {"it is Perl", "a lookup, an expression, or a script that decides"};
    case Verb::rewrite: case Verb::addinput: case Verb::dropinput: case Verb::sigemul:
      return {"rules do not change their own input", ""};
    default: return {"files and sockets are what scripts are for", "a script in the actions directory"};
  }
}

// Words of a command for the shell, and which of them the shell would do something to.
struct ShellWords {
  std::vector<std::pair<std::string, bool>> words;  // a template; was it in quotes
  std::string obstacle;
};

ShellWords shell_words(const std::string& command) {
  ShellWords out;
  std::string word;
  bool some = false, quoted = false;
  char inside = 0;
  const auto end = [&] {
    if (some) out.words.emplace_back(word, quoted);
    word.clear();
    some = quoted = false;
  };
  for (std::size_t i = 0; i < command.size(); ++i) {
    const char c = command[i];
    const bool variable = c == '$' && i + 1 < command.size() && (std::isdigit(static_cast<unsigned char>(command[i + 1])) || command[i + 1] == '{' || command[i + 1] == '+');
    if (variable && (command[i + 1] == '{' || command[i + 1] == '+')) {
      const std::size_t close = std::min(command.find('}', i), command.size() - 1);
      word += command.substr(i, close - i + 1);
      i = close;
      some = true;
    } else if (inside != 0 ? c == inside : c == '\'' || c == '"') {
      inside = inside != 0 ? '\0' : c;
      some = quoted = true;
    } else if (inside != 0) {
      if (inside == '"' && (c == '\\' || c == '`' || (c == '$' && !variable))) out.obstacle = std::string("the shell does something with its ") + c;
      word += c;
      some = true;
    } else if (c == ' ' || c == '\t') {
      end();
    } else if (!variable && std::string_view("|&;<>()`\\*?[]#~=!{}$\n").find(c) != std::string_view::npos && !(c == '=' && some)) {
      out.obstacle = std::string("the shell does something with its ") + c;
      some = true;
    } else {
      word += c;
      some = true;
    }
  }
  end();
  if (inside != 0) out.obstacle = "a quote in it is not closed";
  if (out.words.empty() && out.obstacle.empty()) out.obstacle = "it is empty";
  return out;
}

// Whether what stands there is one word for the shell whatever the line says.
bool is_one_word(const CarriedText& text, const MatchNames* names) {
  bool some = false;
  for (const TextPart& part : text.parts) {
    if (!part.field) {
      if (part.text.find_first_of(" \t") != std::string::npos) return false;
      some = true;
      continue;
    }
    const std::size_t number = names == nullptr ? 0 : names->number_of(part.text);
    if (number == 0 || part.optional) return false;
    const GroupFacts& group = names->groups()[number];
    if (!group.bytes || (*group.bytes)[' '] || (*group.bytes)['\t']) return false;
    some = some || !group.may_be_empty;
  }
  return some;
}

std::string base_name(const std::string& path) { return path.substr(path.find_last_of('/') + 1); }

std::string action_key(const std::string& wished) {
  std::string out;
  for (const char c : wished) out += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' ? c : '-';
  return out.empty() ? "action" : out;
}

std::string step_text(const std::string& action, const std::vector<std::pair<std::string, std::string>>& with, const std::string& more = {}) {
  std::string given;
  for (const auto& [name, value] : with) given += fmt::format("{}{} = {}", given.empty() ? "" : ", ", name, toml_text(value));
  if (!given.empty()) given = fmt::format(", with = {{ {} }}", given);
  return fmt::format("{{ do = \"{}\"{}{} }}", action, given, more);
}

}  // namespace

bool all_known(const CarriedText& text, const StepScope& scope) {
  const std::set<std::string> fields = text.fields();
  return !scope.known || std::all_of(fields.begin(), fields.end(), [&](const std::string& field) { return scope.known->contains(field) || (field == "time" && scope.texts.has_time); });
}

std::string ActionTable::name_of(const std::string& run, const std::vector<std::string>& args, const std::string& comment, bool lines) {
  std::string written;
  for (const std::string& arg : args) written += (written.empty() ? "" : ", ") + toml_text(arg);
  const std::string signature = run + "\n" + written + (lines ? "\nlines" : "");
  if (const auto found = known_.find(signature); found != known_.end()) return found->second;
  std::string name = action_key(comment.starts_with("write ") ? "write-" + base_name(comment.substr(6)) : comment.starts_with("logonly") ? "log" : comment.starts_with("mail to ") ? "mail" : run);
  const auto taken = [&](const std::string& one) { return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.name == one; }); };
  const std::string plain = name;
  for (int n = 2; taken(name); ++n) name = fmt::format("{}-{}", plain, n);
  known_[signature] = name;
  entries_.push_back({name, fmt::format("\n# {}\n[action.{}]\nrun  = {}\n{}", printable(comment), name, toml_text(run), args.empty() ? "" : fmt::format("args = [{}]\n", written)) + (lines ? "stdin = \"lines\"\n" : "")});
  return name;
}

std::string ActionTable::written() const {
  std::string out;
  for (const Entry& entry : entries_) out += entry.text;
  return out;
}

std::optional<CarriedText> Importer::text_of(Carrying& to, const Action& action, const std::string& text, const StepScope& scope) {
  CarriedText out = carry_text(text, scope.texts);
  if (!out.obstacle.empty()) {
    to.left_out.push_back(left_out(action.place, "the action", "its text holds " + out.obstacle));
    return std::nullopt;
  }
  if (out.tells_time) {
    differ(to, "%t is written as 2026-01-31T12:00:00Z");
    to.differs.back().place = action.place;
  }
  if (all_known(out, scope)) return out;
  if (scope.of_first) {
    differ(to, "a value in its text is that of the event that decides; SEC takes it from the first event", "name what is counted in desc=, and use that");
    to.differs.back().place = action.place;
    return out;
  }
  to.left_out.push_back(left_out(action.place, "the action", "its text holds a value that is not known when the case closes", "use values that desc= holds"));
  return std::nullopt;
}

// A text for people: to a file, to standard output, to the log.
std::optional<std::string> Importer::say(Carrying& to, const Action& action, const StepScope& scope) {
  std::string target = action.verb == Verb::logonly ? "logonly" : "-";
  if (action.verb == Verb::write) target = action.words.front();
  if (target.find_first_of("$%") != std::string::npos) {
    to.left_out.push_back(left_out(action.place, "the action", "the name of its file holds a value", "a script in the actions directory"));
    return std::nullopt;
  }
  const auto text = action.text ? text_of(to, action, *action.text, scope) : text_of(to, action, "%s", scope);
  if (!text) return std::nullopt;
  const std::string title = action.verb == Verb::logonly ? "SEC" : target == "-" ? "stdout" : target;
  const std::string name = actions_.name_of("notify", {"--syslog", "--severity", "info", "--title", title, "--text", "${text}"},
                                            action.verb == Verb::logonly ? "logonly" : "write " + (target == "-" ? "stdout" : target));
  return step_text(name, {{"text", as_template(*text)}});
}

// A program and its arguments, each of them one element of argv.
std::optional<std::string> Importer::command(Carrying& to, const Action& action, const StepScope& scope, const std::string& more) {
  std::vector<std::pair<std::string, bool>> words;
  for (const std::string& word : action.command) words.emplace_back(word, true);
  if (action.shell_command) {
    const ShellWords cut = shell_words(*action.shell_command);
    if (!cut.obstacle.empty()) {
      to.left_out.push_back(left_out(action.place, "the command", cut.obstacle, "put it into a script in the actions directory"));
      return std::nullopt;
    }
    words = cut.words;
  }
  if (words.empty() || words.front().first.find_first_of("$%=") != std::string::npos || base_name(words.front().first).empty() || words.front().first.starts_with('-')) {
    to.left_out.push_back(left_out(action.place, "the command", "which program it runs is not written in the rule"));
    return std::nullopt;
  }
  std::vector<std::string> args;
  std::vector<std::pair<std::string, std::string>> with;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const auto text = text_of(to, action, words[i].first, scope);
    if (!text) return std::nullopt;
    if (text->fields().empty()) {
      args.push_back(as_template(*text));
      continue;
    }
    if (!words[i].second && !is_one_word(*text, scope.texts.dollar)) {
      differ(to, "a value is one argument, also where it holds blanks; the shell would cut it there", "in SEC's file put it in quotes, or use cmdexec");
      to.differs.back().place = action.place;
    }
    const std::string name = fmt::format("a{}", with.size() + 1);
    args.push_back(fmt::format("${{{}}}", name));
    with.emplace_back(name, as_template(*text));
  }
  if (action.verb == Verb::spawn || action.verb == Verb::spawnexec) {
    differ(to, "what the program prints is not read as lines");
    to.differs.back().place = action.place;
  }
  actions_.needs_program(words.front().first);
  return step_text(actions_.name_of(base_name(words.front().first), args, words.front().first, !more.empty()), with, more);
}

// The lines of an event store for a program; without any, it is not run.
std::optional<std::string> Importer::report(Carrying& to, const Action& action, const StepScope& scope) {
  if (!action.shell_command && action.command.empty()) {
    to.left_out.push_back(left_out(action.place, "the report", "it goes to standard output, which decisions do not have", "report it to a program"));
    return std::nullopt;
  }
  const std::string& written = action.words.front();
  const CarriedText name = written == "_THIS" && scope.ending ? *scope.ending : carry_text(written, scope.texts);
  std::string why = name.obstacle;
  if (why.empty() && !all_known(name, scope)) why = "the name of its context holds a value that is not known there";
  if (why.empty() && !(written == "_THIS" && scope.ending)) why = contexts_.store_obstacle(written);
  if (!why.empty()) {
    to.left_out.push_back(left_out(action.place, "the report", why));
    return std::nullopt;
  }
  if (!contexts_.gets_lines(written == "_THIS" ? scope.ending_name : written)) return std::nullopt;  // nor does SEC run it
  const std::string asked = fmt::format("('sec', {})", as_expression(name));
  return command(to, action, scope, fmt::format(", lines = {}, if = {}", toml_text("collected" + asked), toml_text("collected_count" + asked + " > 0")));
}

// A text for a program's standard input.
std::optional<std::string> Importer::piped(Carrying& to, const Action& action, const StepScope& scope) {
  const auto text = text_of(to, action, action.text.value_or("%s"), scope);
  if (!text) return std::nullopt;
  const bool several = std::any_of(text->parts.begin(), text->parts.end(), [](const TextPart& part) { return !part.field && part.text.find_first_of("\n\r") != std::string::npos; });
  if (several) {
    to.left_out.push_back(left_out(action.place, "the action", "its text has several lines", ""));
    return std::nullopt;
  }
  return command(to, action, scope, fmt::format(", lines = {}", toml_text(as_expression(*text))));
}

// pipe 'text' mail -s subject address, or without a subject: what rule files do most.
std::optional<std::string> Importer::mail(Carrying& to, const Action& action, const StepScope& scope) {
  std::vector<std::string> words = action.command;
  if (action.shell_command) {
    const ShellWords cut = shell_words(*action.shell_command);
    if (!cut.obstacle.empty()) return std::nullopt;
    for (const auto& [word, quoted] : cut.words) words.push_back(word);
  }
  const bool has_subject = words.size() == 4 && words[1] == "-s";
  if ((words.size() != 2 && !has_subject) || (base_name(words[0]) != "mail" && base_name(words[0]) != "mailx")) return std::nullopt;
  const auto constant = [](const std::string& word) { return word.find_first_of("$%") == std::string::npos && !word.starts_with('-'); };
  if (!constant(words.back()) || (has_subject && !constant(words[2]))) return std::nullopt;
  const std::size_t said = to.left_out.size();
  const auto text = text_of(to, action, action.text.value_or("%s"), scope);
  if (!text) to.left_out.resize(said);
  if (!text) return std::nullopt;
  differ(to, "notify sends the mail, with the decision behind its text");
  to.differs.back().place = action.place;
  std::vector<std::string> args = {"--mail", words.back(), "--severity", "info"};
  if (has_subject) args.insert(args.end(), {"--title", words[2]});
  args.insert(args.end(), {"--text", "${text}"});
  const std::string name = actions_.name_of("notify", args, "mail to " + words.back());
  return step_text(name, {{"text", as_template(*text)}});
}

std::optional<std::string> Importer::step(Carrying& to, const Action& action, const StepScope& scope) {
  switch (action.verb) {
    case Verb::none: return std::nullopt;
    case Verb::create: case Verb::destroy:
      if (!scope.may_set) to.left_out.push_back(left_out(action.place, "the action", "contexts are set where a rule decides, not where its case closes"));
      return std::nullopt;
    case Verb::write: case Verb::logonly: return say(to, action, scope);
    case Verb::pipe: case Verb::pipeexec:
      if (!action.shell_command && action.command.empty()) return say(to, action, scope);
      if (auto mailed = mail(to, action, scope)) return mailed;
      return piped(to, action, scope);
    case Verb::report: case Verb::reportexec: return report(to, action, scope);
    case Verb::event:
      if (scope.may_set) return std::nullopt;  // see made_lines()
      break;
    case Verb::add: case Verb::fill: case Verb::empty:
      if (scope.may_set && (action.verb != Verb::empty || action.variable.empty())) return std::nullopt;  // see contexts()
      break;
    case Verb::shellcmd: case Verb::cmdexec: case Verb::spawn: case Verb::spawnexec: return command(to, action, scope);
    default: break;
  }
  const bool makes = action.verb == Verb::event || action.verb == Verb::tevent || action.verb == Verb::cevent;
  if (makes) changed_ = contexts_.leave_out(action) || changed_;
  const Reason why = reason(action.verb);
  to.left_out.push_back(left_out(action.place, "the action", why.why, why.hint));
  return std::nullopt;
}

void Importer::steps(Carrying& to, const char* key, const ActionListPtr& list, const StepScope& scope) {
  if (list == nullptr) return;
  std::vector<std::string> all;
  for (const Action& action : list->actions) {
    if (auto one = step(to, action, scope)) all.push_back(*std::move(one));
  }
  if (scope.may_set) contexts(to, list, scope);
  if (scope.may_set) made_lines(to, list, scope);
  if (all.empty()) return;
  to.lines.push_back(fmt::format("{:<5} = [{}]", key, join(all, ", ")));
}

}  // namespace correlator::rules::sec
