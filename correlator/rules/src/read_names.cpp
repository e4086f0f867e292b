// SPDX-License-Identifier: Apache-2.0
// Settings, maps, lookups, calendars, budgets and probes.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "readers.h"

namespace correlator::rules {

expr::Value value_of(const Node& node, bool durations) {
  switch (node.kind) {
    case Node::Kind::text:
      if (durations) {
        if (const auto duration = parse_duration(node.text)) return *duration;
      }
      return node.text;
    case Node::Kind::integer:
      return node.number;
    case Node::Kind::boolean:
      return node.flag;
    case Node::Kind::list: {
      expr::Value::List list;
      for (const Node& item : node.items) list.push_back(value_of(item, durations));
      return list;
    }
    default:
      return {};
  }
}

bool check_name(Context& context, const std::string& name, const Spot& spot, std::string_view kind) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  const bool fine =
      !name.empty() && !(name[0] >= '0' && name[0] <= '9') && std::all_of(name.begin(), name.end(), good);
  if (!fine) {
    std::string better = !name.empty() && name[0] >= '0' && name[0] <= '9' ? "_" : "";
    for (char c : name) better += good(c) ? c : '_';
    context.error(
        "E034", spot,
        fmt::format("`{}` cannot be the name of a {}: expressions could not use it", name, kind),
        name.empty() ? "use letters, digits and _" : fmt::format("use letters, digits and _: {}", better));
  }
  return fine;
}

bool glob_matches(std::string_view glob, std::string_view text) {
  const auto star = glob.find('*');
  if (star == std::string_view::npos) return glob == text;
  if (!text.starts_with(glob.substr(0, star))) return false;
  const std::string_view rest = glob.substr(star + 1);
  for (std::size_t i = star; i <= text.size(); ++i) {
    if (glob_matches(rest, text.substr(i))) return true;
  }
  return false;
}

// Inputs into which anybody on the host may write: trusting one by name would trust everybody.
constexpr std::string_view kOpenToAll[] = {"imuxsock", "imjournal", "imfile"};

void read_trusted(Context& context, const Table& input) {
  for (const Node* node : input.list("trusted")) {
    if (std::find(std::begin(kOpenToAll), std::end(kOpenToAll), node->text) != std::end(kOpenToAll)) {
      context.error("E039", node->spot, fmt::format("everybody can write into {}", node->text),
                    "give the input of the trusted peers a name of its own in rsyslog's configuration; of "
                    "programs on this host "
                    "name the users: writers = [{ uid = 109 }]");
      continue;
    }
    context.set.trusted_inputs.push_back(node->text);
  }
  for (const Node* node : input.list("writers")) {
    const Table table(context, *node, kWriterSpec);
    TrustedWriter writer;
    const auto uid = table.integer("uid", 0, UINT32_MAX);
    if (!uid) continue;
    writer.uid = static_cast<std::uint32_t>(*uid);
    if (const Node* exe = table.get("exe")) {
      if (!exe->text.starts_with('/')) {
        context.error("E039", exe->spot, fmt::format("`{}` is not the whole path of a program", exe->text),
                      "write what `readlink /proc/PID/exe` prints");
      }
      writer.exe = exe->text;
    }
    context.set.trusted_writers.push_back(std::move(writer));
  }
}

void read_input(Context& context, const Document& document) {
  for (const Node& node : document.inputs) {
    const Table table(context, node, kInputSpec);
    read_trusted(context, table);
    const Node* zone = table.get("zone");
    if (!zone) continue;
    if (const auto found = context.zone_of(*zone)) context.zone = *found;
  }
  context.set.zone = context.zone;
}

void read_settings(Context& context, const Document& document) {
  for (const Named& one : document.settings) {
    Setting setting{one.name, value_of(one.node, true), context.sources.place(one.spot)};
    check_name(context, one.name, one.spot, "setting");
    if (setting.value.is_none()) {
      context.error("E004", one.node.spot, fmt::format("a setting cannot be {}", described(one.node)),
                    "settings are text, integers, true or false, durations and lists");
    }
    context.settings.emplace(one.name, static_cast<std::uint32_t>(context.set.settings.size()));
    context.set.settings.push_back(std::move(setting));
  }
}

