// SPDX-License-Identifier: Apache-2.0
#include "rules/lint.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "base/text.h"
#include "pattern/pattern_set.h"
#include "pattern/price.h"

namespace correlator::rules {
namespace {

constexpr std::string_view kEngineClasses[] = {"logger.", "source.", "probe.", "pack.", "lookup."};

class Linter {
 public:
  Linter(const RuleSet& rules, const LintOptions& options) : set_(rules), options_(options) {}

  Diagnostics run() {
    patterns();
    events();
    find_produced();
    for (const Rule& rule : set_.rules) one_rule(rule);
    settings();
    actions();
    std::stable_sort(out_.begin(), out_.end(),
                     [this](const auto& a, const auto& b) { return order(a) < order(b); });
    return std::move(out_);
  }

 private:
  std::tuple<std::size_t, std::uint32_t, std::uint32_t, std::string> order(const Diagnostic& d) const {
    std::size_t file = 0;
    while (file < set_.files.size() && set_.files[file].first != d.place.file) ++file;
    return {file, d.place.line, d.place.column, d.code};
  }

  void warn(std::string_view code, const Place& place, std::string message, std::string hint) {
    Diagnostic d = make_error(code, std::move(message), std::move(hint));
    d.gravity = Gravity::warning;
    d.place = place;
    const auto& lines = lines_of(place.file);
    if (place.line > 0 && place.line <= lines.size()) d.source = std::string(lines[place.line - 1]);
    if (d.source.ends_with('\r')) d.source.pop_back();
    out_.push_back(std::move(d));
  }

  const std::vector<std::string_view>& lines_of(const std::string& file) {
    const auto [at, fresh] = lines_.try_emplace(file);
    for (const auto& [name, text] : set_.files) {
      if (fresh && name == file) at->second = split(text, "\n");
    }
    return at->second;
  }

  void patterns() {
    for (const PatternText& pattern : set_.patterns) {
      const std::optional<PatternPrice> price = options_.price ? std::optional(options_.price(pattern)) : std::nullopt;
      if (price && price->literal.empty()) without_literal(pattern, *price);
      if (pattern.text.starts_with(".*") || pattern.text.starts_with("^.*")) {
        warn("W002", pattern.place, "the pattern begins with .*, which changes nothing but costs time",
             "take it away: a pattern may match anywhere");
      }
      if (!price || price->literal.empty()) continue;
      if (pattern::PatternLiterals::is_chatty(price->share)) chatty(pattern, *price);
      if (price->literal.size() < pattern::kShortestCheap) short_ones_.push_back({&pattern, price->literal});
    }
    short_literals();
  }

  // "310 ns a line of a.log" or "some 250 ns a line".
  std::string per_line(double measured, double usual) const {
    if (options_.log.empty()) return fmt::format("some {:.0f} ns a line", usual);
    return fmt::format("{:.0f} ns a line of {}", measured, printable(options_.log));
  }

  void without_literal(const PatternText& pattern, const PatternPrice& price) {
    warn("W001", pattern.place,
         fmt::format("the pattern has no literal text: every line must be tried against it, {}, where looking for all literals together takes {:.0f}",
                     per_line(price.ns, pattern::kUsualWithoutLiteral), options_.log.empty() ? pattern::kUsualScan : options_.scan_ns),
         "add a word that every matching line holds");
  }

  void chatty(const PatternText& pattern, const PatternPrice& price) {
    const std::string where = price.measured ? "of the lines of " + printable(options_.log) : "of ordinary lines, by a page of typical ones";
    warn("W011", pattern.place,
         fmt::format("its literal \"{}\" stands in {:.1f} % {}: each of them is looked at more closely, {}", printable(price.literal), 100 * price.share,
                     where, per_line(price.ns, price.share * pattern::kUsualCandidate)),
         "take a rarer word, or more of the fixed text around it, into the pattern");
  }

  // Short literals make the scan of all others slower, whoever has them: that is said once, where the last file has its first.
  void short_literals() {
    if (short_ones_.empty()) return;
    const std::string& file = short_ones_.back().first->place.file;
    const auto at = std::find_if(short_ones_.begin(), short_ones_.end(), [&](const auto& one) { return one.first->place.file == file; });
    const std::size_t shortest =
        std::min_element(short_ones_.begin(), short_ones_.end(), [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); })->second.size();
    const std::size_t others = short_ones_.size() - 1;
    warn("W012", at->first->place,
         fmt::format("its literal \"{}\" is shorter than {} bytes{}: {} byte of the log is looked at and not every fourth, {}", printable(at->second),
                     pattern::kShortestCheap, others == 0 ? std::string() : fmt::format(", as is that of {}", counted(others, "other pattern")),
                     shortest < pattern::kShortestHalf ? "every" : "every second", per_line(options_.short_ns, pattern::kUsualShortScan)),
         "take more of the fixed text into the pattern, if all its lines have it");
  }

