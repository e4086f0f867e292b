// SPDX-License-Identifier: Apache-2.0
// From rows to a state: a restart, and a reload of the rules, which is a restart in memory.
#include <fmt/format.h>

#include <algorithm>

#include "core.h"
#include "rows.h"

namespace correlator::engine {
namespace {

// The evidence in a body that nobody reads: of trails ("e"), chains, waits and firings ("lines").
void collect_lines(const Json& json, std::vector<Evidence>& to) {
  if (!json.is_structured()) return;
  for (const auto& item : json.items()) {
    const bool named = json.is_object() && (item.key() == "lines" || item.key() == "e");
    if (auto lines = named ? Evidence::from_json(item.value()) : std::nullopt) to.push_back(std::move(*lines));
    collect_lines(item.value(), to);
  }
}

class Restorer {
 public:
  explicit Restorer(Core& core) : core_(core) {}

  // The engine's own row first, then keys, then what refers to keys.
  Status run(StateSource& rows, bool with_evidence) {
    using enum StateKind;
    const auto taking = [&](StateKind kind, bool own = false) {
      return rows.each(kind, [&](const StateRow& row) {
        return kind == engine && (row.owner == "engine") != own ? Status() : take_whole(row);
      });
    };
    Status read = rows.each(open_case, [&](const StateRow& row) { return note_members(row), Status(); });
    if (read.ok()) read = taking(engine, true);
    if (read.ok() && with_evidence) read = taking(evidence);
    for (const StateKind kind : {window, lookup, record, group, context, timer, open_case, counter, engine}) {
      if (read.ok()) read = taking(kind);
    }
    if (read.ok()) finish();
    return read;
  }

 private:
  Status take_whole(const StateRow& row) {
    try {
      if (take(row)) return {};
    } catch (const std::exception&) {
      // A value of another type than this version writes.
    }
    return bad_row(row);
  }

  void note_members(const StateRow& row) {
    const auto body = parse_json(row.body);
    if (!body || !body->is_object() || !body->contains("members")) return;
    for (const Json& id : body->at("members")) {
      if (id.is_number_unsigned()) members_[id.get<std::uint64_t>()] = {};
    }
  }

  bool take(const StateRow& row) {
    switch (row.kind) {
      case StateKind::window:
        return window(row);
      case StateKind::evidence:
        return core_.evidence.restore(row).ok();
      case StateKind::record:
      case StateKind::group:
      case StateKind::counter:
        return core_.decoder->restore(row).ok();
      default:
        break;
    }
    const auto body = parse_json(row.body);
    if (!body) return false;
    switch (row.kind) {
      case StateKind::open_case:
        return open_case(row, *body);
      case StateKind::timer:
        return timer(row, *body);
      case StateKind::context:
        return context(row, *body);
      case StateKind::lookup:
        return lookup(row, *body);
      default:
        break;
    }
    if (row.owner == "engine") return engine(*body);
    if (row.owner == "cause") return cause(row);
    if (row.owner == "held") return held(row, *body);
    if (row.owner == "pending") return pending(row, *body);
    if (row.owner == "collected") return collected(row, *body);
    if (row.owner == "echo") return echo(row, *body);
    if (row.owner == "silence") return silence(row, *body);
    if (row.owner == "alike") return alike(row, *body);
    return core_.decoder->restore(row).ok();
  }

  RuleRun* run_of(const std::string& rule) {
    const auto index = core_.rules->find_rule(rule);
    return index ? core_.runs[*index].get() : nullptr;
  }

  void orphan(const StateRow& row) {
    Core::Orphan gone{row, {}};
    if (row.kind == StateKind::window) {
      if (read_key_body(row.body, body_)) {
        if (body_.lines) gone.lines.push_back(std::move(*body_.lines));
        if (const auto state = parse_json(body_.state)) collect_lines(*state, gone.lines);
      }
    } else if (const auto body = parse_json(row.body)) {
      collect_lines(*body, gone.lines);
    }
    for (const Evidence& lines : gone.lines) lines.keep(core_.evidence);
    core_.orphans.insert_or_assign({row.kind, row.id}, std::move(gone));
  }

