// SPDX-License-Identifier: Apache-2.0
// --metrics FILE: the page of a running process, written again and again for node_exporter's textfile collector.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "time/timestamp.h"

namespace CLI {
class App;
}

namespace correlator::cli {

struct MetricsFileOptions {
  std::string file;  // empty: none
  std::uint32_t every_seconds = 15;
};
void add_metrics_file_options(CLI::App& app, MetricsFileOptions& options);

class MetricsFile {
 public:
  explicit MetricsFile(MetricsFileOptions options) : options_(std::move(options)) {}

  // Whether it is time again; then the caller makes a page and calls write().
  bool due(Timestamp now) const;
  // A failure is said once on stderr, until it is over.
  void write(const std::string& text, Timestamp now);

 private:
  MetricsFileOptions options_;
  std::optional<Timestamp> written_;
  bool failed_ = false;
};

}  // namespace correlator::cli
