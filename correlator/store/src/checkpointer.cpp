// SPDX-License-Identifier: Apache-2.0
#include "checkpointer.h"

#include <chrono>

#include "sqlite.h"

namespace correlator::store {

Checkpointer::Checkpointer(std::string path, Duration every) : path_(std::move(path)), every_(every), thread_([this] { run(); }) {}

Checkpointer::~Checkpointer() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Checkpointer::run() {
  std::optional<Connection> db;
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, std::chrono::microseconds(every_.us), [&] { return stop_; })) {
    lock.unlock();
    if (!db) {
      if (auto opened = Connection::open(path_, true)) db = std::move(*opened);
    }
    // What cannot be moved now is moved the next time; a log that grows shows in the size of the -wal file. A connection that
    // has not read yet answers OK and moves nothing.
    if (db) {
      db->scalar("SELECT count(*) FROM meta");
      sqlite3_wal_checkpoint_v2(db->get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
    }
    lock.lock();
  }
}

}  // namespace correlator::store
