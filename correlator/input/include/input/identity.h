// SPDX-License-Identifier: Apache-2.0
// FileIdentity: what a recorded position in a log belongs to. It is made of the first decompressed bytes, so
// that a log keeps its identity when it is renamed, copied, compressed by logrotate or appended to, and loses
// it when it is truncated and written anew.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"

namespace correlator::input {

// "N:HASH": the SHA-256 (32 hex digits) of the first N decompressed bytes, N at most 4096. A file that was
// shorter than 4096 bytes when it was recorded is still recognised after it has grown; ids are therefore
// compared by same_file, not as texts. "0:" (recorded empty) fits every file.
struct FileIdentity {
  std::string id;

  bool operator==(const FileIdentity&) const = default;
};

// Of a file as it is now. Not for stdin and pipes: what is read for it would be missing afterwards (E209).
Result<FileIdentity> identify(const std::filesystem::path& path);

// Does the file still begin with what was recorded? Errors only if it cannot be read.
Result<bool> same_file(const std::filesystem::path& path, const FileIdentity& recorded);

// May reading go on at this decompressed offset? E207 if the file begins with something else now, E206 if a
// plain file is shorter than the offset (a compressed one is found out by BlockReader, which gives E206 too).
Status check_resume(const std::filesystem::path& path, const FileIdentity& recorded, std::uint64_t offset);

}  // namespace correlator::input
