// SPDX-License-Identifier: Apache-2.0
// [action.NAME]; its args are compiled where it is used (read_steps.cpp).
#include <fmt/format.h>

#include <algorithm>

#include "readers.h"

namespace correlator::rules {
namespace {

// Any name is fine: what it means depends on the step that uses the action.
class AnyName final : public expr::Scope {
 public:
  explicit AnyName(const Context& context) : inner_(context) {}
  std::optional<expr::Symbol> symbol(std::string_view name) const override {
    if (name.starts_with("settings.")) return inner_.symbol(name);
    return expr::Symbol{};
  }
  std::optional<expr::Signature> function(std::string_view name) const override {
    return inner_.function(name);
  }
  std::vector<std::string> names() const override { return inner_.names(); }
  bool tainted() const { return inner_.tainted; }

 private:
  NameScope inner_;
};

bool check_template(Context& context, const Node& node) {
  const AnyName scope(context);
  auto compiled = expr::Template::compile(node.text, scope);
  if (compiled) return true;
  if (!scope.tainted()) context.error_inside(node, std::move(compiled).error());
  return false;
}

void read_limit(Context& context, const Table& table, Action& action) {
  const Node* node = table.get("limit");
  if (!node) return;
  if (node->is(Node::Kind::text)) {
    action.limit = context.threshold(*node);
  } else if (node->is(Node::Kind::table)) {
    const Table limit(context, *node, kLimitSpec);
    if (const Node* phrase = limit.get("at_most")) action.limit = context.threshold(*phrase);
    if (const Node* over = limit.get("over"); over && context.one_of(*over, {"drop", "digest"}))
      action.limit_over_digest = over->text == "digest";
  } else {
    context.error("E004", node->spot,
                  fmt::format("`limit` must be a phrase or a table, not {}", described(*node)),
                  "write limit = \"3 in 1h\"");
  }
}

void read_echoes(Context& context, const Table& table, Action& action) {
  for (const Node* node : table.list("echoes")) {
    Duration after = Duration::minutes(1);
    if (node->is(Node::Kind::table)) {
      const Table echo(context, *node, kEchoSpec);
      after = echo.duration("for").value_or(after);
    }
    if (auto reference = read_reference(context, *node))
      action.echoes.emplace_back(std::move(*reference), after);
  }
}

}  // namespace

// Options of the action's own script, as for `undo`.
bool is_options(const std::string& text) { return text.starts_with("--") && text.find_first_of("/\\\t\n") == std::string::npos; }

bool check_script(Context& context, const Node& node) {
  const std::string& name = node.text;
  if (!name.empty() && name.find_first_of("/\\ \t\n") == std::string::npos && name[0] != '.' &&
      name[0] != '-')
    return true;
  std::string better = name.substr(name.find_last_of('/') + 1);
  better = better.substr(0, better.find(' '));
  context.error(
      "E027", node.spot, fmt::format("\"{}\" is not a plain file name", name),
      better.empty()
          ? "scripts stand in the actions directory: write the name of one"
          : fmt::format("scripts stand in the actions directory and arguments in `args`: write \"{}\"",
                        better));
  return false;
}

void read_actions(Context& context, const Document& document) {
  for (const Named& one : document.actions) {
    context.actions.emplace(one.name, static_cast<std::uint32_t>(context.actions.size()));
    context.action_nodes.push_back(one);
  }
  for (const Named& one : document.actions) {
    Table table(context, one.node, kActionSpec);
    Action action;
    action.name = one.name;
    action.place = context.sources.place(one.spot);
    bool good = !table.bad();
    if (const Node* run = table.get("run"); run && check_script(context, *run)) action.run = run->text;
    for (const Node* arg : table.list("args")) {
      good &= check_template(context, *arg);
      action.args.push_back(arg->text);
    }
    for (const Node* need : table.list("needs")) {
      if (check_name(context, need->text, need->spot, "argument")) action.needs.push_back(need->text);
    }
    action.timeout = table.duration("timeout").value_or(action.timeout);
    action.retry = static_cast<std::uint32_t>(table.integer("retry", 0, 100).value_or(0));
    if (!table.written("retry")) table.no_effect("retry_after", "there is no `retry`", "write retry = 2");
    action.retry_after = table.duration("retry_after").value_or(action.retry_after);
    action.idempotent = table.flag("idempotent", false);
    action.max_age = table.duration("max_age").value_or(action.max_age);
    if (const Node* budget = table.get("budget"))
      action.budget = context.find(context.budgets, "E017", "budget", budget->text, budget->spot);
    read_limit(context, table, action);
    if (const Node* confirm = table.get("confirm"); confirm && check_script(context, *confirm))
      action.confirm = confirm->text;
    action.destructive = table.flag("destructive", false);
    read_echoes(context, table, action);
    if (const Node* serial = table.get("serial")) {
      good &= check_template(context, *serial);
      action.serial = serial->text;
    }
    action.approve = table.flag("approve", false);
    if (const Node* mode = table.get("mode"); mode && context.one_of(*mode, {"live", "shadow"}))
      action.shadow = mode->text == "shadow";
    if (const Node* input = table.get("stdin"); input && context.one_of(*input, {"decision", "lines"}))
      action.reads_lines = input->text == "lines";
    if (const Node* undo = table.get("undo"); undo && (is_options(undo->text) || check_script(context, *undo)))
      action.undo = undo->text;
    if (!good) context.broken.insert("action " + one.name);
    context.set.actions.push_back(std::move(action));
  }
}

}  // namespace correlator::rules
