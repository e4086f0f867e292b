// SPDX-License-Identifier: Apache-2.0
// The texts of evidence lines, once each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "engine/decision.h"
#include "engine/state.h"
#include "seq_set.h"
#include "seq_table.h"

namespace correlator::engine {

// Texts of evidence lines by intake number, counted by how many objects refer to them. A text that nobody
// refers to at the end of a step is forgotten. Where somebody keeps the lines, the newest texts are in memory and the others are read when
// they are wanted.
class EvidenceStore {
 public:
  static constexpr std::size_t kMaxText = 8'192;  // a longer text is cut
  static constexpr std::uint64_t kInMemory = 32 << 20;  // bytes of texts that can be read again

  void add(EvidenceLine line);   // with no reference yet
  void keep(std::uint64_t seq);  // one more reference; also before the text is restored
  // One less; the text stays until sweep(), so that another owner can take over.
  void release(std::uint64_t seq);
  // Valid until the line goes.
  const EvidenceLine* find(std::uint64_t seq) const;
  void sweep();  // at the end of each step: forgets what lost or never got a reference
  std::size_t size() const { return lines_.size() + alone_.size(); }
  std::uint64_t bytes() const;  // of memory, about

  void take_changes(std::vector<StateRow>& out);  // after sweep()
  // E310. References are made by the owners' restore, before or after this.
  Status restore(const StateRow& row);
  // From now on no rows are made: lines numbered up to `upto` are read when somebody asks for their text, those up to `carried` from
  // their rows.
  void read_from(std::shared_ptr<EvidenceTexts> texts, std::uint64_t upto, std::uint64_t carried);
  // As Engine::lines_are_kept() and carry_over(), for lines up to `upto`.
  void stored(std::uint64_t upto);
  Status carry_over(const RowVisitor& write);
  void carried_over(std::uint64_t upto);
  // What went wrong when a text was read. What was decided since then must not count.
  const Status& failure() const { return failure_; }

 private:
  struct Entry {
    std::uint32_t text = kNoText;        // index into pool_: not known yet, or not read yet
    std::uint32_t references : 31 = 0;
    std::uint32_t written : 1 = 0;       // a row of it is in the store
  };
  static constexpr std::uint32_t kNoText = UINT32_MAX;
  bool carried(std::uint64_t seq) const { return texts_ != nullptr && seq <= carried_; }
  Entry& entry(std::uint64_t seq) const;  // made if it is not there
  Entry* known(std::uint64_t seq) const;  // nullptr: nobody has told of it
  void leave_alone(std::uint64_t seq, const Entry& entry) const;
  void set_text(Entry& entry, EvidenceLine line) const;
  void drop_text(Entry& entry) const;
  void read_text(std::uint64_t seq, Entry& entry) const;

  // What find() reads is a copy of what the store has: the state is the same.
  mutable SeqTable<Entry> lines_;
  // Lines with one reference whose text can be read and is not in memory. Of the millions that windows refer to nearly all are such.
  mutable SeqSet alone_;
  mutable std::vector<std::unique_ptr<EvidenceLine>> pool_;
  mutable std::vector<std::uint32_t> free_;  // unused places of pool_
  // Lines whose text is in memory, oldest first, and some that were forgotten since; where texts can be read again.
  mutable std::deque<std::uint64_t> in_memory_;
  mutable std::uint64_t text_bytes_ = 0;
  std::vector<std::uint64_t> loose_;   // perhaps without reference
  std::vector<std::uint64_t> fresh_;   // perhaps not written
  std::vector<std::uint64_t> erased_;  // written and gone
  std::shared_ptr<EvidenceTexts> texts_;
  std::uint64_t upto_ = 0, carried_ = 0;
  mutable Status failure_;
};

}  // namespace correlator::engine
