// SPDX-License-Identifier: Apache-2.0
// An engine with rules from a text and short lines, in virtual time. "a host=h1 k=x n=3 v=7 list=1,2" is an
// event of class a; what is not said is not set.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "catch.h"
#include "decoding.h"
#include "engine/engine.h"
#include "engine/json.h"
#include "rules/loader.h"

namespace correlator::engine::test {

inline std::string fmt_class(std::string_view name) {
  return "[class." + std::string(name) +
         "]\nkey = [\"host\"]\nmay = { k = \"text\", n = \"int\", v = \"int\", list = \"list\", x = \"text\" "
         "}\n";
}

// Classes a, b, c, d and s (made by emit) with the same fields.
inline const std::string& alphabet() {
  static const std::string text = [] {
    std::string out;
    for (const char* name : {"a", "b", "c", "d"}) {
      out += fmt_class(name);
      out += std::string("[[event]]\nid = \"") + name + "\"\nclass = \"" + name + "\"\nmatch = '^" + name +
             "(?: k=(?P<k>\\S+))?(?: n=(?P<n>\\d+))?(?: v=(?P<v>\\d+))?(?: list=(?P<list>\\S+))?(?: "
             "x=(?P<x>.*))?$'\n"
             "types = { n = \"int\", v = \"int\", list = \"list:,\" }\nweight = \"n ?? 1\"\n";
    }
    out += fmt_class("s");
    return out;
  }();
  return text;
}

using Rows = std::map<std::pair<StateKind, std::uint64_t>, StateRow>;

class Diagnosing {
 public:
  explicit Diagnosing(std::string_view rules, Options options = {}, std::string_view before = {})
      : options_(options), engine_(options) {
    reload(rules, before);
  }

  // One line; what it decides comes as texts, see show().
  std::vector<std::string> say(Duration at, std::string text, std::string host = "h1",
                               syslog::Origin origin = syslog::Origin::kernel) {
    syslog::Message message;
    message.raw = message.text = text;
    message.host = host;
    message.program = origin == syslog::Origin::program ? "" : "kernel";  // a line that names nobody
    message.origin = origin;
    std::vector<PatternMatch> matches;
    for (std::uint32_t i = 0; i < rules_->patterns.size(); ++i) {
      PatternMatch match;
      match.pattern = i;
      if (rules_->patterns[i].compiled->match(text, match.groups)) matches.push_back(std::move(match));
    }
    LineRecord line;
    line.message = &message;
    line.matches = matches;
    line.time = kStart + at;
    line.stream = "test.log";
    line.line_number = ++lines_;
    return step(line);
  }
  std::vector<std::string> mark(Duration at) { return step(MarkRecord{kStart + at}); }

  template <class Record>
  std::vector<std::string> step(Record record) {
    out_.clear();
    engine_.step({engine_.seq() + 1, std::move(record)}, out_);
    std::vector<std::string> shown;
    for (const Decision& decision : out_.decisions) shown.push_back(show(decision));
    return shown;
  }

  void reload(std::string_view rules, std::string_view before = {}) {
    rules_ = load(std::string(before) + alphabet() + std::string(rules));
    step(RulesRecord{rules_});
  }

  void lookup(std::string name, std::vector<std::vector<std::string>> rows, Timestamp loaded = kStart) {
    step(LookupRecord{std::move(name), {std::move(rows), "hash"}, loaded});
  }

  // "+1m r host=h1 #1 act(x y) held: why": the parts that there are.
  static std::string show(const Decision& d) {
    std::string out = "+" + to_string(d.time - kStart) + " " + d.rule;
    if (!d.key.empty()) out += " " + to_text(d.key);
    if (d.step > 0) out += " #" + std::to_string(d.step);
    if (d.clearing) out += " clear";
    if (!d.action.empty()) {
      out += " " + d.action + "(";
      for (std::size_t i = 0; i < d.argv.size(); ++i) out += (i > 0 ? " " : "") + d.argv[i];
      out += ")";
    }
    if (d.fate == Decision::Fate::held) out += " held: " + d.fate_reason;
    if (d.fate == Decision::Fate::dropped) out += " dropped: " + d.fate_reason;
    return out;
  }
  // Everything of a step, for comparisons to the byte.
  std::string bytes() const {
    std::string out;
    for (const Event& event : out_.events) out += to_line(to_json(event, *rules_)) + "\n";
    for (const Decision& decision : out_.decisions)
      out += to_line(to_json(decision)) + " " + to_rfc3339(decision.time) + "\n";
    for (const CaseChange& change : out_.cases) {
      out += std::string(change.kind == CaseChange::Kind::opened ? "opened " : "closed ") + change.rule +
             " " + to_text(change.key) + " " + to_rfc3339(change.time) + " " + change.why + "\n";
    }
    return out;
  }
  std::vector<std::string> cases() const {
    std::vector<std::string> out;
    for (const CaseChange& change : out_.cases) {
      out.push_back(std::string(change.kind == CaseChange::Kind::opened ? "open " : "close ") + change.rule +
                    " +" + to_string(change.time - kStart));
    }
    return out;
  }

  // The rows as a store would have them.
  void save(Rows& rows) {
    std::vector<StateRow> changes;
    engine_.take_changes(changes);
    std::map<std::pair<StateKind, std::uint64_t>, int> times;
    for (StateRow& row : changes) {
      const std::pair place{row.kind, row.id};
      INFO(row.owner << " " << row.key << (row.erased ? " erased" : " " + row.body));
      REQUIRE(++times[place] == 1);  // once a call
      if (row.erased) {
        rows.erase(place);
      } else {
        rows[place] = std::move(row);
      }
    }
  }
  // `last`: number of the last record behind the rows, where another one wrote them.
  void restart(const Rows& rows, std::uint64_t last = 0) {
    std::vector<StateRow> list;
    for (const auto& [place, row] : rows) list.push_back(row);
    const std::uint64_t seq = std::max(last, engine_.seq());
    engine_ = Engine(options_);
    const Status status = engine_.restore(rules_, seq, list);
    INFO((status.ok() ? std::string() : status.error().message));
    REQUIRE(status.ok());
  }

  Engine& engine() { return engine_; }
  const StepOutput& out() const { return out_; }
  const rules::RuleSet& rules() const { return *rules_; }

 private:
  Options options_;
  Engine engine_;
  std::shared_ptr<const rules::RuleSet> rules_;
  StepOutput out_;
  std::uint64_t lines_ = 0;
};

constexpr Duration s(std::int64_t n) {
  return Duration::seconds(n);
}
constexpr Duration m(std::int64_t n) {
  return Duration::minutes(n);
}
constexpr Duration h(std::int64_t n) {
  return Duration::hours(n);
}
inline const Shown kNone{};

}  // namespace correlator::engine::test
