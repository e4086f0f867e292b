// SPDX-License-Identifier: Apache-2.0
#include "literal_scanner.h"

#ifdef CORRELATOR_HAVE_VECTORSCAN

#include <hs.h>

#include <atomic>
#include <limits>

namespace correlator::pattern {
namespace {

// Vectorscan 5.4.9 on x86 skips over the start of a block with an acceleration (pairs of bytes, "double
// shufti") that can step over a match where a vector ends: with two literals, about one small block in ten
// thousand. It is chosen only while all literals together begin with few different pairs of bytes. These
// literals, which no text contains, bring many pairs to each place of a literal.
constexpr std::size_t kDecoys = 128;
constexpr std::size_t kDecoyLength = 8;

std::string decoy(std::size_t index) {
  std::string out;
  for (std::size_t i = 0; i < kDecoyLength; ++i)
    out += static_cast<char>(0x80 | ((index * 2 + i * 37) & 0x7f));
  return out;
}

struct Context {
  LiteralSink& sink;
  std::size_t literals;
};

int on_match(unsigned id, unsigned long long, unsigned long long to, unsigned, void* context) noexcept {
  const auto& [sink, literals] = *static_cast<const Context*>(context);
  if (id < literals) sink.found(id, static_cast<std::size_t>(to));
  return 0;
}

}  // namespace

VectorScanner::Scratch::~Scratch() {
  hs_free_scratch(static_cast<hs_scratch_t*>(memory_));
}

std::unique_ptr<VectorScanner> VectorScanner::make(const std::vector<std::string>& literals) {
  static std::atomic<std::uint64_t> serials{0};
  if (literals.empty() || hs_valid_platform() != HS_SUCCESS) return nullptr;
  std::vector<const char*> texts;
  std::vector<std::size_t> lengths;
  std::vector<unsigned> ids;
  std::vector<std::string> all = literals;
  for (std::size_t i = 0; i < kDecoys; ++i) all.push_back(decoy(i));
  // Without HS_FLAG_UTF8 caseless means A to Z, the folding of the atoms.
  const std::vector<unsigned> flags(all.size(), HS_FLAG_CASELESS);
  for (const std::string& literal : all) {
    ids.push_back(static_cast<unsigned>(texts.size()));
    texts.push_back(literal.data());
    lengths.push_back(literal.size());
  }
  hs_database_t* database = nullptr;
  hs_compile_error_t* error = nullptr;
  if (hs_compile_lit_multi(texts.data(), flags.data(), ids.data(), lengths.data(),
                           static_cast<unsigned>(all.size()), HS_MODE_BLOCK, nullptr, &database,
                           &error) != HS_SUCCESS) {
    hs_free_compile_error(error);
    return nullptr;
  }
  std::unique_ptr<VectorScanner> out(new VectorScanner);
  out->database_ = database;
  out->literals_ = literals.size();
  out->serial_ = ++serials;
  return out;
}

VectorScanner::~VectorScanner() {
  hs_free_database(static_cast<hs_database_t*>(database_));
}

bool VectorScanner::scan(std::string_view text, Scratch& scratch, LiteralSink& sink) const {
  if (text.size() > std::numeric_limits<unsigned>::max()) return false;
  const auto* database = static_cast<const hs_database_t*>(database_);
  auto* memory = static_cast<hs_scratch_t*>(scratch.memory_);
  if (scratch.made_for_ != serial_) {
    const hs_error_t error = hs_alloc_scratch(database, &memory);
    scratch.memory_ = memory;
    if (error != HS_SUCCESS) return false;
    scratch.made_for_ = serial_;
  }
  Context context{sink, literals_};
  return hs_scan(database, text.data(), static_cast<unsigned>(text.size()), 0, memory, on_match, &context) ==
         HS_SUCCESS;
}

}  // namespace correlator::pattern

#else

namespace correlator::pattern {

VectorScanner::Scratch::~Scratch() = default;
VectorScanner::~VectorScanner() = default;
std::unique_ptr<VectorScanner> VectorScanner::make(const std::vector<std::string>&) {
  return nullptr;
}
bool VectorScanner::scan(std::string_view, Scratch&, LiteralSink&) const {
  return false;
}

}  // namespace correlator::pattern

#endif