  bool window(const StateRow& row) {
    if (run_ == nullptr || run_->rule.id != row.owner) run_ = run_of(row.owner);  // rows of a rule come together
    if (run_ == nullptr) return orphan(row), true;
    if (!read_key_body(row.body, body_) || run_->table_of_keys.find(body_.key) != nullptr) return false;
    Timestamp newest = body_.newest.value_or(Timestamp::min());
    if (!body_.newest && body_.lines && !body_.lines->lines.empty()) newest = body_.lines->lines.back().time;
    KeyState& key = run_->table_of_keys.add(body_.key, row.id, run_->op->state(), newest, !body_.untrusted);
    key.stored = true;
    if (body_.lines && !key.trail.assign(*body_.lines, core_.evidence, body_.encoded_lines)) return false;
    if (body_.decided_at || !body_.frozen.empty()) {
      key.extra = std::make_unique<KeyExtra>();
      if (body_.decided_at) key.extra->decided_at = *body_.decided_at;
      if (const auto frozen = parse_json(body_.frozen))
        key.extra->frozen = fields_from(*frozen, *core_.rules);
    }
    if (!members_.empty()) {
      if (const auto member = members_.find(row.id); member != members_.end()) member->second = {&key, run_};
    }
    return run_->op->decode(body_.state, key, *run_);
  }

  FiringRef firing(const Json& body) {
    if (!body.is_object() || !body.contains("firing")) return nullptr;
    auto read = firing_from(body.at("firing"), *core_.rules);
    return read ? core_.make_firing(std::move(*read)) : nullptr;
  }

  bool open_case(const StateRow& row, const Json& body) {
    RuleRun* run = run_of(row.owner);
    if (run == nullptr) return orphan(row), true;
    FiringRef of = firing(body);
    if (!of) return false;
    auto made = std::make_unique<Case>();
    made->id = row.id;
    made->rule = run->index;
    made->key = pack(of->key);
    made->firing = std::move(of);
    made->from.us = body.at("from").get<std::int64_t>();
    made->fired.us = body.at("fired").get<std::int64_t>();
    made->acked = body.at("acked").get<bool>();
    made->dirty = false;
    made->stored = true;
    const std::string heard = to_line(body.at("heard"));
    std::string_view rest = heard;
    auto window = window::SlidingWindow::decode(rest);
    if (!window) return false;
    made->heard = std::move(*window);
    if (core_.cases_by_id.contains(made->id)) return false;  // several may have one list as their key
    for (const Json& id : body.at("members")) {
      // A window of this rule that no other case latches.
      const auto [member, owner] = members_[id.get<std::uint64_t>()];
      if (member == nullptr || owner != run || member->open != nullptr) return false;
      member->open = made.get();
      run->table_of_keys.moved(*member);
      made->members.push_back(member);
    }
    core_.cases_by_id[made->id] = made.get();
    std::string key = made->key;
    run->cases.emplace(std::move(key), std::move(made));
    return true;
  }

  bool timer(const StateRow& row, const Json& body) {
    RuleRun* run = run_of(row.owner);
    if (run == nullptr) return orphan(row), true;
    if (body.contains("waits")) {
      auto event = event_from(body.at("waits"), *core_.rules);
      if (!event) return true;  // its class is gone
      for (const LineRef& line : event->lines) core_.evidence.keep(line.seq);
      WaiterOrder order{event->time, expr::to_text(event->fields.get(rules::kHost)),
                        expr::to_text(event->fields.get(rules::kText)), row.id};
      run->waiters.emplace(std::move(order), Waiter{row.id, std::move(*event), false, true});
      return true;
    }
    const auto place = place_from(body.at("place"));
    FiringRef of = firing(body);
    if (!place || !of) return false;
    Delayed item{row.id,
                 of,
                 *place,
                 {body.at("deadline").get<std::int64_t>()},
                 body.at("done").get<std::uint32_t>(),
                 false,
                 true,
                 pack(of->key)};
    core_.arm_delayed(core_.delayed.emplace(row.id, std::move(item)).first->second);
    return true;
  }

