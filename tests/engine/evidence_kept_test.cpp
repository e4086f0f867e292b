// SPDX-License-Identifier: Apache-2.0
// Texts of evidence where somebody else keeps the lines: which are in memory, which are read, which become rows.
#include "evidence.h"

#include <map>
#include <random>
#include <set>

#include "catch.h"
#include "effort.h"
#include "seq_set.h"

using namespace correlator;
using namespace correlator::engine;

namespace {

EvidenceLine line_of(std::uint64_t seq, std::size_t size = 20) {
  EvidenceLine line;
  line.seq = seq;
  line.time = Timestamp{static_cast<std::int64_t>(seq)};
  line.host = "h";
  line.text = std::to_string(seq) + std::string(size, 'x');
  line.file = "f";
  return line;
}

struct Kept final : EvidenceTexts {
  std::map<std::uint64_t, EvidenceLine> lines;
  std::map<std::uint64_t, StateRow> rows;
  int read = 0;
  bool broken = false;

  Result<std::optional<EvidenceLine>> line(std::uint64_t seq) override {
    if (broken) return make_error("E304", "no", "no");
    ++read;
    const auto found = lines.find(seq);
    return found == lines.end() ? std::optional<EvidenceLine>{} : std::optional(found->second);
  }
  Result<std::optional<StateRow>> row(std::uint64_t seq) override {
    ++read;
    const auto found = rows.find(seq);
    return found == rows.end() ? std::optional<StateRow>{} : std::optional(found->second);
  }
};

struct Bench {
  std::shared_ptr<Kept> kept = std::make_shared<Kept>();
  EvidenceStore store;

  Bench() { store.read_from(kept, 0, 0); }
  void add(std::uint64_t seq, std::size_t size = 20) {
    kept->lines[seq] = line_of(seq, size);
    store.add(line_of(seq, size));
    store.keep(seq);
    store.sweep();
  }
  std::vector<std::uint64_t> carry() {
    std::vector<std::uint64_t> numbers;
    REQUIRE(store.carry_over([&](const StateRow& row) {
      numbers.push_back(row.id);
      kept->rows[row.id] = row;
      return Status();
    }));
    return numbers;
  }
  std::vector<StateRow> changes() {
    std::vector<StateRow> out;
    store.take_changes(out);
    return out;
  }
};

}  // namespace

TEST_CASE("lines that somebody keeps are no rows; those that are carried over are, until nobody refers to them") {
  Bench b;
  for (std::uint64_t seq = 1; seq <= 5; ++seq) b.add(seq);
  b.store.stored(5);
  CHECK(b.changes().empty());
  b.store.release(2);
  b.store.sweep();
  CHECK(b.changes().empty());  // it never was one
  CHECK(b.carry() == std::vector<std::uint64_t>{1, 3, 4, 5});
  b.store.carried_over(5);
  b.kept->lines.clear();  // the intake was trimmed
  b.add(6);
  b.store.stored(6);
  b.store.release(3);
  b.store.release(6);
  b.store.sweep();
  const auto erased = b.changes();
  REQUIRE(erased.size() == 1);
  CHECK(erased[0].erased);
  CHECK(erased[0].id == 3);
  CHECK(b.carry().empty());
  // After a restart.
  EvidenceStore again;
  again.read_from(b.kept, 6, 5);
  again.keep(4);
  REQUIRE(again.find(4) != nullptr);
  CHECK(again.find(4)->text == line_of(4).text);
  again.release(4);
  again.sweep();
  std::vector<StateRow> changes;
  again.take_changes(changes);
  CHECK(changes.size() == 1);
}

TEST_CASE("texts that can be read again are let go beyond a bound, the oldest first, and not before they are stored") {
  Bench b;
  const std::size_t size = 8'000;
  const std::uint64_t many = 2 * EvidenceStore::kInMemory / size;
  for (std::uint64_t seq = 1; seq <= many; ++seq) b.add(seq, size);
  CHECK(b.store.bytes() > EvidenceStore::kInMemory * 3 / 2);
  b.store.stored(many);
  CHECK(b.store.bytes() < EvidenceStore::kInMemory * 5 / 4);
  CHECK(b.store.find(many)->text == line_of(many, size).text);
  CHECK(b.kept->read == 0);
  CHECK(b.store.find(1)->text == line_of(1, size).text);
  CHECK(b.store.find(1)->text == line_of(1, size).text);
  CHECK(b.kept->read == 1);
  for (std::uint64_t seq = 1; seq <= many; ++seq) REQUIRE(b.store.find(seq)->text == line_of(seq, size).text);
  b.store.stored(many);
  CHECK(b.store.bytes() < EvidenceStore::kInMemory * 5 / 4);
  CHECK(b.carry().size() == many);
  CHECK(b.store.bytes() < EvidenceStore::kInMemory * 5 / 4);  // what is read for that does not stay
}

