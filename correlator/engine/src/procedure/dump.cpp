// SPDX-License-Identifier: Apache-2.0
// The state for a person, or a script, to read: fields have the names that SEC's dump gives them.
#include "base/json.h"
#include "core.h"

namespace correlator::engine {
namespace {

using rules::procedure::ActionListPtr;
using rules::procedure::Continue;
using rules::procedure::LinePattern;
using rules::procedure::Member;
using rules::procedure::ProcedureRule;
using rules::procedure::RuleType;

std::string suffix_of(std::size_t index) { return index == 0 ? std::string() : std::to_string(index + 1); }
// As typed; a ; ends each action of SEC's.
std::string text_of(const ActionListPtr& list) { return list == nullptr ? std::string() : list->text + "; "; }

std::string pattern_text(LinePattern::Type type, bool negated, std::uint32_t lines, const std::string& text) {
  const std::string of_lines = " for " + std::to_string(lines) + " line(s): " + text;
  const std::string no = negated ? "negative " : "";
  switch (type) {
    case LinePattern::Type::regexp: return no + "regexp for " + std::to_string(lines) + " line(s): (?^:" + text + ")";
    case LinePattern::Type::substring: return no + "substring" + of_lines;
    case LinePattern::Type::code: return no + "perlfunc" + of_lines;
    case LinePattern::Type::cached: return no + "cached match: " + text;
    case LinePattern::Type::truth: break;
  }
  return "truth value: " + text;
}

std::string then_text(const Continue& then) {
  switch (then.how) {
    case Continue::How::next: return "take next";
    case Continue::How::jump: return "goto rule " + std::to_string(then.target + 1);
    case Continue::How::end: return "end matching";
    case Continue::How::stop: break;
  }
  return "don't continue";
}

class OperationDump {
 public:
  OperationDump(const Procedure::Core& core, const OpenOperation& op) : core_(core), op_(op), rule_(*op.owner->rule) {}

  Json json() {
    out_ = {{"key", key()}, {"starttime", op_.opened}, {"windowstart", op_.start}, {"configfile", op_.owner->file->file->name},
            {"ruleid", rule_.number}, {"type", type()}, {"desc", op_.description}, {"action", text_of(rule_.action)}, {"window", rule_.window}};
    if (const Second window = rule_.type == RuleType::two_thresholds && op_.fired ? rule_.window2 : rule_.window; window > 0) out_["windowend"] = op_.start + window;
    for (std::size_t i = 0; i < rule_.members.size(); ++i) member(rule_.members[i], i);
    switch (rule_.type) {
      case RuleType::pair:
      case RuleType::pair_window: out_["desc2"] = frozen(rule_.description2); out_["action2"] = text_of(rule_.action2); break;
      case RuleType::threshold: counted(op_.fired ? "threshold reached" : "checking for threshold"); break;
      case RuleType::two_thresholds: counted(op_.fired ? "checking for 2nd threshold" : "checking for 1st threshold"); break;
      case RuleType::group: group(); break;
      default: break;
    }
    return std::move(out_);
  }

  std::string key() const { return op_.owner->file->file->name + " | " + std::to_string(rule_.number) + " | " + op_.description; }

 private:
  std::string type() const {
    return rules::procedure::rule_type_name(rule_.type) + (rule_.type == RuleType::group ? std::to_string(rule_.members.size()) : std::string());
  }

  // With the values of the first match: those are % variables where the second one has values, too, which are still to come.
  std::string frozen(const std::string& text) const {
    bool from_log = false;
    Scope scope = op_.setting.scope;
    if (!rule_.members[1].pattern.binds()) return core_.match_text(text, scope, from_log);
    scope.percent = scope.dollar;
    scope.percent_cache = scope.cache;
    std::string kept;
    for (const char c : text) kept += c == '$' ? "$$" : std::string(1, c);
    return scope.dollar == nullptr ? text : core_.match_text(kept, scope, from_log);
  }

  void member(const Member& m, std::size_t index) {
    const std::string suffix = suffix_of(index);
    const bool made = m.pattern.from_match && !op_.second_text.empty();
    out_["pattern" + suffix] = pattern_text(m.pattern.type, m.pattern.negated, m.pattern.lines, made ? op_.second_text : m.pattern.text);
    out_["context" + suffix] = m.guard.text;
    out_["continue" + suffix] = then_text(m.then);
    if (rule_.type != RuleType::group) return;
    out_["count" + suffix] = text_of(m.count);
    out_["threshold" + suffix] = m.threshold;
    if (rule_.group) out_["egtoken" + suffix] = m.token;
  }

  void counted(const char* status) {
    out_["status"] = status;
    out_["threshold"] = rule_.members.front().threshold;
    out_["action2"] = text_of(rule_.action2);
    out_["eventtimes"] = std::vector<Second>(op_.times.begin(), op_.times.end());
    if (rule_.type == RuleType::threshold) return;
    bool from_log = false;
    out_["threshold2"] = rule_.threshold2;
    out_["window2"] = rule_.window2;
    out_["desc2"] = core_.match_text(rule_.description2, op_.setting.scope, from_log);
  }

