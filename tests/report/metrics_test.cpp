// SPDX-License-Identifier: Apache-2.0
// The exposition format to the byte; label values that want to be more than values.
#include "report/metrics.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "catch.h"
#include "temp_dir.h"

using namespace correlator;
using report::Metric;
using report::MetricPage;

namespace {

constexpr std::array<std::int64_t, 3> kBounds = {100, 2'500, 1'000'000};

std::string content(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace

TEST_CASE("families come once, in their order, with HELP and TYPE, whatever the order of samples") {
  MetricPage page;
  page.add(Metric::events, 18'446'744'073'709'551'615U, {"a.b", "none"});
  page.add(Metric::up, 1);
  page.add(Metric::event_weight, 3, {"a.b"});
  page.add(Metric::events, 2, {"a.c", "vouched"});
  page.add(Metric::start_time, Timestamp{1'500'000});
  const std::string text = page.text();
  CHECK(text.starts_with("# HELP correlator_up 1 if a running engine said what follows, 0 if it was read from the state directory.\n"
                         "# TYPE correlator_up gauge\ncorrelator_up 1\n# HELP correlator_start_time_seconds "));
  CHECK(text.find("# TYPE correlator_start_time_seconds gauge\ncorrelator_start_time_seconds 1.5\n") != std::string::npos);
  CHECK(text.find("# TYPE correlator_events_total counter\n"
                  "correlator_events_total{class=\"a.b\",trust=\"none\"} 18446744073709551615\n"
                  "correlator_events_total{class=\"a.c\",trust=\"vouched\"} 2\n# HELP correlator_event_weight_total ") != std::string::npos);
  CHECK(text.ends_with("correlator_event_weight_total{class=\"a.b\"} 3\n"));
}

TEST_CASE("a histogram is cumulative, its bounds inclusive and in seconds") {
  Histogram histogram(kBounds);
  for (const std::int64_t us : {0, 100, 101, 2'500, 2'000'000}) histogram.add(us);
  MetricPage page;
  page.add(Metric::commit_duration, histogram, {"true"});
  const std::string text = page.text();
  const std::string name = "correlator_commit_duration_seconds";
  CHECK(text.ends_with(name + "_bucket{synced=\"true\",le=\"0.0001\"} 2\n" + name + "_bucket{synced=\"true\",le=\"0.0025\"} 4\n" + name +
                       "_bucket{synced=\"true\",le=\"1\"} 4\n" + name + "_bucket{synced=\"true\",le=\"+Inf\"} 5\n" + name +
                       "_sum{synced=\"true\"} 2.002701\n" + name + "_count{synced=\"true\"} 5\n"));
}

TEST_CASE("a label value cannot end its own value, its line, or be no UTF-8") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"a\"} 1\nevil 2", R"(a\"} 1\\nevil 2)"},
      {"back\\slash", R"(back\\slash)"},
      {"\\", R"(\\)"},
      {"\xff\x1b[31m", R"(\\xff\\x1b[31m)"},
      {"käse", "käse"},
      {std::string("nul\0", 4), R"(nul\\x00)"},
  };
  for (const auto& [value, printed] : cases) {
    MetricPage page;
    page.add(Metric::input_lost, 1, {value});
    CHECK(page.text().ends_with("correlator_input_lost_total{input=\"" + printed + "\"} 1\n"));
  }
}

TEST_CASE("names and types are as Prometheus expects them") {
  std::set<std::string_view> names;
  const std::regex good("correlator_[a-z][a-z0-9_]*");
  for (const report::MetricFamily& family : report::kMetrics) {
    INFO(family.name);
    CHECK(std::regex_match(std::string(family.name), good));
    CHECK(names.insert(family.name).second);
    CHECK(family.name.ends_with("_total") == (family.type == report::MetricType::counter));
    CHECK(family.help.ends_with("."));
    CHECK(family.help.find_first_of("\\\n|") == std::string_view::npos);
    if (family.type == report::MetricType::histogram) CHECK(family.name.ends_with("_seconds"));
  }
}

TEST_CASE("a file of metrics is replaced in one step, readable by all, and no link is followed") {
  const testing::TempDir dir;
  const auto file = dir.path() / "engine.prom", victim = dir.path() / "victim";
  dir.write("victim", "mine");
  std::filesystem::create_symlink(victim, dir.path() / "engine.prom.tmp");
  REQUIRE(report::write_metrics(file, "a 1\n").ok());
  CHECK(content(file) == "a 1\n");
  CHECK(content(victim) == "mine");
  std::filesystem::remove(file);
  std::filesystem::create_symlink(victim, file);
  const mode_t old = ::umask(077);
  REQUIRE(report::write_metrics(file, "a 2\n").ok());
  ::umask(old);
  CHECK(content(file) == "a 2\n");
  CHECK(content(victim) == "mine");
  struct stat info {};
  REQUIRE(::lstat(file.c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0644);
  CHECK_FALSE(std::filesystem::exists(dir.path() / "engine.prom.tmp"));
  const Status missing = report::write_metrics(dir.path() / "nowhere" / "x.prom", "a 3\n");
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().code == "E505");
}
