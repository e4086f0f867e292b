// SPDX-License-Identifier: Apache-2.0
// Contexts: names, a lifetime, an event store, an action list for the end.
#include <algorithm>

#include "core.h"

namespace correlator::engine {

// As Perl splits at newlines: empty ones at the end do not count.
std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    out.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return out;
}

std::optional<Second> whole_number(std::string_view text) {
  constexpr Second kLargest = 1'000'000'000'000'000;
  if (text.empty()) return std::nullopt;
  Second out = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    out = std::min(out * 10 + (c - '0'), kLargest);
  }
  return out;
}

std::shared_ptr<EventStore> Procedure::Core::store(std::string_view name) const {
  const auto found = stores.find(name);
  return found == stores.end() ? nullptr : found->second;
}

std::shared_ptr<EventStore> Procedure::Core::changeable(std::string_view name) {
  auto found = store(name);
  if (found == nullptr || !found->internal) return found;
  say(3, "context " + std::string(name) + " is internal and cannot be changed");
  return nullptr;
}

std::shared_ptr<EventStore> Procedure::Core::make_store(const std::string& name) {
  auto made = std::make_shared<EventStore>();
  made->serial = ++serial;
  made->names = {name};
  made->created = now;
  stores[name] = made;
  return made;
}

void Procedure::Core::add_line_context(std::string_view name) {
  line_context = name;
  if (name.empty()) return;
  auto made = std::make_shared<EventStore>();
  made->names = {line_context};
  made->created = now;
  made->internal = true;
  if (const auto old = stores.find(line_context); old != stores.end()) old->second->gone = true;
  stores[line_context] = std::move(made);
}

void Procedure::Core::drop_line_context() {
  if (line_context.empty()) return;
  stores.erase(line_context);
  line_context.clear();
}

bool Procedure::Core::alive(std::string_view name) {
  const auto found = store(name);
  if (found == nullptr) return false;
  if (!found->expired(now) || found->ending) return true;
  finish(found);
  return false;
}

// Runs its list once, with the name _THIS, and lets it go.
void Procedure::Core::finish(const std::shared_ptr<EventStore>& ended) {
  if (ended->ending || ended->gone) return;
  ended->ending = true;
  if (ended->at_end.list != nullptr) {
    if (says(6)) say(6, "context " + ended->names.front() + " ends, running its action list");
    auto outer = stores.find("_THIS") == stores.end() ? nullptr : stores["_THIS"];
    stores["_THIS"] = ended;
    const WaitingList last = ended->at_end;
    run(last.list, last.setting);
    if (outer != nullptr) stores["_THIS"] = outer;
    else stores.erase("_THIS");
  }
  drop(ended);
}

void Procedure::Core::drop(const std::shared_ptr<EventStore>& ended) {
  for (const std::string& name : ended->names) {
    const auto found = stores.find(name);
    if (found != stores.end() && found->second == ended) stores.erase(found);
  }
  ended->gone = true;
  ended->lines.clear();
}

void Procedure::Core::schedule(const std::shared_ptr<EventStore>& waiting) {
  if (waiting->lifetime == 0) return;
  const Second at = waiting->created + waiting->lifetime + 1;
  if (waiting->queued != -1 && waiting->queued <= at) return;
  waiting->queued = at;
  store_heap.push({at, waiting->serial, waiting});
}

void Procedure::Core::add_lines(EventStore& to, const std::string& text, bool front) {
  std::vector<std::string> fresh = lines_of(text);
  if (fresh.empty()) return;
  if (options.store_limit > 0 && to.lines.size() + fresh.size() > options.store_limit) {
    say(3, "the event store of context " + to.names.front() + " is full (--evstoresize), the newest lines are dropped");
    return;
  }
  if (front) {
    for (auto line = fresh.rbegin(); line != fresh.rend(); ++line) to.lines.emplace_front(now, std::move(*line));
  } else {
    for (std::string& line : fresh) to.lines.emplace_back(now, std::move(line));
  }
}

}  // namespace correlator::engine
