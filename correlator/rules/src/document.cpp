// SPDX-License-Identifier: Apache-2.0
#include "document.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace correlator::rules {
namespace {

class Collector {
 public:
  Collector(Context& context, Document& out, bool as_written) : context_(context), out_(out), as_written_(as_written) {}

  void file(const Node& top) {
    format_line(top);
    const Table table(context_, top, kFileSpec, Table::Missing::allowed);  // `format` has its own text
    named(table, "class", "class", out_.classes);
    listed(table, "event", "event", out_.events);
    named(table, "same_error", "same_error", out_.same_errors);
    listed(table, "rule", "rule", out_.rules);
    named(table, "action", "action", out_.actions);
    named(table, "budget", "budget", out_.budgets);
    named(table, "lookup", "lookup", out_.lookups);
    named(table, "probe", "probe", out_.probes);
    named(table, "calendar", "calendar", out_.calendars);
    named(table, "map", "map", out_.maps);
    named(table, "template", "template", out_.templates);
    values(table, "pattern", out_.patterns);
    values(table, "any_of", out_.any_of);
    settings(table);
    for (const Node* node : table.list("mute")) out_.mutes.push_back(*node);
    for (const Node* node : table.list("override")) out_.overrides.push_back(*node);
    if (const Node* node = table.get("input")) out_.inputs.push_back(*node);
  }

  // Lookups and maps are both called by their name.
  void functions() {
    for (const Named& map : out_.maps) {
      for (const Named& lookup : out_.lookups) {
        if (map.name == lookup.name) duplicate("map", map.name, map.spot, lookup.spot);
      }
    }
  }

  void overrides() {
    for (const Node& node : out_.overrides) apply(node);
  }

 private:
  void format_line(const Node& top) {
    const Entry* format = top.find("format");
    if (!format) {
      if (!top.entries.empty()) {
        context_.error("E002", top.entries.front().spot, "the file does not say its format",
                       "write `format = 1` above everything else");
      }
      return;
    }
    if (format->value.is(Node::Kind::integer) && format->value.number != 1) {
      context_.error("E002", format->value.spot,
                     fmt::format("format {} is not known here", format->value.number),
                     "this program reads `format = 1`");
    } else if (&top.entries.front() != format) {
      context_.error("E002", format->spot, "`format` does not stand first",
                     "move `format = 1` to the top of the file");
    }
  }

  void duplicate(std::string_view kind, const std::string& name, const Spot& second, const Spot& first) {
    const Place place = context_.sources.place(first);
    context_.error("E006", second, fmt::format("{} `{}` is defined twice", kind, name),
                   fmt::format("the other one is at {}:{}; rename one, or change it with [[override]]",
                               place.file, place.line));
  }

  void add(std::string_view kind, std::vector<Named>& list, Named named) {
    auto& seen = seen_[std::string(kind)];
    const auto [at, fresh] = seen.emplace(named.name, named.spot);
    if (!fresh) {
      duplicate(kind, named.name, named.spot, at->second);
      return;
    }
    list.push_back(std::move(named));
  }

  void named(const Table& table, std::string_view key, std::string_view kind, std::vector<Named>& list) {
    const Node* node = table.get(key);
    if (!node) return;
    for (const Entry& entry : node->entries) {
      if (!entry.value.is(Node::Kind::table)) {
        context_.error(
            "E004", entry.value.spot,
            fmt::format("[{}.{}] must be a table, not {}", key, entry.key, described(entry.value)),
            fmt::format("write [{}.NAME] and its keys below; a name with dots stands in quotes", key));
        continue;
      }
      Node value = entry.value;
      value.spot = entry.spot;
      add(kind, list, {entry.key, entry.spot, std::move(value)});
    }
  }

  void listed(const Table& table, std::string_view key, std::string_view kind, std::vector<Named>& list) {
    for (const Node* node : table.list(key)) {
      const Node* id = node->get("id");
      const bool good = id && id->is(Node::Kind::text);
      if (good && id->text.empty()) {
        context_.error("E034", id->spot, "an id must not be empty",
                       "give it a name, e.g. id = \"dimm.failing\"");
      }
      // Without an id the reader reports the missing key; the definition takes part under its place.
      Named one{
          good && !id->text.empty() ? id->text : fmt::format("\x01{}:{}", node->spot.file, node->spot.line),
          good ? id->spot : node->spot, *node};
      add(kind, list, std::move(one));
    }
  }

  void values(const Table& table, std::string_view key, std::vector<Named>& list) {
    const Node* node = table.get(key);
    if (!node) return;
    for (const Entry& entry : node->entries) add(key, list, {entry.key, entry.spot, entry.value});
  }

