// SPDX-License-Identifier: Apache-2.0
#include "key_table.h"

#include <bit>
#include <cstring>
#include <new>

#include "base/hash.h"

namespace correlator::engine {
namespace {

std::uint32_t hash_of(std::string_view key) {
  return static_cast<std::uint32_t>(hash64(key));
}

// The low bits say where the slot is.
std::uint8_t tag_of(std::uint32_t hash) {
  return static_cast<std::uint8_t>(hash >> 24 | 1);
}

}  // namespace

KeyState::KeyState(std::uint64_t id_, std::string_view key, std::uint32_t hash_, OpStateMaker maker)
    : id(id_),
      op(maker.make != nullptr ? maker.make(this + 1) : nullptr),
      hash(hash_),
      key_size(static_cast<std::uint32_t>(key.size())),
      key_at(static_cast<std::uint16_t>(sizeof(KeyState) + maker.size)) {
  if (!key.empty()) std::memcpy(reinterpret_cast<char*>(this) + key_at, key.data(), key.size());
}

KeyState::~KeyState() {
  if (op != nullptr) op->~OpState();
}

void KeyTable::Destroy::operator()(KeyState* key) const {
  key->~KeyState();
  ::operator delete(key);
}

KeyState* KeyTable::find(std::string_view key) const {
  if (slots_.empty()) return nullptr;
  const std::uint32_t hash = hash_of(key);
  const std::uint8_t tag = tag_of(hash);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask; tags_[at] != 0; at = (at + 1) & mask) {
    if (tags_[at] == tag && slots_[at]->hash == hash && slots_[at]->key() == key) return slots_[at].get();
  }
  return nullptr;
}

KeyState& KeyTable::add(std::string_view key, std::uint64_t id, OpStateMaker op, Timestamp newest, bool trusted) {
  if ((count_ + 1) * 4 > slots_.size() * 3) grow(slots_.empty() ? 8 : slots_.size() * 2);
  void* room = ::operator new(sizeof(KeyState) + op.size + key.size());
  Slot state(::new (room) KeyState(id, key, hash_of(key), op));
  KeyState& out = *state;
  out.newest = newest;
  out.trusted = trusted;
  put(std::move(state));
  ++count_;
  push(out);
  return out;
}

void KeyTable::put(Slot state) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = state->hash & mask;
  while (tags_[at] != 0) at = (at + 1) & mask;
  tags_[at] = tag_of(state->hash);
  slots_[at] = std::move(state);
}

std::size_t KeyTable::slot_of(const KeyState& key) const {
  std::size_t at = key.hash & (slots_.size() - 1);
  while (slots_[at].get() != &key) at = (at + 1) & (slots_.size() - 1);
  return at;
}

void KeyTable::erase(KeyState& key) {
  remove(key);
  const std::size_t mask = slots_.size() - 1;
  std::size_t hole = slot_of(key);
  slots_[hole].reset();
  --count_;
  // Whoever probed past the hole moves into it.
  for (std::size_t at = (hole + 1) & mask; tags_[at] != 0; at = (at + 1) & mask) {
    const std::size_t home = slots_[at]->hash & mask;
    if (((at - home) & mask) >= ((at - hole) & mask)) {
      slots_[hole] = std::move(slots_[at]);
      tags_[hole] = tags_[at];
      hole = at;
    }
  }
  tags_[hole] = 0;
}

void KeyTable::each(const std::function<void(KeyState&)>& visit) const {
  for (const auto& slot : slots_) {
    if (slot) visit(*slot);
  }
}

void KeyTable::reserve(std::size_t keys) {
  const std::size_t slots = std::bit_ceil(keys + keys / 3 + 1);
  if (slots > slots_.size()) grow(slots);
}

void KeyTable::grow(std::size_t slots) {
  std::vector<Slot> old(slots);
  old.swap(slots_);
  tags_.assign(slots, 0);
  for (Slot& slot : old) {
    if (slot) put(std::move(slot));
  }
}

std::uint8_t KeyTable::heap_of(const KeyState& key) {
  if (key.open != nullptr) return 2;
  return key.trusted ? 1 : 0;
}

bool KeyTable::earlier(const Item& a, const Item& b) {
  return a.time != b.time ? a.time < b.time : a.key->id < b.key->id;
}

void KeyTable::place(Heap& heap, std::size_t at, const Item& item) {
  heap[at] = item;
  item.key->heap_at = static_cast<std::uint32_t>(at);
}

void KeyTable::sift(Heap& heap, std::size_t at) {
  const Item item = heap[at];
  while (at > 0 && earlier(item, heap[(at - 1) / 2])) {
    place(heap, at, heap[(at - 1) / 2]);
    at = (at - 1) / 2;
  }
  for (std::size_t child = 2 * at + 1; child < heap.size(); child = 2 * at + 1) {
    if (child + 1 < heap.size() && earlier(heap[child + 1], heap[child])) ++child;
    if (!earlier(heap[child], item)) break;
    place(heap, at, heap[child]);
    at = child;
  }
  place(heap, at, item);
}

void KeyTable::push(KeyState& key) {
  key.heap = heap_of(key);
  Heap& heap = heaps_[key.heap];
  heap.push_back({key.newest, &key});
  key.heap_at = static_cast<std::uint32_t>(heap.size() - 1);
  sift(heap, key.heap_at);
}

void KeyTable::remove(KeyState& key) {
  Heap& heap = heaps_[key.heap];
  const std::size_t at = key.heap_at;
  const Item last = heap.back();
  heap.pop_back();
  if (last.key == &key) return;
  place(heap, at, last);
  sift(heap, at);
}

void KeyTable::moved(KeyState& key) {
  if (heap_of(key) == key.heap) return;
  remove(key);
  push(key);
}

KeyState* KeyTable::settle(Heap& heap) {
  while (!heap.empty() && heap[0].time < heap[0].key->newest) {
    heap[0].time = heap[0].key->newest;
    sift(heap, 0);
  }
  return heap.empty() ? nullptr : heap[0].key;
}

KeyState* KeyTable::eldest_idle() {
  KeyState* a = settle(heaps_[0]);
  KeyState* b = settle(heaps_[1]);
  if (a == nullptr || b == nullptr) return a != nullptr ? a : b;
  return earlier({b->newest, b}, {a->newest, a}) ? b : a;
}

KeyState* KeyTable::eldest(bool untrusted_first) {
  if (untrusted_first) {
    if (KeyState* key = settle(heaps_[0])) return key;
    if (KeyState* key = settle(heaps_[1])) return key;
  } else if (KeyState* key = eldest_idle()) {
    return key;
  }
  return settle(heaps_[2]);
}

}  // namespace correlator::engine
