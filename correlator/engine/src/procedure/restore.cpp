// SPDX-License-Identifier: Apache-2.0
// Rows of an earlier run become the state of the rules that run now. What belongs to rules that are not the same any more is
// dropped, and said.
#include "base/json.h"
#include "core.h"
#include "places.h"

namespace correlator::engine {
namespace {

class Restorer {
 public:
  Restorer(Procedure::Core& core, std::vector<std::string>& dropped) : core_(core), places_(core), dropped_(dropped) {}

  void take(const SavedRow& row) {
    const Json body = Json::from_cbor(row.body, true, false);
    if (body.is_discarded()) return dropped_.push_back("a part of the state, '" + row.key + "', is damaged");
    try {
      part(row.key, body);
    } catch (const Json::exception&) {
      dropped_.push_back("a part of the state, '" + row.key + "', is not as this version writes it");
    }
  }

  void finish() {
    for (const auto& [rule, count] : lost_operations_) dropped_.push_back(rule + " is not there any more as it was: operations of it that were going on: " + std::to_string(count));
  }

 private:
  void part(const std::string& key, const Json& body) {
    if (key == "clock") return clock(body);
    if (key == "variables") return variables(body);
    if (key == "events") return events(body);
    if (key == "buffers") return buffers(body);
    if (key == "rules") return rules(body);
    if (key == "scripts") return scripts(body);
    if (key.starts_with("operation ")) return operation(body);
    if (key.starts_with("context ")) return context(body);
    dropped_.push_back("a part of the state, '" + key + "', which this version does not know");
  }

  static ScriptValue value(const Json& json) { return json.is_null() ? ScriptValue() : ScriptValue(json.get<std::string>()); }

  static std::shared_ptr<Bindings> bindings(const Json& json) {
    if (json.is_null()) return nullptr;
    auto out = std::make_shared<Bindings>();
    for (const Json& v : json.at("numbered")) out->numbered.push_back(value(v));
    for (const Json& pair : json.at("named")) out->named.emplace_back(pair.at(0).get<std::string>(), value(pair.at(1)));
    return out;
  }

  Setting setting(const Json& json) const {
    Setting out;
    out.description = json.at("text");
    out.description_from_log = json.at("from_log");
    out.scope.dollar = bindings(json.at("dollar"));
    out.scope.percent = bindings(json.at("percent"));
    if (const auto rule = json.find("rule"); rule != json.end()) {
      out.file = places_.file(*rule);
      if (const RuleState* run = places_.rule(*rule)) out.rule = run->rule->number;
    }
    if (const auto cache = json.find("cache"); cache != json.end()) {
      auto made = std::make_shared<MatchCache>();
      for (const Json& entry : *cache) (*made)[entry.at(0).get<std::string>()] = bindings(entry.at(1));
      out.scope.cache = std::move(made);
    }
    return out;
  }

  void clock(const Json& body) {
    core_.now = body.at("now");
    core_.lines = body.at("lines");
    core_.serial = body.at("serial");
    core_.tickets = body.at("tickets");
  }

  void variables(const Json& body) {
    for (const Json& v : body) {
      const std::string name = v.at(0);
      if (v.at(3).get<bool>()) dropped_.push_back("variable %" + name + ", which held code");
      else core_.variables[name] = {v.at(1), v.at(2), {}};
    }
  }

  void events(const Json& body) {
    for (const Json& e : body.at("queued")) core_.queued.push_back({e.at(0), e.at(1)});
    for (const Json& e : body.at("delayed")) core_.delayed.emplace(e.at(0).get<Second>(), QueuedEvent{e.at(1), e.at(2)});
  }

  void buffers(const Json& body) {
    for (const Json& buffer : body) {
      std::deque<BufferedLine> lines;
      for (const Json& line : buffer.at(1)) lines.push_back({line.at(0), line.at(1)});
      core_.buffers.restore(buffer.at(0), std::move(lines));
    }
  }

  void rules(const Json& body) {
    for (const Json& r : body) {
      RuleState* run = places_.rule(r.at(0));
      if (run == nullptr) continue;
      run->matches = r.at(1);
      run->calendar_minute = r.at(2);
    }
  }

  // How a script ended that ran when this stopped is not known, so neither of its lists runs.
  void scripts(const Json& body) {
    for (const Json& script : body) {
      dropped_.push_back("the end of a script of rule " + std::to_string(script.at(2).get<std::uint32_t>()) + " of " + script.at(1).get<std::string>() + ", which was running");
    }
  }

  void operation(const Json& body) {
    RuleState* run = places_.rule(body.at("rule"));
    if (run == nullptr) {
      ++lost_operations_["rule " + std::to_string(body.at("number").get<std::uint32_t>()) + " of " + body.at("of").get<std::string>()];
      return;
    }
    auto op = std::make_shared<OpenOperation>();
    op->serial = body.at("serial");
    op->setting = setting(body.at("setting"));
    op->description = op->setting.description;
    op->owner = run;
    op->start = body.at("start");
    op->opened = body.value("opened", op->start);
    op->fired = body.at("fired");
    op->second_text = body.at("second");
    op->needles = body.at("needles").get<std::vector<std::string>>();
    for (const Json& at : body.at("times")) op->times.push_back(at);
    for (const Json& mark : body.at("marks")) {
      op->marks.emplace_back(mark.at(0).get<Second>(), mark.at(1).get<std::uint32_t>());
      op->tokens.push_back(mark.at(2));
    }
    core_.resume(op);
  }

  void context(const Json& body) {
    auto store = std::make_shared<EventStore>();
    store->serial = body.at("serial");
    store->names = body.at("names").get<std::vector<std::string>>();
    store->created = body.at("created");
    store->lifetime = body.at("lifetime");
    for (const Json& line : body.at("lines")) store->lines.emplace_back(line.at(0).get<Second>(), line.at(1).get<std::string>());
    if (const auto list = body.find("list"); list != body.end()) {
      store->at_end.list = places_.list(*list);
      store->at_end.setting = setting(body.at("setting"));
      if (store->at_end.list == nullptr) dropped_.push_back("the action list of context " + store->names.front() + ", whose rule is not there any more as it was");
    }
    for (const std::string& name : store->names) core_.stores[name] = store;
    core_.schedule(store);
  }

  Procedure::Core& core_;
  const Places places_;
  std::vector<std::string>& dropped_;
  std::map<std::string, int> lost_operations_;
};

}  // namespace

void Procedure::restore(const std::vector<SavedRow>& rows, std::vector<std::string>& dropped) {
  Restorer restorer(*core_, dropped);
  for (const SavedRow& row : rows) restorer.take(row);
  restorer.finish();
}

}  // namespace correlator::engine
