// SPDX-License-Identifier: Apache-2.0
// Finding many literals in one pass over a block, without regard to ASCII case.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "wide_windows.h"

namespace correlator::pattern {

// Receives each occurrence: the index of the literal and the offset behind its last byte. Not in order.
class LiteralSink {
 public:
  virtual void found(std::uint32_t literal, std::size_t end) = 0;

 protected:
  ~LiteralSink() = default;
};

// A bitmap of hashed 4-byte windows, looked up at every stride-th byte: 16 at a time where the CPU can (AVX-512, AVX2), else one by one. Literals of two and
// three bytes have a table and a pass of their own. Literals are lower-cased and at least two bytes long.
class HashScanner {
 public:
  enum class Width : std::uint8_t { best, avx2, scalar };
  HashScanner(const std::vector<std::string>& literals, Width most);
  // What scan() reports of the text are all places of all literals.
  void scan(std::string_view text, LiteralSink& sink) const;

  // "avx512" or "avx2" if nothing is done window by window, else "scalar".
  const char* name() const;

 private:
  struct Entry {
    std::uint64_t around;  // eight bytes of the literal with the window among them, folded
    std::uint64_t mask;    // of those that it has, if it is shorter
    std::uint32_t key;
    std::uint32_t literal;
    std::uint32_t offset;  // of the window inside the literal
    std::uint32_t before;  // of the window, bytes of `around`
    bool like(std::string_view text, std::size_t at) const;  // false: not the literal that has this window at `at`
  };
  struct Table {
    unsigned width = 4;
    std::uint32_t mask = 0xffffffffu;
    unsigned stride = 1;
    unsigned bits = 16;         // of the bitmap's index
    unsigned bucket_shift = 0;  // from the bitmap's index to the bucket's
    std::vector<std::uint32_t> bitmap;
    WideTable wide;
    WideFinder finder = nullptr;
    bool marked(std::uint32_t key) const {
      const std::uint32_t index = window_index(key, bits);
      return (bitmap[index / 32] >> (index % 32) & 1) != 0;
    }
    std::vector<std::uint32_t> first;  // bucket → its first entry; one more at the end
    std::vector<Entry> entries;
  };

  Table make_table(unsigned width, const std::vector<std::uint32_t>& members, Width most) const;
  Entry make_entry(const Table& table, std::uint32_t member, std::size_t offset) const;
  static void make_wide(Table& table, Width most);
  std::size_t scan_wide(const Table& table, std::string_view text, LiteralSink& sink) const;
  void scan_table(const Table& table, std::string_view text, LiteralSink& sink) const;
  void verify(const Table& table, std::uint32_t key, std::size_t at, std::string_view text,
              LiteralSink& sink) const;

  std::vector<std::string> literals_;
  std::vector<Table> tables_;
};

// Vectorscan in literal mode, where it was built in and the CPU is new enough.
class VectorScanner {
 public:
  // Working memory of one thread; grows to what the largest database needs.
  class Scratch {
   public:
    Scratch() = default;
    ~Scratch();
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

   private:
    friend class VectorScanner;
    void* memory_ = nullptr;
    std::uint64_t made_for_ = 0;
  };

  // nullptr where Vectorscan cannot be used.
  static std::unique_ptr<VectorScanner> make(const std::vector<std::string>& literals);
  ~VectorScanner();
  VectorScanner(const VectorScanner&) = delete;
  VectorScanner& operator=(const VectorScanner&) = delete;

  // False if the library failed; what was found until then has been reported.
  bool scan(std::string_view text, Scratch& scratch, LiteralSink& sink) const;

 private:
  VectorScanner() = default;
  void* database_ = nullptr;
  std::size_t literals_ = 0;
  std::uint64_t serial_ = 0;
};

}  // namespace correlator::pattern
