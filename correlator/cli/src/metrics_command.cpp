// SPDX-License-Identifier: Apache-2.0
// correlator metrics: what engine and dispatcher say of themselves, in Prometheus's text format.
#include <fmt/format.h>

#include "base/json.h"
#include "commands.h"
#include "common.h"
#include "dispatch_metrics.h"
#include "engine_metrics.h"
#include "host/socket.h"
#include "pipeline/control.h"
#include "store/ledger_db.h"

namespace correlator::cli {
namespace {

using report::Metric;
using report::MetricPage;

struct Options {
  std::string state = "/var/lib/correlator", ledger;
  bool list = false;
};

// The text of the process that listens there; nothing if there is none.
Result<std::optional<std::string>> ask_for_page(const std::filesystem::path& socket) {
  auto answer = host::ask(socket, to_line(Json{{"verb", "metrics"}}), Duration::seconds(10));
  if (!answer) return answer.error();
  if (!*answer) return std::optional<std::string>{};
  auto text = pipeline::parse_answer(**answer);
  if (!text) return text.error();
  return std::optional(std::move(*text));
}

Result<std::string> engine_page(const Options& o) {
  auto said = ask_for_page(std::filesystem::path(o.state) / "engine.sock");
  if (!said) return said.error();
  if (*said) return std::move(**said);
  auto db = open_state_to_read(o.state);
  if (!db) return db.error();
  MetricPage page;
  page.add(Metric::up, 0);
  auto engine = pipeline::restore_engine(*db, {});
  if (!engine) return engine.error();
  tell_engine(page, *engine);
  return page.text();
}

// No dispatcher need ever have been there: then there is nothing to say of it. With `run --dispatch` the engine's page has told it, or the
// ledger is where the state is.
Result<std::string> dispatcher_page(const Options& o) {
  std::filesystem::path directory = o.ledger.empty() ? o.state + "-dispatch" : o.ledger;
  std::error_code failure;
  if (o.ledger.empty() && !std::filesystem::exists(directory / "dispatch.db", failure)) directory = o.state;
  auto said = ask_for_page(directory / "dispatch.sock");
  if (!said) return said.error();
  if (*said) return std::move(**said);
  auto ledger = store::LedgerDb::open(directory, false);
  if (!ledger) return std::string();
  MetricPage page;
  page.add(Metric::dispatch_up, 0);
  if (auto status = tell_jobs(page, *ledger); !status) return status.error();
  return page.text();
}

int metrics(const Options& o) {
  if (o.list) {
    std::fputs(report::metrics_manual().c_str(), stdout);
    return kFine;
  }
  for (const auto page : {engine_page, dispatcher_page}) {
    const auto text = page(o);
    if (!text) {
      complain(text.error());
      return looking_exit_code(text.error());
    }
    std::fputs(text->c_str(), stdout);
    if (text->find("\ncorrelator_dispatch_up ") != std::string::npos) break;
  }
  return kFine;
}

}  // namespace

void add_metrics(CLI::App& app, CommandLine& out) {
  CLI::App* sub = app.add_subcommand("metrics", "Metrics for Prometheus, of the running engine and dispatcher or from what they left");
  auto o = std::make_shared<Options>();
  sub->add_option("--state", o->state, "State directory (default: /var/lib/correlator)")->type_name("DIR");
  sub->add_option("--ledger", o->ledger, "The dispatcher's directory (default: that of the state with -dispatch)")->type_name("DIR");
  sub->add_flag("--list", o->list, "The list of all metrics, as in docs/metrics.md");
  sub->callback([o, &out] { out.command = [o] { return metrics(*o); }; });
}

}  // namespace correlator::cli
