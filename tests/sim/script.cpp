// SPDX-License-Identifier: Apache-2.0
#include "script.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "base/diagnostic.h"
#include "base/json.h"
#include "rules/loader.h"

namespace correlator::sim {
namespace {

constexpr const char* kRules = R"toml(format = 1
[class."memory.corrected"]
key = ["host", "dimm"]
requires = { severity = "text", dimm = "text" }
[class.hit]
key = ["host"]
requires = { what = "text" }
[[event]]
id = "ce"
class = "memory.corrected"
match = 'EDAC MC\d+: (?P<n>\d+) CE .* on (?P<dimm>\S+) '
types = { n = "int" }
weight = "n"
let = { severity = "'corrected'" }
[[event.sample]]
line = "Jan  1 00:00:00 h app: EDAC MC0: 1 CE error on D1 (x)"
expect = { class = "memory.corrected", weight = 1 }
[[event]]
id = "hit"
class = "hit"
match = 'hit (?P<what>\w+)'
[[event.sample]]
line = "Jan  1 00:00:00 h app: hit x"
expect = { class = "hit" }
[[rule]]
id = "dimm.failing"
on = "memory.corrected"
count = { threshold = "@COUNT@ in 1h", rearm = "at-once" }
then = ["replace"]
[[rule]]
id = "dimm.seen"
on = "memory.corrected"
count = "4 in 10m"
clear = { quiet_for = "5m" }
then = ["page"]
[[rule]]
id = "silent"
key = ["host"]
absence = { of = ["hit", "memory.corrected"], for = "4m" }
then = ["page"]
[[rule]]
id = "plain"
on = { on = "hit", where = "what == 'plain'" }
then = ["once"]
[[rule]]
id = "doubted"
on = { on = "hit", where = "what == 'doubted'" }
then = ["doubt"]
[[rule]]
id = "asked"
on = { on = "hit", where = "what == 'asked'" }
then = ["ask"]
@MORE@
[action.replace]
run = "replace"
args = ["--dimm", "${dimm}", "--host=${host}"]
needs = ["dimm"]
idempotent = true
retry = 2
retry_after = "20s"
timeout = "40s"
serial = "${host}"
max_age = "30d"
[action.page]
run = "page"
args = ["${host}"]
idempotent = true
retry = 1
timeout = "40s"
budget = "pages"
max_age = "30d"
[action.once]
run = "once"
args = ["${host}", "${what}"]
retry = 1
timeout = "40s"
max_age = "30d"
[action.doubt]
run = "replace"
confirm = "second"
args = ["${host}"]
idempotent = true
timeout = "40s"
max_age = "30d"
[action.ask]
run = "replace"
approve = true
args = ["${host}"]
idempotent = true
timeout = "40s"
max_age = "30d"
[budget.pages]
at_most = 3
per = "5m"
)toml";

constexpr const char* kMore = R"toml([[rule]]
id = "hits"
on = "hit"
count = "3 in 30m"
clear = { quiet_for = "2m" }
then = ["page"]
)toml";

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  return text.replace(text.find(what), what.size(), with);
}

std::shared_ptr<const rules::RuleSet> loaded(const char* count, const char* more) {
  const std::string text = replaced(replaced(kRules, "@COUNT@", count), "@MORE@", more);
  rules::Loaded set = rules::load({{"sim.toml", text}});
  if (set.rules == nullptr) {
    for (const Diagnostic& d : set.diagnostics) std::fprintf(stderr, "%s\n", to_text(d).c_str());
    std::abort();
  }
  return set.rules;
}

// Of the host's own stamp: mostly the moment, sometimes earlier, sometimes of a clock that is wrong.
Timestamp stamp(Random& random, Timestamp at) {
  if (random.chance(85)) return at - Duration::milliseconds(random.between(0, 900));
  if (random.chance(70)) return at - Duration::seconds(random.between(1, 40));
  if (random.chance(50)) return at - Duration::minutes(random.between(2, 200));
  return random.chance(50) ? at + Duration::seconds(random.between(1, 100'000)) : Timestamp{random.between(0, 1'000'000'000)};
}

