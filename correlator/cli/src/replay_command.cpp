// SPDX-License-Identifier: Apache-2.0
// correlator replay: archived logs in their own time.
#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "commands.h"
#include "common.h"
#include "pipeline/range_replay.h"
#include "replay_logs.h"
#include "replay_sec.h"

namespace correlator::cli {
namespace {

int replay_recorded(const ReplayArguments& o) {
  auto db = open_state_to_read(o.recorded);
  if (!db) {
    complain(db.error());
    return looking_exit_code(db.error());
  }
  report::Printer printer = make_printer(o.json, report::Tense::would);
  auto result = pipeline::replay_recorded(*db, {}, [&](const engine::StepOutput& out, const rules::RuleSet& rules) {
    if (o.events) {
      for (const engine::Event& event : out.events) printer.event(event, rules);
    }
    for (const engine::Decision& decision : out.decisions) printer.decision(decision);
  });
  if (!result) {
    complain(result.error());
    return exit_code(result.error());
  }
  if (o.json) {
    printer.object({{"type", "recorded"},
                    {"records", result->records},
                    {"decisions", result->decisions},
                    {"different", result->different}});
  } else {
    printer.note(fmt::format("{} stepped again: {}, {}", counted(result->records, "record"),
                             counted(result->decisions, "decision"),
                             result->different == 0 ? "each to the byte as recorded"
                                                    : fmt::format("{} NOT as recorded", result->different)));
  }
  return result->different == 0 ? kFine : kNo;
}

int replay_with_sec(const ReplayArguments& o) {
  SecReplay what{o.sec, o.logs, {}, o.year != 0 ? std::optional(o.year) : std::nullopt, o.state, o.profile};
  auto zone = Zone::find(o.zone);
  if (!zone) {
    complain(zone.error());
    return kUsage;
  }
  what.zone = *zone;
  return replay_sec(what);
}

}  // namespace

void add_replay(CLI::App& app, CommandLine& out) {
  CLI::App* sub =
      app.add_subcommand("replay", "Archived logs in their own time: what would have been decided");
  auto o = std::make_shared<ReplayArguments>();
  sub->add_option(
      "LOG", o->logs,
      "Log files (.gz .zst .xz .bz2 too), directories, or - for stdin; several are merged by time");
  add_rule_options(*sub, o->rules);
  CLI::Option* sec = sub->add_option("--sec", o->sec, "A rule file of SEC instead: what it would have written and run, in the log's own time");
  sec->type_name("FILE")
      ->allow_extra_args(false);
  sub->add_option("--from", o->from,
                  "Print only what happens from this time on; what is before warms up the windows, and is read as far as it may matter")
      ->type_name("TIME");
  sub->add_option("--to", o->to, "Leave out what is after this time")->type_name("TIME");
  sub->add_flag("--whole", o->whole,
                "Read all of each log, for --from and --to too: where lines stand more than an hour out of order, or compressed files of one log do");
  sub->add_flag("--events", o->events, "Print the decoded events, too");
  sub->add_flag("--windows", o->windows, "Print at the end where each window stands");
  sub->add_flag("--json", o->json, "One JSON object a line");
  sub->add_option("--state", o->state,
                  "Keep windows, decisions and positions in this directory, and go on where it stopped")
      ->type_name("DIR");
  sub->add_flag("--act", o->act,
                "Run the actions, too, as they would run live; needs --state, whose ledger keeps one from "
                "running twice");
  sub->add_flag("--shadow", o->shadow, "As --act, but only record in the ledger what would run");
  sub->add_option("--actions", o->actions,
                  fmt::format("Directory of the action scripts (default: {})", kActionsDirectory))
      ->type_name("DIR");
  CLI::Option* recorded =
      sub->add_option("--recorded", o->recorded, "Step again what this state directory recorded, and compare");
  recorded->type_name("DIR");
  sub->add_flag("--profile", o->profile, "Print at the end what each pattern and each rule cost (on stderr; with --json an object); of --sec each rule")
      ->excludes(recorded);
  sub->add_option("--year", o->year,
                  "Year of the first line of logs whose dates have none (default: from the file's time; of a "
                  "pipe, from today)")
      ->type_name("YEAR");
  sub->add_option("--zone", o->zone,
                  "Time zone of dates without offset (default: [input] zone of the rules, else UTC)")
      ->type_name("ZONE")
      ->each([o](const std::string&) { o->zone_given = true; });
  sub->add_option("--boot", o->boot,
                  "When uptime 0 was, for logs with printk times only (default: 1970-01-01)")
      ->type_name("TIME");
  sub->add_option("--host", o->host, "Host of lines that name none: consoles, dmesg")->type_name("HOST");
  sub->add_option("--threads", o->threads,
                  "Threads that read and scan; changes nothing in the result (default: the CPUs this process may use, at most 16)")
      ->type_name("N")
      ->check(CLI::Range(1, 256));
  sub->add_flag("--no-progress", o->no_progress, "No progress line on a terminal");
  sub->add_option("--block-size", o->block_size, "Bytes read at a time; changes nothing in the result")
      ->group("");
  sub->add_option("--commit-bytes", o->commit_bytes,
                  "Commit after so many bytes; changes nothing in the result")
      ->group("");
  sub->add_option("--record-bytes", o->record_bytes, "Write records when so many bytes of them wait; changes nothing in the result")
      ->group("");
  sub->add_flag("--no-read-ahead", o->no_read_ahead, "Read in the main thread; changes nothing in the result")
      ->group("");
  sub->callback([o, &out] {
    out.command = [o]() -> int {
      if (!o->recorded.empty()) return replay_recorded(*o);
      if (o->logs.empty()) {
        complain(make_error("E506", "no log to replay",
                            "name one: correlator replay /var/log/kern.log, or - for stdin"));
        return kUsage;
      }
      if (!o->sec.empty()) return replay_with_sec(*o);
      if ((o->act || o->shadow) && o->state.empty()) {
        complain(make_error(
            "E508", fmt::format("{} needs a state directory", o->act ? "--act" : "--shadow"),
            "add --state DIR: the ledger there keeps an action from running twice when you replay again"));
        return kUsage;
      }
      return replay_logs(*o);
    };
  });
}

}  // namespace correlator::cli