  void group() {
    out_["status"] = op_.fired && !rule_.fires_again ? "thresholds reached" : "checking for thresholds";
    out_["init"] = text_of(rule_.init);
    out_["slide"] = text_of(rule_.slide);
    out_["end"] = text_of(rule_.end);
    out_["eventtimes"] = Json::array();
    out_["eventpatterns"] = Json::array();
    for (const auto& [time, member] : op_.marks) {
      out_["eventtimes"].push_back(time);
      out_["eventpatterns"].push_back(member + 1);
    }
    if (!rule_.group) return;
    std::string text;
    for (std::size_t i = 0; i < op_.tokens.size(); ++i) text += (i > 0 ? " " : "") + op_.tokens[i];
    out_["egpattern"] = pattern_text(rule_.group->type, rule_.group->negated, 1, rule_.group->text);
    out_["egstring"] = std::move(text);
    out_["eventtokens"] = std::vector<std::string>(op_.tokens.begin(), op_.tokens.end());
  }

  const Procedure::Core& core_;
  const OpenOperation& op_;
  const ProcedureRule& rule_;
  Json out_;
};

Json rules_json(const Procedure::Core& core, const FileState& file) {
  Json out = Json::array();
  for (const auto& run : file.rules) {
    out.push_back({{"ruleline", run->rule->place.line}, {"matches", run->matches}, {"desc", run->rule->description}});
    if (core.options.cpu_time == nullptr) continue;
    out.back()["events"] = run->met;
    out.back()["cputime"] = static_cast<double>(run->cpu) / 1e9;
  }
  return out;
}

Json store_json(const EventStore& store) {
  Json out = {{"name", store.names}, {"creationtime", store.created}, {"lifetime", store.lifetime}, {"buffer", Json::array()}};
  if (store.internal) out["internal"] = true;
  if (store.at_end.list != nullptr) {
    out["action"] = text_of(store.at_end.list);
    out["listdesc"] = store.at_end.setting.description;
  }
  for (const auto& [time, line] : store.lines) out["buffer"].push_back(line);
  return out;
}

Json buffer_json(const LineBuffers& buffers) {
  Json out = {{"bufsize", buffers.lines()}};
  out["bufmode"] = buffers.joint() ? "joint buffer for all input sources" : "separate buffer for each input source";
  if (buffers.joint()) out["lastlines"] = out["lastinputs"] = Json::array();
  else out["lastlines"] = Json::object();
  for (const auto& [source, lines] : buffers.all()) {
    Json texts = Json::array(), sources = Json::array();
    for (const BufferedLine& line : lines) {
      texts.push_back(line.text);
      sources.push_back(line.source);
    }
    if (buffers.joint()) {
      out["lastlines"] = std::move(texts);
      out["lastinputs"] = std::move(sources);
    } else if (source == "synthetic") {
      out["lastsynevents"] = std::move(texts);
    } else {
      out["lastlines"][source] = std::move(texts);
    }
  }
  return out;
}

Json cache_json(const MatchCache& cache) {
  Json out = Json::object();
  for (const auto& [name, entry] : cache) {
    std::map<std::string, std::string> fields;
    for (std::size_t i = 0; i < entry->numbered.size(); ++i) {
      if (entry->numbered[i]) fields[std::to_string(i)] = *entry->numbered[i];
    }
    for (const auto& [field, value] : entry->named) fields[field] = value.value_or("");
    out[name] = fields;
  }
  return out;
}

}  // namespace

std::vector<Procedure::RuleCost> Procedure::rule_costs() const {
  std::vector<RuleCost> out;
  for (const auto& file : core_->files) {
    for (const auto& run : file->rules) {
      out.push_back({file->file->name, run->rule->place.line, rules::procedure::rule_type_name(run->rule->type), run->rule->description, run->met, run->matches, run->cpu});
    }
  }
  return out;
}

Json Procedure::dump(std::int64_t now) const {
  const Core& core = *core_;
  Json out = {{"time", now}, {"lines", core.lines}, {"rulestats", Json::object()}, {"operations", Json::object()}, {"contexts", Json::array()},
              {"pendingevents", Json::array()}, {"variables", Json::object()}};
  for (const auto& file : core.files) {
    out["rulestats"][file->file->name] = {{"sets", file->file->sets}, {"stats", rules_json(core, *file)}};
    for (const auto& run : file->rules) {
      for (const auto& [description, op] : run->open) {
        OperationDump dump(core, *op);
        out["operations"][dump.key()] = dump.json();
      }
    }
  }
  for (const auto& [name, store] : core.stores) {
    if (!store->names.empty() && store->names.front() == name) out["contexts"].push_back(store_json(*store));
  }
  for (const auto& [at, event] : core.delayed) {
    out["pendingevents"].push_back({{"event", event.text}, {"context", event.context.empty() ? "_INTERNAL_EVENT" : event.context}, {"time", at}});
  }
  for (const auto& event : core.queued) out["queuedevents"].push_back({{"event", event.text}, {"context", event.context.empty() ? "_INTERNAL_EVENT" : event.context}});
  out["pmatchcache"] = cache_json(*core.cache);
  for (const auto& [name, variable] : core.variables) out["variables"][name] = variable.function ? Json() : Json(variable.value);
  out["buffer"] = buffer_json(core.buffers);
  return out;
}

}  // namespace correlator::engine
