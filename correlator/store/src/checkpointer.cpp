// SPDX-License-Identifier: Apache-2.0
#include "checkpointer.h"

#include <chrono>

namespace correlator::store {
namespace {

constexpr std::int64_t kEnough = 4 << 20;  // bytes: less is not worth the syncs of a checkpoint
constexpr int kWaitForReader = 20;  // ms; the writer waits as long

int note_pages(void* pages, sqlite3*, const char*, int count) {
  static_cast<std::atomic<int>*>(pages)->store(count, std::memory_order_relaxed);
  return SQLITE_OK;
}

}  // namespace

Checkpointer::Checkpointer(Connection& writer, Duration every)
    : writer_(writer), every_(every), enough_pages_(static_cast<int>(kEnough / writer.scalar("PRAGMA page_size").value_or(4096))) {
  // No checkpoints of the writer's own. A log that a storm made long is cut when it is begun anew.
  writer_.exec("PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864");
  sqlite3_wal_hook(writer_.get(), note_pages, &pages_);
  thread_ = std::thread([this] { run(); });
}

Checkpointer::~Checkpointer() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
  sqlite3_wal_hook(writer_.get(), nullptr, nullptr);
}

void Checkpointer::run() {
  std::optional<Connection> db;
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, std::chrono::microseconds(every_.us), [&] { return stop_; })) {
    if (pages_.load(std::memory_order_relaxed) < enough_pages_) continue;
    lock.unlock();
    if (!db) {
      if (auto opened = Connection::open(writer_.path(), true)) db = std::move(*opened);
    }
    // What cannot be moved now is moved the next time; a log that grows shows in the size of the -wal file. A connection that
    // has not read yet answers OK and moves nothing. Almost all is moved while the writer goes on (PASSIVE); only for the rest,
    // and for the new beginning, it has to stand still.
    if (db) {
      sqlite3_busy_timeout(db->get(), kWaitForReader);
      db->scalar("SELECT count(*) FROM meta");
      sqlite3_wal_checkpoint_v2(db->get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
      sqlite3_wal_checkpoint_v2(db->get(), nullptr, SQLITE_CHECKPOINT_RESTART, nullptr, nullptr);
    }
    lock.lock();
  }
}

}  // namespace correlator::store
