// SPDX-License-Identifier: Apache-2.0
// ByteSource: where the bytes of a file come from before they are decompressed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "time/timestamp.h"

namespace correlator::input {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual Result<std::size_t> read(std::span<char> out) = 0;  // 0 at the end
  virtual std::uint64_t skip(std::uint64_t bytes) = 0;        // how far it could seek; 0 for pipes
  virtual void cancel() {}

  std::string name;
  std::optional<std::uint64_t> size;
  std::optional<Timestamp> mtime;
};

Result<std::unique_ptr<ByteSource>> open_file_source(const std::filesystem::path& path);
std::unique_ptr<ByteSource> open_memory_source(std::string name, std::string bytes, std::size_t piece);

}  // namespace correlator::input
