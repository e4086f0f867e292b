// SPDX-License-Identifier: Apache-2.0
// Spool: where batches go while the database cannot take them, or would take them too slowly. A file of fixed size whose blocks are
// allocated before they are needed, so that a full disk cannot refuse it; written in place.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/files.h"

namespace correlator::store {

class Spool {
 public:
  // Opens or creates `file` with room for `bytes`. What an earlier process wrote into it is kept and read by each().
  // E305 if it cannot be created or allocated.
  static Result<Spool> open(const std::filesystem::path& file, std::uint64_t bytes, Files& files = system_files());
  ~Spool();
  Spool(Spool&&) noexcept;
  Spool& operator=(Spool&&) noexcept;

  // Survives our death when it returns ok, and a power cut if it was to be synced. E305 if it is full or the disk fails: nothing was
  // added then.
  Status add(std::string_view entry, bool sync = true);
  // So that all entries survive a power cut.
  Status sync();
  bool empty() const;
  std::uint64_t entries() const;
  std::uint64_t bytes() const;  // that the entries take
  std::uint64_t size() const;   // of the file
  // Every reset begins a new generation; a database that took over generation g says so in the transaction that did.
  std::uint64_t generation() const;
  // The entries in the order in which they were added; ends at the first that was not written to its end.
  Status each(const std::function<Status(std::string_view entry)>& visit);
  // Forgets all entries. Durable when it returns ok.
  Status reset();

 private:
  struct Impl;
  explicit Spool(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace correlator::store
