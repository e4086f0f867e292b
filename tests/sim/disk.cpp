// SPDX-License-Identifier: Apache-2.0
#include "disk.h"

#include <algorithm>
#include <cerrno>

namespace correlator::sim {
namespace {

std::string directory_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

void write_into(std::string& to, std::string_view what, std::uint64_t at) {
  const std::size_t end = static_cast<std::size_t>(at) + what.size();
  if (to.size() < end) to.resize(end, '\0');
  to.replace(static_cast<std::size_t>(at), what.size(), what);
}

class SimFile final : public store::File {
 public:
  SimFile(Disk& disk, std::shared_ptr<Inode> inode) : disk_(disk), inode_(std::move(inode)) {}

  std::uint64_t size() override { return inode_->bytes.size(); }
  int read(char* to, std::size_t size, std::uint64_t at) override {
    if (!disk_.operate() || at + size > inode_->bytes.size()) return EIO;
    std::copy_n(inode_->bytes.data() + at, size, to);
    return 0;
  }
  int write(std::string_view bytes, std::uint64_t at) override {
    if (!disk_.operate()) return EIO;
    if (const int error = disk_.trouble_with(*inode_, at + bytes.size())) return error;
    inode_->write(bytes, at);
    return 0;
  }
  int allocate(std::uint64_t bytes) override {
    if (!disk_.operate()) return EIO;
    if (bytes > inode_->bytes.size()) inode_->truncate(bytes);
    return 0;
  }
  int sync() override {
    if (!disk_.operate()) return EIO;
    if (const int error = disk_.trouble_with(*inode_, 0)) return error;
    inode_->sync();
    return 0;
  }

 private:
  Disk& disk_;
  std::shared_ptr<Inode> inode_;
};

}  // namespace

Life*& current_life() {
  static Life* life = nullptr;
  return life;
}

std::map<std::string, PointCount>& point_counts() {
  static std::map<std::string, PointCount> counts;
  return counts;
}

void pass_fault_point(const char* name) {
  Life* life = current_life();
  if (life == nullptr) return;
  if (life->dead) throw Killed();  // it died inside of SQLite, through which nothing can be thrown
  PointCount& count = point_counts()[name];
  ++count.passes;
  if (life->points < 0 || life->points-- > 0) return;
  ++count.deaths;
  end_life(*life);
  throw Killed();
}

void end_life(Life& life) {
  if (life.dead) return;
  life.dead = true;
  if (life.on_death) life.on_death();
}

void Inode::write(std::string_view what, std::uint64_t at) {
  write_into(bytes, what, at);
  pending.push_back({at, std::string(what), false});
}

void Inode::truncate(std::uint64_t size) {
  bytes.resize(static_cast<std::size_t>(size), '\0');
  pending.push_back({size, {}, true});
}

void Inode::sync() {
  for (const Change& change : pending) {
    if (change.truncate) {
      durable.resize(static_cast<std::size_t>(change.at), '\0');
    } else {
      write_into(durable, change.bytes, change.at);
    }
  }
  pending.clear();
}

std::shared_ptr<Inode> Disk::find(const std::string& path) const {
  const auto found = names_.find(path);
  return found == names_.end() ? nullptr : found->second;
}

std::shared_ptr<Inode> Disk::make(const std::string& path) {
  auto& inode = names_[path];
  if (inode == nullptr) {
    inode = std::make_shared<Inode>();
    inode->name = path;
  }
  return inode;
}

void Disk::remove(const std::string& path) { names_.erase(path); }

void Disk::sync_directory(const std::string& dir) {
  std::erase_if(durable_names_, [&](const auto& entry) { return directory_of(entry.first) == dir && !names_.contains(entry.first); });
  for (const auto& [path, inode] : names_) {
    if (directory_of(path) == dir) durable_names_[path] = inode;
  }
}

void Disk::each(const std::function<void(Inode&)>& visit) const {
  for (const auto& [path, inode] : names_) visit(*inode);
}

bool Disk::operate() {
  Life* life = current_life();
  if (life == nullptr) return true;
  if (life->dead) return false;
  ++operations;
  if (life->operations < 0 || life->operations-- > 0) return true;
  end_life(*life);
  return false;
}

int Disk::trouble_with(const Inode& inode, std::uint64_t grows_to) {
  if (current_life() == nullptr || trouble.of != current_life()->name) return 0;
  const bool spool = inode.name.ends_with("/spool");
  if (!spool && trouble.full && grows_to > inode.bytes.size()) return ENOSPC;
  return random_.chance(spool ? trouble.spool_io : trouble.database_io) ? EIO : 0;
}

// Each sector has either of its contents since the last sync, and so has the length.
void Disk::tear(Inode& inode) {
  const std::size_t sector = random_.chance(50) ? 512 : 4096;
  const bool nothing = random_.chance(30);
  const double kept = static_cast<double>(random_.between(5, 95));
  std::string left = inode.durable;
  for (const Inode::Change& change : inode.pending) {
    if (nothing) break;
    if (change.truncate) {
      if (random_.chance(kept)) left.resize(static_cast<std::size_t>(change.at), '\0');
      continue;
    }
    for (std::size_t done = 0; done < change.bytes.size();) {
      const std::size_t at = static_cast<std::size_t>(change.at) + done;
      const std::size_t size = std::min(change.bytes.size() - done, sector - at % sector);
      if (random_.chance(kept)) write_into(left, std::string_view(change.bytes).substr(done, size), at);
      done += size;
    }
  }
  inode.bytes = inode.durable = std::move(left);
  inode.pending.clear();
}

void Disk::power_cut() {
  // Names that were not synced: each may be there or not.
  std::map<std::string, std::shared_ptr<Inode>> left = durable_names_;
  for (const auto& [path, inode] : names_) {
    const auto known = durable_names_.find(path);
    if ((known == durable_names_.end() || known->second != inode) && random_.chance(50)) left[path] = inode;
  }
  for (const auto& [path, inode] : durable_names_) {
    if (!names_.contains(path) && random_.chance(50)) left.erase(path);
  }
  names_ = durable_names_ = std::move(left);
  std::set<Inode*> done;
  for (const auto& [path, inode] : names_) {
    if (done.insert(inode.get()).second) tear(*inode);
  }
}

bool Disk::durable_now(const std::string& path) const {
  const auto name = durable_names_.find(path);
  return name != durable_names_.end() && name->second->pending.empty();
}

int SimFiles::open(const std::filesystem::path& path, std::unique_ptr<store::File>& out) {
  if (!disk_.operate()) return EIO;
  out = std::make_unique<SimFile>(disk_, disk_.make(path.string()));
  return 0;
}

int SimFiles::sync(const std::filesystem::path& path) {
  if (!disk_.operate()) return EIO;
  const auto inode = disk_.find(path.string());
  if (inode == nullptr) return 0;
  if (const int error = disk_.trouble_with(*inode, 0)) return error;
  inode->sync();
  return 0;
}

int SimFiles::sync_directory(const std::filesystem::path& dir) {
  if (!disk_.operate()) return EIO;
  disk_.sync_directory(dir.string());
  return 0;
}

}  // namespace correlator::sim