  void events() {
    for (const EventDef& event : set_.events) {
      if (event.inline_match) continue;
      if (event.samples.empty()) {
        warn("W008", event.place, fmt::format("event `{}` has no sample", event.id),
             "add [[event.sample]] with a real line and what to expect");
      }
      if (event.channel.empty()) continue;
      const bool known =
          std::any_of(set_.same_errors.begin(), set_.same_errors.end(), [&](const SameError& group) {
            return std::count(group.channels.begin(), group.channels.end(), event.channel) > 0;
          });
      if (!known && !set_.same_errors.empty()) {
        warn("W009", event.place,
             fmt::format("no [same_error] lists the channel `{}` of event `{}`", event.channel, event.id),
             "add it to the channels of a group, or take it away");
      }
    }
  }

  void find_produced() {
    produced_.assign(set_.classes.size(), false);
    for (std::size_t i = 0; i < set_.classes.size(); ++i) {
      for (std::string_view prefix : kEngineClasses) {
        if (set_.classes[i].name.starts_with(prefix)) produced_[i] = true;
      }
    }
    for (const EventDef& event : set_.events) {
      if (const auto* arms = std::get_if<std::vector<ClassArm>>(&event.class_of)) {
        for (const ClassArm& arm : *arms) produced_[arm.is] = true;
      } else {
        // A template gives one of finitely many names; each stands in the file or in a map.
        template_classes(std::get<expr::Template>(event.class_of));
      }
    }
    for (const Rule& rule : set_.rules) {
      for (const Emit& emit : rule.emit) {
        if (!emit.line) produced_[emit.cls] = true;
      }
    }
  }

  void template_classes(const expr::Template& text) {
    for (std::size_t i = 0; i < set_.classes.size(); ++i) {
      const std::string& name = set_.classes[i].name;
      bool found = text.source().find(name) != std::string::npos;
      for (const MapDef& map : set_.maps) {
        for (const auto& [key, value] : map.entries) {
          const std::string part = expr::to_text(value);
          found |= !part.empty() && name.ends_with(part) && text.source().find(map.name) != std::string::npos;
        }
      }
      if (found) produced_[i] = true;
    }
  }

  void check_reference(const Rule& rule, const EventRef& reference) {
    const std::vector<ClassId>& ids = reference.classes.ids();
    if (std::any_of(ids.begin(), ids.end(), [&](ClassId id) { return produced_[id]; })) return;
    warn("W003", rule.place,
         fmt::format("rule `{}` waits for {}, which no event and no rule produces", rule.id, reference.text),
         "add an [[event]] of that class, or take the rule away");
  }

  void one_rule(const Rule& rule) {
    for (const EventRef& reference : rule.on) check_reference(rule, reference);
    if (const auto* sequence = std::get_if<Sequence>(&rule.operation)) {
      for (const EventRef& reference : sequence->steps) check_reference(rule, reference);
    } else if (const auto* absence = std::get_if<Absence>(&rule.operation)) {
      if (absence->after) check_reference(rule, *absence->after);
      for (const EventRef& reference : absence->of) check_reference(rule, reference);
    } else if (const auto* group = std::get_if<Group>(&rule.operation)) {
      for (const Group::Member& member : group->members) check_reference(rule, member.on);
    }
    if (rule.tests.empty()) {
      const bool counts = std::holds_alternative<Count>(rule.operation);
      warn(counts ? "W004" : "W005", rule.place,
           counts ? fmt::format("rule `{}` counts, and no test says where its boundary is", rule.id)
                  : fmt::format("rule `{}` has no test", rule.id),
           "add [[rule.test]] with a timeline and exactly what must come out");
    }
  }

  void settings() {
    for (const Setting& setting : set_.settings) {
      const std::string name = "settings." + setting.name;
      const bool used = std::any_of(set_.files.begin(), set_.files.end(),
                                    [&](const auto& file) { return mentions(file.second, name); });
      if (!used)
        warn("W006", setting.place, fmt::format("nothing uses the setting `{}`", setting.name),
             fmt::format("write ${{{}}} where it is meant, or take it away", name));
    }
  }

  static bool mentions(std::string_view text, std::string_view name) {
    for (auto at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
      const char behind = at + name.size() < text.size() ? text[at + name.size()] : ' ';
      if (!((behind >= 'a' && behind <= 'z') || (behind >= 'A' && behind <= 'Z') ||
            (behind >= '0' && behind <= '9') || behind == '_'))
        return true;
    }
    return false;
  }

  void actions() {
    for (const Action& action : set_.actions) {
      if (!action.destructive || !action.confirm.empty() || action.approve) continue;
      warn(
          "W007", action.place,
          fmt::format("action `{}` is destructive and has no second opinion", action.name),
          "write confirm = \"SCRIPT\" or approve = true; without it lines of unknown origin cannot start it");
    }
  }

  const RuleSet& set_;
  const LintOptions& options_;
  std::vector<bool> produced_;
  std::map<std::string, std::vector<std::string_view>> lines_;
  std::vector<std::pair<const PatternText*, std::string>> short_ones_;  // with the literal
  Diagnostics out_;
};

}  // namespace

Diagnostics lint(const RuleSet& rules, const LintOptions& options) {
  return Linter(rules, options).run();
}

}  // namespace correlator::rules
