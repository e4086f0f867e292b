// SPDX-License-Identifier: Apache-2.0
// Patterns: %{name} insertion, compiling, and which groups take part in every match.
#include <fmt/format.h>

#include <algorithm>

#include "readers.h"

namespace correlator::rules {
namespace {

// A pattern with its insertions, and where each byte of it was written in the original text.
struct Inserted {
  std::string text;
  std::vector<std::uint32_t> origin;  // offset (from 1) in the text as written
};

bool insert(Context& context, const Node& node, std::vector<std::string>& stack, Inserted& out) {
  const std::string& text = node.text;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto offset = static_cast<std::uint32_t>(i + 1);
    const bool escaped = text[i] == '\\' && i + 1 < text.size();
    if (escaped || text[i] != '%' || i + 1 >= text.size() || text[i + 1] != '{') {
      for (int n = 0; n <= (escaped ? 1 : 0); ++n) {
        out.text += text[i + static_cast<std::size_t>(n)];
        out.origin.push_back(offset + static_cast<std::uint32_t>(n));
      }
      i += escaped ? 1 : 0;
      continue;
    }
    const auto close = text.find('}', i);
    const std::string name = text.substr(i + 2, close == std::string::npos ? close : close - i - 2);
    const Spot spot = context.sources.inside(node, offset, static_cast<std::uint32_t>(name.size() + 3));
    const auto found = context.patterns.find(name);
    if (close == std::string::npos || found == context.patterns.end()) {
      std::vector<std::string> names;
      for (const auto& [known, unused] : context.patterns) names.push_back(known);
      context.error("E017", spot, fmt::format("[pattern] has no `{}`", name), did_you_mean(name, names));
      return false;
    }
    if (context.broken.contains("pattern " + name)) return false;
    if (std::find(stack.begin(), stack.end(), name) != stack.end()) {
      context.error("E029", spot, fmt::format("the pattern `{}` contains itself", name),
                    "write one of them out");
      return false;
    }
    stack.push_back(name);
    Inserted inner;
    if (!insert(context, found->second.node, stack, inner)) return false;
    stack.pop_back();
    out.text += fmt::format("(?:{})", inner.text);
    out.origin.insert(out.origin.end(), inner.text.size() + 4, offset);
    i = close;
  }
  return true;
}

// For each group whether every match of the pattern must pass through it: it stands in no alternative and
// under no repetition that allows none.
std::vector<bool> always_groups(const std::string& text, std::size_t groups) {
  struct Open {
    std::size_t number;  // 0: not capturing
    bool alternatives = false;
    std::vector<std::size_t> inside;
  };
  std::vector<bool> always(groups + 1, true);
  std::vector<Open> stack{{0, false, {}}};
  std::size_t next = 1;
  const auto drop = [&](const Open& open, bool self) {
    for (std::size_t number : open.inside) always[number] = false;
    if (self && open.number > 0 && open.number <= groups) always[open.number] = false;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\') {
      if (i + 1 < text.size() && text[i + 1] == 'Q') {
        const auto end = text.find("\\E", i);
        i = end == std::string::npos ? text.size() : end + 1;
      } else {
        ++i;
      }
    } else if (c == '[') {
      ++i;
      if (i < text.size() && text[i] == '^') ++i;
      if (i < text.size() && text[i] == ']') ++i;
      while (i < text.size() && text[i] != ']') {
        if (text[i] == '[' && i + 1 < text.size() && text[i + 1] == ':')
          i = std::min(text.find(":]", i) + 1, text.size());
        i += text[i] == '\\' ? 2 : 1;
        if (i > text.size()) break;
      }
    } else if (c == '(') {
      const bool special = i + 1 < text.size() && text[i + 1] == '?';
      const bool captures = !special || text.compare(i, 4, "(?P<") == 0 || (text.compare(i, 3, "(?<") == 0);
      if (special && !captures) {  // (?i) alone opens nothing
        const auto end = text.find_first_not_of("imsU-", i + 2);
        if (end != std::string::npos && text[end] == ')') {
          i = end;
          continue;
        }
      }
      stack.push_back({captures ? next++ : 0, false, {}});
    } else if (c == '|') {
      stack.back().alternatives = true;
    } else if (c == ')' && stack.size() > 1) {
      Open done = std::move(stack.back());
      stack.pop_back();
      if (done.alternatives) drop(done, false);
      const char behind = i + 1 < text.size() ? text[i + 1] : '\0';
      const bool may_be_none =
          behind == '?' || behind == '*' || (behind == '{' && i + 2 < text.size() && text[i + 2] == '0');
      if (may_be_none) drop(done, true);
      if (done.number > 0) stack.back().inside.push_back(done.number);
      stack.back().inside.insert(stack.back().inside.end(), done.inside.begin(), done.inside.end());
    }
  }
  if (stack.front().alternatives) drop(stack.front(), false);
  return always;
}