  std::filesystem::path directory(const Spot& spot) const {
    return std::filesystem::path(context_.sources.files()[spot.file].name).parent_path();
  }

  // A setting of a later directory replaces one of an earlier directory.
  void settings(const Table& table) {
    const Node* node = table.get("settings");
    if (!node) return;
    for (const Entry& entry : node->entries) {
      const auto old = std::find_if(out_.settings.begin(), out_.settings.end(),
                                    [&](const Named& n) { return n.name == entry.key; });
      if (old == out_.settings.end()) {
        out_.settings.push_back({entry.key, entry.spot, entry.value});
      } else if (directory(old->spot) == directory(entry.spot)) {
        duplicate("setting", entry.key, entry.spot, old->spot);
      } else if (changes(old->spot, entry.spot)) {
        old->spot = entry.spot;
        old->node = entry.value;
      }
    }
  }

  // What stands at `before` is to be changed by what stands at `after`. False: it is left as it was written.
  bool changes(const Spot& before, const Spot& after) {
    if (directory(before) == directory(after)) return true;
    std::uint32_t first = after.file;
    for (std::uint32_t i = 0; i < first; ++i) {
      if (std::filesystem::path(context_.sources.files()[i].name).parent_path() == directory(after)) first = i;
    }
    out_.changed_from = std::min(out_.changed_from.value_or(first), first);
    return !as_written_;
  }

  void apply(const Node& node) {
    Table table(context_, node, kOverrideSpec);
    const Node* target = nullptr;
    std::string_view kind;
    for (std::string_view one : {"rule", "event", "action"}) {
      if (!table.written(one)) continue;
      if (target) {
        context_.error("E028", table.spot(one), "an override changes one thing",
                       "write an [[override]] for each");
        return;
      }
      target = node.get(one);
      kind = one;
    }
    if (!target) {
      context_.error("E028", node.spot, "the override does not say what it changes",
                     "write rule = \"ID\", event = \"ID\" or action = \"NAME\"");
      return;
    }
    const Node* set = table.get("set");
    const bool off = table.flag("off", false);
    if (!set && !off && !table.bad()) {
      context_.error("E028", node.spot, "the override changes nothing",
                     "write set = { key = value } or off = true");
    }
    if (set && off) table.no_effect("set", "the override switches it off");
    if (!target->is(Node::Kind::text)) return;
    std::vector<Named>& list = kind == "rule" ? out_.rules : kind == "event" ? out_.events : out_.actions;
    const auto found =
        std::find_if(list.begin(), list.end(), [&](const Named& n) { return n.name == target->text; });
    if (found == list.end()) {
      if (context_.off.contains(fmt::format("{} {}", kind, target->text))) return;
      std::vector<std::string> names;
      for (const Named& one : list) names.push_back(one.name);
      context_.error(kind == "rule"     ? "E013"
                     : kind == "action" ? "E014"
                                        : "E028",
                     target->spot, fmt::format("there is no {} `{}` to override", kind, target->text),
                     did_you_mean(target->text, names));
      return;
    }
    if (!changes(found->spot, node.spot)) return;
    if (off) {
      const Place place = context_.sources.place(node.spot);
      context_.off[fmt::format("{} {}", kind, target->text)] = fmt::format("{}:{}", place.file, place.line);
      list.erase(found);
    } else if (set) {
      if (const Entry* id = set->find("id")) {
        context_.error("E028", id->spot, "an override cannot change the id",
                       "switch the old one off and write a new one");
        return;
      }
      const Spot spot = found->node.spot;
      found->node = merged(*set, found->node);
      found->node.spot = spot;
    }
  }

  Context& context_;
  Document& out_;
  bool as_written_;
  std::map<std::string, std::map<std::string, Spot>> seen_;
};

}  // namespace

Document collect(Context& context, const std::vector<Node>& files, bool as_written) {
  Document out;
  Collector collector(context, out, as_written);
  for (const Node& top : files) collector.file(top);
  collector.functions();
  collector.overrides();
  return out;
}

Node with_template(Context& context, const Document& document, const Named& rule) {
  const Node* use = rule.node.get("use");
  if (!use || !use->is(Node::Kind::text)) return rule.node;
  for (const Named& one : document.templates) {
    if (one.name != use->text) continue;
    Node both = merged(rule.node, one.node);
    both.spot = rule.node.spot;
    return both;
  }
  std::vector<std::string> names;
  for (const Named& one : document.templates) names.push_back(one.name);
  context.error("E017", use->spot, fmt::format("there is no template `{}`", use->text),
                did_you_mean(use->text, names));
  return rule.node;
}

}  // namespace correlator::rules