namespace {

std::optional<std::uint64_t> number_of(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) return parse_hex(text);
  return parse_uint(text);
}

}  // namespace

// Keys that are all numbers are numbers, so that a map over a typed capture works; "*" stands for all others.
void read_maps(Context& context, const Document& document) {
  for (const Named& one : document.maps) {
    MapDef map;
    map.name = one.name;
    bool good = check_name(context, one.name, one.spot, "map");
    const auto& entries = one.node.entries;
    const bool numbers = std::all_of(entries.begin(), entries.end(),
                                     [](const Entry& e) { return e.key == "*" || number_of(e.key); });
    if (entries.empty())
      context.error("E030", one.spot, fmt::format("map `{}` is empty", one.name),
                    "write at least one `value = result`");
    for (const Entry& entry : entries) {
      expr::Value value = value_of(entry.value);
      if (value.is_none() || value.type() == expr::Type::list) {
        context.error("E004", entry.value.spot,
                      fmt::format("a value of a map cannot be {}", described(entry.value)),
                      "write text, an integer, true or false");
        good = false;
      } else if (entry.key == "*") {
        map.otherwise = std::move(value);
      } else {
        map.entries.emplace_back(numbers ? expr::Value(*number_of(entry.key)) : expr::Value(entry.key),
                                 std::move(value));
      }
    }
    if (!good) {  // no entries: asked for, it makes no further noise
      map.entries.clear();
      map.otherwise.reset();
    }
    context.maps.emplace(one.name, static_cast<std::uint32_t>(context.set.maps.size()));
    context.set.maps.push_back(std::move(map));
  }
}

void read_lookups(Context& context, const Document& document) {
  for (const Named& one : document.lookups) {
    Table table(context, one.node, kLookupSpec);
    Lookup lookup;
    lookup.name = one.name;
    lookup.place = context.sources.place(one.spot);
    bool good = check_name(context, one.name, one.spot, "lookup") && !table.bad();
    lookup.file = table.text("file");
    if (const Node* run = table.get("run"); run && check_script(context, *run)) lookup.run = run->text;
    if (!table.written("file") && !table.written("run")) {
      context.error("E005", one.spot, fmt::format("lookup `{}` has no source", one.name),
                    "write file = \"hosts.csv\" or run = \"SCRIPT\" with every = \"5m\"");
    }
    if (table.written("file")) {
      table.no_effect("run", "the rows come from `file`", "keep one of the two");
      table.no_effect("every", "a file is read at each start and reload", "`every` belongs to `run`");
    } else if (table.written("run") && !table.written("every")) {
      context.error("E005", table.spot("run"), "`run` needs `every`", "write every = \"5m\"");
    }
    lookup.every = table.duration("every").value_or(Duration{});
    lookup.max_age = table.duration("max_age").value_or(Duration{});
    lookup.many = table.flag("many", false);
    for (const Node* column : table.list("columns")) {
      good &= check_name(context, column->text, column->spot, "column");
      if (std::count(lookup.columns.begin(), lookup.columns.end(), column->text) > 0) {
        context.error("E006", column->spot, fmt::format("column `{}` stands twice", column->text),
                      "take one away");
      }
      lookup.columns.push_back(column->text);
    }
    for (const Node* key : table.list("key")) {
      if (!lookup.columns.empty() &&
          std::count(lookup.columns.begin(), lookup.columns.end(), key->text) == 0) {
        context.error("E012", key->spot, fmt::format("lookup `{}` has no column `{}`", one.name, key->text),
                      did_you_mean(key->text, lookup.columns));
        good = false;
      }
      lookup.key.push_back(key->text);
    }
    if (!good) lookup.columns.clear();  // unknown columns make no further noise
    context.lookups.emplace(one.name, static_cast<std::uint32_t>(context.set.lookups.size()));
    context.set.lookups.push_back(std::move(lookup));
  }
}

