// SPDX-License-Identifier: Apache-2.0
// Steps: which action, with which arguments, for which rows, when.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "readers.h"

namespace correlator::rules {
namespace {

// The names in the ${…} of a text.
std::vector<std::string> names_in(std::string_view text) {
  std::vector<std::string> out;
  for (auto open = text.find("${"); open != std::string_view::npos; open = text.find("${", open + 2)) {
    const auto close = std::min(text.find('}', open), text.size());
    for (std::string& name : identifiers(text.substr(open + 2, close - open - 2)))
      out.push_back(std::move(name));
  }
  return out;
}

bool uses(const Action& action, const std::string& name) {
  if (std::count(action.needs.begin(), action.needs.end(), name) > 0) return true;
  std::vector<std::string> names = names_in(action.serial);
  for (const std::string& arg : action.args) {
    for (std::string& one : names_in(arg)) names.push_back(std::move(one));
  }
  return std::count(names.begin(), names.end(), name) > 0;
}

std::vector<std::string> all_names(const Action& action) {
  std::vector<std::string> names = action.needs;
  for (const std::string& arg : action.args) {
    for (std::string& one : names_in(arg)) names.push_back(std::move(one));
  }
  return names;
}

class StepReader {
 public:
  StepReader(Context& context, const Node& node, const NameScope& scope)
      : context_(context), node_(node), scope_(scope) {}

  std::optional<Step> read(std::uint32_t number) {
    step_.number = number;
    step_.place = context_.sources.place(node_.spot);
    if (node_.is(Node::Kind::text)) {
      step_.action = action(node_);
      use(step_.action, node_.spot, step_.args, step_.serial_by);
      check_lines(node_.spot);
      return std::move(step_);
    }
    Table table(context_, node_, kStepSpec);
    if (table.bad()) scope_.lenient = true;
    read_each(table);
    if (const Node* condition = table.get("if")) {
      step_.condition = context_.condition(*condition, scope_, Guard::required);
      if (step_.condition) {
        for (const std::string& name : asked_for(step_.condition->text())) scope_.present(name);
      }
    }
    read_with(table);
    if (const Node* name = table.get("do")) step_.action = action(*name);
    if (const Node* name = table.get("or_else")) step_.or_else = action(*name);
    use(step_.action, table.spot("do"), step_.args, step_.serial_by);
    use(step_.or_else, table.spot("or_else"), step_.or_else_args, step_.or_else_serial_by);
    check_with_is_used(table);
    read_lines(table);
    read_timing(table);
    return std::move(step_);
  }

 private:
  std::optional<std::uint32_t> action(const Node& name) {
    return context_.find(context_.actions, "E014", "action", name.text, name.spot);
  }

