// SPDX-License-Identifier: Apache-2.0
// Action lists: one table says which parameters each action takes.
#include <algorithm>
#include <array>
#include <cctype>

#include "base/text.h"
#include "field_test.h"
#include "parts.h"

namespace correlator::rules::sec {
namespace {

// Parameters in order: w a word, W perhaps a word, v a variable, V perhaps one, n a rule number, t text (or the description), c a
// command line for the shell, C perhaps one, x a command without a shell, X perhaps one, q a text in quotes, l perhaps an
// action list, * read by a function of its own.
struct VerbRow {
  std::string_view name;
  Verb verb;
  std::string_view shape;
  std::string_view usage;
};

constexpr std::array kVerbs{
    VerbRow{"none", Verb::none, "", "none"},
    VerbRow{"logonly", Verb::logonly, "t", "logonly [text]"},
    VerbRow{"write", Verb::write, "wt", "write file [text]"},
    VerbRow{"writen", Verb::writen, "wt", "writen file [text]"},
    VerbRow{"closef", Verb::closef, "w", "closef file"},
    VerbRow{"owritecl", Verb::owritecl, "wt", "owritecl file [text]"},
    VerbRow{"udgram", Verb::udgram, "wt", "udgram socket [text]"},
    VerbRow{"closeudgr", Verb::closeudgr, "w", "closeudgr socket"},
    VerbRow{"ustream", Verb::ustream, "wt", "ustream socket [text]"},
    VerbRow{"closeustr", Verb::closeustr, "w", "closeustr socket"},
    VerbRow{"udpsock", Verb::udpsock, "wt", "udpsock host:port [text]"},
    VerbRow{"closeudp", Verb::closeudp, "w", "closeudp host:port"},
    VerbRow{"tcpsock", Verb::tcpsock, "wt", "tcpsock host:port [text]"},
    VerbRow{"closetcp", Verb::closetcp, "w", "closetcp host:port"},
    VerbRow{"shellcmd", Verb::shellcmd, "c", "shellcmd command"},
    VerbRow{"cmdexec", Verb::cmdexec, "x", "cmdexec command"},
    VerbRow{"spawn", Verb::spawn, "c", "spawn command"},
    VerbRow{"spawnexec", Verb::spawnexec, "x", "spawnexec command"},
    VerbRow{"cspawn", Verb::cspawn, "wc", "cspawn name command"},
    VerbRow{"cspawnexec", Verb::cspawnexec, "wx", "cspawnexec name command"},
    VerbRow{"pipe", Verb::pipe, "qC", "pipe 'text' [command]"},
    VerbRow{"pipeexec", Verb::pipeexec, "qX", "pipeexec 'text' [command]"},
    VerbRow{"create", Verb::create, "WWl", "create [name [time [action list]]]"},
    VerbRow{"delete", Verb::destroy, "W", "delete [name]"},
    VerbRow{"obsolete", Verb::obsolete, "W", "obsolete [name]"},
    VerbRow{"set", Verb::set, "wwl", "set name time|- [action list]"},
    VerbRow{"alias", Verb::alias, "wW", "alias name [alias]"},
    VerbRow{"unalias", Verb::unalias, "W", "unalias [alias]"},
    VerbRow{"add", Verb::add, "wt", "add name [text]"},
    VerbRow{"prepend", Verb::prepend, "wt", "prepend name [text]"},
    VerbRow{"fill", Verb::fill, "wt", "fill name [text]"},
    VerbRow{"report", Verb::report, "wC", "report name [command]"},
    VerbRow{"reportexec", Verb::reportexec, "wX", "reportexec name [command]"},
    VerbRow{"copy", Verb::copy, "wv", "copy name %variable"},
    VerbRow{"empty", Verb::empty, "wV", "empty name [%variable]"},
    VerbRow{"pop", Verb::pop, "wv", "pop name %variable"},
    VerbRow{"shift", Verb::shift, "wv", "shift name %variable"},
    VerbRow{"trim", Verb::trim, "wwV", "trim time name [%variable]"},
    VerbRow{"exists", Verb::exists, "vw", "exists %variable name"},
    VerbRow{"getsize", Verb::getsize, "vw", "getsize %variable name"},
    VerbRow{"getaliases", Verb::getaliases, "vw", "getaliases %variable name"},
    VerbRow{"getltime", Verb::getltime, "vw", "getltime %variable name"},
    VerbRow{"setltime", Verb::setltime, "wW", "setltime name [time]"},
    VerbRow{"getctime", Verb::getctime, "vw", "getctime %variable name"},
    VerbRow{"setctime", Verb::setctime, "ww", "setctime time name"},
    VerbRow{"event", Verb::event, "*", "event [seconds] [text]"},
    VerbRow{"tevent", Verb::tevent, "wt", "tevent time [text]"},
    VerbRow{"cevent", Verb::cevent, "wwt", "cevent name time [text]"},
    VerbRow{"reset", Verb::reset, "*", "reset [rule] [description]"},
    VerbRow{"getwpos", Verb::getwpos, "vnt", "getwpos %variable rule [description]"},
    VerbRow{"setwpos", Verb::setwpos, "wnt", "setwpos time rule [description]"},
    VerbRow{"assign", Verb::assign, "vt", "assign %variable [text]"},
    VerbRow{"assignsq", Verb::assignsq, "vt", "assignsq %variable [text]"},
    VerbRow{"free", Verb::free, "v", "free %variable"},
    VerbRow{"eval", Verb::eval, "*", "eval %variable code"},
    VerbRow{"call", Verb::call, "*", "call %variable %function [parameters]"},
    VerbRow{"lcall", Verb::lcall, "*", "lcall %variable [parameters] -> code"},
    VerbRow{"rewrite", Verb::rewrite, "wt", "rewrite lines [text]"},
    VerbRow{"addinput", Verb::addinput, "wWW", "addinput file [offset [name]]"},
    VerbRow{"dropinput", Verb::dropinput, "w", "dropinput file"},
    VerbRow{"sigemul", Verb::sigemul, "w", "sigemul SIGNAL"},
    VerbRow{"varset", Verb::varset, "vw", "varset %variable entry"},
    VerbRow{"if", Verb::when, "*", "if %variable ( action list ) [else ( action list )]"},
    VerbRow{"while", Verb::loop, "*", "while %variable ( action list )"},
    VerbRow{"break", Verb::leave, "", "break"},
    VerbRow{"continue", Verb::again, "", "continue"},
};

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  const std::string plain = unwrapped(text);
  for (Slice rest = Slice{plain, 0}.trimmed(); !rest.empty();) out.emplace_back(rest.take_word().text);
  return out;
}

class ActionReader {
 public:
  ActionReader(Reading& reading, const Field& field) : reading_(reading), field_(field) {}

