// SPDX-License-Identifier: Apache-2.0
#include "causes.h"

#include <algorithm>

#include "decoder_rows.h"
#include "key_text.h"
#include "base/json.h"

namespace correlator::engine {

std::string CauseMemory::same(const Fields& fields) const {
  std::vector<expr::Value> values;
  values.reserve(cause_->same.size());
  for (const rules::FieldId field : cause_->same) values.push_back(fields.get(field));
  return pack(values);
}

void CauseMemory::erase(std::map<std::string, Times, std::less<>>::iterator at) {
  const Times& times = at->second;
  by_newest_.erase({times.times.back(), times.id});
  names_.erase(times.id);
  dirty_.erase(times.id);
  if (times.stored) erased_.push_back(times.id);
  values_.erase(at);
}

std::size_t CauseMemory::note(Timestamp u, std::string_view same, Timestamp oldest_line,
                              std::uint64_t& next_id) {
  while (!by_newest_.empty() && by_newest_.begin()->first + cause_->after <= oldest_line) {
    erase(values_.find(names_.at(by_newest_.begin()->second)));
  }
  auto at = values_.find(same);
  if (at == values_.end()) {
    at = values_.emplace(std::string(same), Times{}).first;
    at->second.id = next_id++;
    names_.emplace(at->second.id, at->first);
  } else {
    by_newest_.erase({at->second.times.back(), at->second.id});
  }
  auto& times = at->second.times;
  const auto place = std::lower_bound(times.begin(), times.end(), u);
  if (place == times.end() || *place != u) times.insert(place, u);
  if (times.size() > kMaxTimes) times.erase(times.begin());
  by_newest_.insert({times.back(), at->second.id});
  dirty_.insert(at->second.id);
  if (values_.size() <= kMaxValues) return 0;
  erase(values_.find(names_.at(by_newest_.begin()->second)));
  return 1;
}

bool CauseMemory::holds(Timestamp t, std::string_view same) const {
  const auto at = values_.find(same);
  if (at == values_.end()) return false;
  return std::any_of(at->second.times.begin(), at->second.times.end(),
                     [&](Timestamp u) { return u - cause_->before <= t && t < u + cause_->after; });
}

Timestamp CauseMemory::end(Timestamp t, std::string_view same) const {
  const auto at = values_.find(same);
  if (at == values_.end()) return t;
  // Times ascend, so one pass meets every interval that goes on from the one before.
  for (const Timestamp u : at->second.times) {
    if (u - cause_->before <= t && t < u + cause_->after) t = u + cause_->after;
  }
  return t;
}

StateRow CauseMemory::row(const std::string& same, const Times& times) const {
  StateRow out;
  out.kind = StateKind::engine;
  out.id = times.id;
  out.owner = "cause";
  out.key = place_;
  const auto values = unpack(same);
  Json body = {{"same", values_json(values)}, {"times", Json::array()}};
  for (const Timestamp t : times.times) body["times"].push_back(t.us);
  out.body = to_line(body);
  return out;
}

void CauseMemory::take_changes(std::vector<StateRow>& out) {
  for (const std::uint64_t id : dirty_) {
    auto& [same, times] = *values_.find(names_.at(id));
    out.push_back(row(same, times));
    times.stored = true;
  }
  dirty_.clear();
  for (const std::uint64_t id : erased_) {
    StateRow gone;
    gone.kind = StateKind::engine;
    gone.id = id;
    gone.owner = "cause";
    gone.key = place_;
    gone.erased = true;
    out.push_back(std::move(gone));
  }
  erased_.clear();
}

void CauseMemory::all_rows(std::vector<StateRow>& out) const {
  for (const auto& [same, times] : values_) out.push_back(row(same, times));
}

bool CauseMemory::restore(const StateRow& row) {
  const auto json = parse_json(row.body);
  if (!json || !json->is_object() || !json->contains("same") || !json->contains("times")) return false;
  const auto values = values_from((*json)["same"]);
  if (!values || !(*json)["times"].is_array() || (*json)["times"].empty()) return false;
  Times times;
  times.id = row.id;
  times.stored = true;
  for (const Json& t : (*json)["times"]) {
    if (!t.is_number_integer()) return false;
    times.times.push_back({t.get<std::int64_t>()});
  }
  const std::string same = pack(*values);
  by_newest_.insert({times.times.back(), times.id});
  names_.emplace(times.id, same);
  values_.insert_or_assign(same, std::move(times));
  return true;
}

}  // namespace correlator::engine
