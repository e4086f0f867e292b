// SPDX-License-Identifier: Apache-2.0
// KeyTable: the live keys of one rule. A million of them are alive at once, so each costs little, and nothing
// here ever walks over all of them for an event.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/event.h"
#include "timers.h"
#include "trail.h"

namespace correlator::engine {

struct Case;

// What an operation remembers of one key. Lives in the allocation of its KeyState.
struct OpState {
  virtual ~OpState() = default;
};

// How much room that takes and how it is made there. The default: the operation remembers nothing.
struct OpStateMaker {
  std::uint16_t size = 0;
  OpState* (*make)(void* room) = nullptr;

  template <class State>
  static OpStateMaker of() {
    static_assert(alignof(State) <= alignof(void*) && sizeof(State) % alignof(void*) == 0);
    return {sizeof(State), [](void* room) -> OpState* { return ::new (room) State; }};
  }
};

// Rarely used parts of a key.
struct KeyExtra {
  Timestamp decided_at = Timestamp::min();
  Fields frozen;  // values that were bound when the operation was opened for this key
};

// One allocation: this, the operation's state, the packed key.
struct KeyState {
  KeyState(std::uint64_t id, std::string_view key, std::uint32_t hash, OpStateMaker maker);
  ~KeyState();
  KeyState(const KeyState&) = delete;
  KeyState& operator=(const KeyState&) = delete;

  const std::uint64_t id;
  Timestamp newest = Timestamp::min();  // of its events
  Case* open = nullptr;                 // the case that latches it
  OpState* const op;                    // null if the operation remembers nothing
  std::unique_ptr<KeyExtra> extra;
  Trail trail;
  const std::uint32_t hash;
  std::uint32_t heap_at = 0;
  std::uint32_t dirty_at = 0;  // where the list of changed keys has it
  const std::uint32_t key_size;
  const std::uint16_t key_at;  // bytes from the beginning of this
  std::uint8_t heap = 0;
  bool trusted = false;  // a line that somebody vouches for was among its lines
  bool dirty = false;    // changed since its row was taken
  bool stored = false;   // its row was taken once

  std::string_view key() const { return {reinterpret_cast<const char*>(this) + key_at, key_size}; }
};
static_assert(sizeof(KeyState) == 72);

class KeyTable {
 public:
  KeyState* find(std::string_view key) const;
  // The key must not be there. `newest` and `trusted` of a key that is restored.
  KeyState& add(std::string_view key, std::uint64_t id, OpStateMaker op, Timestamp newest = Timestamp::min(),
                bool trusted = false);
  void erase(KeyState& key);  // destroys it
  std::size_t size() const { return count_; }
  void reserve(std::size_t keys);
  void each(const std::function<void(KeyState&)>& visit)
      const;  // in the order of the slots: for copies and counts only

  // Call when `open` or `trusted` of a key changed.
  void moved(KeyState& key);
  // The key without open case whose newest event is oldest, untrusted ones first if `untrusted_first`; if all
  // have a case, the one of them. Null when empty.
  KeyState* eldest(bool untrusted_first);
  // The same without those that have a case.
  KeyState* eldest_idle();

 private:
  struct Item {
    Timestamp time;  // not after the key's `newest`
    KeyState* key = nullptr;
  };
  struct Destroy {
    void operator()(KeyState* key) const;
  };
  using Slot = std::unique_ptr<KeyState, Destroy>;
  // One heap for untrusted, trusted, latched keys. Events do not touch it: an item's time is corrected when
  // it comes to the top.
  using Heap = std::vector<Item>;
  KeyState* settle(Heap& heap);
  void push(KeyState& key);
  void remove(KeyState& key);
  static std::uint8_t heap_of(const KeyState& key);
  static bool earlier(const Item& a, const Item& b);
  static void place(Heap& heap, std::size_t at, const Item& item);
  static void sift(Heap& heap, std::size_t at);
  void grow(std::size_t slots);
  void put(Slot state);
  std::size_t slot_of(const KeyState& key) const;

  // Open addressing, linear probing; a power of two. A tag is some bits of the hash, 0 where the slot is free: a probe looks
  // at keys with the right tag only, each of which is a miss of the cache.
  std::vector<Slot> slots_;
  std::vector<std::uint8_t> tags_;
  std::size_t count_ = 0;
  Heap heaps_[3];
};

}  // namespace correlator::engine
