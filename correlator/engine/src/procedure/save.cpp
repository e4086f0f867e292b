// SPDX-License-Identifier: Apache-2.0
// The state as rows that a store keeps. Texts are bytes of the log, so a row is CBOR and not JSON text.
#include "base/hash.h"
#include "base/json.h"
#include "core.h"
#include "places.h"

namespace correlator::engine {
namespace {

class Saver {
 public:
  Saver(const Procedure::Core& core, bool all) : core_(core), places_(core), all_(all) {}

  std::vector<SavedRow> rows() {
    row("clock", {{"now", core_.now}, {"lines", core_.lines}, {"serial", core_.serial}, {"tickets", core_.tickets}});
    variables();
    events();
    buffers();
    rules();
    scripts();
    for (const auto& file : core_.files) {
      for (const auto& run : file->rules) {
        for (const auto& [description, op] : run->open) operation(*op);
      }
    }
    for (const auto& [name, store] : core_.stores) {
      if (!store->internal && !store->names.empty() && store->names.front() == name) context(*store);
    }
    return std::move(rows_);
  }

 private:
  void row(std::string key, const Json& body) {
    std::string bytes;
    Json::to_cbor(body, bytes);
    rows_.push_back({std::move(key), std::move(bytes), false});
  }

  static Json value(const ScriptValue& v) { return v ? Json(*v) : Json(); }

  static Json bindings(const std::shared_ptr<const Bindings>& from) {
    if (from == nullptr) return {};
    Json numbered = Json::array(), named = Json::array();
    for (const ScriptValue& v : from->numbered) numbered.push_back(value(v));
    for (const auto& [name, v] : from->named) named.push_back({name, value(v)});
    return {{"numbered", std::move(numbered)}, {"named", std::move(named)}};
  }

  Json setting(const Setting& s) const {
    Json out = {{"text", s.description}, {"from_log", s.description_from_log}, {"dollar", bindings(s.scope.dollar)}, {"percent", bindings(s.scope.percent)}};
    if (s.file != nullptr && s.rule < s.file->rules.size()) out["rule"] = places_.name(s.file->rules[s.rule].get());
    if (s.scope.cache == nullptr) return out;
    out["cache"] = Json::array();
    for (const auto& [name, entry] : *s.scope.cache) out["cache"].push_back({name, bindings(entry)});
    return out;
  }

  // Of what may change in an operation while it is open. Never 0.
  std::uint64_t hash_of(const OpenOperation& op) {
    bytes_.clear();
    const auto add = [&](std::int64_t n) { bytes_.append(reinterpret_cast<const char*>(&n), sizeof n); };
    add(op.start);
    add(op.fired ? 1 : 0);
    for (const Second at : op.times) add(at);
    for (const auto& [at, member] : op.marks) {
      add(at);
      add(member);
    }
    for (const std::string& token : op.tokens) {
      add(static_cast<std::int64_t>(token.size()));
      bytes_ += token;
    }
    return hash64(bytes_) | 1U;
  }

  void operation(const OpenOperation& op) {
    const std::uint64_t hash = hash_of(op);
    const bool same = !all_ && op.saved == hash;
    op.saved = hash;
    if (same) return rows_.push_back({"operation " + std::to_string(op.serial), {}, true});
    Json body = {{"rule", places_.name(op.owner)}, {"of", op.owner->file->file->name}, {"number", op.owner->rule->number + 1}, {"serial", op.serial},
                 {"setting", setting(op.setting)}, {"opened", op.opened}, {"start", op.start}, {"fired", op.fired}, {"second", op.second_text}, {"needles", op.needles},
                 {"times", Json::array()}, {"marks", Json::array()}};
    for (const Second at : op.times) body["times"].push_back(at);
    for (std::size_t i = 0; i < op.marks.size(); ++i) body["marks"].push_back({op.marks[i].first, op.marks[i].second, op.tokens[i]});
    row("operation " + std::to_string(op.serial), body);
  }

  void context(const EventStore& store) {
    Json body = {{"serial", store.serial}, {"names", store.names}, {"created", store.created}, {"lifetime", store.lifetime}, {"lines", Json::array()}};
    for (const auto& [at, line] : store.lines) body["lines"].push_back({at, line});
    if (store.at_end.list != nullptr) {
      body["list"] = places_.name(store.at_end.list.get());
      body["setting"] = setting(store.at_end.setting);
    }
    row("context " + std::to_string(store.serial), body);
  }

  void variables() {
    Json out = Json::array();
    for (const auto& [name, v] : core_.variables) out.push_back({name, v.value, v.from_log, v.function.has_value()});
    row("variables", out);
  }

  void events() {
    Json queued = Json::array(), delayed = Json::array();
    for (const QueuedEvent& e : core_.queued) queued.push_back({e.text, e.context});
    for (const auto& [at, e] : core_.delayed) delayed.push_back({at, e.text, e.context});
    row("events", {{"queued", std::move(queued)}, {"delayed", std::move(delayed)}});
  }

  void buffers() {
    Json out = Json::array();
    for (const auto& [source, lines] : core_.buffers.all()) {
      Json kept = Json::array();
      for (const BufferedLine& line : lines) kept.push_back({line.text, line.source});
      out.push_back({source, std::move(kept)});
    }
    row("buffers", out);
  }

  void rules() {
    Json out = Json::array();
    for (const auto& file : core_.files) {
      for (const auto& run : file->rules) {
        if (run->matches > 0 || run->calendar_minute != -1) out.push_back({places_.name(run.get()), run->matches, run->calendar_minute});
      }
    }
    row("rules", out);
  }

  // Only that they ran: nobody will know how they end.
  void scripts() {
    Json out = Json::array();
    for (const auto& [ticket, script] : core_.scripts) {
      const Setting& s = script.first.setting;
      out.push_back({ticket, s.file == nullptr ? std::string() : s.file->file->name, s.rule + 1});
    }
    row("scripts", out);
  }

  const Procedure::Core& core_;
  const Places places_;
  const bool all_;
  std::vector<SavedRow> rows_;
  std::string bytes_;
};

}  // namespace

std::vector<SavedRow> Procedure::save(bool all) const { return Saver(*core_, all).rows(); }

}  // namespace correlator::engine
