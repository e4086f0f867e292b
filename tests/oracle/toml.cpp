// SPDX-License-Identifier: Apache-2.0
// Rules as TOML and events as log lines: what the real engine reads.
#include <string_view>

#include "random.h"
#include "time/timestamp.h"

namespace correlator::oracle {
namespace {

std::string text(Time time) { return "\"" + to_string(Duration{time}) + "\""; }
std::string number(std::uint64_t n) { return std::to_string(n); }

std::string classes(const std::string& letters) {
  std::string out;
  for (char c : letters) out += (out.empty() ? "\"ev." : ", \"ev.") + std::string(1, c) + "\"";
  return letters.size() == 1 ? out : "[" + out + "]";
}

// `extra`: further keys of the table.
std::string ref(const Ref& one, const std::string& extra = {}) {
  std::string where;
  if (one.below != kAny) where = "v < " + number(one.below);
  if (one.same_v) where += (where.empty() ? "" : " and ") + std::string("v == one.v");
  return "{ on = " + classes(one.classes) + (where.empty() ? "" : ", where = \"" + where + "\"") + extra + " }";
}

std::string refs(const std::vector<Ref>& all) {
  std::string out;
  for (const Ref& one : all) out += (out.empty() ? "" : ", ") + ref(one);
  return "[" + out + "]";
}

std::string cause(const Cause& one) {
  std::string extra;
  if (one.before > 0) extra += ", before = " + text(one.before);
  if (one.after > 0) extra += ", after = " + text(one.after);
  if (!one.same_host) extra += ", same = []";
  return ref(one.ref, extra);
}

std::string causes(const std::vector<Cause>& all) {
  std::string out;
  for (const Cause& one : all) out += (out.empty() ? "" : ", ") + cause(one);
  return "[" + out + "]";
}

std::string phrase(std::uint64_t n, Time within, std::string_view of = {}) {
  return "\"" + number(n) + (of.empty() ? "" : " " + std::string(of)) + " in " + to_string(Duration{within}) + "\"";
}

std::string operation(const Rule& rule) {
  switch (rule.op) {
    case Op::each:
      return "";
    case Op::count:
    case Op::tumbling: {
      std::string out = "count = { threshold = " + phrase(rule.n, rule.within);
      if (rule.op == Op::tumbling) out += ", window = \"tumbling\"";
      if (rule.weigh_by_v) out += ", weight = \"v\"";
      if (rule.at_once) out += ", rearm = \"at-once\"";
      return out + " }\n";
    }
    case Op::rate:
      return "rate = { raise = " + phrase(rule.n, rule.within) + ", clear = " + phrase(rule.clear_n, rule.clear_within) + " }\n";
    case Op::distinct:
      return "distinct = " + phrase(rule.n, rule.within, rule.distinct_v ? "v" : "dimm") + "\n";
    case Op::streak:
      return "streak = " + number(rule.n) + "\nbroken_by = " + ref(rule.broken_by) + "\n";
    case Op::sequence: {
      std::string steps;
      for (std::size_t i = 0; i < rule.steps.size(); ++i) {
        const bool named = i == 0 && rule.steps.back().same_v;
        steps += (i == 0 ? "" : ", ") + ref(rule.steps[i], named ? ", as = \"one\"" : "");
      }
      return "sequence = { within = " + text(rule.within) + ", ordered = " + (rule.ordered ? "true" : "false") + ", steps = [" + steps + "] }\n";
    }
    case Op::answer:
      return "absence = { after = " + ref(rule.after) + ", of = " + refs(rule.of) + ", within = " + text(rule.within) + " }\n";
    case Op::heartbeat:
      return "absence = { of = " + refs(rule.of) + ", for = " + text(rule.within) + " }\n";
    case Op::group: {
      std::string of;
      for (const Member& one : rule.members) of += (of.empty() ? "" : ", ") + ref(one.ref, ", count = " + number(one.count));
      return "group = { within = " + text(rule.within) + ", of = [" + of + "] }\n";
    }
    case Op::above:
      return "level = { of = \"v\", above = " + number(rule.bound) + " }\n";
    case Op::below:
      return "level = { of = \"v\", below = " + number(rule.bound) + " }\n";
    case Op::rises:
      return "level = { of = \"v\", rises_by = " + number(rule.bound) + ", within = " + text(rule.within) + " }\n";
    case Op::schedule: {
      const std::string minute = rule.cron.every > 0 ? "*/" + number(rule.cron.every) : number(rule.cron.minute);
      return "schedule = \"" + minute + " " + (rule.cron.hour < 0 ? "*" : std::to_string(rule.cron.hour)) + " * * * UTC\"\n";
    }
  }
  return "";
}

std::string conditions(const Rule& rule) {
  std::string where;
  if (rule.where_below != kAny) where = "v < " + number(rule.where_below);
  if (rule.where_context != 0) {
    where += (where.empty() ? "" : " and ") + std::string(rule.where_context < 0 ? "not " : "") + "context('k', host)";
  }
  std::string out = where.empty() ? "" : "where = \"" + where + "\"\n";
  if (!rule.ignore.empty()) out += "ignore = " + causes(rule.ignore) + "\n";
  if (!rule.unless.empty()) out += "unless = " + causes(rule.unless) + "\n";
  if (rule.hold > 0) out += "hold = " + text(rule.hold) + "\n";
  if (rule.cooldown > 0) out += "cooldown = " + text(rule.cooldown) + "\n";
  return out;
}

std::string lasts(const Rule& rule, const char* before) {
  if (rule.lasts == 0) return "";
  return before + ("lasts = " + text(rule.lasts)) + (rule.renewed ? ", renewed = true" : "");
}

std::string clear(const Rule& rule) {
  switch (rule.clears) {
    case Clears::by_default:
      return "";
    case Clears::quiet:
      return "clear = { quiet_for = " + text(rule.quiet) + " }\n";
    case Clears::event:
      return "clear = { event = " + ref(rule.clear_event) + lasts(rule, ", ") + " }\n";
    case Clears::level:
      return "clear = { level = \"v < " + number(rule.clear_below) + "\"" + lasts(rule, ", ") + " }\n";
    case Clears::lasts:
      return "clear = { " + lasts(rule, "") + " }\n";
    case Clears::manual:
      return "clear = \"manual\"\n";
  }
  return "";
}

std::string response(const Rule& rule) {
  const std::string lines = "lines = \"collected('k', host)\"", at_end = ", at_end = { do = \"n2\", " + lines + " }";
  std::string out;
  if (rule.then_clear) out += "then_clear = \"n2\"\n";
  if (rule.then_over) out += "then_over = \"n1\"\n";
  if (rule.emits != 0) {
    const bool has_dimm = rule.key == KeyOf::host_dimm;
    out += "emit = { class = \"ev." + std::string(1, rule.emits) + "\", fields = { v = \"3\", ds = \"[]\"" + (has_dimm ? ", dimm = \"dimm\"" : ", dimm = \"'e'\"") + " }" +
           (rule.emit_after > 0 ? ", after = " + text(rule.emit_after) : "") + (rule.emit_unless_cleared ? ", unless = \"cleared\"" : "") + " }\n";
  }
  if (rule.sets) {
    out += "set = { name = \"k\", key = [\"host\"]" + (rule.lifetime > 0 ? ", for = " + text(rule.lifetime) : "") +
           (rule.set_at_end ? at_end : "") + " }\n";
  }
  if (rule.collects) {
    out += "collect = { name = \"k\", key = [\"host\"], text = \"" + rule.id + " ${v}\", at_most = " + number(rule.keeps) +
           (rule.collect_for > 0 ? ", for = " + text(rule.collect_for) : "") + (rule.renews ? ", renewed = true" : "") +
           (rule.collect_at_end ? at_end : "") + " }\n";
  }
  if (rule.empties) out += "empty = { name = \"k\", key = [\"host\"] }\n";
  if (rule.unsets) out += "unset = { name = \"k\", key = [\"host\"] }\n";
  for (const Step& step : rule.then) {
    out += "[[rule.then]]\ndo = \"" + step.action + "\"\n";
    if (step.lines) out += lines + "\n";
    if (step.after > 0) out += "after = " + text(step.after) + "\n";
    if (step.unless_cleared) out += "unless = \"cleared\"\n";
    if (step.every > 0) out += "every = " + text(step.every) + "\nat_most = " + number(step.at_most) + "\n";
  }
  return out;
}

std::string to_toml(const Rule& rule) {
  std::string out = "\n[[rule]]\nid = \"" + rule.id + "\"\n";
  if (!rule.on.empty()) out += "on = " + refs(rule.on) + "\n";
  constexpr const char* kKeys[] = {"[\"host\"]", "[\"host\", \"dimm\"]", "[\"dimm\"]", "[\"ds\"]", "[\"host\", \"ds\"]"};
  if (rule.op != Op::schedule) out += "key = " + std::string(kKeys[static_cast<int>(rule.key)]) + "\n";
  return out + operation(rule) + conditions(rule) + clear(rule) + response(rule);
}

constexpr std::string_view kClass = "${cls == 'a' ? 'ev.a' : cls == 'b' ? 'ev.b' : 'ev.c'}";

std::string quoted(const std::string& one) { return one.empty() ? "" : "channel = \"" + one + "\"\n"; }

std::string decoder(const std::string& channel, const std::string& more) {
  return "\n[[event]]\nid = \"line" + channel + "\"\nclass = \"" + std::string(kClass) + "\"\nmatch = '^EV (?P<cls>[abc])" +
         (channel.empty() ? "" : " ch=" + channel) + " dimm=(?P<dimm>\\w+) w=(?P<w>\\d+) v=(?P<v>\\d+)(?: ds=(?P<items>[\\w,]*))?$'\n" +
         "types = { w = \"int\", v = \"int\", items = \"list:,\" }\nweight = \"w\"\nlet = { ds = \"items ?? []\" }\n" + quoted(channel) + more;
}

constexpr std::string_view kCounter = R"toml(
[[event]]
id = "counter"
class = "ev.a"
match = '^CN dimm=(?P<dimm>\w+) c=(?P<total>\d+)$'
types = { total = "int" }
let = { v = "0", ds = "[]" }
weight = { increase_of = "total", per = ["host", "dimm"] }
)toml";

std::string record(const RecordSpec& one) {
  const std::string id = one.by_id ? "(?P<id>\\w+)" : "\\w+";
  std::string out = "\n[[event]]\nid = \"record\"\nclass = \"ev." + std::string(1, one.cls) + "\"\n" + quoted(one.channel) +
                    "types = { n = \"int\", items = \"list:,\" }\nlet = { v = \"n ?? 0\", dimm = \"dm ?? 'q'\", ds = \"items ?? []\" }\n";
  if (one.weigh_by_v) out += "weight = \"n\"\n";
  out += "[event.record]\nonce = [{ match = '^RA id=" + id + " v=(?P<n>\\d+)$'" + (one.also ? ", also = true" : "") + " }, '^RB id=" + id +
         " dimm=(?P<dm>\\w+)$']\nmany = ['^RM id=" + id + " ds=(?P<items>[\\w,]*)$', '^RN ds=(?P<items>[\\w,]*)$']\nlast = '^RL id=" + id + "$'\n" +
         "same = [\"host\"" + (one.by_id ? ", \"id\"" : "") + "]\nwithin = " + text(one.within) + "\nmax_lines = " + number(one.max_lines) + "\n";
  if (one.needs_start || one.needs_place) {
    out += std::string("needs = [") + (one.needs_start ? "\"n\"" : "") + (one.needs_start && one.needs_place ? ", " : "") +
           (one.needs_place ? "\"dm\"" : "") + "]\n";
  }
  if (one.ready) out += "ready = [\"n\", \"dm\"]\n";
  if (one.early) out += "early = \"has(items)\"\n";
  if (one.ordered) out += "ordered = true\n";
  return out + "\n[[event]]\nid = \"single\"\nclass = \"ev.c\"\nmatch = '^RA id=\\w+ v=(?P<v>\\d+)$'\ntypes = { v = \"int\" }\nlet = { dimm = \"'q'\", ds = \"[]\" }\n";
}

std::string listed(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& item : items) out += (out.empty() ? "" : ",") + item;
  return out;
}

}  // namespace

