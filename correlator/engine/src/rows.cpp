// SPDX-License-Identifier: Apache-2.0
// State as rows: what changed, all of it, and back again. A reload takes the same way as a restart, so that
// there is only one.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core.h"
#include "rows.h"

namespace correlator::engine {
namespace {

constexpr std::uint64_t kEngineRow = std::uint64_t{1} << 31;

StateRow make_row(StateKind kind, std::uint64_t id, std::string owner, std::string key, const Json& body) {
  return {kind, id, std::move(owner), std::move(key), to_line(body), false};
}

}  // namespace

StateRow key_row(const RuleRun& run, const KeyState& key) {
  StateRow row{StateKind::window, key.id, run.rule.id, named_text(run.rule.key_names, key.key()), {}, false};
  row.body.reserve(64);  // three lines and their key; a million are made at once
  write_key_body(run, key, row.body);
  row.window.have = run.op->have(key);
  if (const auto times = key.trail.times()) row.window.oldest = times->first;
  row.window.newest = key.newest;
  return row;
}

Json firing_json(const Firing& firing, const rules::RuleSet& rules) {
  Json out = {{"id", firing.id},
          {"rule", rules.rules[firing.rule].id},
          {"case", firing.of_case},
          {"key", values_json(firing.key)},
          {"time", firing.time.us},
          {"scene", scene_json(firing.scene, rules)},
          {"have", firing.have},
          {"why", expr::to_json(firing.why)},
          {"lines", firing.evidence.to_json()}};
  if (firing.depth > 1) out["depth"] = firing.depth;
  return out;
}

std::optional<Firing> firing_from(const Json& json, const rules::RuleSet& rules) {
  if (!json.is_object()) return std::nullopt;
  for (const char* name : {"id", "rule", "case", "key", "time", "scene", "have", "why", "lines"}) {
    if (!json.contains(name)) return std::nullopt;
  }
  if (!json.at("rule").is_string() || !json.at("id").is_number_unsigned() ||
      !json.at("case").is_number_unsigned() || !json.at("time").is_number_integer() ||
      !json.at("have").is_number_unsigned()) {
    return std::nullopt;
  }
  const auto rule = rules.find_rule(json.at("rule").get<std::string>());
  auto key = values_from(json.at("key"));
  auto lines = Evidence::from_json(json.at("lines"));
  auto why = expr::from_json(json.at("why"));
  if (!rule || !key || !lines || !why) return std::nullopt;
  Firing out;
  out.id = json.at("id").get<std::uint64_t>();
  out.rule = *rule;
  out.of_case = json.at("case").get<std::uint64_t>();
  out.key = std::move(*key);
  out.time.us = json.at("time").get<std::int64_t>();
  out.scene = scene_from(json.at("scene"), rules);
  out.have = json.at("have").get<std::uint64_t>();
  out.why = expr::to_text(*why);
  out.evidence = std::move(*lines);
  out.depth = json.value("depth", std::uint32_t{1});
  return out;
}

StateRow case_row(const RuleRun& run, const Case& open) {
  Json members = Json::array();
  for (const KeyState* member : open.members) members.push_back(member->id);
  std::string heard;
  open.heard.encode(heard);
  Json body = {{"firing", firing_json(*open.firing, *run.core.rules)},
               {"from", open.from.us},
               {"fired", open.fired.us},
               {"acked", open.acked},
               {"members", std::move(members)},
               {"heard", parse_json(heard).value_or(Json::array())}};
  return make_row(StateKind::open_case, open.id, run.rule.id,
                  to_text(named(run.rule.key_names, open.firing->key)), body);
}

Json place_json(const StepPlace& place) {
  return Json::array({static_cast<int>(place.list), place.set, place.index});
}

std::optional<StepPlace> place_from(const Json& json) {
  if (!json.is_array() || json.size() != 3 || !json.at(0).is_number_unsigned()) return std::nullopt;
  return StepPlace{static_cast<StepPlace::List>(std::min(4, json.at(0).get<int>())),
                   json.at(1).get<std::uint32_t>(), json.at(2).get<std::uint32_t>()};
}

Json event_json(const Event& event, const rules::RuleSet& rules) {
  Json lines = Json::array();
  for (const LineRef& line : event.lines) lines.push_back(Json::array({line.seq, line.time.us}));
  return {{"class", rules.classes[event.cls].name},
          {"severity", std::string(rules::to_string(event.severity))},
          {"time", event.time.us},
          {"weight", event.weight},
          {"trust", static_cast<int>(event.trust)},
          {"fields", fields_json(event.fields, rules)},
          {"lines", std::move(lines)},
          {"file", expr::to_json(event.file)},
          {"line", event.line_number},
          {"line_numbers", event.line_numbers}};
}

std::optional<Event> event_from(const Json& json, const rules::RuleSet& rules) {
  if (!json.is_object() || !json.contains("class") || !json.contains("fields") || !json.contains("lines"))
    return std::nullopt;
  const auto cls = rules.find_class(json.at("class").get<std::string>());
  if (!cls) return std::nullopt;
  Event out;
  out.cls = *cls;
  out.severity =
      rules::parse_severity(json.at("severity").get<std::string>()).value_or(rules::Severity::info);
  out.time.us = json.at("time").get<std::int64_t>();
  out.weight = json.at("weight").get<std::uint64_t>();
  out.trust = static_cast<Trust>(std::clamp(json.at("trust").get<int>(), 0, 2));
  out.fields = fields_from(json.at("fields"), rules);
  for (const Json& line : json.at("lines"))
    out.lines.push_back({line.at(0).get<std::uint64_t>(), {line.at(1).get<std::int64_t>()}});
  if (const auto file = expr::from_json(json.at("file"))) out.file = expr::to_text(*file);
  out.line_number = json.at("line").get<std::uint64_t>();
  for (const Json& n : json.at("line_numbers")) out.line_numbers.push_back(n.get<std::uint64_t>());
  return out;
}

StateRow delayed_row(const Delayed& item, const rules::RuleSet& rules) {
  return make_row(StateKind::timer, item.id, rules.rules[item.firing->rule].id, to_rfc3339(item.deadline),
                  {{"deadline", item.deadline.us},
                   {"done", item.done},
                   {"place", place_json(item.place)},
                   {"firing", firing_json(*item.firing, rules)}});
}

StateRow held_row(const Held& item, const rules::RuleSet& rules) {
  Json body = {{"reason", expr::to_json(item.reason)}, {"firing", firing_json(*item.firing, rules)}};
  if (item.deadline) body["deadline"] = item.deadline->us;
  return make_row(StateKind::engine, item.id, "held", rules.rules[item.firing->rule].id, body);
}

StateRow pending_row(const Pending& item, const rules::RuleSet& rules) {
  Json body = {{"place", place_json(item.place)},
               {"row", item.row},
               {"locals", values_json(item.locals)},
               {"firing", firing_json(*item.firing, rules)}};
  if (item.given != nullptr) {
    Json lines = Json::array();
    for (const std::string& line : item.given->lines) lines.push_back(expr::to_json(line));
    body["lines"] = {{"texts", std::move(lines)}, {"trust", static_cast<int>(item.given->trust)}};
  }
  return make_row(StateKind::engine, item.id, "pending", item.decision, body);
}

StateRow context_row(const Context& context, const rules::RuleSet& rules) {
  const auto key = unpack(context.key);
  std::string text;
  for (const expr::Value& value : key) append_item(text, " ", expr::to_text(value));
  Json body = {
      {"key", values_json(key)}, {"set", context.set}, {"firing", firing_json(*context.firing, rules)}};
  if (context.end != Timestamp::max()) body["end"] = context.end.us;
  if (context.trust != Trust::vouched) body["trust"] = static_cast<int>(context.trust);
  if (context.let_go > 0) body["let_go"] = context.let_go;
  return make_row(StateKind::context, context.id, context.name, text, body);
}

// A row for each text: one that is added does not write the others again.
StateRow collected_row(const Context& context, const Collected& one) {
  return make_row(StateKind::engine, one.id, "collected", context.name, Json::array({context.id, expr::to_json(one.text)}));
}

StateRow echo_row(const Echo& echo) {
  Json body = {{"action", echo.action}, {"echo", echo.echo}, {"begin", echo.begin.us}, {"end", echo.end.us}};
  if (echo.host) body["host"] = expr::to_json(*echo.host);
  return make_row(StateKind::engine, echo.id, "echo", echo.decision, body);
}

StateRow silence_row(const Silence& item) {
  Json body = {{"key", expr::to_json(item.key)}, {"reason", expr::to_json(item.reason)}};
  if (item.until != Timestamp::max()) body["until"] = item.until.us;
  return make_row(StateKind::engine, item.id, "silence", item.rule, body);
}

StateRow waiter_row(const RuleRun& run, const Waiter& waiter) {
  return make_row(StateKind::timer, waiter.id, run.rule.id, to_rfc3339(waiter.event.time),
                  {{"waits", event_json(waiter.event, *run.core.rules)}});
}

StateRow lookup_row(const std::string& name, const LookupState& state) {
  Json rows = Json::array();
  for (const auto& row : state.table.rows) {
    Json cells = Json::array();
    for (const std::string& cell : row) cells.push_back(expr::to_json(cell));
    rows.push_back(std::move(cells));
  }
  return make_row(StateKind::lookup, state.id, name, {},
                  {{"loaded", state.loaded.us},
                   {"hash", state.table.hash},
                   {"told", state.stale_told},
                   {"rows", std::move(rows)}});
}

StateRow engine_row(const Core& core) {
  const Counters& c = core.counters;
  Json rules = Json::object();
  for (const auto& run : core.runs) {
    Json entry = Json::array({run->rule.state_identity, nullptr, run->table_of_keys.size()});
    if (run->in_force) entry[1] = run->in_force->us;
    rules[run->rule.id] = std::move(entry);
  }
  Json gone = Json::object();
  for (const auto& [id, rule] : core.orphan_rules) gone[id] = Json::array({rule.identity, rule.since.us});
  Json body = {{"ids", core.ids_},
               {"counters",
                {c.lines, c.events, c.decisions, c.late, c.undated, c.clamped, c.forged, c.incomplete,
                 c.keyless, c.ambiguous, c.evicted, c.cooled, c.folded, c.cut_chains, c.outcomes, c.reloads}},
               {"rules", std::move(rules)},
               {"gone", std::move(gone)}};
  if (core.clock) body["clock"] = core.clock->us;
  return make_row(StateKind::engine, kEngineRow, "engine", {}, body);
}

namespace {

// Walks over everything that has rows. `all`: whatever did not change too.
template <class Visit>
void each_object(Core& core, bool all, Visit visit) {
  const rules::RuleSet& rules = *core.rules;
  const auto offer = [&](auto& object, auto make) {
    if (!all && !object.dirty) return;
    visit(make(), object.stored, object.dirty);
  };
  for (const auto& run : core.runs) {
    if (all) {
      run->table_of_keys.each([&](KeyState& key) { visit(key_row(*run, key), key.stored, key.dirty); });
    } else {
      for (KeyState* key : run->dirty) visit(key_row(*run, *key), key->stored, key->dirty);
    }
    for (const auto& [name, open] : run->cases) offer(*open, [&] { return case_row(*run, *open); });
    for (auto& [order, waiter] : run->waiters) offer(waiter, [&] { return waiter_row(*run, waiter); });
  }
  for (auto& [id, item] : core.delayed) offer(item, [&] { return delayed_row(item, rules); });
  for (auto& [id, item] : core.held) offer(item, [&] { return held_row(item, rules); });
  for (auto& [id, item] : core.pending) offer(item, [&] { return pending_row(item, rules); });
  for (auto& [name, item] : core.contexts) {
    offer(item, [&] { return context_row(item, rules); });
    bool taken = true;
    for (std::size_t i = all ? 0 : item.texts.size() - item.fresh; i < item.texts.size(); ++i)
      visit(collected_row(item, item.texts[i]), taken, taken);
    if (!all) item.fresh = 0;
  }
  for (auto& [id, item] : core.echoes) offer(item, [&] { return echo_row(item); });
  for (auto& [id, item] : core.silences) offer(item, [&] { return silence_row(item); });
  for (auto& [name, item] : core.lookups) offer(item, [&] { return lookup_row(name, item); });
  for (auto& [place, item] : core.alike) {
    offer(item, [&] {
      return make_row(StateKind::engine, item.id, "alike", place.second,
                      Json::array({place.first.us, item.count}));
    });
  }
}

}  // namespace

void Core::take_changes(std::vector<StateRow>& to) {
  std::vector<StateRow> rows;
  if (rules) {
    std::size_t keys = 0;
    for (const auto& run : runs) keys += run->dirty.size() + run->erased.size();
    rows.reserve(keys + 64);
    decoder->take_changes(rows);
    each_object(*this, false, [&](StateRow row, bool& stored, bool& dirty) {
      rows.push_back(std::move(row));
      stored = true;
      dirty = false;
    });
    for (const auto& run : runs) {
      run->dirty.clear();
      std::move(run->erased.begin(), run->erased.end(), std::back_inserter(rows));
      run->erased.clear();
    }
    for (CauseMemory* memory : all_causes()) memory->take_changes(rows);
    if (engine_dirty) rows.push_back(engine_row(*this));
    engine_dirty = false;
  }
  rows.insert(rows.end(), erased.begin(), erased.end());
  erased.clear();
  evidence.take_changes(rows);
  for (const StateRow& row : rows) carried.erase({row.kind, row.id});
  for (auto& [place, row] : carried) to.push_back(std::move(row));
  carried.clear();
  if (to.empty()) {
    to = std::move(rows);
  } else {
    std::move(rows.begin(), rows.end(), std::back_inserter(to));
  }
}

void Core::all_rows(std::vector<StateRow>& to) {
  each_object(*this, true, [&](StateRow row, bool&, bool&) { to.push_back(std::move(row)); });
  for (CauseMemory* memory : all_causes()) memory->all_rows(to);
  for (const auto& [place, orphan] : orphans) to.push_back(orphan.row);
  to.push_back(engine_row(*this));
}

}  // namespace correlator::engine
