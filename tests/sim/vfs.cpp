// SPDX-License-Identifier: Apache-2.0
#include "vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <string>
#include <utility>

namespace correlator::sim {

struct Handle;

struct Shared {
  std::vector<std::unique_ptr<std::string>> regions;
};

struct Locks {
  std::vector<Handle*> open;
  std::shared_ptr<Shared> shared;
};

// An open file of one life.
struct Handle {
  std::shared_ptr<Inode> inode;
  Life* life = nullptr;
  bool new_name = false;  // perhaps: its directory is synced with its first sync, as SQLite's unix VFS does for logs
  int level = SQLITE_LOCK_NONE;
  std::shared_ptr<Shared> shared;
  unsigned shares = 0, owns = 0;  // locks of shared memory, a bit each
};

namespace {

Vfs& vfs() {
  static Vfs instance;
  return instance;
}

struct SqliteFile {
  sqlite3_file base;
  Handle* handle;
};
Handle& of(sqlite3_file* file) { return *reinterpret_cast<SqliteFile*>(file)->handle; }

bool alive(const Handle& handle) { return handle.life == nullptr || !handle.life->dead; }

// True for some other open file of a living process.
template <class Condition>
bool another(const Handle& self, Condition condition) {
  const auto& open = self.inode->locks->open;
  return std::any_of(open.begin(), open.end(), [&](const Handle* one) { return one != &self && alive(*one) && condition(*one); });
}

int error_code(int error, int io) { return error == 0 ? SQLITE_OK : error == ENOSPC ? SQLITE_FULL : io; }

int close_file(sqlite3_file* file) {
  Handle* handle = &of(file);
  auto& open = handle->inode->locks->open;
  open.erase(std::remove(open.begin(), open.end(), handle), open.end());
  delete handle;
  return SQLITE_OK;
}

int read_file(sqlite3_file* file, void* to, int amount, sqlite3_int64 offset) {
  const Handle& handle = of(file);
  if (!alive(handle)) return SQLITE_IOERR_READ;
  const std::string& bytes = handle.inode->bytes;
  const auto at = static_cast<std::size_t>(offset), wanted = static_cast<std::size_t>(amount);
  const std::size_t have = at < bytes.size() ? std::min(wanted, bytes.size() - at) : 0;
  std::memcpy(to, bytes.data() + std::min(at, bytes.size()), have);
  if (have == wanted) return SQLITE_OK;
  std::memset(static_cast<char*>(to) + have, 0, wanted - have);
  return SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* file, const void* from, int amount, sqlite3_int64 offset) {
  Disk& disk = *vfs().disk;
  if (!disk.operate()) return SQLITE_IOERR_WRITE;
  const auto at = static_cast<std::uint64_t>(offset);
  const std::string_view bytes(static_cast<const char*>(from), static_cast<std::size_t>(amount));
  if (const int error = disk.trouble_with(*of(file).inode, at + bytes.size())) return error_code(error, SQLITE_IOERR_WRITE);
  of(file).inode->write(bytes, at);
  return SQLITE_OK;
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  Disk& disk = *vfs().disk;
  if (!disk.operate()) return SQLITE_IOERR_TRUNCATE;
  if (disk.trouble_with(*of(file).inode, 0) != 0) return SQLITE_IOERR_TRUNCATE;
  of(file).inode->truncate(static_cast<std::uint64_t>(size));
  return SQLITE_OK;
}

int sync_file(sqlite3_file* file, int) {
  Disk& disk = *vfs().disk;
  Handle& handle = of(file);
  if (!disk.operate()) return SQLITE_IOERR_FSYNC;
  if (disk.trouble_with(*handle.inode, 0) != 0) return SQLITE_IOERR_FSYNC;
  handle.inode->sync();
  if (std::exchange(handle.new_name, false)) disk.sync_directory(handle.inode->name.substr(0, handle.inode->name.rfind('/')));
  return SQLITE_OK;
}

int size_of_file(sqlite3_file* file, sqlite3_int64* size) {
  *size = static_cast<sqlite3_int64>(of(file).inode->bytes.size());
  return alive(of(file)) ? SQLITE_OK : SQLITE_IOERR_FSTAT;
}

int lock_file(sqlite3_file* file, int level) {
  Handle& self = of(file);
  if (!alive(self)) return SQLITE_IOERR_LOCK;
  if (self.level >= level) return SQLITE_OK;
  const auto others_at = [&](int least) { return another(self, [&](const Handle& one) { return one.level >= least; }); };
  if (level == SQLITE_LOCK_SHARED && others_at(SQLITE_LOCK_PENDING)) return SQLITE_BUSY;
  if (level >= SQLITE_LOCK_RESERVED && others_at(SQLITE_LOCK_RESERVED)) return SQLITE_BUSY;
  if (level == SQLITE_LOCK_EXCLUSIVE && others_at(SQLITE_LOCK_SHARED)) {
    self.level = SQLITE_LOCK_PENDING;
    return SQLITE_BUSY;
  }
  self.level = level;
  return SQLITE_OK;
}

int unlock_file(sqlite3_file* file, int level) {
  of(file).level = std::min(of(file).level, level);
  return SQLITE_OK;
}

int check_reserved(sqlite3_file* file, int* reserved) {
  *reserved = of(file).level >= SQLITE_LOCK_RESERVED || another(of(file), [](const Handle& one) { return one.level >= SQLITE_LOCK_RESERVED; });
  return SQLITE_OK;
}

int map_shared(sqlite3_file* file, int region, int size, int extend, void volatile** out) {
  Handle& self = of(file);
  *out = nullptr;
  if (!alive(self)) return SQLITE_IOERR_SHMMAP;
  Locks& locks = *self.inode->locks;
  if (self.shared == nullptr) {
    // The first of those who live finds nothing of the dead.
    if (locks.shared == nullptr || !another(self, [&](const Handle& one) { return one.shared == locks.shared; })) locks.shared = std::make_shared<Shared>();
    self.shared = locks.shared;
  }
  auto& regions = self.shared->regions;
  const auto wanted = static_cast<std::size_t>(region);
  if (wanted >= regions.size() && extend == 0) return SQLITE_OK;
  while (regions.size() <= wanted) regions.push_back(std::make_unique<std::string>(static_cast<std::size_t>(size), '\0'));
  *out = regions[wanted]->data();
  return SQLITE_OK;
}

int lock_shared(sqlite3_file* file, int first, int count, int flags) {
  Handle& self = of(file);
  if (!alive(self)) return SQLITE_IOERR_SHMLOCK;
  const unsigned mask = ((1U << count) - 1U) << first;
  if ((flags & SQLITE_SHM_UNLOCK) != 0) {
    self.shares &= ~mask;
    self.owns &= ~mask;
    return SQLITE_OK;
  }
  const bool whole = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
  if (another(self, [&](const Handle& one) { return one.shared == self.shared && ((one.owns | (whole ? one.shares : 0U)) & mask) != 0; })) return SQLITE_BUSY;
  (whole ? self.owns : self.shares) |= mask;
  return SQLITE_OK;
}

void barrier(sqlite3_file*) {}

int unmap_shared(sqlite3_file* file, int) {
  Handle& self = of(file);
  self.shared.reset();
  self.shares = self.owns = 0;
  return SQLITE_OK;
}

int control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int sector_size(sqlite3_file*) { return 4096; }
// What the unix VFS promises, too: a write changes no byte beside its own.
int characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

const sqlite3_io_methods kMethods = {2,         close_file,     read_file,  write_file, truncate_file, sync_file,  size_of_file,
                                     lock_file, unlock_file,    check_reserved, control, sector_size,  characteristics,
                                     map_shared, lock_shared,   barrier,    unmap_shared, nullptr,     nullptr};

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  file->pMethods = nullptr;
  Disk& disk = *vfs().disk;
  if (current_life() != nullptr && current_life()->dead) return SQLITE_CANTOPEN;
  std::shared_ptr<Inode> inode = name == nullptr ? std::make_shared<Inode>() : disk.find(name);
  if (inode == nullptr) {
    if ((flags & SQLITE_OPEN_CREATE) == 0 || !disk.operate()) return SQLITE_CANTOPEN;
    inode = disk.make(name);
  }
  if (inode->locks == nullptr) inode->locks = std::make_shared<Locks>();
  auto* handle = new Handle;
  handle->inode = inode;
  handle->life = current_life();
  handle->new_name = (flags & SQLITE_OPEN_CREATE) != 0 && (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
  inode->locks->open.push_back(handle);
  file->pMethods = &kMethods;
  reinterpret_cast<SqliteFile*>(file)->handle = handle;
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs*, const char* name, int sync_directory) {
  Disk& disk = *vfs().disk;
  if (!disk.operate()) return SQLITE_IOERR_DELETE;
  if (disk.find(name) == nullptr) return SQLITE_IOERR_DELETE_NOENT;
  disk.remove(name);
  const std::string path = name;
  if (sync_directory != 0) disk.sync_directory(path.substr(0, path.rfind('/')));
  return SQLITE_OK;
}

int access(sqlite3_vfs*, const char* name, int what, int* result) {
  const auto inode = vfs().disk->find(name);
  *result = inode != nullptr && (what != SQLITE_ACCESS_EXISTS || !inode->bytes.empty());
  return SQLITE_OK;
}

int full_path(sqlite3_vfs*, const char* name, int size, char* out) {
  sqlite3_snprintf(size, out, "%s", name);
  return SQLITE_OK;
}

int randomness(sqlite3_vfs*, int size, char* out) {
  for (int i = 0; i < size; ++i) out[i] = static_cast<char>(vfs().random.next());
  return size;
}

int sleep(sqlite3_vfs*, int microseconds) {
  vfs().clock->advance(Duration{microseconds});
  return microseconds;
}

int last_error(sqlite3_vfs*, int, char*) { return 0; }

int now(sqlite3_vfs*, sqlite3_int64* out) {
  constexpr sqlite3_int64 kEpoch = 210866760000000;  // 1970 as a Julian day, in ms
  *out = kEpoch + vfs().clock->now().us / 1000;
  return SQLITE_OK;
}

int now_as_day(sqlite3_vfs* self, double* out) {
  sqlite3_int64 ms = 0;
  now(self, &ms);
  *out = static_cast<double>(ms) / 86'400'000.0;
  return SQLITE_OK;
}

}  // namespace

Vfs& Vfs::install() {
  static sqlite3_vfs methods{};
  if (methods.iVersion == 0) {
    methods.iVersion = 2;
    methods.szOsFile = sizeof(SqliteFile);
    methods.mxPathname = 512;
    methods.zName = "simulated";
    methods.xOpen = open_file;
    methods.xDelete = delete_file;
    methods.xAccess = access;
    methods.xFullPathname = full_path;
    methods.xRandomness = randomness;
    methods.xSleep = sleep;
    methods.xCurrentTime = now_as_day;
    methods.xGetLastError = last_error;
    methods.xCurrentTimeInt64 = now;
    sqlite3_vfs_register(&methods, 1);
  }
  return vfs();
}

void Vfs::use(Disk& with, SimulatedClock& time, std::uint64_t seed) {
  disk = &with;
  clock = &time;
  random = Random(seed);
  frozen_.clear();
  sqlite3_randomness(0, nullptr);  // seeded anew with the next use
}

void Vfs::freeze() {
  disk->each([this](Inode& inode) {
    if (inode.locks == nullptr || inode.locks->shared == nullptr) return;
    Frozen frozen{inode.locks->shared, {}};
    for (const auto& region : frozen.shared->regions) frozen.regions.push_back(*region);
    frozen_.push_back(std::move(frozen));
  });
}

void Vfs::bury() {
  for (const Frozen& frozen : frozen_) {
    for (std::size_t i = 0; i < frozen.regions.size(); ++i) frozen.regions[i].copy(frozen.shared->regions[i]->data(), frozen.regions[i].size());
  }
  frozen_.clear();
}

}  // namespace correlator::sim
