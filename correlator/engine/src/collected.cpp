// SPDX-License-Identifier: Apache-2.0
// What contexts collect: texts, the newest, within bounds.
#include <algorithm>

#include "base/text.h"
#include "core.h"

namespace correlator::engine {
namespace {

constexpr std::size_t kMaxText = 8 << 10;             // of one text
constexpr std::size_t kMaxOfContext = 256 << 10;      // of all texts of one context
constexpr std::size_t kMaxOfAll = std::size_t{64} << 20;

// Texts are bounded by what they take in memory: many empty ones do as well.
std::size_t cost_of(const Collected& one) { return one.text.size() + 64; }

}  // namespace

// Each line of it is a text of its own; the newest stay.
void Core::collect(Context& context, const rules::SetContext& spec, std::string_view text, Trust trust) {
  for (const std::string_view line : split(text.substr(0, kMaxText), "\n")) {
    if (line.empty()) continue;
    Collected& one = context.texts.emplace_back(next_id(), std::string(line));
    ++context.fresh;
    context.bytes += cost_of(one);
    collected_bytes += cost_of(one);
    collected_by.emplace(one.id, &context);
  }
  if (trust < context.trust) {
    context.trust = trust;
    context.dirty = true;
  }
  const std::size_t before = context.texts.size();
  std::size_t keep = std::min<std::size_t>(before, spec.at_most);
  std::size_t bytes = context.bytes;
  for (std::size_t i = 0; i < before && (i < before - keep || bytes > kMaxOfContext); ++i) {
    bytes -= cost_of(context.texts[i]);
    keep = std::min(keep, before - i - 1);
  }
  const auto drop = [&](Context& of, std::size_t left) {
    counters.evicted += of.texts.size() - left;
    of.let_go += of.texts.size() - left;
    of.dirty = true;
    let_go(of, left);
  };
  if (keep < before) drop(context, keep);
  while (collected_bytes > kMaxOfAll) {
    Context& eldest = *collected_by.begin()->second;
    drop(eldest, eldest.texts.size() - 1);
  }
}

// All but the newest `keep` texts.
void Core::let_go(Context& context, std::size_t keep) {
  while (context.texts.size() > keep) {
    const Collected& one = context.texts.front();
    context.bytes -= cost_of(one);
    collected_bytes -= cost_of(one);
    collected_by.erase(one.id);
    if (context.texts.size() > context.fresh) erased.push_back({StateKind::engine, one.id, "collected", {}, {}, true});
    else --context.fresh;
    context.texts.pop_front();
  }
  if (context.texts.empty() && context.trust != Trust::vouched) {
    context.trust = Trust::vouched;
    context.dirty = true;
  }
}

const std::deque<Collected>* Core::texts_of(std::string_view name, std::span<const expr::Value> key) const {
  const std::string packed = pack(key);
  const Context* found = nullptr;
  if (ending != nullptr && ending->name == name && ending->key == packed) {
    found = ending;
  } else if (const auto at = contexts.find({std::string(name), packed}); at != contexts.end() && now < at->second.end) {
    found = &at->second;
  }
  if (found == nullptr) return nullptr;
  told = std::min(told, found->trust);
  return &found->texts;
}

expr::Value Core::collected(std::string_view name, std::span<const expr::Value> key) const {
  expr::Value::List out;
  const auto* texts = texts_of(name, key);
  if (texts == nullptr) return out;
  out.reserve(texts->size());
  for (const Collected& one : *texts) out.emplace_back(one.text);
  return out;
}

std::uint64_t Core::collected_count(std::string_view name, std::span<const expr::Value> key) const {
  const auto* texts = texts_of(name, key);
  return texts == nullptr ? 0 : texts->size();
}

// In the order in which they came. Those whose context is gone with its rule go, too.
void Core::restore_texts(std::vector<std::pair<std::uint64_t, Collected>> texts) {
  std::sort(texts.begin(), texts.end(), [](const auto& a, const auto& b) { return a.second.id < b.second.id; });
  std::map<std::uint64_t, Context*> by_id;
  for (auto& [name, context] : contexts) by_id[context.id] = &context;
  for (auto& [of, text] : texts) {
    const auto at = by_id.find(of);
    if (at == by_id.end()) {
      erased.push_back({StateKind::engine, text.id, "collected", {}, {}, true});
      continue;
    }
    at->second->bytes += cost_of(text);
    collected_bytes += cost_of(text);
    collected_by.emplace(text.id, at->second);
    at->second->texts.push_back(std::move(text));
  }
}

}  // namespace correlator::engine
