// SPDX-License-Identifier: Apache-2.0
#include "same_error.h"

#include <algorithm>
#include <limits>

#include "decoder_weight.h"
#include "base/json.h"

namespace correlator::engine {
namespace {

std::uint64_t add_saturating(std::uint64_t a, std::uint64_t b) {
  return b > std::numeric_limits<std::uint64_t>::max() - a ? std::numeric_limits<std::uint64_t>::max()
                                                           : a + b;
}

std::string table_key(std::uint32_t definition, std::span<const expr::Value> key) {
  return std::to_string(definition) + ":" + exact_bytes(key);
}

}  // namespace

void SameErrors::set_rules(const rules::RuleSet* before, const rules::RuleSet& now) {
  std::vector<Owned> kept;
  std::vector<std::uint64_t> ids;
  for (const auto& [id, group] : by_id_) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  names_.emplace(now);
  definitions_.clear();
  for (std::size_t i = 0; i < now.same_errors.size(); ++i) {
    definitions_.try_emplace(now.same_errors[i].name, static_cast<std::uint32_t>(i));
  }
  for (const std::uint64_t id : ids) {
    Group& group = *by_id_.at(id);
    const rules::SameError& old = before->same_errors[group.definition];
    const auto found = definitions_.find(old.name);
    if (found == definitions_.end() ||
        names_of(now.same_errors[found->second].key, now) != names_of(old.key, *before)) {
      erase(group);
      continue;
    }
    Owned owned = detach(group);
    const std::vector<std::string>& channels = now.same_errors[found->second].channels;
    std::vector<std::uint64_t> sums(channels.size());
    for (std::size_t c = 0; c < channels.size(); ++c) {
      const auto at = std::find(old.channels.begin(), old.channels.end(), channels[c]);
      if (at != old.channels.end())
        sums[c] = owned->sums[static_cast<std::size_t>(at - old.channels.begin())];
    }
    owned->sums = std::move(sums);
    owned->definition = found->second;
    owned->fields = renumbered(owned->fields, *before, *names_);
    kept.push_back(std::move(owned));
  }
  rules_ = &now;
  memberships_.assign(now.events.size(), {});
  record_spans_.assign(now.same_errors.size(), Duration{});
  classes_.assign(now.same_errors.size(), std::vector<bool>(now.classes.size()));
  for (std::uint32_t i = 0; i < now.same_errors.size(); ++i) {
    const rules::SameError& def = now.same_errors[i];
    for (const rules::ClassId cls : def.classes) classes_[i][cls] = true;
    for (std::size_t e = 0; e < now.events.size(); ++e) {
      const auto channel = std::find(def.channels.begin(), def.channels.end(), now.events[e].channel);
      if (channel == def.channels.end()) continue;
      memberships_[e].emplace_back(i, static_cast<std::uint32_t>(channel - def.channels.begin()));
      const auto& record = now.events[e].record;
      if (record) record_spans_[i] = std::max(record_spans_[i], record->within);
    }
  }
  for (Owned& group : kept) {
    std::string place = table_key(group->definition, group->key);
    insert(std::move(group), std::move(place));
  }
}

Timestamp SameErrors::deadline(const Group& group) const {
  return group.last + rules_->same_errors[group.definition].within + record_spans_[group.definition];
}

std::string SameErrors::name_of(const Group& group) const {
  return rules_->same_errors[group.definition].name;
}

void SameErrors::insert(Owned group, std::string place) {
  due_.emplace(deadline(*group), group->id);
  by_id_.emplace(group->id, group.get());
  Group& here = *group;
  here.place = &groups_.insert_or_assign(std::move(place), std::move(group)).first->first;
}

void SameErrors::spans(Group& group, Timestamp t) {
  const Timestamp before = deadline(group);
  group.first = std::min(group.first, t);
  group.last = std::max(group.last, t);
  if (deadline(group) == before) return;
  auto place = due_.extract({before, group.id});
  place.value().first = deadline(group);
  due_.insert(std::move(place));
}

SameErrors::Owned SameErrors::detach(Group& group) {
  due_.erase({deadline(group), group.id});
  by_id_.erase(group.id);
  const auto found = groups_.find(*group.place);
  Owned owned = std::move(found->second);
  groups_.erase(found);
  return owned;
}

void SameErrors::erase(Group& group) {
  for (const LineRef& line : group.lines) evidence_.release(line.seq);
  if (group.written) erased_.emplace_back(group.id, name_of(group));
  detach(group);
}

void SameErrors::mark(Group& group) {
  if (!group.dirty) dirty_.push_back(group.id);
  group.dirty = true;
}

void SameErrors::drop_due(Timestamp clock) {
  while (!due_.empty() && clock >= due_.begin()->first + options_.disorder)
    erase(*by_id_.at(due_.begin()->second));
}

void SameErrors::pass(Event& event, Timestamp clock) {
  if (event.definition >= memberships_.size()) return;
  drop_due(clock);
  std::uint64_t weight = event.weight;
  for (const auto& [definition, channel] : memberships_[event.definition]) {
    if (!classes_[definition][event.cls]) continue;
    const std::vector<rules::FieldId>& fields = rules_->same_errors[definition].key;
    std::vector<expr::Value> key;
    key.reserve(fields.size());
    for (const rules::FieldId field : fields) {
      const expr::Value* value = event.fields.find(field);
      if (value == nullptr) break;
      key.push_back(*value);
    }
    if (key.size() != fields.size()) continue;
    event.weight = weight;
    weight = meet(event, definition, channel, std::move(key));
    if (weight > 0) continue;
    event.folded = true;
    ++counters_.folded;
    return;
  }
  event.weight = weight;
}

std::uint64_t SameErrors::meet(Event& event, std::uint32_t definition, std::uint32_t channel,
                               std::vector<expr::Value> key) {
  const Duration within = rules_->same_errors[definition].within;
  std::string place = table_key(definition, key);
  const auto found = groups_.find(place);
  Group* group = found == groups_.end() ? nullptr : found->second.get();
  if (group != nullptr && !(event.time - group->last < within && group->first - event.time < within)) {
    erase(*group);
    group = nullptr;
  }
  if (group == nullptr) group = &open(definition, std::move(key), std::move(place), event.time);
  spans(*group, event.time);
  group->sums[channel] = add_saturating(group->sums[channel], event.weight);
  const std::uint64_t best =
      *std::find_if(group->sums.begin(), group->sums.end(), [](auto sum) { return sum > 0; });
  const std::uint64_t counted = std::max(group->counted, best);
  const std::uint64_t news = counted - group->counted;
  group->counted = counted;
  take_in(*group, event);
  mark(*group);
  return news;
}

SameErrors::Group& SameErrors::open(std::uint32_t definition, std::vector<expr::Value> key, std::string place, Timestamp t) {
  if (groups_.size() >= kMaxGroups) {
    ++counters_.evicted;
    erase(*by_id_.at(due_.begin()->second));
  }
  Owned fresh = std::make_unique<Group>();
  Group& group = *fresh;
  group.id = ++last_id_;
  group.definition = definition;
  group.key = std::move(key);
  group.first = group.last = t;
  group.sums.assign(rules_->same_errors[definition].channels.size(), 0);
  insert(std::move(fresh), std::move(place));
  return group;
}

// Fields that the group lacks and the lines of the event.
void SameErrors::take_in(Group& group, const Event& event) {
  if (group.fields.all().empty()) group.fields.reserve(std::min(event.fields.all().size(), kMaxFields));
  for (const auto& [field, value] : event.fields.all()) {
    if (group.fields.all().size() >= kMaxFields) break;
    if (field >= rules::kBuiltinFields && group.fields.find(field) == nullptr) group.fields.set(field, value);
  }
  for (const LineRef& line : event.lines) {
    ++group.total_lines;
    evidence_.keep(line.seq);
    group.lines.push_back(line);
    if (group.lines.size() <= kLines) continue;
    evidence_.release(group.lines[kFirstLines].seq);
    group.lines.erase(group.lines.begin() + kFirstLines);
  }
}

void SameErrors::take_changes(std::vector<StateRow>& out) {
  for (auto& [id, owner] : erased_) out.push_back({StateKind::group, id, std::move(owner), {}, {}, true});
  erased_.clear();
  for (const std::uint64_t id : dirty_) {
    const auto found = by_id_.find(id);
    if (found == by_id_.end() || !found->second->dirty) continue;
    Group& group = *found->second;
    const rules::SameError& def = rules_->same_errors[group.definition];
    Json sums = Json::object(), lines = Json::array();
    for (std::size_t c = 0; c < group.sums.size(); ++c) {
      if (group.sums[c] > 0) sums[def.channels[c]] = group.sums[c];
    }
    for (const LineRef& line : group.lines) lines.push_back(Json::array({line.seq, line.time.us}));
    const Json body = {{"key", values_json(group.key)},
                       {"first", group.first.us},
                       {"last", group.last.us},
                       {"counted", group.counted},
                       {"sums", std::move(sums)},
                       {"lines", std::move(lines)},
                       {"total_lines", group.total_lines},
                       {"fields", named_fields(group.fields, *rules_)}};
    group.dirty = false;
    group.written = true;
    out.push_back(
        {StateKind::group, id, def.name, key_text(def.key, group.key, *rules_), to_line(body), false});
  }
  dirty_.clear();
}

bool SameErrors::restore(const StateRow& row, const Json& body) {
  const auto definition = definitions_.find(row.owner);
  if (definition == definitions_.end()) return false;
  const rules::SameError& def = rules_->same_errors[definition->second];
  Owned group = std::make_unique<Group>();
  group->id = row.id;
  group->definition = definition->second;
  group->written = true;
  const Json* key = array_at(body, "key");
  const Json* lines = array_at(body, "lines");
  if (key == nullptr || lines == nullptr || !read(body, "first", group->first.us) ||
      !read(body, "last", group->last.us) || !read(body, "counted", group->counted) ||
      !read(body, "total_lines", group->total_lines) || !body.contains("fields") || !body.contains("sums"))
    return false;
  std::optional<std::vector<expr::Value>> values = values_from(*key);
  std::optional<Fields> fields = fields_by_name(body["fields"], *names_);
  if (!values || values->size() != def.key.size() || !fields || lines->size() > kLines) return false;
  group->key = std::move(*values);
  group->fields = std::move(*fields);
  for (const std::string& channel : def.channels) {
    std::uint64_t sum = 0;
    read(body["sums"], channel.c_str(), sum);
    group->sums.push_back(sum);
  }
  for (const Json& line : *lines) {
    if (!line.is_array() || line.size() != 2 || !line[0].is_number_unsigned() || !line[1].is_number_integer())
      return false;
    group->lines.push_back({line[0].get<std::uint64_t>(), Timestamp{line[1].get<std::int64_t>()}});
  }
  std::string place = table_key(group->definition, group->key);
  if (groups_.contains(place) || by_id_.contains(row.id)) return false;
  for (const LineRef& line : group->lines) evidence_.keep(line.seq);
  last_id_ = std::max(last_id_, row.id);
  insert(std::move(group), std::move(place));
  return true;
}

}  // namespace correlator::engine
