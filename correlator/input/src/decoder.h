// SPDX-License-Identifier: Apache-2.0
// Decoder: one compression library behind four functions. Each knows one member (gzip member, zstd frame, xz
// stream, bzip2 stream) at a time; the Reader puts members together.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "input/reader.h"

namespace correlator::input {

class Decoder {
 public:
  enum class Outcome { more, member_end, damaged };

  virtual ~Decoder() = default;
  // Before each member. False if there is no memory for it.
  virtual bool begin() = 0;
  // Takes from the front of `in`, writes to the front of `out`, and shortens both by what it used. Bytes that
  // were decoded before an error are in `out`. Using nothing of either means it needs more input.
  virtual Outcome decode(std::span<const char>& in, std::span<char>& out) = 0;
  // After `damaged`: what the library says, for people.
  virtual std::string why() const = 0;
};

std::unique_ptr<Decoder> make_gzip_decoder();
std::unique_ptr<Decoder> make_zstd_decoder();
std::unique_ptr<Decoder> make_xz_decoder();
std::unique_ptr<Decoder> make_bzip2_decoder();

}  // namespace correlator::input
