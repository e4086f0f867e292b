// SPDX-License-Identifier: Apache-2.0
// correlator reload, plan, ack, repair, reset, silence, hold, release: what operators say to a running engine.
#include <fmt/format.h>

#include "base/text.h"
#include "commands.h"
#include "common.h"
#include "host/socket.h"
#include "pipeline/control.h"
#include "pipeline/session.h"

namespace correlator::cli {
namespace {

struct Options {
  std::string state = "/var/lib/correlator", ledger, verb, rule, key, lifetime = "1h";
  RuleOptions rules;
};

// Nobody owns the state: we take its lock and make the record ourselves; the running engine would have written the same.
Result<std::string> do_it_here(const Options& o, const pipeline::ControlRequest& request) {
  auto db = store::EngineDb::open(o.state);
  if (!db) return db.error();
  auto session = pipeline::Session::resume(std::move(db).value(), {}, {});
  if (!session) return session.error();
  auto answer = pipeline::carry_out(**session, request);
  if (!answer) return answer;
  if (auto status = (*session)->commit({}, true); !status) return status.error();
  return fmt::format("{} (no engine is running)", *answer);
}

int finish(const Result<std::string>& answer) {
  if (!answer) {
    complain(answer.error());
    return answer.error().code.starts_with("E51") ? kNo : exit_code(answer.error());
  }
  std::fputs((printable(*answer) + "\n").c_str(), stdout);
  return kFine;
}

constexpr Duration kLongestAnswer = Duration::minutes(2);  // a reload tests all rules

// The dispatcher first: what the new rules decide finds it ready, and what it refuses the engine need not try.
int reload(const Options& o, const std::string& request) {
  const std::filesystem::path ledger = o.ledger.empty() ? o.state + "-dispatch" : o.ledger;
  std::string too;
  const auto dispatcher = host::ask(ledger / "dispatch.sock", request, kLongestAnswer);
  if (!dispatcher) {
    complain(make_error("E414", fmt::format("the dispatcher keeps its rules: {}", dispatcher.error().message), "only root may reload them, by this command or `systemctl reload correlator-dispatch`"));
  } else if (*dispatcher) {
    if (auto said = pipeline::parse_answer(**dispatcher); !said) {
      Diagnostic refused = said.error();
      refused.message = fmt::format("the dispatcher refuses, so the engine was not asked; {}", refused.message);
      return finish(refused);
    }
    too = ", in the dispatcher, too";
  }
  auto answer = host::ask(std::filesystem::path(o.state) / "engine.sock", request, kLongestAnswer);
  if (!answer) return finish(answer.error());
  if (!*answer) return finish(make_error("E414", fmt::format("no engine runs on {}{}", o.state, too.empty() ? "" : "; the dispatcher has the new rules"), "it reads its rules when it starts"));
  auto said = pipeline::parse_answer(**answer);
  if (said) return finish(*said + too);
  Diagnostic refused = said.error();
  if (!too.empty()) refused.message += "; the dispatcher has the new ones";
  return finish(refused);
}

int operate(const Options& o) {
  pipeline::ControlRequest request;
  request.verb = o.verb;
  request.command.rule = o.rule;
  request.command.key = o.key;
  request.command.author = author();
  if (o.verb == "silence") {
    const auto lifetime = parse_duration(o.lifetime);
    if (!lifetime) {
      complain(make_error("E501", fmt::format("{}: not a duration", printable(o.lifetime)), "write 30m, 2h or 1d"));
      return kUsage;
    }
    request.command.lifetime = *lifetime;
  }
  // A verb is parsed here as the engine will parse it, so that both know the same.
  const auto checked = pipeline::parse_request(to_line(request));
  if (!checked) return finish(checked.error());
  if (o.verb == "reload") return reload(o, to_line(request));
  auto answer = host::ask(std::filesystem::path(o.state) / "engine.sock", to_line(request), kLongestAnswer);
  if (!answer) return finish(answer.error());
  if (*answer) return finish(pipeline::parse_answer(**answer));
  return finish(do_it_here(o, *checked));
}

int plan(const Options& o) {
  int code = kFine;
  const auto rules = load_rules(o.rules, code);
  if (rules == nullptr) return code;
  auto db = open_state_to_read(o.state);
  if (!db) {
    complain(db.error());
    return looking_exit_code(db.error());
  }
  auto engine = pipeline::restore_engine(*db, {});
  if (!engine) {
    complain(engine.error());
    return looking_exit_code(engine.error());
  }
  if (engine->rules()->hash == rules->hash) {
    std::puts("nothing changes: these rules are in force");
    return kFine;
  }
  for (const std::string& line : engine->plan(*rules)) std::puts(printable(line).c_str());
  return kFine;
}

CLI::App* add(CLI::App& app, CommandLine& out, const char* verb, const char* text) {
  CLI::App* sub = app.add_subcommand(verb, text);
  auto o = std::make_shared<Options>();
  o->verb = verb;
  sub->add_option("--state", o->state, "State directory (default: /var/lib/correlator)")->type_name("DIR");
  const std::string name = verb;
  if (name == "plan") add_rule_options(*sub, o->rules);
  if (name == "reload") sub->add_option("--ledger", o->ledger, "The dispatcher's directory (default: that of the state with -dispatch)")->type_name("DIR");
  if (name != "reload" && name != "plan") {
    sub->add_option("RULE", o->rule, "Id of the rule")->required();
    sub->add_option("KEY", o->key, "Key as `correlator windows` prints it, e.g. \"host=kvm1 dimm=D1\"; without it all of the rule");
  }
  if (name == "silence") sub->add_option("--for", o->lifetime, "How long, in log time (default: 1h)")->type_name("DURATION");
  sub->callback([o, name, &out] { out.command = [o, name] { return name == "plan" ? plan(*o) : operate(*o); }; });
  return sub;
}

}  // namespace

void add_control(CLI::App& app, CommandLine& out) {
  add(app, out, "reload", "Load, lint and test the rules and put them in force in the running dispatcher and engine; a bad rule changes nothing");
  add(app, out, "plan", "What a reload would keep, migrate or drop");
  add(app, out, "ack", "Acknowledge an open case: somebody is looking after it");
  add(app, out, "repair", "Close a case because the part was replaced; what was counted is forgotten, a cooldown ends");
  add(app, out, "reset", "Close a case, forget what was counted, end a cooldown: the next event is the first");
  add(app, out, "silence", "Hold what a rule decides, for a time");
  add(app, out, "hold", "Hold what a rule decides, until it is released");
  add(app, out, "release", "End a silence or a hold; what still holds is decided now");
}

}  // namespace correlator::cli
