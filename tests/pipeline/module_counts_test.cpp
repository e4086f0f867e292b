// SPDX-License-Identifier: Apache-2.0
#include "pipeline/module_counts.h"

#include "catch.h"

namespace correlator::pipeline {
namespace {

std::string frame(std::string_view module, std::string_view host = "h1", std::string_view text = "x") {
  return "{\"id\":\"1\",\"timereported\":\"t\",\"hostname\":\"" + std::string(host) + "\",\"fromhost-ip\":\"::1\",\"inputname\":\"" + std::string(module) +
         "\",\"uid\":\"\",\"message\":\"" + std::string(text) + "\"}";
}

std::uint64_t count_of(const ModuleCounts& counts, std::string_view name) {
  for (const auto& [known, n] : counts.counts()) {
    if (known == name) return n;
  }
  return 0;
}

}  // namespace

TEST_CASE("the input of the log daemon is read where the shipped template writes it") {
  CHECK(module_of(frame("imuxsock")) == "imuxsock");
  CHECK(module_of(frame("imklog", "a-host-with-a-longer-name.example.org")) == "imklog");
  CHECK(module_of(frame("")).empty());
  CHECK(module_of("").empty());
  CHECK(module_of("{").empty());
  CHECK(module_of("Jan  1 00:00:00 h app: ,\"inputname\":\"imklog\"").empty());   // no JSON
  CHECK(module_of("{\"id\":\"1\",\"inputname\":\"imkl") == "imkl");             // a frame that was cut
}

TEST_CASE("what a host or a message says is not taken for it: the template escapes its quotes") {
  CHECK(module_of(frame("imuxsock", "h\\\",\\\"inputname\\\":\\\"imklog")) == "imuxsock");
  CHECK(module_of(frame("imuxsock", "h", "x\\\",\\\"inputname\\\":\\\"imklog\\\"")) == "imuxsock");
  // Far behind the header it is not looked for.
  CHECK(module_of("{\"message\":\"" + std::string(2000, 'x') + "\",\"inputname\":\"imklog\"}").empty());
}

TEST_CASE("names are bounded in number and length") {
  ModuleCounts counts;
  counts.count("no JSON");
  CHECK(counts.counts().empty());
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < ModuleCounts::kMostNames + 10; ++i) counts.count(frame("m" + std::to_string(i)));
  }
  CHECK(counts.counts().size() == ModuleCounts::kMostNames + 1);
  CHECK(count_of(counts, "m0") == 2);
  CHECK(count_of(counts, "m" + std::to_string(ModuleCounts::kMostNames - 1)) == 2);
  CHECK(count_of(counts, "other") == 20);
  counts.count(frame(std::string(ModuleCounts::kLongestName, 'a')));
  counts.count(frame(std::string(ModuleCounts::kLongestName + 1, 'a')));
  CHECK(count_of(counts, "other") == 22);
  ModuleCounts long_names;
  long_names.count(frame(std::string(ModuleCounts::kLongestName, 'a')));
  long_names.count(frame(std::string(ModuleCounts::kLongestName + 1, 'a')));
  CHECK(count_of(long_names, std::string(ModuleCounts::kLongestName, 'a')) == 1);
  CHECK(count_of(long_names, "other") == 1);
}

}  // namespace correlator::pipeline