  ActionListPtr list(Slice text) {
    if (find_outside(text.text, "") == kUnbalanced) {
      reading_.error(field_, text.offset, text.text.size(), "the parentheses of the action list do not match",
                     "write \\( and \\) where they are text");
      return nullptr;
    }
    auto out = std::make_shared<ActionList>();
    out->text = text.text;
    out->asks_cache = text.text.find("$:{") != std::string_view::npos || text.text.find("%:{") != std::string_view::npos;
    std::vector<Slice> parts = split_outside(text, ";");
    while (!parts.empty() && is_blank(parts.back().text)) parts.pop_back();
    for (const Slice part : parts) {
      const Slice action = part.trimmed();
      if (action.empty()) {
        reading_.error(field_, part.offset, 1, "an action is missing in front of this", "a ; stands between actions, and may stand behind the last one");
        return nullptr;
      }
      auto read = one(action);
      if (!read) return nullptr;
      out->actions.push_back(*std::move(read));
    }
    return out;
  }

 private:
  std::nullopt_t wrong(Slice at, std::string message, std::string hint = {}) {
    reading_.error(field_, at.offset, at.text.size(), std::move(message), std::move(hint));
    return std::nullopt;
  }

  std::optional<Action> one(Slice text) {
    std::size_t n = 0;
    while (n < text.text.size() && std::isalpha(static_cast<unsigned char>(text.text[n]))) ++n;
    const std::string name = lower(text.text.substr(0, n));
    const auto row = std::find_if(kVerbs.begin(), kVerbs.end(), [&](const VerbRow& r) { return r.name == name; });
    const bool ends = n == text.text.size() || std::isspace(static_cast<unsigned char>(text.text[n]));
    if (row == kVerbs.end() || !ends) {
      Slice rest = text;
      const Slice word = rest.take_word();
      std::vector<std::string> names;
      for (const VerbRow& r : kVerbs) names.emplace_back(r.name);
      const std::string near = closest(lower(word.text), names);
      return wrong(word, "there is no action " + std::string(word.text), near.empty() ? std::string() : "did you mean " + near + "?");
    }
    Action out;
    out.verb = row->verb;
    out.place = about(reading_.file, field_, text.offset, 1, {}, {}).place;
    Slice rest = text.part(n).trimmed();
    const bool fine = row->shape == "*" ? special(out, rest) : parameters(out, *row, rest, text);
    if (!fine) {
      if (!reading_.failed) wrong(text, "the action does not have the form of its kind", std::string("it is ") + std::string(row->usage));
      return std::nullopt;
    }
    return out;
  }

