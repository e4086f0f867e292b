// SPDX-License-Identifier: Apache-2.0
// The engine as a running process: a session and its inputs, what operators ask of it, reloads, what it says of itself.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine_metrics.h"
#include "host/notify.h"
#include "host/socket.h"
#include "metrics_file.h"
#include "pipeline/control.h"
#include "pipeline/live.h"
#include "pipeline/reports.h"
#include "pipeline/rule_loader.h"
#include "pipeline/session.h"

namespace correlator::cli {

struct ServiceOptions {
  std::filesystem::path state;
  std::filesystem::path ledger;                    // where a dispatcher of its own may be listening
  std::vector<std::filesystem::path> rule_paths;   // for reloads
  std::string sandbox = "none";                    // as put in force, for `status`
  bool reload_on_hangup = true;                    // not under omprog: logrotate sends it to rsyslog's whole cgroup
  const StepCounts* counts = nullptr;              // of the session's sink
  MetricsFileOptions metrics;
  bool strict = false;                             // --durability strict
  // A dispatcher in the same process: it hears of rules that came into force, and tells metrics of its own.
  std::function<void(const std::shared_ptr<const rules::RuleSet>&)> new_rules;
  std::function<void(report::MetricPage&, const ReloadCounts&)> tell_more;
};

class EngineService {
 public:
  // Opens the control socket in the state directory. E413.
  static Result<std::unique_ptr<EngineService>> start(pipeline::Session& session, pipeline::Live& live, const Clock& clock,
                                                      ServiceOptions options);
  ~EngineService();

  // Until the inputs end, or SIGTERM or SIGINT.
  Status run();

 private:
  EngineService(pipeline::Session& session, pipeline::Live& live, const Clock& clock, ServiceOptions options,
                host::ControlServer control, host::Doorbell door);
  void take_requests();
  void take_rules();
  void begin_reload(std::optional<host::Request> asked);
  void each_second();
  void take_reports();
  void write_health();
  std::string metrics() const;

  pipeline::Session& session_;
  pipeline::Live& live_;
  const Clock& clock_;
  ServiceOptions options_;
  host::ControlServer control_;
  host::Bell dispatcher_;
  host::Doorbell door_;  // the dispatcher rings when it has something to report
  pipeline::Reports reports_;
  host::ServiceManager manager_;
  pipeline::RuleLoader loader_;
  std::vector<host::Request> reload_asked_;
  std::string reload_said_;  // the last reload, in words
  ReloadCounts reloads_;
  Timestamp started_;
  MetricsFile metrics_file_;
  std::optional<Timestamp> health_at_, alive_at_;
  bool was_spooling_ = false;
};

}  // namespace correlator::cli
