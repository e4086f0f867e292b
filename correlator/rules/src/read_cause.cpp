// SPDX-License-Identifier: Apache-2.0
// Causes of ignore and unless, and [[mute]].
#include <fmt/format.h>

#include <algorithm>

#include "readers.h"

namespace correlator::rules {
namespace {

std::optional<Cause> text_cause(Context& context, const Node& node, const NameScope& scope) {
  Cause out;
  out.text = node.text;
  if (node.text.starts_with("calendar.")) {
    out.calendar =
        context.find(context.calendars, "E017", "calendar", std::string_view(node.text).substr(9), node.spot);
    return out.calendar ? std::optional(std::move(out)) : std::nullopt;
  }
  if (node.text.find('(') != std::string::npos) {
    out.holds = context.condition(node, scope, Guard::none);
    return out.holds ? std::optional(std::move(out)) : std::nullopt;
  }
  if (!resolve_classes(context, node).empty()) {
    context.error("E007", node.spot, "the cause cannot take effect: it lasts no time",
                  fmt::format("write {{ on = \"{}\", after = \"5m\" }}", node.text));
  }
  return std::nullopt;
}

std::optional<Cause> table_cause(Context& context, const Node& node, const std::vector<ClassId>& classes) {
  const Table table(context, node, kCauseSpec);
  Cause out;
  out.event = read_reference(context, node);
  out.before = table.duration("before", true).value_or(Duration{});
  out.after = table.duration("after", true).value_or(Duration{});
  if (!table.bad() && !table.written("before") && !table.written("after")) {
    context.error("E007", node.spot, "the cause cannot take effect: it lasts no time",
                  "write after = \"5m\", before = \"5m\" or both");
  }
  if (!out.event) return std::nullopt;
  out.text = out.event->text;
  if (!table.written("same")) out.same = {kHost};
  for (const Node* same : table.list("same")) {
    const FieldId id = class_field(context, *same, out.event->classes.ids());
    if (id == kNoField) continue;
    if (!classes.empty() && class_field(context, *same, classes) == kNoField) continue;
    out.same.push_back(id);
  }
  return out;
}

bool any_matches(const std::vector<const Node*>& globs, const std::string& id) {
  return std::any_of(globs.begin(), globs.end(),
                     [&](const Node* glob) { return glob_matches(glob->text, id); });
}

void check_globs(Context& context, const std::vector<const Node*>& globs) {
  for (const Node* glob : globs) {
    const bool any = std::any_of(context.set.rules.begin(), context.set.rules.end(),
                                 [&](const Rule& rule) { return glob_matches(glob->text, rule.id); });
    if (!any)
      context.error("E013", glob->spot, fmt::format("there is no rule `{}`", glob->text),
                    did_you_mean(glob->text, names_of(context.rules)));
  }
}

}  // namespace

std::vector<Cause> read_causes(Context& context, const Node& node, const NameScope& scope,
                               const std::vector<ClassId>& classes) {
  std::vector<Cause> out;
  const auto add = [&](const Node& one) {
    auto cause =
        one.is(Node::Kind::text) ? text_cause(context, one, scope) : table_cause(context, one, classes);
    if (cause) out.push_back(std::move(*cause));
  };
  if (node.is(Node::Kind::list)) {
    for (const Node& item : node.items) add(item);
  } else {
    add(node);
  }
  return out;
}

void read_mutes(Context& context, const Document& document) {
  NameScope scope(context);
  add_fields(context, scope, {});
  scope.lenient = false;
  for (const Node& node : document.mutes) {
    const Table table(context, node, kMuteSpec);
    Mute mute;
    mute.place = context.sources.place(node.spot);
    if (const Node* during = table.get("during")) mute.during = read_causes(context, *during, scope, {});
    if (const Node* effect = table.get("effect"); effect && context.one_of(*effect, {"hold", "drop"}))
      mute.drop = effect->text == "drop";
    const auto rules = table.list("rules"), except = table.list("except");
    check_globs(context, rules);
    check_globs(context, except);
    for (const Rule& rule : context.set.rules) {
      mute.rules.push_back((rules.empty() || any_matches(rules, rule.id)) && !any_matches(except, rule.id));
    }
    for (const Cause& cause : mute.during) mute.text += (mute.text.empty() ? "" : ", ") + cause.text;
    if (const std::string why = table.text("why"); !why.empty()) mute.text += ": " + why;
    context.set.mutes.push_back(std::move(mute));
  }
}

}  // namespace correlator::rules
