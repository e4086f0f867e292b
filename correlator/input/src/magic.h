// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "input/reader.h"

namespace correlator::input {

// No compression is recognised by more than this many bytes.
inline constexpr std::size_t kLongestMagic = 10;

// What a stream that begins with `head` is; nothing if more bytes are needed to tell. `complete`: the stream
// holds no more, so that there is always an answer; what ends inside a magic is that format, cut off, unless
// it could as well be text.
std::optional<Compression> detect(std::string_view head, bool complete);

}  // namespace correlator::input
