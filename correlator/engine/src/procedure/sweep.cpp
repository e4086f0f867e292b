// SPDX-License-Identifier: Apache-2.0
// What a second brings: contexts end, delayed events come, calendars fire, windows end; in this order.
#include <algorithm>
#include <ctime>

#include "core.h"

namespace correlator::engine {
namespace {

// What is due, the oldest first.
template <class T>
std::vector<std::shared_ptr<T>> take_due(DueHeap<T>& heap, Second now) {
  std::vector<std::shared_ptr<T>> out;
  while (!heap.empty() && heap.top().at <= now) {
    const Due<T> due = heap.top();
    heap.pop();
    if (due.owner->queued != due.at) continue;  // another entry stands for it
    due.owner->queued = -1;
    out.push_back(due.owner);
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a->serial < b->serial; });
  return out;
}

std::tm local_time(Second at) {
  const auto time = static_cast<std::time_t>(at);
  std::tm out{};
  localtime_r(&time, &out);
  return out;
}

bool last_of_month(const std::tm& day) {
  std::tm next = day;
  next.tm_mday += 1;
  next.tm_hour = 12;
  next.tm_isdst = -1;
  std::mktime(&next);
  return next.tm_mday == 1;
}

bool matches(const rules::procedure::Schedule& s, const std::tm& t) {
  return s.minute.test(static_cast<std::size_t>(t.tm_min)) && s.hour.test(static_cast<std::size_t>(t.tm_hour)) &&
         s.month.test(static_cast<std::size_t>(t.tm_mon + 1)) && s.weekday.test(static_cast<std::size_t>(t.tm_wday)) &&
         (s.day.test(static_cast<std::size_t>(t.tm_mday)) || (s.day.test(0) && last_of_month(t))) &&
         (s.any_year || s.year.test(static_cast<std::size_t>(t.tm_year % 100)));
}

}  // namespace

void Procedure::Core::sweep() {
  for (const auto& ended : take_due(store_heap, now)) {
    if (ended->gone) continue;
    if (ended->expired(now)) finish(ended);
    else schedule(ended);
  }
  for (auto at = delayed.begin(); at != delayed.end() && at->first <= now; at = delayed.erase(at)) queued.push_back(std::move(at->second));
  sweep_calendars();
  for (const OperationPtr& op : take_due(operation_heap, now)) {
    if (!op->alive) continue;
    if (over(*op)) expire(op);
    else schedule(op);
  }
}

void Procedure::Core::sweep_calendars() {
  if (calendars.empty()) return;
  const std::tm local = local_time(now);
  const Second minute = now / 60;
  for (RuleState* run : std::vector<RuleState*>(calendars)) {
    if (run->calendar_minute == minute || !matches(run->rule->schedule, local)) continue;
    const rules::procedure::Guard& guard = run->rule->members.front().guard;
    if (guard.condition && !holds(*guard.condition, {})) continue;
    run->calendar_minute = minute;
    ++run->matches;
    Setting setting;
    setting.description = run->rule->description;
    setting.rule = run->rule->number;
    for (const auto& file : files) {
      if (file.get() == run->file) setting.file = file;
    }
    this->run(run->rule->action, setting);
  }
}

std::optional<Second> Procedure::Core::next_due() const {
  std::optional<Second> out;
  const auto sooner = [&](Second at) { out = out ? std::min(*out, at) : at; };
  if (!store_heap.empty()) sooner(store_heap.top().at);
  if (!operation_heap.empty()) sooner(operation_heap.top().at);
  if (!delayed.empty()) sooner(delayed.begin()->first);
  if (!calendars.empty()) {
    const std::tm local = local_time(now);
    for (const RuleState* run : calendars) {
      // One whose minute is here waits for its context.
      if (run->calendar_minute != now / 60 && matches(run->rule->schedule, local)) sooner(now + 1);
    }
    sooner((now / 60 + 1) * 60);
  }
  if (out && *out <= now) out = now + 1;
  return out;
}

}  // namespace correlator::engine
