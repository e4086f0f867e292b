// SPDX-License-Identifier: Apache-2.0
#include "filter.h"

#include <cctype>

#include <fmt/format.h>

namespace correlator::engine {

std::string quoted_pattern(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 0x80) out += c;
    else out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

namespace {

// pattern2 with "anything" for each value of the first match. Nothing where a value could be more than text.
std::optional<std::string> with_anything(std::string_view pattern, bool literal) {
  std::string out;
  bool in_class = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\' && !literal && i + 1 < pattern.size()) {
      if (pattern[i + 1] == '$') return std::nullopt;
      out += pattern.substr(i++, 2);
      continue;
    }
    if (!literal && c == '[') in_class = true;
    if (!literal && c == ']') in_class = false;
    const char next = i + 1 < pattern.size() ? pattern[i + 1] : '\0';
    const bool variable = c == '$' && (std::isdigit(static_cast<unsigned char>(next)) || next == '{' || next == '+' || next == ':');
    if (c == '$' && (next == '$' || (variable && in_class))) return std::nullopt;
    if (!variable) {
      out += literal ? quoted_pattern(pattern.substr(i, 1)) : std::string(1, c);
      continue;
    }
    std::size_t end = i + 1;
    if (std::isdigit(static_cast<unsigned char>(next))) {
      while (end < pattern.size() && std::isdigit(static_cast<unsigned char>(pattern[end]))) ++end;
    } else {
      end = pattern.find('}', i);
      if (end == std::string_view::npos) return std::nullopt;
      ++end;
    }
    if (!literal && end < pattern.size() && std::string_view("*+?{").find(pattern[end]) != std::string_view::npos) return std::nullopt;
    out += "(?s:.*)";
    i = end - 1;
  }
  return out;
}

}  // namespace

std::vector<std::uint32_t> Filter::add(const rules::procedure::ProcedureRule& rule) {
  std::vector<std::uint32_t> out;
  for (const rules::procedure::Member& member : rule.members) out.push_back(rule.type == rules::procedure::RuleType::calendar ? kNever : add(member.pattern, rule));
  return out;
}

std::uint32_t Filter::add(const rules::procedure::LinePattern& pattern, const rules::procedure::ProcedureRule&) {
  using Type = rules::procedure::LinePattern::Type;
  const auto keep = [&](std::optional<pattern::Regex> regex) {
    if (!regex) {
      asks_every_line_ = true;
      return kAlways;
    }
    regexes_.push_back(*std::move(regex));
    return static_cast<std::uint32_t>(regexes_.size() - 1);
  };
  if (pattern.type == Type::cached && !pattern.negated) return kNever;
  if (pattern.negated || pattern.lines > 1 || pattern.type == Type::code || pattern.type == Type::cached) return keep(std::nullopt);
  if (pattern.type == Type::truth) return pattern.truth ? keep(std::nullopt) : kNever;
  std::string text;
  if (pattern.from_match) {
    const auto general = with_anything(pattern.text, pattern.type == Type::substring);
    if (!general) return keep(std::nullopt);
    if (pattern.type == Type::regexp) {
      auto compiled = rules::TextPattern::compile(*general, pattern.lines);
      if (!compiled || compiled->scannable() == nullptr) return keep(std::nullopt);
      return keep(*compiled->scannable());
    }
    text = *general;
  } else if (pattern.type == Type::regexp) {
    const pattern::Regex* scannable = pattern.regexp->scannable();
    return scannable != nullptr ? keep(*scannable) : keep(std::nullopt);
  } else {
    if (pattern.text.empty()) return keep(std::nullopt);
    text = quoted_pattern(pattern.text);
  }
  auto compiled = pattern::Regex::compile(text);
  return compiled ? keep(*std::move(compiled)) : keep(std::nullopt);
}

void Filter::build(bool used) {
  if (used) set_ = std::make_unique<pattern::PatternSet>(pattern::PatternSet::build(regexes_, {}));
  seen_.assign(regexes_.size(), 0);
}

void Filter::begin(std::string_view text, const std::vector<std::uint32_t>* candidates) {
  all_ = set_ == nullptr;
  if (all_) return;
  ++turn_;
  if (candidates == nullptr) {
    set_->scan_text(text, scratch_, found_);
    candidates = &found_;
  }
  for (const std::uint32_t id : *candidates) seen_[id] = turn_;
}

}  // namespace correlator::engine
