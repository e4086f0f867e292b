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

// What an operation remembers of one key.
struct OpState {
  virtual ~OpState() = default;
};

// Rarely used parts of a key.
struct KeyExtra {
  Timestamp decided_at = Timestamp::min();
  Fields frozen;  // values that were bound when the operation was opened for this key
};

struct KeyState {
  std::uint64_t id = 0;
  Timestamp newest = Timestamp::min();  // of its events
  std::unique_ptr<char[]> bytes;        // the packed key
  std::uint32_t size = 0;
  std::uint32_t heap_at = 0;
  Case* open = nullptr;  // the case that latches it
  std::unique_ptr<OpState> op;
  std::unique_ptr<KeyExtra> extra;
  Trail trail;
  std::uint32_t hash = 0;
  std::uint32_t dirty_at = 0;  // where the list of changed keys has it
  bool trusted = false;        // a line that somebody vouches for was among its lines
  bool dirty = false;          // changed since its row was taken
  bool stored = false;         // its row was taken once
  std::uint8_t heap = 0;

  std::string_view key() const { return {bytes.get(), size}; }
};

class KeyTable {
 public:
  KeyState* find(std::string_view key) const;
  // The key must not be there.
  KeyState& add(std::string_view key, std::uint64_t id);
  void erase(KeyState& key);  // destroys it
  std::size_t size() const { return count_; }
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
  void grow();
  std::size_t slot_of(const KeyState& key) const;

  std::vector<std::unique_ptr<KeyState>> slots_;  // open addressing, linear probing
  std::size_t count_ = 0;
  Heap heaps_[3];
};

}  // namespace correlator::engine
