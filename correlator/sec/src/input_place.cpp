// SPDX-License-Identifier: Apache-2.0
// Where an input stands, from one run to the next.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "inputs.h"

namespace correlator::sec {
namespace {

constexpr const char* kTimeline = "timeline";

std::string identity_of(const struct stat& info) { return fmt::format("{}:{}", info.st_dev, info.st_ino); }

}  // namespace

std::optional<store::Cursor> Input::cursor() const {
  store::Cursor out;
  out.stream = name_;
  out.line = lines;
  out.extra = dynamic ? "added " + context : std::string();
  if (is_timeline()) {
    out.identity = kTimeline;
    out.offset = begin_;
    return out;
  }
  if (!fd_) return left_;
  if (name_ == "-" || !S_ISREG(info_.st_mode)) return std::nullopt;
  out.identity = identity_of(info_);
  out.offset = offset_ - (data_.size() - begin_);
  return out;
}

bool Input::resume(const store::Cursor& cursor) {
  if (is_timeline()) {
    const bool opened = open(0);
    if (cursor.identity == kTimeline) begin_ = std::min<std::size_t>(cursor.offset, data_.size());
    return opened;
  }
  struct stat there {};
  if (name_ != "-" && ::stat(name_.c_str(), &there) == 0 && identity_of(there) == cursor.identity) {
    const bool longer = static_cast<std::uint64_t>(there.st_size) >= cursor.offset;
    return open(longer ? static_cast<std::int64_t>(cursor.offset) : 0) && longer;
  }
  if (open_renamed(cursor)) return true;
  open(0);
  return false;
}

// The file of that identity beside the name that it had.
bool Input::open_renamed(const store::Cursor& cursor) {
  namespace fs = std::filesystem;
  std::error_code failure;
  fs::path directory = fs::path(name_).parent_path();
  if (directory.empty()) directory = ".";
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, failure)) {
    struct stat there {};
    if (::stat(entry.path().c_str(), &there) != 0 || !S_ISREG(there.st_mode) || identity_of(there) != cursor.identity) continue;
    if (static_cast<std::uint64_t>(there.st_size) < cursor.offset) return false;
    host::Descriptor found(::open(entry.path().c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (!found || ::fstat(found.get(), &info_) != 0) return false;
    fd_ = std::move(found);
    tried = heard = clock_.now();
    was_there = renamed_ = true;
    offset_ = cursor.offset;
    ::lseek(fd_.get(), static_cast<off_t>(offset_), SEEK_SET);
    return true;
  }
  return false;
}

std::vector<store::Cursor> Inputs::cursors() const {
  std::vector<store::Cursor> out;
  for (const auto& input : inputs_) {
    if (auto place = input->cursor()) out.push_back(*std::move(place));
  }
  return out;
}

}  // namespace correlator::sec
