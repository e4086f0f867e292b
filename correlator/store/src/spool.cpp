// SPDX-License-Identifier: Apache-2.0
#include "store/spool.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "base/fault.h"
#include "base/hash.h"

namespace correlator::store {
namespace {

namespace fs = std::filesystem;

// The file: a header, then entries one behind the other. Numbers in the machine's own order: a spool never leaves it.
struct Header {
  std::array<char, 8> magic;
  std::uint64_t generation;
};
struct Entry {
  std::uint64_t generation;  // another one: what an earlier generation left there
  std::uint32_t number;      // from 0
  std::uint32_t length;      // of the payload that follows
  std::array<char, 16> check;  // over the three fields above and the payload
};
constexpr std::array<char, 8> kMagic = {'c', 'o', 'r', 'r', 's', 'p', 'l', '1'};
constexpr std::uint64_t kFirst = 4096;  // entries begin behind the header's block
constexpr std::size_t kInMemory = std::size_t{4} << 20;  // of entries: a storm's, until they are brought over

std::array<char, 16> check_of(const Entry& entry, std::string_view payload) {
  Sha256 sha;
  sha.add(static_cast<std::int64_t>(entry.generation)).add(std::int64_t{entry.number}).add(payload);
  const std::string hex = sha.hex(8);
  std::array<char, 16> check{};
  std::memcpy(check.data(), hex.data(), std::min(hex.size(), check.size()));
  return check;
}

template <class T>
std::string_view bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

}  // namespace

struct Spool::Impl {
  fs::path name;
  std::unique_ptr<File> file;
  std::uint64_t size = 0;
  std::uint64_t generation = 1;
  std::uint64_t end = kFirst;  // behind the last entry
  std::uint32_t count = 0;
  // Entries that this process added, so that they need not be read again; of use while it has all of them.
  std::vector<std::string> added;
  std::size_t added_bytes = 0;

  void remember(std::string_view payload) {
    if (added.size() != count || added_bytes + payload.size() > kInMemory) return;
    added.emplace_back(payload);
    added_bytes += payload.size();
  }
  Diagnostic error(std::string_view doing, int number) const {
    return make_error("E305", fmt::format("{} {} failed: {}", doing, name.string(), std::strerror(number)),
                      "look at the disk that holds it (df, dmesg)");
  }
  Status write_header() {
    const Header header{kMagic, generation};
    if (const int failed = file->write(bytes_of(header), 0)) return error("writing", failed);
    if (const int failed = file->sync()) return error("syncing", failed);
    return {};
  }
  // One entry; false at the end of what was written.
  bool read_entry(std::uint64_t at, std::uint32_t number, std::string& payload) const {
    Entry entry{};
    if (file->read(reinterpret_cast<char*>(&entry), sizeof entry, at) != 0) return false;
    if (entry.generation != generation || entry.number != number || entry.length > size - at) return false;
    payload.resize(entry.length);
    return file->read(payload.data(), payload.size(), at + sizeof entry) == 0 && entry.check == check_of(entry, payload);
  }
  void find_end() {
    std::string payload;
    while (read_entry(end, count, payload)) {
      end += sizeof(Entry) + payload.size();
      ++count;
    }
  }
};

Result<Spool> Spool::open(const fs::path& name, std::uint64_t bytes, Files& files) {
  auto impl = std::make_unique<Impl>();
  impl->name = name;
  if (const int failed = files.open(name, impl->file)) return impl->error("opening", failed);
  const std::uint64_t before = impl->file->size();
  impl->size = std::max(bytes, before);
  Header header{};
  const bool known = impl->file->read(reinterpret_cast<char*>(&header), sizeof header, 0) == 0 && header.magic == kMagic;
  if (known) {
    impl->generation = header.generation;
    impl->find_end();
  }
  if (before < bytes) {
    // Where the blocks cannot be had now, what an earlier process left is still worth reading.
    const int failed = impl->file->allocate(bytes);
    if (failed != 0 && !known) return impl->error("allocating", failed);
    if (failed != 0) impl->size = before;
  }
  if (!known) {
    if (auto status = impl->write_header(); !status) return status.error();
  }
  // Its name, too: whoever created it may have died before he came to this.
  if (const int failed = files.sync_directory(name.parent_path())) return impl->error("syncing the directory of", failed);
  return Spool(std::move(impl));
}

Spool::Spool(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Spool::~Spool() = default;
Spool::Spool(Spool&&) noexcept = default;
Spool& Spool::operator=(Spool&&) noexcept = default;

Status Spool::add(std::string_view payload, bool sync) {
  Impl& impl = *impl_;
  if (impl.end + sizeof(Entry) + payload.size() > impl.size) {
    return make_error("E305", fmt::format("{} is full: {} batches wait in it for the database", impl.name.string(), impl.count),
                      "make room on the disk of the state directory; give it a larger spool with --spool-size");
  }
  Entry entry{impl.generation, impl.count, static_cast<std::uint32_t>(payload.size()), {}};
  entry.check = check_of(entry, payload);
  std::string bytes(bytes_of(entry));
  bytes += payload;
  if (const int failed = impl.file->write(bytes, impl.end)) return impl.error("writing", failed);
  fault_point("spool.write.after");
  if (sync) {
    if (const int failed = impl.file->sync()) return impl.error("syncing", failed);
  }
  impl.end += bytes.size();
  impl.remember(payload);
  ++impl.count;
  fault_point("spool.sync.after");
  return {};
}

Status Spool::sync() {
  if (const int failed = impl_->file->sync()) return impl_->error("syncing", failed);
  return {};
}

bool Spool::empty() const { return impl_->count == 0; }
std::uint64_t Spool::entries() const { return impl_->count; }
std::uint64_t Spool::bytes() const { return impl_->end - kFirst; }
std::uint64_t Spool::size() const { return impl_->size; }
std::uint64_t Spool::generation() const { return impl_->generation; }

Status Spool::each(const std::function<Status(std::string_view)>& visit) {
  std::uint64_t at = kFirst;
  std::string payload;
  const bool all_here = impl_->added.size() == impl_->count;
  for (std::uint32_t number = 0; number < impl_->count; ++number) {
    if (all_here) {
      if (auto status = visit(impl_->added[number]); !status) return status;
      continue;
    }
    if (!impl_->read_entry(at, number, payload)) return impl_->error("reading", EIO);
    if (auto status = visit(payload); !status) return status;
    at += sizeof(Entry) + payload.size();
  }
  return {};
}

Status Spool::reset() {
  ++impl_->generation;
  if (auto status = impl_->write_header(); !status) {
    --impl_->generation;
    return status;
  }
  impl_->end = kFirst;
  impl_->count = 0;
  impl_->added.clear();
  impl_->added_bytes = 0;
  return {};
}

}  // namespace correlator::store
