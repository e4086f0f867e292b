// SPDX-License-Identifier: Apache-2.0
#include "decoder_weight.h"

#include "base/json.h"
#include "base/text.h"
#include "decoder_rows.h"

namespace correlator::engine {
namespace {

void put_number(std::string& out, std::uint64_t number) {
  char bytes[8];
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(number >> (8 * i));
  out.append(bytes, sizeof bytes);
}

void put_value(std::string& out, const expr::Value& value) {
  out += static_cast<char>(value.type());
  switch (value.type()) {
    case expr::Type::integer:
      return put_number(out, *value.integer());
    case expr::Type::boolean:
      out += *value.boolean() ? '1' : '0';
      return;
    case expr::Type::duration:
      return put_number(out, static_cast<std::uint64_t>(value.duration()->us));
    case expr::Type::time:
      return put_number(out, static_cast<std::uint64_t>(value.time()->us));
    case expr::Type::text:
      put_number(out, value.text()->size());
      out += *value.text();
      return;
    case expr::Type::list:
      put_number(out, value.list()->size());
      for (const expr::Value& element : *value.list()) put_value(out, element);
      return;
    case expr::Type::none:
    case expr::Type::any:
      return;
  }
}

std::string printed(std::span<const expr::Value> values) {
  std::vector<std::string> texts;
  for (const expr::Value& value : values) texts.push_back(printable(expr::to_text(value)));
  return join(texts, " ");
}

}  // namespace

std::string exact_bytes(std::span<const expr::Value> values) {
  std::string out;
  out.reserve(32 * values.size());
  for (const expr::Value& value : values) put_value(out, value);
  return out;
}

std::uint64_t Increases::rise(std::string_view event, std::vector<expr::Value> per, std::uint64_t value) {
  auto of_event = events_.find(event);
  if (of_event == events_.end()) of_event = events_.try_emplace(std::string(event)).first;
  OfEvent& all = of_event->second;
  const std::string key = exact_bytes(per);
  const auto [at, fresh] = all.counters.try_emplace(key);
  Counter& counter = at->second;
  std::uint64_t rise = value > 0 ? 1 : 0;
  if (fresh) {
    counter.id = ++last_id_;
    counter.event = event;
    counter.per = std::move(per);
  } else {
    rise = value >= counter.value ? value - counter.value : value;
    all.by_use.erase(counter.used);
  }
  counter.value = value;
  counter.used = ++last_use_;
  all.by_use.emplace(counter.used, key);
  mark(counter);
  if (all.counters.size() > kMaxPerEvent) {
    ++counters_.evicted;
    erase(all, all.counters.find(all.by_use.begin()->second));
  }
  return rise;
}

void Increases::mark(Counter& counter) {
  if (counter.dirty) return;
  counter.dirty = true;
  dirty_.emplace_back(counter.event, exact_bytes(counter.per));
}

void Increases::erase(OfEvent& all, Table::iterator at) {
  if (at->second.written) erased_.emplace_back(at->second.id, at->second.event);
  all.by_use.erase(at->second.used);
  all.counters.erase(at);
}

void Increases::forget_event(std::string_view event) {
  const auto found = events_.find(event);
  if (found == events_.end()) return;
  OfEvent& all = found->second;
  while (!all.counters.empty()) erase(all, all.counters.begin());
  events_.erase(found);
}

std::vector<std::string> Increases::events() const {
  std::vector<std::string> names;
  for (const auto& [name, counters] : events_) names.push_back(name);
  return names;
}

void Increases::take_changes(std::vector<StateRow>& out) {
  for (auto& [id, event] : erased_) out.push_back({StateKind::counter, id, std::move(event), {}, {}, true});
  erased_.clear();
  for (const auto& [event, key] : dirty_) {
    const auto all = events_.find(event);
    if (all == events_.end()) continue;
    const auto found = all->second.counters.find(key);
    if (found == all->second.counters.end() || !found->second.dirty) continue;
    Counter& counter = found->second;
    counter.dirty = false;
    counter.written = true;
    const Json body = {{"per", values_json(counter.per)}, {"value", counter.value}, {"used", counter.used}};
    out.push_back(
        {StateKind::counter, counter.id, counter.event, printed(counter.per), to_line(body), false});
  }
  dirty_.clear();
}

bool Increases::restore(const StateRow& row, const Json& body) {
  const Json* per = array_at(body, "per");
  if (per == nullptr) return false;
  std::optional<std::vector<expr::Value>> values = values_from(*per);
  Counter counter;
  if (!values || !read(body, "value", counter.value) || !read(body, "used", counter.used)) return false;
  counter.id = row.id;
  counter.event = row.owner;
  counter.per = std::move(*values);
  counter.written = true;
  last_id_ = std::max(last_id_, row.id);
  last_use_ = std::max(last_use_, counter.used);
  OfEvent& all = events_[row.owner];
  const std::string key = exact_bytes(counter.per);
  if (!all.by_use.emplace(counter.used, key).second) return false;
  return all.counters.emplace(key, std::move(counter)).second;
}

bool ForgedLimit::allows(std::string_view host, Timestamp t) {
  const std::string name(host.substr(0, 255));
  const auto [at, fresh] = hosts_.try_emplace(name);
  Host& entry = at->second;
  if (!fresh) {
    if (t < entry.last + Duration::minutes(1)) return false;
    by_time_.erase({entry.last, name});
  } else {
    entry.id = ++last_id_;
  }
  entry.last = t;
  by_time_.emplace(t, name);
  if (!entry.dirty) dirty_.push_back(name);
  entry.dirty = true;
  if (hosts_.size() > kMaxHosts) {
    const auto oldest = hosts_.find(by_time_.begin()->second);
    if (oldest->second.written) erased_.emplace_back(oldest->second.id, oldest->first);
    hosts_.erase(oldest);
    by_time_.erase(by_time_.begin());
  }
  return true;
}

void ForgedLimit::take_changes(std::vector<StateRow>& out) {
  for (auto& [id, host] : erased_) out.push_back({StateKind::counter, id, {}, {}, {}, true});
  erased_.clear();
  for (const std::string& name : dirty_) {
    const auto found = hosts_.find(name);
    if (found == hosts_.end() || !found->second.dirty) continue;
    found->second.dirty = false;
    found->second.written = true;
    const Json body = {{"forged", expr::to_json(name)}, {"last", found->second.last.us}};
    out.push_back({StateKind::counter, found->second.id, {}, printable(name), to_line(body), false});
  }
  dirty_.clear();
}

bool ForgedLimit::restore(const StateRow& row, const Json& body) {
  std::string name;
  Host host;
  if (!read(body, "forged", name) || !read(body, "last", host.last.us)) return false;
  host.id = row.id;
  host.written = true;
  last_id_ = std::max(last_id_, row.id);
  by_time_.emplace(host.last, name);
  return hosts_.emplace(name, host).second;
}

}  // namespace correlator::engine
