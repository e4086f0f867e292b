// SPDX-License-Identifier: Apache-2.0
// What a store meets: files that cannot be written, a database that another process holds locked.
#pragma once

#include <sqlite3.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "store/files.h"

namespace correlator::testing {

// The real files; writes fail on request, and what is synced by name is remembered.
class WatchedFiles final : public store::Files {
 public:
  int open(const std::filesystem::path& path, std::unique_ptr<store::File>& out) override {
    std::unique_ptr<store::File> real;
    const int error = store::system_files().open(path, real);
    if (error == 0) out = std::make_unique<Watched>(*this, std::move(real));
    return error;
  }
  int sync(const std::filesystem::path& path) override {
    if (path.filename() == fail_sync) return EIO;
    synced.push_back(path.filename().string());
    return store::system_files().sync(path);
  }
  int sync_directory(const std::filesystem::path& dir) override {
    ++directories;
    return store::system_files().sync_directory(dir);
  }

  bool fail = false, fail_file_sync = false;
  std::string fail_sync;  // the file of that name
  int directories = 0, file_syncs = 0;
  std::vector<std::string> synced;

 private:
  struct Watched final : store::File {
    Watched(WatchedFiles& of, std::unique_ptr<store::File> file) : files(of), real(std::move(file)) {}
    std::uint64_t size() override { return real->size(); }
    int read(char* to, std::size_t count, std::uint64_t at) override { return real->read(to, count, at); }
    int write(std::string_view bytes, std::uint64_t at) override { return files.fail ? EIO : real->write(bytes, at); }
    int allocate(std::uint64_t bytes) override { return real->allocate(bytes); }
    int sync() override {
      ++files.file_syncs;
      return files.fail_file_sync ? EIO : real->sync();
    }
    WatchedFiles& files;
    std::unique_ptr<store::File> real;
  };
};

// SQL on engine.db from outside of ours.
class OtherProcess {
 public:
  explicit OtherProcess(std::filesystem::path state) : state_(std::move(state)) {}
  ~OtherProcess() { sqlite3_close(db_); }
  OtherProcess(const OtherProcess&) = delete;
  OtherProcess& operator=(const OtherProcess&) = delete;

  bool says(const char* sql) {
    if (db_ == nullptr && sqlite3_open((state_ / "engine.db").c_str(), &db_) != SQLITE_OK) return false;
    return sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) == SQLITE_OK;
  }

 private:
  std::filesystem::path state_;
  sqlite3* db_ = nullptr;
};

}  // namespace correlator::testing