  bool variable(Slice word, std::string& out) {
    if (word.text.size() >= 2 && word.text.front() == '%' && is_name(word.text.substr(1))) {
      out = word.text.substr(1);
      return true;
    }
    wrong(word, "a variable is needed here", "a variable is % and a name of letters, digits and _, for example %count");
    return false;
  }

  bool parameters(Action& out, const VerbRow& row, Slice rest, Slice all) {
    for (const char kind : row.shape) {
      const bool optional = kind == 'W' || kind == 'V' || kind == 'C' || kind == 'X' || kind == 't' || kind == 'l';
      if (rest.empty() && !optional) return false;
      if (rest.empty()) continue;
      switch (kind) {
        case 'w': case 'W':
          if (!parameter(out, row, kind == 'W', rest)) return false;
          break;
        case 'v': case 'V': if (!variable(rest.take_word(), out.variable)) return false; break;
        case 'n': if (!rule_number(out, rest.take_word())) return false; break;
        case 't': set_text(out, rest.text); rest = {}; break;
        case 'c': case 'C':
          if (std::string command = unwrapped(rest.text); !is_blank(command)) out.shell_command = std::move(command);
          else if (kind == 'c') return false;
          rest = {};
          break;
        case 'x': case 'X':
          out.command = words_of(rest.text);
          if (out.command.empty() && kind == 'x') return false;
          rest = {};
          break;
        case 'q': if (!quoted(out, rest)) return false; break;
        case 'l':
          out.list = list(inside_parentheses(rest));
          if (out.list == nullptr) return false;
          rest = {};
          break;
        default: break;
      }
    }
    if (rest.empty()) return true;
    wrong(all, "the action has parameters too many", std::string("it is ") + std::string(row.usage));
    return false;
  }

  // () stands for a parameter that is left out: a name is the description then, a time 0, an offset the end.
  bool parameter(Action& out, const VerbRow& row, bool optional, Slice& rest) {
    std::string word = unwrapped(rest.take_word().text);
    if (word.empty() && !optional) return false;
    const bool is_first = out.words.empty();
    const char* left_out = row.verb == Verb::addinput ? "-" : is_first || row.verb == Verb::alias ? "%s" : "0";
    out.words.push_back(word.empty() ? left_out : std::move(word));
    return true;
  }

  // A text of nothing but blanks in parentheses is none.
  static void set_text(Action& out, std::string_view text) {
    std::string plain = unwrapped(text);
    if (!plain.empty()) out.text = std::move(plain);
  }

  bool quoted(Action& out, Slice& rest) {
    if (rest.text.front() != '\'') return false;
    const std::size_t end = rest.text.find('\'', 1);
    if (end == std::string_view::npos) return false;
    const Slice behind = rest.part(end + 1);
    if (!behind.empty() && !std::isspace(static_cast<unsigned char>(behind.text.front()))) return false;
    if (end > 1) set_text(out, rest.text.substr(1, end - 1));
    rest = behind.trimmed();
    return true;
  }