  // "lookup(a, b)"
  void read_each(Table& table) {
    const Node* each = table.get("each");
    if (!each) {
      for (std::string_view key : {"as", "where", "order", "at_once"})
        table.no_effect(key, "there is no `each`", "it is about the rows of each = \"lookup(…)\"");
      return;
    }
    const std::string_view text = trim(each->text);
    const auto open = text.find('(');
    const std::string name(trim(text.substr(0, open)));
    step_.each = context_.find(context_.lookups, "E015", "lookup", name, each->spot);
    if (open != std::string_view::npos && !text.ends_with(")")) {
      context_.error("E022", each->spot, "the bracket is not closed", "write each = \"guests_on(host)\"");
    } else if (open != std::string_view::npos) {
      read_arguments(*each, open);
    }
    step_.as = table.text("as", "row");
    if (!step_.each) {
      scope_.lenient = true;
    } else {
      const Lookup& lookup = context_.set.lookups[*step_.each];
      if (lookup.columns.empty()) scope_.lenient = true;
      if (!step_.each_args.empty() && step_.each_args.size() != lookup.key.size() &&
          !lookup.columns.empty()) {
        context_.error("E105", each->spot,
                       fmt::format("lookup `{}` is asked by {}", name, counted(lookup.key.size(), "value")),
                       fmt::format("write each = \"{}({})\"", name, join(lookup.key, ", ")));
      }
      for (std::uint32_t c = 0; c < lookup.columns.size(); ++c) {
        scope_.add(step_.as + "." + lookup.columns[c],
                   {expr::Type::text, false, slot_of(Space::local, kLocalRow + c), {}});
      }
    }
    if (const Node* where = table.get("where"))
      step_.where = context_.condition(*where, scope_, Guard::required);
    if (const Node* order = table.get("order"))
      step_.order = context_.expression(*order, scope_, Guard::none);
    step_.at_once = static_cast<std::uint32_t>(table.integer("at_once", 1, 10'000).value_or(0));
  }

  void read_arguments(const Node& each, std::size_t open) {
    const std::string inner = each.text.substr(open + 1, each.text.rfind(')') - open - 1);
    std::size_t begin = 0;
    int depth = 0;
    for (std::size_t i = 0; i <= inner.size(); ++i) {
      const char c = i < inner.size() ? inner[i] : ',';
      if (c == '(' || c == '[') ++depth;
      if (c == ')' || c == ']') --depth;
      if (c != ',' || (depth > 0 && i < inner.size())) continue;
      const std::string part = inner.substr(begin, i - begin);
      if (!trim(part).empty() || begin > 0)
        argument(each, part, static_cast<std::uint32_t>(open + 1 + begin));
      begin = i + 1;
    }
  }

  void argument(const Node& each, const std::string& part, std::uint32_t offset) {
    scope_.tainted = false;
    auto compiled = expr::Expression::compile(part, scope_);
    if (compiled) {
      step_.each_args.push_back(std::move(compiled).value());
    } else if (!scope_.tainted) {
      Diagnostic d = std::move(compiled).error();
      d.place.column += offset;
      context_.error_inside(each, std::move(d));
    }
  }

  void read_with(const Table& table) {
    const Node* with = table.get("with");
    arguments_ = scope_;
    if (!with) return;
    for (const Entry& entry : with->entries) {
      if (!check_name(context_, entry.key, entry.spot, "argument")) continue;
      if (!accepts(Shape::expression, entry.value)) {
        context_.error("E004", entry.value.spot,
                       fmt::format("an argument must be text, not {}", described(entry.value)),
                       "write \"${…}\" around an expression");
        arguments_.lenient = true;
        continue;
      }
      auto value = context_.text(entry.value, scope_, Guard::required);
      if (!value) {
        arguments_.lenient = true;
        continue;
      }
      const auto index = static_cast<std::uint32_t>(step_.with.size());
      arguments_.add(entry.key, {value->type(), value->optional(), slot_of(Space::with, index), {}});
      step_.with.emplace_back(entry.key, std::move(*value));
    }
  }

  // Compiles the args of the action for this use of it.
  void use(std::optional<std::uint32_t> index, const Spot& spot, std::vector<expr::Template>& args,
           std::optional<expr::Template>& serial_by) {
    if (!index) return;
    if (node_.is(Node::Kind::text)) arguments_ = scope_;
    const Action& used = context_.set.actions[*index];
    if (context_.broken.contains("action " + used.name)) return;
    bool good = true;
    for (const std::string& need : used.needs) good &= check_given(used, need, spot);
    for (const std::string& arg : used.args) {
      for (const std::string& name : names_in(arg)) good &= check_given(used, name, spot);
    }
    for (const std::string& name : names_in(used.serial)) good &= check_given(used, name, spot);
    if (!good) return;
    for (const std::string& arg : used.args) {
      if (auto compiled = compile(used, arg, spot)) args.push_back(std::move(*compiled));
    }
    if (!used.serial.empty()) serial_by = compile(used, used.serial, spot);
  }

  bool check_given(const Action& used, const std::string& name, const Spot& spot) {
    if (name.starts_with("settings.")) return true;
    const expr::Symbol* symbol = arguments_.find(name);
    if (symbol && !symbol->optional) return true;
    if (!symbol && arguments_.lenient) return false;
    const std::string key = fmt::format("{} {}", used.name, name);
    if (std::find(reported_.begin(), reported_.end(), key) != reported_.end()) return false;
    reported_.push_back(key);
    if (symbol) {
      context_.error(
          "E026", spot, fmt::format("action `{}` needs `{}`, which may be missing here", used.name, name),
          fmt::format("write with = {{ {0} = \"${{{0} ?? '…'}}\" }}, or ask for has({0}) in `if`", name));
    } else {
      context_.error("E026", spot,
                     fmt::format("action `{}` needs `{}`, which is given neither by `with` nor by the rule",
                                 used.name, name),
                     fmt::format("write with = {{ {} = \"…\" }}", name));
    }
    return false;
  }

  std::optional<expr::Template> compile(const Action& used, const std::string& text, const Spot& spot) {
    arguments_.tainted = false;
    auto compiled = expr::Template::compile(text, arguments_);
    if (compiled) {
      for (const std::string& name : compiled->unguarded_names()) check_given(used, name, spot);
      return std::move(compiled).value();
    }
    if (!arguments_.tainted) {
      const Diagnostic& d = compiled.error();
      context_.error(d.code, spot,
                     fmt::format("the argument \"{}\" of action `{}`: {}", text, used.name, d.message),
                     d.hint);
    }
    return std::nullopt;
  }

  void check_with_is_used(const Table& table) {
    const Node* with = table.get("with");
    if (!with || !step_.action) return;
    for (const auto& [name, unused] : step_.with) {
      const Action& first = context_.set.actions[*step_.action];
      if (context_.broken.contains("action " + first.name)) return;
      if (uses(first, name)) continue;
      if (step_.or_else && uses(context_.set.actions[*step_.or_else], name)) continue;
      context_.error("E007", with->find(name)->spot,
                     fmt::format("`{}` cannot take effect: action `{}` does not use it", name, first.name),
                     did_you_mean(name, all_names(first)));
    }
  }

  void read_lines(const Table& table) {
    if (const Node* lines = table.get("lines")) {
      step_.lines = context_.expression(*lines, scope_, Guard::none);
      if (!step_.lines) return;
      const expr::Type type = step_.lines->type();
      if (type != expr::Type::list && type != expr::Type::text && type != expr::Type::any)
        context_.error("E104", lines->spot, fmt::format("lines are a list of texts or one text, not {}", expr::described(type)), "write lines = \"text\" or \"collected('…')\"");
    }
    if (!table.written("lines")) check_lines(table.spot("do"));
  }

  // A script that reads lines must get some.
  void check_lines(const Spot& spot) {
    for (const auto& index : {step_.action, step_.or_else}) {
      if (!index || !context_.set.actions[*index].reads_lines) continue;
      context_.error("E005", spot, fmt::format("action `{}` reads lines, and the step gives it none", context_.set.actions[*index].name),
                     "write lines = \"text\" for the line at hand, or lines = \"collected('NAME')\"");
      return;
    }
  }

  void read_timing(Table& table) {
    if (const Node* failure = table.get("on_failure");
        failure && context_.one_of(*failure, {"stop", "continue"}))
      step_.stop_on_failure = failure->text == "stop";
    step_.after = table.duration("after").value_or(Duration{});
    step_.every = table.duration("every").value_or(Duration{});
    step_.at_most = static_cast<std::uint32_t>(table.integer("at_most", 1, 10'000).value_or(1));
    if (table.written("every") && !table.written("at_most")) {
      context_.error("E005", table.spot("every"), "`every` needs `at_most`",
                     "write how often in all: at_most = 5");
    }
    if (!table.written("every")) table.no_effect("at_most", "there is no `every`", "write every = \"10m\"");
    if (!table.written("after") && !table.written("every")) {
      table.no_effect("unless", "the step is decided at once",
                      "write after = \"10m\", or `if` for a condition at the firing");
    } else if (const Node* unless = table.get("unless")) {
      step_.unless = context_.condition(*unless, scope_, Guard::none);
    }
  }

  Context& context_;
  const Node& node_;
  NameScope scope_;
  NameScope arguments_{scope_};
  Step step_;
  std::vector<std::string> reported_;
};

}  // namespace

void add_step_names(NameScope& scope) {
  using expr::Type;
  scope.add("rule", {Type::text, false, slot_of(Space::local, kLocalRule), {}});
  scope.add("key", {Type::text, false, slot_of(Space::local, kLocalKey), {}});
  scope.add("decision", {Type::text, false, slot_of(Space::local, kLocalDecision), {}});
  scope.add("count", {Type::integer, false, slot_of(Space::local, kLocalCount), {}});
  scope.add("acked", {Type::boolean, false, slot_of(Space::local, kLocalAcked), {}});
  scope.add("cleared", {Type::boolean, false, slot_of(Space::local, kLocalCleared), {}});
}

std::vector<Step> read_steps(Context& context, const Node& node, const NameScope& names) {
  NameScope scope = names;
  add_step_names(scope);
  std::vector<Step> out;
  const auto add = [&](const Node& one) {
    if (auto step = StepReader(context, one, scope).read(static_cast<std::uint32_t>(out.size() + 1)))
      out.push_back(std::move(*step));
  };
  if (node.is(Node::Kind::list)) {
    if (node.items.empty())
      context.error("E030", node.spot, "the list of steps is empty",
                    "take the key away: a rule without `then` decides without an action");
    for (const Node& item : node.items) add(item);
  } else {
    add(node);
  }
  return out;
}

}  // namespace correlator::rules
