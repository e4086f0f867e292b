// SPDX-License-Identifier: Apache-2.0
#include "piping.h"

#include "rules/loader.h"

namespace correlator::pipeline::test {

const char* const kRules = R"toml(format = 1
[class.error]
key = ["host", "part"]
[class.answer]
key = ["host", "part"]
[[event]]
id = "error"
class = "error"
match = 'error (?P<part>\w+)'
[[event]]
id = "answer"
class = "answer"
match = 'answer (?P<part>\w+)'
[[rule]]
id = "three"
on = "error"
count = "3 in 1h"
[[rule]]
id = "silent"
key = ["host"]
absence = { of = ["error", "answer"], for = "10m" }
)toml";

std::shared_ptr<const rules::RuleSet> load_rules(const std::string& text) {
  rules::Loaded loaded = rules::load({{"test.toml", text}});
  for (const Diagnostic& d : loaded.diagnostics) UNSCOPED_INFO(to_text(d));
  REQUIRE(loaded.rules != nullptr);
  return loaded.rules;
}

std::string shown(const engine::Decision& d, bool with_id) {
  return (with_id ? d.id + " " : "") + to_rfc3339(d.time) + " " + d.rule + " " + engine::to_text(d.key);
}

store::EngineDb open_state(const std::filesystem::path& dir) {
  auto db = store::EngineDb::open(dir);
  REQUIRE(db.ok());
  return std::move(db).value();
}

namespace {

std::unique_ptr<Session> start(const std::string& rules, const std::filesystem::path& state, Run& run) {
  std::optional<store::EngineDb> db;
  if (!state.empty()) db = open_state(state);
  auto session = Session::start(load_rules(rules), std::move(db), {}, [&run](const engine::StepOutput& out, const rules::RuleSet&) {
    for (const engine::Decision& d : out.decisions) {
      run.decisions.push_back(shown(d));
      run.ids.push_back(d.id);
    }
  });
  if (!session.ok()) FAIL(to_text(session.error()));
  return std::move(session).value();
}

void finish(Session& session, Run& run) {
  run.counters = session.engine().counters();
  run.notes = session.notes();
  run.open_windows = session.engine().live_windows();
}

}  // namespace

Run replay_files(const std::string& rules, const std::vector<std::string>& files, const std::filesystem::path& state,
                 ReplayOptions options) {
  Run run;
  const auto session = start(rules, state, run);
  input::SourceList sources = input::expand_sources(files);
  REQUIRE_FALSE(has_errors(sources.diagnostics));
  auto result = replay(*session, std::move(sources.sources), options);
  if (!result.ok()) FAIL(to_text(result.error()));
  run.result = std::move(result).value();
  finish(*session, run);
  return run;
}

Run live(const std::string& rules, const std::string& text, const Clock& clock, const std::filesystem::path& state,
         std::size_t piece) {
  Run run;
  const auto session = start(rules, state, run);
  std::vector<std::unique_ptr<input::LiveSource>> sources;
  sources.push_back(input::reader_source(input::memory_reader("stdin", text, piece)));
  const Status status = Live(*session, std::move(sources), clock, {}).run([] { return false; });
  REQUIRE(status.ok());
  finish(*session, run);
  return run;
}

std::string recorded(const std::filesystem::path& state) {
  auto db = store::EngineDb::open(state, {.access = store::Access::read_only});
  REQUIRE(db.ok());
  auto again = replay_recorded(*db, {}, {});
  if (!again.ok()) return to_text(again.error());
  return again->different == 0 ? "" : std::to_string(again->different) + " of " + std::to_string(again->decisions) + " differ";
}

}  // namespace correlator::pipeline::test