  bool rule_number(Action& out, Slice word) {
    std::string_view digits = word.text;
    const bool sign = !digits.empty() && (digits.front() == '+' || digits.front() == '-');
    if (sign) digits.remove_prefix(1);
    if (!is_number(digits)) return false;
    out.number = static_cast<std::int64_t>(number_of(digits));
    if (word.text.front() == '-') out.number = -out.number;
    out.relative = sign || out.number == 0;
    out.numbered = true;
    return true;
  }

  bool special(Action& out, Slice rest) {
    switch (out.verb) {
      case Verb::event: return event(out, rest);
      case Verb::reset: return reset(out, rest);
      case Verb::eval: return eval(out, rest);
      case Verb::call: return call(out, rest);
      case Verb::lcall: return lcall(out, rest);
      case Verb::when: case Verb::loop: return branch(out, rest);
      default: return false;
    }
  }

  bool event(Action& out, Slice rest) {
    Slice behind = rest;
    const Slice first = behind.take_word();
    if (is_number(first.text)) {
      out.numbered = true;
      out.number = static_cast<std::int64_t>(number_of(first.text));
      rest = behind;
    }
    if (!rest.empty()) set_text(out, rest.text);
    return true;
  }

  bool reset(Action& out, Slice rest) {
    Slice behind = rest;
    const Slice first = behind.take_word();
    if (!first.empty() && rule_number(out, first)) rest = behind;
    if (!rest.empty()) set_text(out, rest.text);
    return true;
  }

  bool eval(Action& out, Slice rest) {
    if (rest.empty() || !variable(rest.take_word(), out.variable) || rest.empty()) return false;
    out.text = unwrapped(rest.text);
    return reading_.code(field_, rest.offset, "sub { 1 }").has_value();
  }

  bool call(Action& out, Slice rest) {
    std::string function;
    if (rest.empty() || !variable(rest.take_word(), out.variable) || rest.empty() || !variable(rest.take_word(), function)) return false;
    out.words = words_of(rest.text);
    out.words.insert(out.words.begin(), function);
    return reading_.code(field_, rest.offset, "sub { 1 }").has_value();
  }

  // The first -> or :> is the one, wherever it stands; blanks around it are not needed.
  bool lcall(Action& out, Slice rest) {
    const std::size_t values = rest.text.find("->"), entries = rest.text.find(":>");
    const std::size_t at = std::min(values, entries);
    if (at == std::string_view::npos) return false;
    Slice parameters = rest.part(0, at).trimmed();
    if (parameters.empty() || !variable(parameters.take_word(), out.variable)) return false;
    out.by_entry = entries < values;
    out.words = words_of(parameters.text);
    const Slice body = rest.part(at + 2).trimmed();
    const std::string source = unwrapped(body.text);
    out.test = translate(source);
    if (out.test != nullptr) return true;
    out.code = reading_.code(field_, body.offset, source);
    return out.code.has_value();
  }

  // Blanks must stand between the parts. The first list may not be empty, the one behind else may.
  bool branch(Action& out, Slice rest) {
    if (rest.empty() || !variable(rest.take_word(), out.variable) || !body(rest, out.list)) return false;
    if (out.list->actions.empty()) return false;
    if (rest.empty()) return true;
    if (out.verb == Verb::loop || !blank_before(rest)) return false;
    const Slice word = rest.take_word();
    return lower(word.text) == "else" && body(rest, out.otherwise) && rest.empty();
  }

  static bool blank_before(const Slice& rest) { return std::isspace(static_cast<unsigned char>(*(rest.text.data() - 1))) != 0; }

  bool body(Slice& rest, ActionListPtr& out) {
    const std::size_t end = rest.empty() || rest.text.front() != '(' ? std::string_view::npos : closing(rest.text);
    if (end == std::string_view::npos) return false;
    out = list(rest.part(1, end - 1));
    rest = rest.part(end + 1).trimmed();
    return out != nullptr;
  }

  Reading& reading_;
  const Field& field_;
};

}  // namespace

ActionListPtr read_actions(Reading& reading, const Field& field, Slice text) { return ActionReader(reading, field).list(text); }

}  // namespace correlator::rules::sec