std::string to_toml(const Spec& spec) {
  std::string out = "format = 1\n";
  for (char c : std::string("abcd")) {
    out += "\n[class.\"ev." + std::string(1, c) + "\"]\nkey = [\"host\", \"dimm\"]\nrequires = { dimm = \"text\", v = \"int\", ds = \"list\" }\n";
  }
  for (const char* name : {"n1", "n2", "n3"}) out += "\n[action." + std::string(name) + "]\nrun = \"" + name + "\"\n";
  out += decoder("", spec.stale_v == kAny ? "" : "stale = \"v == " + number(spec.stale_v) + "\"\n");
  for (const char* channel : {"x", "y", "z"}) out += decoder(channel, "");
  out += kCounter;
  if (spec.record.used) out += record(spec.record);
  for (std::size_t i = 0; i < spec.groups.size(); ++i) {
    const SameError& one = spec.groups[i];
    out += "\n[same_error.g" + number(i) + "]\nclasses = " + (one.classes.size() == 1 ? "[" + classes(one.classes) + "]" : classes(one.classes)) +
           "\nkey = " + (one.by_dimm ? "[\"host\", \"dimm\"]" : "[\"host\"]") + "\nchannels = [\"x\", \"y\", \"z\"]\nwithin = " + text(one.within) + "\n";
  }
  for (const Rule& rule : spec.rules) out += to_toml(rule);
  for (const Mute& mute : spec.mutes) {
    std::string rules;
    for (const std::string& rule : mute.rules) rules += (rules.empty() ? "\"" : ", \"") + rule + "\"";
    out += "\n[[mute]]\nduring = [" + cause(mute.during) + "]\nrules = [" + rules + "]\neffect = \"" + (mute.drop ? "drop" : "hold") + "\"\nwhy = \"test\"\n";
  }
  return out;
}

std::string message_text(const Input& input) {
  const Event& event = input.event;
  using Form = Input::Form;
  switch (input.form) {
    case Form::whole:
      return "EV " + std::string(1, event.cls) + (event.channel.empty() ? "" : " ch=" + event.channel) + " dimm=" + event.dimm +
             " w=" + number(event.weight) + " v=" + number(event.v) + (event.parts.empty() ? "" : " ds=" + listed(event.parts));
    case Form::counter:
      return "CN dimm=" + event.dimm + " c=" + number(event.v);
    case Form::start:
      return "RA id=" + input.id + " v=" + number(event.v);
    case Form::place:
      return "RB id=" + input.id + " dimm=" + event.dimm;
    case Form::part:
      return "RM id=" + input.id + " ds=" + listed(event.parts);
    case Form::loose:
      return "RN ds=" + listed(event.parts);
    case Form::last:
      return "RL id=" + input.id;
  }
  return "";
}

std::string to_line(const Input& input) {
  const std::string start = to_rfc3339({input.event.time}) + " " + input.event.host + " prog: ";
  if (input.times == 1 || input.again) return start + message_text(input);
  return start + "message repeated " + number(input.times) + " times: [ " + message_text(input) + "]";
}

}  // namespace correlator::oracle
