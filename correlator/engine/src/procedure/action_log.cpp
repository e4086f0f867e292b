// SPDX-License-Identifier: Apache-2.0
// What each action says of itself in the log before it is done.
#include <array>

#include "core.h"

namespace correlator::engine {

using rules::procedure::Action;
using rules::procedure::Verb;

namespace {

// {0} {1} {2} the words, {v} the variable, {t} the text, {c} the command, {n} the number.
struct Phrase {
  Verb verb;
  int level;
  std::string_view text;
};

constexpr std::array kPhrases{
    Phrase{Verb::write, 6, "writing to {0}: {t}"},
    Phrase{Verb::writen, 6, "writing to {0} without a newline: {t}"},
    Phrase{Verb::closef, 6, "closing file {0}"},
    Phrase{Verb::owritecl, 6, "writing to {0} and closing it: {t}"},
    Phrase{Verb::udgram, 6, "sending to datagram socket {0}: {t}"},
    Phrase{Verb::closeudgr, 6, "closing datagram socket {0}"},
    Phrase{Verb::ustream, 6, "sending to stream socket {0}: {t}"},
    Phrase{Verb::closeustr, 6, "closing stream socket {0}"},
    Phrase{Verb::udpsock, 6, "sending to UDP peer {0}: {t}"},
    Phrase{Verb::closeudp, 6, "closing the socket of UDP peer {0}"},
    Phrase{Verb::tcpsock, 6, "sending to TCP peer {0}: {t}"},
    Phrase{Verb::closetcp, 6, "closing the connection to TCP peer {0}"},
    Phrase{Verb::shellcmd, 5, "starting: {c}"},
    Phrase{Verb::cmdexec, 5, "starting without a shell: {c}"},
    Phrase{Verb::spawn, 5, "starting for its lines: {c}"},
    Phrase{Verb::spawnexec, 5, "starting for its lines without a shell: {c}"},
    Phrase{Verb::cspawn, 5, "starting for its lines, with context {0}: {c}"},
    Phrase{Verb::cspawnexec, 5, "starting for its lines without a shell, with context {0}: {c}"},
    Phrase{Verb::pipe, 5, "feeding '{t}' to: {c}"},
    Phrase{Verb::pipeexec, 5, "feeding '{t}' without a shell to: {c}"},
    Phrase{Verb::report, 5, "reporting context {0} to: {c}"},
    Phrase{Verb::reportexec, 5, "reporting context {0} without a shell to: {c}"},
    Phrase{Verb::create, 6, "creating context {0}, lifetime '{1}'"},
    Phrase{Verb::destroy, 6, "deleting context {0}"},
    Phrase{Verb::obsolete, 6, "ending context {0}"},
    Phrase{Verb::set, 6, "setting context {0}, lifetime '{1}'"},
    Phrase{Verb::alias, 6, "context {0} is also named {1}"},
    Phrase{Verb::unalias, 6, "removing the name {0} of a context"},
    Phrase{Verb::add, 6, "adding to context {0}: {t}"},
    Phrase{Verb::prepend, 6, "adding to the front of context {0}: {t}"},
    Phrase{Verb::fill, 6, "filling context {0} with: {t}"},
    Phrase{Verb::copy, 6, "copying context {0} to %{v}"},
    Phrase{Verb::empty, 6, "emptying context {0}"},
    Phrase{Verb::pop, 6, "taking the last line of context {0} into %{v}"},
    Phrase{Verb::shift, 6, "taking the first line of context {0} into %{v}"},
    Phrase{Verb::trim, 6, "dropping lines older than '{0}' of context {1}"},
    Phrase{Verb::exists, 6, "asking whether context {0} exists"},
    Phrase{Verb::getsize, 6, "asking for the number of lines of context {0}"},
    Phrase{Verb::getaliases, 6, "asking for the names of context {0}"},
    Phrase{Verb::getltime, 6, "asking for the lifetime of context {0}"},
    Phrase{Verb::setltime, 6, "setting the lifetime of context {0} to '{1}'"},
    Phrase{Verb::getctime, 6, "asking when context {0} was made"},
    Phrase{Verb::setctime, 6, "setting when context {1} was made to '{0}'"},
    Phrase{Verb::event, 6, "making an event after {n} s: {t}"},
    Phrase{Verb::tevent, 6, "making an event after '{0}' s: {t}"},
    Phrase{Verb::cevent, 6, "making an event after '{1}' s, with context {0}: {t}"},
    Phrase{Verb::reset, 6, "ending operations '{t}'"},
    Phrase{Verb::getwpos, 6, "asking where the window of operation '{t}' begins"},
    Phrase{Verb::setwpos, 6, "moving the window of operation '{t}' to '{0}'"},
    Phrase{Verb::free, 6, "freeing %{v}"},
    Phrase{Verb::eval, 6, "running code for %{v}"},
    Phrase{Verb::call, 6, "calling a function for %{v}"},
    Phrase{Verb::lcall, 6, "running code for %{v}"},
    Phrase{Verb::rewrite, 6, "rewriting the last '{0}' lines: {t}"},
    Phrase{Verb::addinput, 6, "adding input {0}"},
    Phrase{Verb::dropinput, 6, "dropping input {0}"},
    Phrase{Verb::sigemul, 6, "acting as if signal {0} had come"},
    Phrase{Verb::varset, 6, "asking whether entry {0} of the match cache is set"},
};

}  // namespace

std::string Procedure::Core::command_text(const Action& action, const Setting& setting) {
  if (action.shell_command) return shell(*action.shell_command, setting);
  std::string out;
  for (const std::string& part : action.command) out += (out.empty() ? "" : " ") + text(part, setting).value;
  return out.empty() ? "standard output" : out;
}

// What an assignment gives is said by assign(), what logonly says is its own text; what decides (if, while) says nothing.
void Procedure::Core::tell(const Action& action, const Setting& setting) {
  for (const Phrase& phrase : kPhrases) {
    if (phrase.verb != action.verb) continue;
    if (!says(phrase.level)) return;
    std::string out;
    for (std::size_t i = 0; i < phrase.text.size(); ++i) {
      if (phrase.text[i] != '{') {
        out += phrase.text[i];
        continue;
      }
      const char what = phrase.text[i + 1];
      i += 2;
      if (what == 'v') out += action.variable;
      else if (what == 't') out += text_or_description(action.text, setting).value;
      else if (what == 'c') out += command_text(action, setting);
      else if (what == 'n') out += std::to_string(action.number);
      else if (const auto index = static_cast<std::size_t>(what - '0'); index == 0 || index < action.words.size()) out += word(action, index, setting);
    }
    return say(phrase.level, std::move(out));
  }
}

}  // namespace correlator::engine