  bool context(const StateRow& row, const Json& body) {
    const auto key = values_from(body.at("key"));
    if (!key) return false;
    FiringRef of = firing(body);
    Context item;
    item.id = row.id;
    item.name = row.owner;
    item.key = pack(*key);
    item.end = Timestamp::max();
    item.firing = of;
    item.set = body.at("set").get<std::uint32_t>();
    item.trust = static_cast<Trust>(std::clamp(body.value("trust", static_cast<int>(Trust::vouched)), 0, 2));
    item.let_go = body.value("let_go", std::uint64_t{0});
    item.dirty = false;
    item.stored = true;
    if (!of)
      return core_.erased.push_back({row.kind, row.id, row.owner, {}, {}, true}), true;  // its rule is gone
    if (body.contains("end")) item.end.us = body.at("end").get<std::int64_t>();
    const std::pair name(item.name, item.key);
    const auto at = core_.contexts.insert_or_assign(name, std::move(item)).first;
    core_.arm_context(at->second);
    return true;
  }

  bool collected(const StateRow& row, const Json& body) {
    const auto text = expr::from_json(body.at(1));
    if (!text || text->text() == nullptr) return false;
    texts_.emplace_back(body.at(0).get<std::uint64_t>(), Collected{row.id, *text->text()});
    return true;
  }

  bool lookup(const StateRow& row, const Json& body) {
    LookupState state;
    state.id = row.id;
    state.loaded.us = body.at("loaded").get<std::int64_t>();
    state.table.hash = body.at("hash").get<std::string>();
    state.stale_told = body.at("told").get<bool>();
    for (const Json& cells : body.at("rows")) {
      std::vector<std::string> out;
      for (const Json& cell : cells) {
        const auto value = expr::from_json(cell);
        if (!value) return false;
        out.push_back(expr::to_text(*value));
      }
      state.table.rows.push_back(std::move(out));
    }
    state.dirty = false;
    state.stored = true;
    core_.lookups.insert_or_assign(row.owner, std::move(state));
    return true;
  }

  bool engine(const Json& body) {
    core_.ids_ = body.at("ids").get<std::uint64_t>();
    if (body.contains("clock")) core_.clock = Timestamp{body.at("clock").get<std::int64_t>()};
    const Json& n = body.at("counters");
    Counters& c = core_.counters;
    std::uint64_t* const all[] = {&c.lines,   &c.events,     &c.decisions, &c.late,
                                  &c.undated, &c.clamped,    &c.forged,    &c.incomplete,
                                  &c.keyless, &c.ambiguous,  &c.evicted,   &c.cooled,
                                  &c.folded,  &c.cut_chains, &c.outcomes,  &c.reloads};
    for (std::size_t i = 0; i < std::size(all) && i < n.size(); ++i) *all[i] = n.at(i).get<std::uint64_t>();
    std::uint64_t room = 2'000'000;  // keys that are made room for at once; what a damaged row says costs no more
    for (const auto& [id, entry] : body.at("rules").items()) {
      RuleRun* run = run_of(id);
      if (run != nullptr && !entry.at(1).is_null())
        run->in_force = Timestamp{entry.at(1).get<std::int64_t>()};
      if (run == nullptr || entry.size() < 3) continue;
      const std::uint64_t keys = std::min<std::uint64_t>({entry.at(2).get<std::uint64_t>(), run->rule.max_keys, room});
      run->table_of_keys.reserve(keys);
      room -= keys;
    }
    for (const auto& [id, entry] : body.at("gone").items()) {
      core_.orphan_rules[id] = {entry.at(0).get<std::string>(), {entry.at(1).get<std::int64_t>()}};
    }
    core_.fresh_rules =
        std::any_of(core_.runs.begin(), core_.runs.end(), [](const auto& run) { return !run->in_force; });
    return true;
  }

  bool cause(const StateRow& row) {
    for (CauseMemory* memory : core_.all_causes()) {
      if (memory->place() == row.key) return memory->restore(row);
    }
    core_.erased.push_back({row.kind, row.id, row.owner, row.key, {}, true});  // no rule asks for it any more
    return true;
  }

  bool held(const StateRow& row, const Json& body) {
    FiringRef of = firing(body);
    if (!of) return core_.erased.push_back({row.kind, row.id, row.owner, {}, {}, true}), true;
    const auto reason = expr::from_json(body.at("reason"));
    if (!reason) return false;
    Held item{row.id, of, std::nullopt, expr::to_text(*reason), false, true, pack(of->key)};
    if (body.contains("deadline")) item.deadline = Timestamp{body.at("deadline").get<std::int64_t>()};
    held_of_[of->of_case] = row.id;
    core_.arm_held(core_.held.emplace(row.id, std::move(item)).first->second);
    return true;
  }

