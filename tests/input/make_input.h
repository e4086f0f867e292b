// SPDX-License-Identifier: Apache-2.0
// What the tests of input/ read: compressed bytes, log-like text, files in a directory of their own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <string>

#include "input/blocks.h"
#include "input/reader.h"

namespace correlator::input::test {

inline constexpr Compression kCompressed[] = {Compression::gzip, Compression::zstd, Compression::xz,
                                              Compression::bzip2};

std::string compress(const std::string& text, Compression compression);  // one member

// Lines of log-like text, `bytes` long or a little more, ending in a newline.
std::string log_text(std::size_t bytes, std::uint32_t seed);

struct Outcome {
  std::string bytes;
  std::string code;     // of the error, empty at a clean end
  std::string message;  // its message
  std::string file;     // its place
};
// Everything a Reader gives, asked for `step` bytes at a time; checks that the error comes again.
Outcome drain(Reader& reader, std::size_t step = 1 << 16);

class Directory {
 public:
  Directory();
  ~Directory();
  std::filesystem::path write(const std::string& name, const std::string& bytes) const;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace correlator::input::test
