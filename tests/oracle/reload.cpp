// SPDX-License-Identifier: Apache-2.0
// What other rules keep of the state.
#include <algorithm>
#include <set>

#include "oracle.h"

namespace correlator::oracle {
namespace {

constexpr Time kKept = 7 * 24 * kHour;

std::string classes(const std::vector<Ref>& refs) {
  std::string out;
  for (const Ref& ref : refs) out += ref.classes + ",";
  return out;
}

}  // namespace

// Equal texts: the rule's windows mean the same.
std::string Oracle::identity(const Rule& rule) const {
  std::string out = rule.id + "|" + std::to_string(static_cast<int>(rule.op)) + "|" + std::to_string(static_cast<int>(rule.key)) + "|" +
                    classes(rule.on) + "|" + classes(rule.steps) + "|" + classes(rule.of) + "|";
  if (rule.op == Op::distinct) out += rule.distinct_v ? "v" : "dimm";
  if (rule.op == Op::streak) out += rule.broken_by.classes;
  if (rule.op == Op::sequence) out += rule.ordered ? "ordered" : "";
  if (rule.op == Op::answer) out += rule.after.classes;
  for (const Member& member : rule.members) out += member.ref.classes + ",";
  return out;
}

void Oracle::reload(const Spec& next) {
  const Spec before = spec_;
  std::vector<Windows> windows(next.rules.size());
  std::map<std::uint64_t, Case> cases;
  std::vector<Delayed> delayed;
  std::vector<Waiting> waiting;
  std::set<std::string> stays, lost;
  const auto place = [&](const std::string& id) -> std::optional<std::size_t> {
    for (std::size_t i = 0; i < next.rules.size(); ++i) {
      if (next.rules[i].id == id) return i;
    }
    return std::nullopt;
  };
  for (std::size_t i = 0; i < before.rules.size(); ++i) {
    const std::string& id = before.rules[i].id;
    std::erase_if(windows_[i], [&](const auto& one) { return forgotten(before.rules[i], one.second); });
    Gone state{identity(before.rules[i]), clock_.value_or(0), std::move(windows_[i]), {}, {}};
    for (const auto& [number, one] : cases_) {
      if (one.rule == i) state.cases.push_back(one);
    }
    for (const Delayed& one : delayed_) {
      if (one.firing->rule == id) state.delayed.push_back(one);
    }
    const auto at = place(id);
    if (at && identity(next.rules[*at]) == state.identity) {
      stays.insert(id);
    } else {
      lost.insert(id);
    }
    if (!at || stays.contains(id)) gone_[id] = std::move(state);
  }
  std::erase_if(held_, [&](const FiringRef& firing) { return lost.contains(firing->rule); });
  std::erase_if(contexts_, [&](const auto& one) { return lost.contains(one.second.firing->rule); });
  for (const Waiting& one : waiting_) {
    const std::string& id = before.rules[one.rule].id;
    if (stays.contains(id)) waiting.push_back({*place(id), one.event});
  }
  spec_ = next;
  for (std::size_t i = 0; i < next.rules.size(); ++i) {
    const auto kept = gone_.find(next.rules[i].id);
    if (kept == gone_.end()) continue;
    Gone state = std::move(kept->second);
    gone_.erase(kept);
    if (state.identity != identity(next.rules[i]) || (clock_ && *clock_ - state.since >= kKept)) continue;
    windows[i] = std::move(state.windows);
    for (Case& one : state.cases) {
      one.rule = i;
      if (judged_quiet(next.rules[i]) || next.rules[i].lasts > 0) one.deadline = clear_deadline(one);
      cases[one.number] = std::move(one);
    }
    delayed.insert(delayed.end(), state.delayed.begin(), state.delayed.end());
  }
  windows_ = std::move(windows);
  cases_ = std::move(cases);
  delayed_ = std::move(delayed);
  waiting_ = std::move(waiting);
}

}  // namespace correlator::oracle
