// SPDX-License-Identifier: Apache-2.0
#include "report/metrics.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/text.h"

namespace correlator::report {
namespace {

constexpr std::string_view type_name(MetricType type) {
  switch (type) {
    case MetricType::counter: return "counter";
    case MetricType::gauge: return "gauge";
    case MetricType::histogram: return "histogram";
  }
  return "untyped";
}

const MetricFamily& family_of(Metric metric) { return kMetrics[static_cast<std::size_t>(metric)]; }

// The format wants UTF-8: printable() writes bytes that are none, and everything that a terminal would obey, as \xNN, whose
// backslash is then escaped as the format asks.
std::string escaped(std::string_view value) {
  std::string out;
  for (const char c : printable(value)) {
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out;
}

std::string labelled(const MetricFamily& family, const std::vector<std::string>& values, std::string_view more = {}) {
  std::string out;
  std::size_t i = 0;
  for (const std::string_view name : split(family.labels, " ")) {
    if (name.empty()) continue;
    out += fmt::format("{}{}=\"{}\"", out.empty() ? "" : ",", name, i < values.size() ? escaped(values[i]) : "");
    ++i;
  }
  if (!more.empty()) out += fmt::format("{}{}", out.empty() ? "" : ",", more);
  return out.empty() ? out : fmt::format("{{{}}}", out);
}

// Microseconds as seconds, exactly.
std::string seconds(std::int64_t us) {
  const std::string sign = us < 0 ? "-" : "";
  const std::uint64_t whole = us < 0 ? 0 - static_cast<std::uint64_t>(us) : static_cast<std::uint64_t>(us);
  std::string text = fmt::format("{}{}.{:06}", sign, whole / 1'000'000, whole % 1'000'000);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

}  // namespace

void MetricPage::add(Metric metric, std::uint64_t value, const std::vector<std::string>& labels) {
  const MetricFamily& family = family_of(metric);
  samples_[static_cast<std::size_t>(metric)] += fmt::format("{}{} {}\n", family.name, labelled(family, labels), value);
}

void MetricPage::add(Metric metric, Timestamp time, const std::vector<std::string>& labels) {
  const MetricFamily& family = family_of(metric);
  samples_[static_cast<std::size_t>(metric)] += fmt::format("{}{} {}\n", family.name, labelled(family, labels), seconds(time.us));
}

void MetricPage::add(Metric metric, const Histogram& histogram, const std::vector<std::string>& labels) {
  const MetricFamily& family = family_of(metric);
  std::string& out = samples_[static_cast<std::size_t>(metric)];
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < histogram.bounds_us().size(); ++i) {
    below += histogram.count(i);
    const std::string bound = fmt::format("le=\"{}\"", seconds(histogram.bounds_us()[i]));
    out += fmt::format("{}_bucket{} {}\n", family.name, labelled(family, labels, bound), below);
  }
  below += histogram.count(histogram.bounds_us().size());
  out += fmt::format("{}_bucket{} {}\n", family.name, labelled(family, labels, "le=\"+Inf\""), below);
  out += fmt::format("{}_sum{} {}\n", family.name, labelled(family, labels), seconds(histogram.sum_us()));
  out += fmt::format("{}_count{} {}\n", family.name, labelled(family, labels), below);
}

std::string MetricPage::text() const {
  std::string out;
  for (const MetricFamily& family : kMetrics) {
    const std::string& samples = samples_[static_cast<std::size_t>(family.id)];
    if (samples.empty()) continue;
    out += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", family.name, family.help, type_name(family.type));
    out += samples;
  }
  return out;
}

std::string metrics_manual() {
  std::string out = "| metric | type | labels | |\n| --- | --- | --- | --- |\n";
  for (const MetricFamily& family : kMetrics) {
    std::string labels;
    for (const std::string_view name : split(family.labels, " ")) {
      if (!name.empty()) labels += fmt::format("{}`{}`", labels.empty() ? "" : ", ", name);
    }
    out += fmt::format("| `{}` | {} | {} | {} |\n", family.name, type_name(family.type), labels, family.help);
  }
  return out;
}

Status write_metrics(const std::filesystem::path& file, std::string_view text) {
  const std::filesystem::path fresh = file.string() + ".tmp";
  const auto failed = [&](std::string_view doing, const std::filesystem::path& what) {
    return make_error("E505", fmt::format("{} {}: {}", doing, what.string(), std::strerror(errno)),
                      "the directory of --metrics must exist and belong to the user that runs this process");
  };
  // Whoever may write into the directory could have left a link there.
  ::unlink(fresh.c_str());
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (fd < 0) return failed("cannot create", fresh);
  ::fchmod(fd, 0644);
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      Status status = failed("cannot write", fresh);
      ::close(fd);
      ::unlink(fresh.c_str());
      return status;
    }
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  ::close(fd);
  if (::rename(fresh.c_str(), file.c_str()) != 0) return failed("cannot replace", file);
  return {};
}

}  // namespace correlator::report
