// SPDX-License-Identifier: Apache-2.0
#include "input/identity.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/hash.h"
#include "base/text.h"
#include "input/reader.h"

namespace correlator::input {
namespace {

constexpr std::size_t kMostBytes = 4096;

Diagnostic about(const std::filesystem::path& path, const char* code, std::string message, std::string hint) {
  Diagnostic diagnostic = make_error(code, std::move(message), std::move(hint));
  diagnostic.place.file = path.string();
  return diagnostic;
}

// The first decompressed bytes, as many as there are. A damaged file is known by what it still holds.
Result<std::string> head(const std::filesystem::path& path, std::size_t bytes) {
  std::error_code ignored;
  if (path == "-" ||
      (std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored))) {
    return about(path, "E209", "is not a regular file, so no position in it can be recorded",
                 "leave --state away, or save the stream to a file first");
  }
  Result<std::unique_ptr<Reader>> reader = open_reader(path);
  if (!reader) return std::move(reader).error();
  std::string text(bytes, '\0');
  std::size_t size = 0;
  while (size < bytes) {
    const Result<std::size_t> got = (*reader)->read(std::span(text).subspan(size));
    if (!got && got.error().code == "E205") return got.error();
    if (!got || *got == 0) break;
    size += *got;
  }
  text.resize(size);
  return text;
}

FileIdentity identity_of(const std::string& bytes) {
  if (bytes.empty()) return {"0:"};
  return {fmt::format("{}:{}", bytes.size(), Sha256().add(bytes).hex(16))};
}

// How many bytes the id was made of; nothing if it is not one of ours.
std::optional<std::size_t> length_of(const FileIdentity& identity) {
  const std::size_t colon = identity.id.find(':');
  if (colon == std::string::npos) return std::nullopt;
  const auto length = parse_uint(std::string_view(identity.id).substr(0, colon));
  if (!length || *length > kMostBytes) return std::nullopt;
  return static_cast<std::size_t>(*length);
}

}  // namespace

Result<FileIdentity> identify(const std::filesystem::path& path) {
  const Result<std::string> bytes = head(path, kMostBytes);
  if (!bytes) return bytes.error();
  return identity_of(*bytes);
}

Result<bool> same_file(const std::filesystem::path& path, const FileIdentity& recorded) {
  const std::optional<std::size_t> length = length_of(recorded);
  if (!length) return false;
  const Result<std::string> bytes = head(path, *length);
  if (!bytes) return bytes.error();
  return identity_of(*bytes) == recorded;
}

Status check_resume(const std::filesystem::path& path, const FileIdentity& recorded, std::uint64_t offset) {
  const Result<bool> same = same_file(path, recorded);
  if (!same) return same.error();
  if (!*same) {
    return about(path, "E207", fmt::format("is not the file of which {} bytes were read before", offset),
                 "name the file that was read then, or use another state directory");
  }
  const Result<std::unique_ptr<Reader>> reader = open_reader(path);
  if (!reader) return reader.error();
  const Reader& now = *reader.value();
  if (now.compression() == Compression::none && now.compressed_size().value_or(offset) < offset) {
    return about(path, "E206",
                 fmt::format("holds {} bytes, but {} were read before", *now.compressed_size(), offset),
                 "it was truncated or replaced; use another state directory to read it from its start");
  }
  return {};
}

}  // namespace correlator::input
