// SPDX-License-Identifier: Apache-2.0
#include "dispatch/errands.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "engine/intake.h"
#include "rules/lookup_file.h"

namespace correlator::dispatch {
namespace {

using Result = engine::ProbeRecord::Result;

constexpr std::size_t kMaxAtOnce = 32;          // probes and lookups together
constexpr std::size_t kMaxProbeOutput = 4096;   // bytes that an event carries
constexpr std::size_t kMaxLookup = 16 << 20;    // bytes of a table
constexpr Duration kLookupTimeout = Duration::minutes(1);
constexpr Duration kDefaultEvery = Duration::minutes(1);

// Of a probe: 0 it is well, 1 it is not, anything else (a signal, too) tells nothing.
Result result_of(const ProcessEnd& end, bool timed_out) {
  if (timed_out || !end.known || end.signal != 0) return Result::broken;
  return end.exit_code == 0 ? Result::ok : end.exit_code == 1 ? Result::failed : Result::broken;
}

}  // namespace

Errands::Errands(std::shared_ptr<const rules::RuleSet> rules, const Clock& clock, DispatchOptions options)
    : rules_(std::move(rules)), clock_(clock), options_(std::move(options)) {}
Errands::~Errands() = default;
Errands::Errands(Errands&&) noexcept = default;

void Errands::set_rules(std::shared_ptr<const rules::RuleSet> rules) { rules_ = std::move(rules); }

bool Errands::due(const std::string& key, Duration every, Timestamp now) const {
  const auto last = last_.find(key);
  return last == last_.end() || now < last->second || now - last->second >= every;
}

std::vector<std::string> Errands::rows_of(const rules::Probe& probe) const {
  if (!probe.each) return {""};
  const rules::Lookup& lookup = rules_->lookups[*probe.each];
  rules::LookupTable table;
  if (const auto known = contents_.find(lookup.name); known != contents_.end()) {
    table = known->second;
  } else if (!lookup.file.empty()) {
    const std::filesystem::path beside = std::filesystem::path(lookup.place.file).parent_path();
    if (auto read = rules::read_lookup(lookup, beside)) table = std::move(*read);
  }
  std::vector<std::string> rows;
  const auto key = lookup.key.empty() ? lookup.columns.begin() : std::find(lookup.columns.begin(), lookup.columns.end(), lookup.key.front());
  const auto column = static_cast<std::size_t>(key - lookup.columns.begin());
  for (const auto& row : table.rows) {
    // A name that a program could take for an option is none.
    if (column < row.size() && !row[column].empty() && row[column][0] != '-') rows.push_back(row[column]);
  }
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  return rows;
}

void Errands::start(const std::string& name, bool is_probe, const std::string& program, const std::string& row, Duration timeout) {
  ProcessSpec spec;
  spec.program = std::filesystem::absolute(options_.actions_dir) / program;
  if (!row.empty()) spec.arguments.push_back(row);
  spec.environment = {{"PATH", options_.path}, {"LANG", "C.UTF-8"}};
  spec.environment.insert(spec.environment.end(), options_.environment.begin(), options_.environment.end());
  spec.max_output = is_probe ? kMaxProbeOutput : kMaxLookup;
  auto process = options_.launcher->start(spec);
  const Timestamp now = clock_.now();
  if (process) {
    running_.push_back({name, is_probe, row, std::move(*process), now + timeout, false});
  } else if (is_probe) {
    failed_starts_.push_back({0, store::Report::Kind::probe, now, name, row, static_cast<std::uint32_t>(Result::broken), process.error().message});
  }
}

void Errands::start_probes(Timestamp now) {
  for (const rules::Probe& probe : rules_->probes) {
    const Duration every = probe.every.us > 0 ? probe.every : kDefaultEvery;
    for (const std::string& row : rows_of(probe)) {
      const std::string key = fmt::format("probe {} {}", probe.name, row);
      const bool busy = std::any_of(running_.begin(), running_.end(), [&](const Running& r) { return r.is_probe && r.name == probe.name && r.row == row; });
      if (busy || !due(key, every, now)) continue;
      if (running_.size() >= kMaxAtOnce) return;
      last_[key] = now;
      start(probe.name, true, probe.run, row, probe.timeout);
    }
  }
}

void Errands::start_lookups(Timestamp now) {
  for (const rules::Lookup& lookup : rules_->lookups) {
    if (lookup.run.empty()) continue;
    const std::string key = "lookup " + lookup.name;
    const bool busy = std::any_of(running_.begin(), running_.end(), [&](const Running& r) { return !r.is_probe && r.name == lookup.name; });
    if (busy || !due(key, lookup.every.us > 0 ? lookup.every : kDefaultEvery, now) || running_.size() >= kMaxAtOnce) continue;
    last_[key] = now;
    start(lookup.name, false, lookup.run, {}, kLookupTimeout);
  }
}

store::Report Errands::end_probe(const Running& entry, const ProcessEnd& end) const {
  const Result result = result_of(end, entry.timed_out);
  std::string output(trim(entry.process->output()));
  if (entry.timed_out) output = "it did not end in time";
  return {0, store::Report::Kind::probe, clock_.now(), entry.name, entry.row, static_cast<std::uint32_t>(result), std::move(output)};
}

// True if there is something new to tell: other content, or the same before it would become stale.
bool Errands::end_lookup(const Running& entry, const ProcessEnd& end, store::Report& report, std::string& complaint) {
  const auto lookup = std::find_if(rules_->lookups.begin(), rules_->lookups.end(), [&](const rules::Lookup& l) { return l.name == entry.name; });
  if (lookup == rules_->lookups.end()) return false;
  if (!end.success() || entry.timed_out) {
    complaint = fmt::format("lookup {}: {} {}", entry.name, lookup->run, entry.timed_out ? "did not end in time" : fmt::format("failed with exit code {}", end.exit_code));
    return false;
  }
  auto table = rules::parse_lookup(*lookup, entry.process->output(), lookup->run);
  if (!table) {
    complaint = fmt::format("lookup {}: {}", entry.name, table.error().message);
    return false;
  }
  const Timestamp now = clock_.now();
  contents_[entry.name] = *table;
  Told& told = told_[entry.name];
  const bool refresh = lookup->max_age.us > 0 && now - told.at >= Duration{lookup->max_age.us / 2};
  if (told.hash == table->hash && !refresh) return false;
  told = {table->hash, now};
  report = {0, store::Report::Kind::lookup, now, entry.name, {}, 0, to_line(Json{{"hash", table->hash}, {"rows", table->rows}})};
  return true;
}

std::vector<store::Report> Errands::poll(std::vector<std::string>& complaints) {
  std::vector<store::Report> reports;
  for (auto it = running_.begin(); it != running_.end();) {
    it->process->read_output();
    if (!it->timed_out && clock_.now() >= it->deadline) {
      it->timed_out = true;
      it->process->kill();
    }
    const auto end = it->process->try_wait();
    if (!end) {
      ++it;
      continue;
    }
    store::Report report;
    std::string complaint;
    if (it->is_probe) {
      reports.push_back(end_probe(*it, *end));
    } else if (end_lookup(*it, *end, report, complaint)) {
      reports.push_back(std::move(report));
    }
    if (!complaint.empty()) complaints.push_back(std::move(complaint));
    it = running_.erase(it);
  }
  const Timestamp now = clock_.now();
  start_lookups(now);
  start_probes(now);
  reports.insert(reports.end(), failed_starts_.begin(), failed_starts_.end());
  failed_starts_.clear();
  return reports;
}

Duration Errands::until_next() const {
  // What runs is looked at ten times a second; what is due, once.
  const bool any = !rules_->probes.empty() || std::any_of(rules_->lookups.begin(), rules_->lookups.end(), [](const rules::Lookup& l) { return !l.run.empty(); });
  return !running_.empty() ? Duration::milliseconds(100) : any ? Duration::seconds(1) : Duration::minutes(1);
}

}  // namespace correlator::dispatch