TEST_CASE("lines that come and go leave nothing behind") {
  Bench b;
  for (std::uint64_t seq = 1; seq <= 50'000; ++seq) {
    b.add(seq);
    b.store.release(seq);
    b.store.sweep();
    if (seq % 100 == 0) b.store.stored(seq);
  }
  CHECK(b.store.size() == 0);
  CHECK(b.store.bytes() < 50'000);
}

TEST_CASE("what cannot be read is told, and nothing is carried over without it") {
  Bench b;
  b.store.read_from(b.kept, 9, 0);
  b.store.keep(4);
  b.kept->broken = true;
  CHECK_FALSE(b.store.carry_over([](const StateRow&) { return Status(); }));
  CHECK_FALSE(b.store.failure());
  CHECK(b.store.failure().error().code == "E304");
}

TEST_CASE("a set of numbers is what a set is, close together and far apart") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    SeqSet numbers;
    std::set<std::uint64_t> wanted;
    for (int i = 0; i < 3'000; ++i) {
      const std::uint64_t seq = random() % 3 == 0 ? random() >> random() % 64 : random() % 400;
      if (random() % 2 == 0) {
        REQUIRE(numbers.erase(seq) == (wanted.erase(seq) == 1));
      } else {
        numbers.insert(seq);
        wanted.insert(seq);
      }
      const std::uint64_t asked = random() % 400;
      REQUIRE(numbers.contains(asked) == wanted.contains(asked));
      REQUIRE(numbers.size() == wanted.size());
    }
    std::set<std::uint64_t> all;
    numbers.each([&](std::uint64_t seq) { all.insert(seq); });
    REQUIRE(all == wanted);
  }
}

TEST_CASE("however lines are referred to, let go, read, carried over and read from a store again, each is there as long as somebody refers to it") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    const auto kept = std::make_shared<Kept>();
    auto store = std::make_unique<EvidenceStore>();
    store->read_from(kept, 0, 0);
    std::map<std::uint64_t, unsigned> references;  // of lines that somebody refers to
    std::uint64_t last = 0, carried = 0;
    const auto known = [&] { return 1 + random() % std::max<std::uint64_t>(last, 1); };
    for (int i = 0; i < 12'000; ++i) {
      const auto what = random() % 100;
      if (what < 45) {
        const std::size_t size = seed % 2 == 0 ? 8'000 : 20;  // the large ones are let go
        ++last;
        kept->lines[last] = line_of(last, size);
        store->add(line_of(last, size));
        if (random() % 8 != 0) store->keep(last), ++references[last];
      } else if (what < 60) {
        if (const std::uint64_t seq = known(); references.contains(seq)) store->keep(seq), ++references[seq];
      } else if (what < 85) {
        const std::uint64_t seq = known();
        store->release(seq);
        if (references.contains(seq) && --references[seq] == 0) references.erase(seq);
      } else if (what < 98) {
        const std::uint64_t seq = known();
        const EvidenceLine* line = store->find(seq);
        REQUIRE((line != nullptr) == references.contains(seq));
        if (line != nullptr) REQUIRE(line->seq == seq);
      } else if (random() % 4 != 0) {
        store->stored(last);
      } else if (random() % 2 == 0) {
        std::set<std::uint64_t> written, wanted;
        REQUIRE(store->carry_over([&](const StateRow& row) {
          written.insert(row.id);
          kept->rows[row.id] = row;
          return Status();
        }));
        for (const auto& [seq, count] : references) {
          if (seq > carried) wanted.insert(seq);
        }
        REQUIRE(written == wanted);
        store->carried_over(carried = last);
        store->stored(last);
      } else {
        store->stored(last);
        std::vector<StateRow> gone;
        store->take_changes(gone);
        for (const StateRow& row : gone) kept->rows.erase(row.id);
        store = std::make_unique<EvidenceStore>();
        store->read_from(kept, last, carried);
        for (const auto& [seq, count] : references) {
          for (unsigned n = 0; n < count; ++n) store->keep(seq);
        }
      }
      store->sweep();
      REQUIRE(store->size() == references.size());
    }
  }
}
