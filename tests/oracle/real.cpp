// SPDX-License-Identifier: Apache-2.0
#include "real.h"

#include "base/hash.h"
#include "oracle.h"
#include "random.h"

namespace correlator::oracle {

std::shared_ptr<const rules::RuleSet> load(const Spec& spec, std::string& errors) {
  auto loaded = rules::load({{"random.toml", to_toml(spec)}});
  for (const Diagnostic& diagnostic : loaded.diagnostics) errors += to_text(diagnostic) + "\n";
  return loaded.rules;
}

namespace {

std::vector<std::uint64_t> numbers(const auto& lines) {
  std::vector<std::uint64_t> out;
  for (const auto& line : lines) out.push_back(line.line_number);
  return out;
}

// The event in the oracle's words.
std::string said(const engine::Event& event, const rules::RuleSet& rules, const std::map<std::uint64_t, std::uint64_t>& line_of) {
  Event out;
  out.time = event.time.us;
  out.cls = rules.classes[event.cls].name.back();
  out.host = expr::to_text(event.fields.get(rules::kHost));
  out.dimm = expr::to_text(event.fields.get(rules.field("dimm")));
  const expr::Value parts = event.fields.get(rules.field("ds"));
  if (parts.list() != nullptr) {
    for (const expr::Value& part : *parts.list()) out.parts.push_back(expr::to_text(part));
  }
  const expr::Value v = event.fields.get(rules.field("v"));
  out.v = v.integer() != nullptr ? *v.integer() : kAny;
  out.weight = event.weight;
  for (const engine::LineRef& line : event.lines) out.lines.push_back(line_of.at(line.seq));
  return said_event(out, event.late ? Fate::late : event.stale ? Fate::stale : event.folded ? Fate::folded : Fate::met);
}

// The id again, from what the decision says of itself. The number of equal ones before it is found by trying.
bool id_fits(const engine::Decision& d) {
  for (std::int64_t alike = 0; alike < 1'000; ++alike) {
    Sha256 sha;
    sha.add(d.rule).add(static_cast<std::int64_t>(d.key.size()));
    for (const auto& [name, value] : d.key) sha.add(name).add(expr::to_text(value));
    sha.add(std::int64_t{d.step}).add(std::int64_t{d.row}).add(d.time.us);
    for (const engine::EvidenceLine& line : d.evidence) sha.add(line.time.us).add(line.host).add(line.text);
    if (sha.add(alike).hex(16) == d.id) return true;
  }
  return false;
}

}  // namespace

Real::Real(std::vector<std::shared_ptr<const pipeline::Matcher>> matchers, const World& world)
    : matchers_(std::move(matchers)), world_(world) {
  start(0);
}

// A session with an engine that knows nothing but the rules.
void Real::start(std::size_t spec) {
  const auto sink = [this](const engine::StepOutput& output, const rules::RuleSet& in_force) {
    for (const engine::Event& event : output.events) out_.push_back(said(event, in_force, line_of_));
    for (const engine::Decision& d : output.decisions) {
      using Kind = engine::Decision::Fate;
      const char* fate = d.fate == Kind::decided ? "decided" : d.fate == Kind::held ? "held" : "dropped";
      out_.push_back(said_decision(fate, d.rule, engine::to_text(d.key), d.time.us, d.step, d.clearing, d.action, numbers(d.evidence),
                                   d.evidence_total, d.lines));
      if (!ids_.insert(d.id).second) out_.push_back("two decisions have one id");
      if (ids_.size() % 16 == 0 && !id_fits(d)) out_.push_back("the id is not made of what it stands on");
      const bool claimed = d.trust == engine::Trust::claimed;
      if (claimed == (d.evidence.empty() && d.lines.value_or(std::vector<std::string>()).empty())) out_.push_back("trust is not that of the lines");
    }
    for (const engine::CaseChange& change : output.cases) {
      out_.push_back(said_case(change.kind == engine::CaseChange::Kind::opened, change.rule, engine::to_text(change.key), change.time.us));
    }
  };
  pipeline::SessionOptions options;
  options.matcher = matchers_[spec];  // to make one takes longer than a whole stream
  auto session = pipeline::Session::start(matchers_[spec]->rules(), std::nullopt, options, sink);
  if (session) session_ = std::move(session).value();
  spec_ = spec;
}

void Real::reload(std::size_t spec) {
  engine::Engine engine = std::move(session_->engine());
  start(spec);
  session_->engine() = std::move(engine);
  engine::StepOutput output;
  session_->engine().step({session_->engine().seq() + 1, engine::RulesRecord{matchers_[spec]->rules()}}, output);
  if (!output.events.empty() || !output.decisions.empty() || !output.cases.empty()) out_.push_back("the reload decided something");
}

void Real::line(const Input& input) {
  const bool noise = input.kind == Input::Kind::noise;
  const std::string frame = noise ? to_rfc3339({input.event.time}) + " h1 prog: nothing" : to_line(input);
  pipeline::Line line;
  line.frame = frame;
  line.stream = "random.log";
  line.line_number = ++lines_;
  line.time = {input.event.time};
  if (input.again) line.times = static_cast<std::uint32_t>(input.times);
  line_of_[session_->engine().seq() + 1] = lines_;
  if (session_->line(line) == noise) out_.push_back(noise ? "noise matched" : "the line matched no pattern");
}

std::vector<std::string> Real::step(const Input& input) {
  out_.clear();
  using Kind = Input::Kind;
  using Verb = engine::CommandRecord::Verb;
  switch (input.kind) {
    case Kind::mark:
      session_->mark({input.event.time});
      break;
    case Kind::end:
      session_->end();
      break;
    case Kind::restart:
      restart();
      break;
    case Kind::reload:
      reload(input.spec);
      break;
    case Kind::reset:
    case Kind::silence:
    case Kind::release: {
      if (input.rule >= world_.specs[spec_].rules.size() || !session_->engine().clock()) break;
      engine::CommandRecord command;
      command.verb = input.kind == Kind::reset ? Verb::reset : input.kind == Kind::silence ? Verb::silence : Verb::release;
      command.rule = world_.specs[spec_].rules[input.rule].id;
      command.key = input.key;
      command.lifetime = {input.lifetime};
      session_->command(command);
      break;
    }
    case Kind::line:
    case Kind::noise:
      line(input);
      break;
  }
  return out_;
}

void Real::restart() {
  std::vector<engine::StateRow> changes;
  session_->engine().take_changes(changes);
  for (engine::StateRow& row : changes) {
    const auto at = std::pair(row.kind, row.id);
    if (row.erased) {
      rows_.erase(at);
    } else {
      rows_[at] = std::move(row);
    }
  }
  std::vector<engine::StateRow> rows;
  for (const auto& [at, row] : rows_) rows.push_back(row);
  engine::Engine fresh{engine::Options{}};
  if (const Status status = fresh.restore(matchers_[spec_]->rules(), session_->engine().seq(), rows); !status) {
    out_.push_back("the state cannot be read back: " + to_text(status.error()));
    return;
  }
  session_->engine() = std::move(fresh);
}

}  // namespace correlator::oracle