  bool pending(const StateRow& row, const Json& body) {
    FiringRef of = firing(body);
    if (!of) return core_.erased.push_back({row.kind, row.id, row.owner, {}, {}, true}), true;
    const auto place = place_from(body.at("place"));
    auto locals = values_from(body.at("locals"));
    if (!place || !locals) return false;
    Pending item{row.id,  row.key, of,   *place, body.at("row").get<std::uint32_t>(), std::move(*locals),
                 nullptr, false,   true};
    if (body.contains("lines")) {
      const Json& lines = body.at("lines");
      Given given{{}, static_cast<Trust>(std::clamp(lines.at("trust").get<int>(), 0, 2))};
      for (const Json& line : lines.at("texts")) {
        const auto text = expr::from_json(line);
        if (!text) return false;
        given.lines.push_back(expr::to_text(*text));
      }
      core_.given_bytes += bytes_of(given);
      item.given = std::make_shared<const Given>(std::move(given));
    }
    core_.pending_of[item.decision] = row.id;
    core_.pending.emplace(row.id, std::move(item));
    return true;
  }

  bool echo(const StateRow& row, const Json& body) {
    Echo item{row.id,
              row.key,
              body.at("action").get<std::string>(),
              body.at("echo").get<std::uint32_t>(),
              {body.at("begin").get<std::int64_t>()},
              {body.at("end").get<std::int64_t>()},
              std::nullopt,
              false,
              true};
    if (body.contains("host")) item.host = expr::from_json(body.at("host"));
    core_.first_echo_end = std::min(core_.first_echo_end, item.end);
    core_.echoes.emplace(row.id, std::move(item));
    return true;
  }

  bool silence(const StateRow& row, const Json& body) {
    const auto key = expr::from_json(body.at("key"));
    const auto reason = expr::from_json(body.at("reason"));
    if (!key || !reason) return false;
    Silence item{row.id, row.key, expr::to_text(*key), expr::to_text(*reason), Timestamp::max(), false, true};
    if (body.contains("until")) item.until.us = body.at("until").get<std::int64_t>();
    core_.silences.emplace(row.id, std::move(item));
    return true;
  }

  bool alike(const StateRow& row, const Json& body) {
    core_.alike[{Timestamp{body.at(0).get<std::int64_t>()}, row.key}] = {
        row.id, body.at(1).get<std::uint32_t>(), false, true};
    return true;
  }

  void finish() {
    for (const auto& [of_case, id] : held_of_) {
      const auto open = core_.cases_by_id.find(of_case);
      if (open != core_.cases_by_id.end()) open->second->held = id;
    }
    for (const auto& run : core_.runs) {
      if (run->in_force && core_.clock) {
        bool wants = false;
        for (std::uint32_t i = 0; i < core_.rules->lookups.size(); ++i)
          wants = wants || run->op->wants_lookup(i);
        if (wants) run->op->in_force(*run->in_force, *run);
      }
      if (run->op->has_timers()) {
        run->table_of_keys.each([&](KeyState& key) {
          if (const auto at = run->op->deadline(key, *run)) run->arm(key, *at);
        });
      }
      for (const auto& [key, open] : run->cases) core_.arm_case(*run, *open);
      if (!run->waiters.empty()) {
        run->hold_armed = run->waiters.begin()->first.time + run->hold;
        core_.timers.arm({*run->hold_armed, TimerKind::hold, run->index, {}, 0, run.get()});
      }
      run->rearm_forget();
    }
    core_.restore_texts(std::move(texts_));
    core_.engine_dirty = false;
    core_.evidence.sweep();
  }

  Core& core_;
  RuleRun* run_ = nullptr;  // of the last window
  KeyBody body_;
  std::unordered_map<std::uint64_t, std::pair<KeyState*, RuleRun*>> members_;  // windows that cases latch
  std::map<std::uint64_t, std::uint64_t> held_of_;
  std::vector<std::pair<std::uint64_t, Collected>> texts_;  // with the context that has it
};

}  // namespace

Status Core::restore_rows(StateSource& rows, bool with_evidence) {
  return Restorer(*this).run(rows, with_evidence);
}

Status RowList::each(StateKind kind, const RowVisitor& visit) {
  for (const StateRow& row : rows_) {
    if (row.kind != kind) continue;
    if (Status status = visit(row); !status.ok()) return status;
  }
  return {};
}

}  // namespace correlator::engine
