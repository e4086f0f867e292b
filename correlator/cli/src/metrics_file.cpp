// SPDX-License-Identifier: Apache-2.0
#include "metrics_file.h"

#include <CLI/CLI.hpp>

#include "common.h"
#include "report/metrics.h"

namespace correlator::cli {

void add_metrics_file_options(CLI::App& app, MetricsFileOptions& options) {
  auto* file = app.add_option("--metrics", options.file, "Write metrics for Prometheus into this file again and again (node_exporter's textfile collector)")
                   ->type_name("FILE");
  app.add_option("--metrics-every", options.every_seconds, "Seconds between two of them (default: 15)")->type_name("N")->check(CLI::Range(1, 3600))->needs(file);
}

bool MetricsFile::due(Timestamp now) const {
  if (options_.file.empty()) return false;
  // A wall clock that was set back makes it due.
  return !written_ || now < *written_ || now - *written_ >= Duration::seconds(options_.every_seconds);
}

void MetricsFile::write(const std::string& text, Timestamp now) {
  if (options_.file.empty()) return;
  written_ = now;
  const Status status = report::write_metrics(options_.file, text);
  if (!status.ok() && !failed_) complain(status.error());
  failed_ = !status.ok();
}

}  // namespace correlator::cli
