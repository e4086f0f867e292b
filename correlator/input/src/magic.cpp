// SPDX-License-Identifier: Apache-2.0
#include "magic.h"

#include <algorithm>
#include <array>

namespace correlator::input {
namespace {

using namespace std::string_view_literals;

// '?' stands for the one digit that bzip2 and zstd's skippable frames have; no magic holds it otherwise.
struct Magic {
  std::string_view bytes;
  char low, high;             // what '?' may be
  std::size_t enough_at_end;  // so many of its bytes, and nothing behind them, still are this format
  Compression compression;
};

constexpr std::array kMagics = {
    Magic{"\x1f\x8b"sv, 0, 0, 2, Compression::gzip},
    Magic{"\x28\xb5\x2f\xfd"sv, 0, 0, 2, Compression::zstd},
    Magic{"?\x2a\x4d\x18"sv, 0x50, 0x5f, 4, Compression::zstd},  // a skippable frame
    Magic{"\xfd"
          "7zXZ\0"sv,
          0, 0, 2, Compression::xz},
    Magic{"BZh?1AY&SY"sv, '1', '9', 4, Compression::bzip2},
    Magic{"BZh?\x17\x72\x45\x38\x50\x90"sv, '1', '9', 4, Compression::bzip2},  // of an empty file
};
static_assert(std::all_of(kMagics.begin(), kMagics.end(),
                          [](const Magic& magic) { return magic.bytes.size() <= kLongestMagic; }));

bool fits(const Magic& magic, std::string_view head) {
  const std::size_t n = std::min(head.size(), magic.bytes.size());
  for (std::size_t i = 0; i < n; ++i) {
    const bool same =
        magic.bytes[i] == '?' ? head[i] >= magic.low && head[i] <= magic.high : head[i] == magic.bytes[i];
    if (!same) return false;
  }
  return true;
}

}  // namespace

std::optional<Compression> detect(std::string_view head, bool complete) {
  bool undecided = false;
  for (const Magic& magic : kMagics) {
    if (!fits(magic, head)) continue;
    if (head.size() >= magic.bytes.size()) return magic.compression;
    if (complete && head.size() >= magic.enough_at_end) return magic.compression;
    undecided = true;
  }
  if (undecided && !complete) return std::nullopt;
  return Compression::none;
}

}  // namespace correlator::input
