// SPDX-License-Identifier: Apache-2.0
// Sources: what stands on the command line becomes an ordered list of streams to read.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/diagnostic.h"

namespace correlator::input {

// One logical stream: a file, or a rotated set (messages.2.gz messages.1 messages) read one after the other.
// Sources are merged by time; the files inside one are not, their order is given.
struct Source {
  std::string name;  // the path as given; of a set, that of the file without its rotation suffix
  std::vector<std::filesystem::path> files;  // oldest first, at least one; "-" is stdin

  bool operator==(const Source&) const = default;
};

struct SourceList {
  std::vector<Source> sources;
  // What could not be used (errors: E201, E208, E209) or looks odd (warnings: E210), one per argument or
  // file, in order. The sources are usable nevertheless.
  Diagnostics diagnostics;
};

// Files, directories (the regular files directly inside, hidden ones skipped, sorted by name), pipes, "-".
// Files that belong to one rotation in one directory become one Source, wherever they stand among the
// arguments: BASE, BASE.N, BASE-DATE, BASE.DATE, each also with .gz .zst .xz .bz2, and with an extension
// .log kept last (app-20260101.log). DATE is YYYYMMDD, YYYYMMDDHH or YYYY-MM-DD, also with -SECONDS behind
// it. Sources stand in the order in which their first file was named. A file named twice, also by way of a
// link (same device and inode), is read once.
SourceList expand_sources(std::span<const std::string> arguments);

// What a file name says about its rotation.
struct RotatedName {
  enum class Kind { current, number, date };
  std::string base;  // the name without rotation and compression suffix: "messages", "app.log"
  Kind kind = Kind::current;
  std::string order;  // of a number its digits without leading zeros, of a date its digits
  // "kernel-6.1": the number could as well belong to a version, so it counts as a rotation only where the
  // base itself is among the files.
  bool doubtful = false;

  bool operator==(const RotatedName&) const = default;
};
RotatedName parse_rotated_name(const std::string& filename);

}  // namespace correlator::input
