// SPDX-License-Identifier: Apache-2.0
// Contexts: `set` and `unset`, what they collect and let go.
#include <fmt/format.h>

#include <algorithm>

#include "readers.h"

namespace correlator::rules {

namespace {

// The fields that the key consists of.
NameScope key_scope(const Context& context, const RuleParts& parts) {
  NameScope scope(context);
  scope.lenient = parts.then.lenient;
  for (const expr::Expression& key : parts.rule.key) {
    if (const expr::Symbol* symbol = parts.then.find(key.text())) scope.add(key.text(), *symbol);
  }
  return scope;
}

}  // namespace

NameScope case_scope(const Context& context, const RuleParts& parts) {
  return std::holds_alternative<Each>(parts.rule.operation) ? parts.then : key_scope(context, parts);
}

std::vector<const Node*> one_or_more(const Node& node) {
  std::vector<const Node*> out;
  if (!node.is(Node::Kind::list)) return {&node};
  for (const Node& item : node.items) out.push_back(&item);
  return out;
}

namespace {

constexpr std::uint64_t kMostTexts = 10'000;

std::vector<expr::Expression> context_key(Context& context, const Table& table, const RuleParts& parts) {
  std::vector<expr::Expression> out;
  if (!table.written("key")) return parts.rule.key;
  for (const Node* node : table.list("key")) {
    if (auto key = context.expression(*node, parts.then, Guard::required)) out.push_back(std::move(*key));
  }
  return out;
}

bool asks_what_was_collected(const expr::Expression& expression, const std::string& name) {
  const auto& calls = expression.calls();
  return std::any_of(calls.begin(), calls.end(), [&](const expr::Call& call) {
    const bool collected = call.function == kFunctionCollected || call.function == kFunctionCollectedCount;
    return collected && !call.arguments.empty() && call.arguments[0] && *call.arguments[0] == expr::Value(name);
  });
}

bool asks_what_was_collected(const Step& step, const std::string& name) {
  const auto asks = [&](const std::optional<expr::Expression>& one) { return one && asks_what_was_collected(*one, name); };
  if (asks(step.lines) || asks(step.condition)) return true;
  return std::any_of(step.with.begin(), step.with.end(), [&](const auto& argument) {
    const auto& parts = argument.second.expressions();
    return std::any_of(parts.begin(), parts.end(), [&](const expr::Expression& one) { return asks_what_was_collected(one, name); });
  });
}

// When the time of a context is over, its texts are there for the steps that are decided then, and gone for later ones.
void check_at_end(Context& context, const Spot& spot, const SetContext& set) {
  for (const Step& step : set.at_end) {
    if ((step.after.us == 0 && step.every.us == 0) || !asks_what_was_collected(step, set.name)) continue;
    context.error("E007", spot, fmt::format("step {} of `at_end` asks later for what `{}` collected, and then it is gone", step.number, set.name),
                  "take its `after` and `every` away: the step can have the texts at the end only");
  }
}

// What `set` and `collect` have in common.
SetContext read_opening(Context& context, Table& table, RuleParts& parts) {
  SetContext set;
  set.name = table.text("name");
  set.key = context_key(context, table, parts);
  set.lifetime = table.duration("for").value_or(Duration{});
  if (!table.written("for"))
    table.no_effect("at_end", "the context has no end of its own", "write for = \"1h\"");
  if (const Node* steps = table.get("at_end")) {
    set.at_end = read_steps(context, *steps, case_scope(context, parts));
    check_at_end(context, table.spot("at_end"), set);
  }
  const auto [known, fresh] = context.contexts.try_emplace(set.name, ContextInfo{set.key.size(), false});
  if (!fresh && known->second.keys != set.key.size()) {
    context.error("E037", table.spot("key"),
                  fmt::format("context `{}` is set with another number of key elements elsewhere", set.name),
                  "give it the same key everywhere, or another name");
  }
  return set;
}

void read_set(Context& context, const Node& node, RuleParts& parts) {
  for (const Node* item : one_or_more(node)) {
    if (!item->is(Node::Kind::table)) {
      context.error("E004", item->spot, fmt::format("`set` must be a table, not {}", described(*item)),
                    "write set = { name = \"draining\", for = \"1h\" }");
      continue;
    }
    Table table(context, *item, kSetSpec);
    parts.rule.set.push_back(read_opening(context, table, parts));
  }
}

// The text that is added: as written, or that of the line.
std::optional<expr::Template> read_text(Context& context, const Table& table, const RuleParts& parts) {
  if (const Node* text = table.get("text")) return context.text(*text, parts.then, Guard::none);
  if (table.written("text")) return std::nullopt;
  if (parts.then.find("text") == nullptr) {
    if (!parts.then.lenient) {
      context.error("E005", table.node().spot, "`collect` needs `text` here: no line is at hand that has one",
                    "write text = \"…\"");
    }
    return std::nullopt;
  }
  auto compiled = expr::Template::compile("${text}", parts.then);
  return compiled ? std::optional(std::move(compiled).value()) : std::nullopt;
}

void read_collect(Context& context, const Node& node, RuleParts& parts) {
  for (const Node* item : one_or_more(node)) {
    if (!item->is(Node::Kind::table)) {
      context.error("E004", item->spot, fmt::format("`collect` must be a table, not {}", described(*item)),
                    "write collect = { name = \"session\", for = \"1h\" }");
      continue;
    }
    Table table(context, *item, kCollectSpec);
    SetContext set = read_opening(context, table, parts);
    context.contexts[set.name].collects = true;
    set.renewed = table.flag("renewed", false);
    if (!table.written("for")) table.no_effect("renewed", "the context has no end of its own", "write for = \"5m\"");
    set.at_most = static_cast<std::uint32_t>(table.integer("at_most", 1, kMostTexts).value_or(set.at_most));
    set.collects = read_text(context, table, parts);
    if (set.collects) parts.rule.set.push_back(std::move(set));
  }
}

// `unset`, and `empty`, which leaves the context open.
void read_unset(Context& context, const Node& node, RuleParts& parts, bool texts_only) {
  for (const Node* item : one_or_more(node)) {
    UnsetContext unset;
    unset.texts_only = texts_only;
    unset.key = parts.rule.key;
    unset.name = item->text;
    Spot spot = item->spot;
    if (item->is(Node::Kind::table)) {
      const Table table(context, *item, kUnsetSpec);
      unset.name = table.text("name");
      unset.key = context_key(context, table, parts);
      if (const Node* name = table.get("name")) spot = name->spot;
    }
    context.later.push_back([&context, texts_only, name = unset.name, keys = unset.key.size(), spot] {
      if (!context.known_context(name, texts_only, spot)) return;
      if (context.contexts.find(name)->second.keys != keys) {
        context.error("E037", spot,
                      fmt::format("context `{}` is set with another number of key elements", name),
                      "give it the same key");
      }
    });
    parts.rule.unset.push_back(std::move(unset));
  }
}

}  // namespace

void read_contexts(Context& context, Table& table, RuleParts& parts) {
  if (const Node* node = table.get("set")) read_set(context, *node, parts);
  if (const Node* node = table.get("collect")) read_collect(context, *node, parts);
  if (const Node* node = table.get("unset")) read_unset(context, *node, parts, false);
  if (const Node* node = table.get("empty")) read_unset(context, *node, parts, true);
}

}  // namespace correlator::rules
