// SPDX-License-Identifier: Apache-2.0
// Errands: what is run from time to time and tells the engine something: probes, and the commands of lookups.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "dispatch/dispatcher.h"
#include "dispatch/launcher.h"
#include "rules/model.h"
#include "store/ledger_db.h"
#include "time/clock.h"

namespace correlator::dispatch {

class Errands {
 public:
  Errands(std::shared_ptr<const rules::RuleSet> rules, const Clock& clock, DispatchOptions options);
  ~Errands();
  Errands(Errands&&) noexcept;

  void set_rules(std::shared_ptr<const rules::RuleSet> rules);

  // Starts what is due, ends what is over or out of time (a probe that takes too long is broken). Reports for the engine, and
  // in `complaints` what went wrong with a lookup, whose old content then becomes stale by itself.
  std::vector<store::Report> poll(std::vector<std::string>& complaints);
  // When something is due or out of time next.
  Duration until_next() const;
  std::size_t running() const { return running_.size(); }

 private:
  struct Running {
    std::string name;  // of the probe or lookup
    bool is_probe = true;
    std::string row;
    std::unique_ptr<Child> process;
    Timestamp deadline;
    bool timed_out = false;
  };
  void start_probes(Timestamp now);
  void start_lookups(Timestamp now);
  void start(const std::string& name, bool is_probe, const std::string& program, const std::string& row, Duration timeout);
  store::Report end_probe(const Running& entry, const ProcessEnd& end) const;
  bool end_lookup(const Running& entry, const ProcessEnd& end, store::Report& report, std::string& complaint);
  std::vector<std::string> rows_of(const rules::Probe& probe) const;
  bool due(const std::string& key, Duration every, Timestamp now) const;

  std::shared_ptr<const rules::RuleSet> rules_;
  const Clock& clock_;
  DispatchOptions options_;
  std::vector<Running> running_;
  std::vector<store::Report> failed_starts_;
  std::map<std::string, Timestamp> last_;  // start, by "probe NAME ROW" and "lookup NAME"
  struct Told {
    std::string hash;
    Timestamp at;
  };
  std::map<std::string, Told> told_;                    // content of lookups
  std::map<std::string, rules::LookupTable> contents_;  // of those that are run, for probes that go over their rows
};

}  // namespace correlator::dispatch