namespace {

std::optional<Timestamp> moment(Context& context, const Node& node) {
  std::string text = node.text;
  if (!node.is(Node::Kind::text) && !node.is(Node::Kind::date)) {
    context.error("E004", node.spot, fmt::format("a moment cannot be {}", described(node)),
                  "write \"2026-01-01T00:00:00Z\"");
    return std::nullopt;
  }
  auto time = parse_rfc3339(text);
  if (!time)
    context.error("E022", node.spot, fmt::format("\"{}\" is not a time", text),
                  "write \"2026-01-01T00:00:00Z\" or with an offset, +02:00");
  return time;
}

}  // namespace

void read_calendars(Context& context, const Document& document) {
  for (const Named& one : document.calendars) {
    const Table table(context, one.node, kCalendarSpec);
    Calendar calendar;
    calendar.name = one.name;
    calendar.zone = context.zone;
    if (const Node* zone = table.get("zone")) {
      if (const auto found = context.zone_of(*zone)) calendar.zone = *found;
    }
    for (const Node* cron : table.list("cron")) {
      if (const auto read = context.cron(*cron, calendar.zone)) calendar.times.push_back(*read);
    }
    for (const Node* node : table.list("spans")) {
      const Table span(context, *node, kSpanSpec);
      if (span.bad()) continue;
      const auto from = moment(context, *span.get("from")), to = moment(context, *span.get("to"));
      if (from && to && *from >= *to) {
        context.error("E010", span.get("to")->spot, "the span ends before it begins",
                      "`to` is the first moment after the span");
      } else if (from && to) {
        calendar.spans.emplace_back(*from, *to);
      }
    }
    if (!table.written("cron") && !table.written("spans") && !table.bad()) {
      context.error("E005", one.spot, fmt::format("calendar `{}` names no time", one.name),
                    "write cron = [\"* 2-4 * * sun\"] or spans");
    }
    context.calendars.emplace(one.name, static_cast<std::uint32_t>(context.set.calendars.size()));
    context.set.calendars.push_back(std::move(calendar));
  }
}

void read_budgets(Context& context, const Document& document) {
  for (const Named& one : document.budgets) {
    Table table(context, one.node, kBudgetSpec);
    Budget budget;
    budget.name = one.name;
    budget.place = context.sources.place(one.spot);
    budget.at_most = static_cast<std::uint32_t>(table.integer("at_most", 1, 1'000'000).value_or(0));
    if (table.written("at_most")) {
      budget.per = table.duration("per").value_or(budget.per);
    } else {
      table.no_effect("per", "there is no `at_most`", "write at_most = 3");
    }
    budget.in_flight = static_cast<std::uint32_t>(table.integer("in_flight", 1, 1'000'000).value_or(0));
    budget.over = table.text("over", "all");
    if (!table.written("at_most") && !table.written("in_flight")) {
      context.error("E005", one.spot, fmt::format("budget `{}` limits nothing", one.name),
                    "write at_most = 3 with per = \"1h\", or in_flight = 1");
    }
    context.budgets.emplace(one.name, static_cast<std::uint32_t>(context.set.budgets.size()));
    context.set.budgets.push_back(std::move(budget));
  }
}

void read_probes(Context& context, const Document& document) {
  for (const Named& one : document.probes) {
    const Table table(context, one.node, kProbeSpec);
    Probe probe;
    probe.name = one.name;
    probe.place = context.sources.place(one.spot);
    if (const Node* run = table.get("run"); run && check_script(context, *run)) probe.run = run->text;
    if (const Node* each = table.get("each"))
      probe.each = context.find(context.lookups, "E015", "lookup", each->text, each->spot);
    probe.every = table.duration("every").value_or(Duration{});
    probe.timeout = table.duration("timeout").value_or(probe.timeout);
    context.set.probes.push_back(std::move(probe));
  }
}

}  // namespace correlator::rules
