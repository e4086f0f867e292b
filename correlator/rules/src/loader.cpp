// SPDX-License-Identifier: Apache-2.0
#include "rules/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <tuple>

#include "base/hash.h"
#include "emit_graph.h"
#include "rules/as_written.h"
#include "readers.h"
#include "toml_reader.h"

namespace correlator::rules {
namespace {

std::vector<Node> read_all(const Sources& sources, Context& context) {
  std::vector<Node> out;
  for (std::uint32_t i = 0; i < sources.files().size(); ++i) {
    auto tree = read_toml(sources, i);
    if (tree) {
      out.push_back(std::move(tree).value());
    } else {
      context.syntax_error(std::move(tree).error());
    }
  }
  return out;
}

void read_document(Context& context, const Document& document) {
  read_input(context, document);
  read_settings(context, document);
  read_maps(context, document);
  read_lookups(context, document);
  read_calendars(context, document);
  read_budgets(context, document);
  read_patterns(context, document);
  read_classes(context, document);
  read_events(context, document);
  read_same_errors(context, document);
  read_actions(context, document);
  read_probes(context, document);
  read_rules(context, document);
  read_mutes(context, document);
  for (const auto& check : context.later) check();
  check_emit_graph(context, document);
}

auto order_of(const Diagnostic& d, const std::vector<RuleFile>& files) {
  const auto file =
      std::find_if(files.begin(), files.end(), [&](const RuleFile& f) { return f.name == d.place.file; });
  return std::tuple(file - files.begin(), d.place.line, d.place.column, d.code, d.message);
}

// By place; a template that two rules use is said to be wrong once.
void tidy(Diagnostics& diagnostics, const std::vector<RuleFile>& files) {
  std::stable_sort(diagnostics.begin(), diagnostics.end(), [&](const Diagnostic& a, const Diagnostic& b) {
    return order_of(a, files) < order_of(b, files);
  });
  const auto same = [&](const Diagnostic& a, const Diagnostic& b) {
    return order_of(a, files) == order_of(b, files);
  };
  diagnostics.erase(std::unique(diagnostics.begin(), diagnostics.end(), same), diagnostics.end());
}

Loaded load(std::vector<RuleFile> files, bool as_written, std::optional<std::uint32_t>& changed_from) {
  Loaded out;
  const Sources sources(files);
  Context context(sources);
  {
    const std::vector<Node> trees = read_all(sources, context);
    const bool partial = trees.size() < files.size();
    const Document document = collect(context, trees, as_written);
    changed_from = document.changed_from;
    if (as_written && !changed_from) return out;
    // What a file that cannot be read defines is unknown: its names would all be reported as missing.
    if (partial) context.only_own_errors();
    read_document(context, document);
  }
  out.diagnostics = std::move(context.diagnostics);
  tidy(out.diagnostics, files);
  if (has_errors(out.diagnostics)) return out;
  auto set = std::make_shared<RuleSet>(std::move(context.set));
  for (Rule& rule : set->rules) rule.state_identity = state_identity(*set, rule);
  Sha256 hash;
  for (RuleFile& file : files) {
    hash.add(file.name).add(file.text);
    set->files.emplace_back(std::move(file.name), std::move(file.text));
  }
  set->hash = hash.hex(32);
  out.rules = std::move(set);
  return out;
}

}  // namespace

Loaded load(std::vector<RuleFile> files) {
  std::optional<std::uint32_t> changed_from;
  return load(std::move(files), false, changed_from);
}

AsWritten as_written(const RuleSet& rules) {
  // Nobody changes what is in his own directory: mostly there is but one.
  const auto directory = [](const auto& file) { return std::filesystem::path(file.first).parent_path(); };
  const bool one = std::all_of(rules.files.begin(), rules.files.end(),
                               [&](const auto& file) { return directory(file) == directory(rules.files.front()); });
  if (one) return {};
  std::vector<RuleFile> files;
  for (const auto& [name, text] : rules.files) files.push_back({name, text});
  std::optional<std::uint32_t> changed_from;
  auto loaded = load(std::move(files), true, changed_from);
  if (loaded.rules == nullptr) return {};
  return {std::move(loaded.rules), *changed_from};
}

}  // namespace correlator::rules