// `quiet`: mostly such as are recorded and decide nothing, so that their commits need no sync.
Step line(Random& random, Timestamp at, std::int64_t number, const ScriptOptions& options, bool quiet) {
  static const std::vector<std::string> kHits = {"plain", "doubted", "asked", "other"};
  Step step;
  step.due = at;
  step.id = fmt::format("id-{}", number);
  std::string message = fmt::format(" session {} opened", number), program = "app", input = "imuxsock";
  step.means_something = random.chance(options.meaning);
  if (step.means_something && quiet && random.chance(90)) {
    message = " hit other";
  } else if (step.means_something && random.chance(25)) {
    message = fmt::format(" hit {}", random.one_of(kHits));
  } else if (step.means_something) {
    message = fmt::format(" EDAC MC0: {} CE read error on D{} (n={}{})", random.between(1, 3), random.between(1, 3), number,
                          std::string(random.chance(5) ? static_cast<std::size_t>(random.between(100, 3000)) : 0, 'x'));
  }
  const std::string when = to_rfc3339(at), said = to_rfc3339(stamp(random, at));
  step.text = to_line(Json{{"id", step.id}, {"timereported", said}, {"timegenerated", when}, {"hostname", fmt::format("h{}", random.between(1, 3))},
                           {"fromhost-ip", "127.0.0.1"}, {"inputname", input}, {"facility", "1"}, {"severity", "6"}, {"programname", program},
                           {"syslogtag", program + ":"}, {"procid", "7"}, {"message", message}});
  return step;
}

Step mark(Timestamp at, std::int64_t number) {
  Step step;
  step.due = at;
  step.id = fmt::format("id-{}", number);
  step.mark = true;  // recorded without its id: that it counts twice changes nothing
  const std::string when = to_rfc3339(at);
  step.text = to_line(Json{{"id", step.id}, {"timereported", when}, {"timegenerated", when}, {"hostname", "h1"}, {"inputname", "immark"},
                           {"facility", "5"}, {"severity", "6"}, {"programname", "rsyslogd"}, {"syslogtag", "rsyslogd:"}, {"message", "-- MARK --"}});
  return step;
}

Step command(Random& random, Timestamp at) {
  static const std::vector<std::string> kRulesWithState = {"dimm.failing", "dimm.seen", "silent"};
  Step step;
  step.kind = Step::Kind::command;
  step.due = at;
  const bool ack = random.chance(60);
  step.command.verb = ack ? "ack" : "reset";
  step.command.command.verb = ack ? engine::CommandRecord::Verb::ack : engine::CommandRecord::Verb::reset;
  step.command.command.rule = random.one_of(kRulesWithState);
  step.command.command.author = "sim";
  return step;
}

Duration gap(Random& random) {
  if (random.chance(45)) return Duration{random.between(50, 900)};            // a burst
  if (random.chance(60)) return Duration::milliseconds(random.between(1, 4000));
  if (random.chance(80)) return Duration::seconds(random.between(4, 60));
  return Duration::minutes(random.between(2, 12));
}

}  // namespace

std::shared_ptr<const rules::RuleSet> first_rules() {
  static const auto rules = loaded("7", "");
  return rules;
}

std::shared_ptr<const rules::RuleSet> second_rules() {
  static const auto rules = loaded("5", kMore);
  return rules;
}

std::vector<Step> draw_script(Random& random, const ScriptOptions& options) {
  std::vector<Step> steps;
  Timestamp at = kBegin;
  std::int64_t reload_at = options.reload ? random.between(1, options.lines - 1) : -1;
  std::int64_t storm = 0, number = 0;
  while (number < options.lines) {
    if (storm == 0 && random.chance(options.storms)) storm = random.between(60, 300);
    const Duration pause = storm > 0 ? Duration{random.between(80, 500)} : gap(random);
    storm = storm > 0 ? storm - 1 : 0;
    if (pause > Duration::minutes(2)) steps.push_back(mark(at + Duration::minutes(1), number++));
    at = at + pause;
    if (options.commands && storm == 0 && random.chance(4)) steps.push_back(command(random, at));
    if (reload_at >= 0 && number >= reload_at) {
      reload_at = -1;
      steps.push_back({Step::Kind::reload, at, {}, {}, false, false, {}});
    }
    steps.push_back(random.chance(3) ? mark(at, number) : line(random, at, number, options, storm > 0));
    ++number;
  }
  // Marks until all that is quiet or silent is due.
  for (int i = 0; i < 4; ++i) steps.push_back(mark(at = at + Duration::minutes(4), number++));
  return steps;
}

}  // namespace correlator::sim
