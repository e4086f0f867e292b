// SPDX-License-Identifier: Apache-2.0
// A disk in memory that fails on request and forgets at a power cut what was not synced: content, lengths and names.
//
// Whoever uses it does so as some Life (a process, from its start to its death). Once a life is over nothing that its objects
// still do has an effect, as if they had gone with it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "random.h"
#include "store/files.h"

namespace correlator::sim {

struct Life {
  std::string name;
  bool dead = false;
  std::int64_t operations = -1;    // on the disk until it dies; -1: it does not die of these
  std::int64_t points = -1;        // fault points that it passes until it dies, likewise
  std::function<void()> on_death;  // called once, at the very moment
};

// Thrown through our own code where a life ends at a fault point.
struct Killed {};

// The hook of base/fault.h: ends the current life where that is planned. Passes and deaths are counted by name.
void pass_fault_point(const char* name);
struct PointCount {
  std::uint64_t passes = 0, deaths = 0;
};
std::map<std::string, PointCount>& point_counts();

// Marks it dead. What it had written is there, what it would have written is not.
void end_life(Life& life);

// Who is at work now; one thread.
Life*& current_life();
class As {
 public:
  explicit As(Life& life) : before_(current_life()) { current_life() = &life; }
  ~As() { current_life() = before_; }
  As(const As&) = delete;
  As& operator=(const As&) = delete;

 private:
  Life* before_;
};

// What a file is to the operating system. Locks and shared memory are the VFS's affair (vfs.cpp).
struct Locks;
struct Inode {
  std::string name;     // where it was made
  std::string bytes;    // as processes see it
  std::string durable;  // as of the last sync
  struct Change {
    std::uint64_t at = 0;
    std::string bytes;
    bool truncate = false;  // to `at`
  };
  std::vector<Change> pending;  // since then, in order
  std::shared_ptr<Locks> locks;

  void write(std::string_view what, std::uint64_t at);
  void truncate(std::uint64_t size);
  void sync();
};

// What goes wrong now. Chances in percent of operations.
struct Trouble {
  std::string of;             // the name of those whose operations fail; empty: nobody's
  bool full = false;          // a database file cannot grow
  double database_io = 0;     // writes and syncs of database files fail
  double spool_io = 0;        // writes and syncs of the spool fail
  bool any() const { return full || database_io > 0 || spool_io > 0; }
};

class Disk {
 public:
  explicit Disk(Random random) : random_(random) {}

  std::shared_ptr<Inode> find(const std::string& path) const;
  std::shared_ptr<Inode> make(const std::string& path);  // or what is there
  void remove(const std::string& path);
  void sync_directory(const std::string& dir);

  void each(const std::function<void(Inode&)>& visit) const;

  // One operation of the current life: false if it is dead, perhaps just now.
  bool operate();
  // An operation that changes or syncs a file: 0, or the errno of what is wrong.
  int trouble_with(const Inode& inode, std::uint64_t grows_to);

  // What is left of each file is drawn: of what was not synced nothing, or any sectors of 512 or 4096 bytes, in any order.
  void power_cut();
  bool durable_now(const std::string& path) const;  // nothing of it would be lost

  Trouble trouble;
  std::uint64_t operations = 0;

 private:
  void tear(Inode& inode);

  Random random_;
  std::map<std::string, std::shared_ptr<Inode>> names_;
  std::map<std::string, std::shared_ptr<Inode>> durable_names_;
};

// The spool's view of it.
class SimFiles final : public store::Files {
 public:
  explicit SimFiles(Disk& disk) : disk_(disk) {}
  int open(const std::filesystem::path& path, std::unique_ptr<store::File>& out) override;
  int sync(const std::filesystem::path& path) override;
  int sync_directory(const std::filesystem::path& dir) override;

 private:
  Disk& disk_;
};

}  // namespace correlator::sim
