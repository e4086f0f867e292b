// SPDX-License-Identifier: Apache-2.0
// Actions whose doing is up to others: files, sockets, commands, inputs, signals.
#include <array>

#include "core.h"

namespace correlator::engine {

using rules::procedure::Action;
using rules::procedure::Verb;

namespace {

struct SocketVerb {
  Verb verb;
  Effect::Kind kind;
};
constexpr std::array<SocketVerb, 8> kSockets{{{Verb::udgram, Effect::Kind::datagram},
                                              {Verb::closeudgr, Effect::Kind::close_datagram},
                                              {Verb::ustream, Effect::Kind::stream},
                                              {Verb::closeustr, Effect::Kind::close_stream},
                                              {Verb::udpsock, Effect::Kind::udp},
                                              {Verb::closeudp, Effect::Kind::close_udp},
                                              {Verb::tcpsock, Effect::Kind::tcp},
                                              {Verb::closetcp, Effect::Kind::close_tcp}}};

bool closes(Verb verb) {
  return verb == Verb::closef || verb == Verb::closeudgr || verb == Verb::closeustr || verb == Verb::closeudp || verb == Verb::closetcp;
}

}  // namespace

void Procedure::Core::start_command(const Action& action, const Setting& setting, bool feeds, std::string fed) {
  Effect& start = effect(Effect::Kind::command);
  start.feeds = feeds;
  start.text = std::move(fed);
  start.spawns = action.verb == Verb::spawn || action.verb == Verb::spawnexec || action.verb == Verb::cspawn || action.verb == Verb::cspawnexec;
  if (action.verb == Verb::cspawn || action.verb == Verb::cspawnexec) start.target = word(action, 0, setting);
  if (action.shell_command) {
    start.command = shell(*action.shell_command, setting);
    return;
  }
  for (const std::string& part : action.command) start.words.push_back(text(part, setting).value);
}

void Procedure::Core::act_on_world(const Action& action, const Setting& setting) {
  for (const SocketVerb& socket : kSockets) {
    if (socket.verb != action.verb) continue;
    std::string target = word(action, 0, setting);
    std::string sent = closes(action.verb) ? std::string() : text_or_description(action.text, setting).value;
    Effect& out = effect(socket.kind);
    out.target = std::move(target);
    out.text = std::move(sent);
    return;
  }
  switch (action.verb) {
    case Verb::logonly: return say(4, text_or_description(action.text, setting).value);
    case Verb::write: case Verb::writen: case Verb::owritecl: {
      std::string file = word(action, 0, setting);
      std::string line = text_or_description(action.text, setting).value;
      if (action.verb == Verb::write) line += '\n';
      Effect& out = effect(file == "-" ? Effect::Kind::out : action.verb == Verb::owritecl ? Effect::Kind::file_once : Effect::Kind::file);
      out.target = std::move(file);
      out.text = std::move(line);
      return;
    }
    case Verb::closef: effect(Effect::Kind::close_file).target = word(action, 0, setting); return;
    case Verb::shellcmd: case Verb::cmdexec: case Verb::spawn: case Verb::spawnexec: case Verb::cspawn: case Verb::cspawnexec:
      return start_command(action, setting, false, {});
    case Verb::pipe: case Verb::pipeexec: case Verb::report: case Verb::reportexec: {
      std::string fed;
      if (action.verb == Verb::pipe || action.verb == Verb::pipeexec) {
        fed = text_or_description(action.text, setting).value + "\n";
      } else {
        const std::string name = word(action, 0, setting);
        const auto from = store(name);
        if (from == nullptr || from->lines.empty()) return say(4, "context " + name + " does not exist or has nothing to report");
        for (const auto& [time, line] : from->lines) fed += line + "\n";
      }
      if (action.shell_command || !action.command.empty()) return start_command(action, setting, true, std::move(fed));
      effect(Effect::Kind::out).text = std::move(fed);
      return;
    }
    case Verb::addinput: {
      Effect input;
      input.kind = Effect::Kind::add_input;
      input.target = word(action, 0, setting);
      const std::string offset = action.words.size() > 1 ? word(action, 1, setting) : "-";
      input.number = offset == "-" || offset.empty() || offset.find_first_not_of("0123456789") != std::string::npos ? -1 : std::stoll(offset.substr(0, 17));
      input.text = action.words.size() > 2 ? word(action, 2, setting) : "_FILE_EVENT_" + input.target;
      effects->push_back(std::move(input));
      return;
    }
    case Verb::dropinput: effect(Effect::Kind::drop_input).target = word(action, 0, setting); return;
    case Verb::sigemul: effect(Effect::Kind::signal).target = word(action, 0, setting); return;
    default: return;
  }
}

}  // namespace correlator::engine