struct Compiled {
  pattern::Regex regex;
  std::string text;
  ReadPattern read;
};

std::optional<Compiled> compile(Context& context, const Node& node) {
  if (node.text.empty()) {
    context.error("E030", node.spot, "the pattern is empty: it would match every line",
                  "write what the lines have in common");
    return std::nullopt;
  }
  Inserted inserted;
  std::vector<std::string> stack;
  if (!insert(context, node, stack, inserted)) return std::nullopt;
  auto regex = pattern::Regex::compile(inserted.text);
  if (!regex) {
    Diagnostic d = std::move(regex).error();
    const std::size_t at = std::max<std::uint32_t>(d.place.column, 1) - 1;
    d.place.column =
        at < inserted.origin.size() ? inserted.origin[at] : static_cast<std::uint32_t>(node.text.size());
    context.error_inside(node, std::move(d));
    return std::nullopt;
  }
  Compiled out{std::move(regex).value(), inserted.text, {}};
  out.read.names = out.regex.group_names();
  out.read.always = always_groups(inserted.text, out.regex.group_count());
  for (std::size_t i = 1; i < out.read.names.size(); ++i) {
    const std::string& name = out.read.names[i];
    if (name.empty()) continue;
    const FieldId id = context.find_field(name);
    const auto at = node.text.find(fmt::format("<{}>", name));
    const Spot spot = at == std::string::npos
                          ? node.spot
                          : context.sources.inside(node, static_cast<std::uint32_t>(at + 2),
                                                   static_cast<std::uint32_t>(name.size()));
    if (id == kText || id == kTime || id == kClass || id == kWeight) {
      context.error("E038", spot,
                    fmt::format("a capture cannot be called `{}`: every event has that already", name),
                    "give it another name");
      return std::nullopt;
    }
  }
  return out;
}

}  // namespace

std::optional<ReadPattern> read_pattern(Context& context, const Node& node) {
  auto compiled = compile(context, node);
  if (!compiled) return std::nullopt;
  compiled->read.index = static_cast<std::uint32_t>(context.set.patterns.size());
  PatternText pattern;
  pattern.text = std::move(compiled->text);
  pattern.place = context.sources.place(node.spot);
  pattern.compiled = std::move(compiled->regex);
  context.set.patterns.push_back(std::move(pattern));
  return std::move(compiled->read);
}

std::optional<ReadPattern> read_program_pattern(Context& context, const Node& node) {
  auto compiled = compile(context, node);
  if (!compiled) return std::nullopt;
  auto& patterns = context.set.program_patterns;
  const auto known = std::find_if(patterns.begin(), patterns.end(), [&](const ProgramPattern& one) { return one.text == compiled->text; });
  compiled->read.index = static_cast<std::uint32_t>(known - patterns.begin());
  if (known == patterns.end()) {
    // Here and not where it is used: each test of a rule begins a state of its own.
    auto whole = pattern::Regex::compile("\\A(?:" + compiled->text + ")\\z");
    patterns.push_back({std::move(compiled->text), whole ? std::optional(std::move(whole).value()) : std::nullopt});
  }
  return std::move(compiled->read);
}

void read_patterns(Context& context, const Document& document) {
  for (const Named& one : document.patterns) {
    context.patterns.emplace(one.name, one);
    if (one.node.is(Node::Kind::text)) continue;
    context.error("E004", one.node.spot,
                  fmt::format("[pattern] {} must be a pattern, not {}", one.name, described(one.node)),
                  "write '…'");
    context.broken.insert("pattern " + one.name);
  }
  for (const Named& one : document.patterns) {
    if (!one.node.is(Node::Kind::text)) continue;
    if (!compile(context, one.node)) context.broken.insert("pattern " + one.name);
  }
}

}  // namespace correlator::rules
