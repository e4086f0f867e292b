// SPDX-License-Identifier: Apache-2.0
// Metrics in Prometheus's text exposition format 0.0.4.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/histogram.h"
#include "base/result.h"
#include "time/timestamp.h"

namespace correlator::report {

enum class MetricType : std::uint8_t { counter, gauge, histogram };

enum class Metric : std::uint8_t {
#define METRIC(id, type, name, labels, help) id,
#include "report/metrics.inc"
#undef METRIC
};

struct MetricFamily {
  Metric id;
  MetricType type;
  std::string_view name;
  std::string_view labels;  // their names, with blanks between
  std::string_view help;
};

inline constexpr std::array kMetrics = {
#define METRIC(id, type, name, labels, help) MetricFamily{Metric::id, MetricType::type, name, labels, help},
#include "report/metrics.inc"
#undef METRIC
};

// A page of samples. They may be added in any order and come out by families.
class MetricPage {
 public:
  // `labels`: values in the order of the family's label names; bytes, escaped here.
  void add(Metric metric, std::uint64_t value, const std::vector<std::string>& labels = {});
  void add(Metric metric, Timestamp time, const std::vector<std::string>& labels = {});  // in seconds
  void add(Metric metric, const Histogram& histogram, const std::vector<std::string>& labels = {});
  std::string text() const;

 private:
  std::array<std::string, kMetrics.size()> samples_;
};

// The list of all metrics as the body of docs/metrics.md: a table in Markdown.
std::string metrics_manual();

// Replaces `file` in one step, for node_exporter's textfile collector; readable by everybody. Follows no link that stands in
// the place of the file or of FILE.tmp. E505.
Status write_metrics(const std::filesystem::path& file, std::string_view text);

}  // namespace correlator::report
