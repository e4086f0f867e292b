// SPDX-License-Identifier: Apache-2.0
#include "text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "base/text.h"
#include "pattern/regex.h"
#include "rules/variables.h"

namespace correlator::rules::sec {
namespace {

// Names that mean something already where a captured value may be asked for.
const std::set<std::string, std::less<>> kTaken = {
    "host", "program", "pid", "facility", "level", "text", "time", "caller", "severity", "part", "class", "weight", "line", "desc",
    "rule", "key", "decision", "count", "acked", "cleared", "settings", "and", "or", "not", "in", "true", "false", "none",
    "bits", "bit", "hex", "int", "min", "max", "len", "lower", "upper", "trim", "split", "join", "has", "open", "context", "collected", "collected_count", "row"};

bool is_plain_name(const std::string& name) {
  const auto fits = [](unsigned char c) { return std::islower(c) || std::isdigit(c) || c == '_'; };
  return !name.empty() && std::islower(static_cast<unsigned char>(name.front())) && std::all_of(name.begin(), name.end(), fits);
}

// What %.name is, if it is a character.
std::optional<std::string> character(std::string_view name) {
  if (name == "nl") return "\n";
  if (name == "cr") return "\r";
  if (name == "tab") return "\t";
  if (name == "sp") return " ";
  if (!name.starts_with("chr")) return std::nullopt;
  const auto code = parse_uint(name.substr(3));
  return code && *code < 256 ? std::optional(std::string(1, static_cast<char>(*code))) : std::nullopt;
}

// The second round: variables of the action list, in what the rule itself says.
void list_round(std::string_view text, const TextScope& scope, bool value_follows, CarriedText& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.add(text.substr(i, 1));
      continue;
    }
    if (i + 1 == text.size() && value_follows) out.obstacle = "a % in front of a value";
    if (i + 1 < text.size() && text[i + 1] == '%') {
      out.add("%");
      ++i;
      continue;
    }
    const ListVariable variable = list_variable(text.substr(i + 1));
    if (variable.length == 0) {
      out.add("%");
      continue;
    }
    i += variable.length;
    if (variable.name == "s") {
      for (const TextPart& part : scope.description->parts) out.add(part);
      if (out.obstacle.empty()) out.obstacle = scope.description->obstacle;
    } else if (variable.name == "t" && scope.has_time) {
      out.add(TextPart{"time", true, false});
      out.tells_time = true;
    } else if (variable.name == "t" || variable.name == "u") {
      out.obstacle = fmt::format("%{} (a decision carries its time by itself)", variable.name);
    } else if (const auto one = variable.name.starts_with('.') ? character(variable.name.substr(1)) : std::nullopt) {
      out.add(*one);
    } else {
      out.obstacle = fmt::format("the variable %{}", variable.name);
    }
  }
}

// Perl's \s and \S, which the reader wrote out because RE2's do not know the vertical tab.
std::string with_short_classes(std::string text) {
  static constexpr std::pair<std::string_view, std::string_view> kShort[] = {{"[\\x00-\\x08\\x0e-\\x1f\\x21-\\xff]", "[^\\s\\v]"}, {"[\\x09-\\x0d\\x20]", "[\\s\\v]"}};
  for (const auto& [from, to] : kShort) {
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
  }
  return text;
}

}  // namespace

void CarriedText::add(std::string_view text) {
  if (text.empty()) return;
  if (parts.empty() || parts.back().field) parts.emplace_back();
  parts.back().text += text;
}

void CarriedText::add(const TextPart& part) {
  if (part.field) parts.push_back(part);
  else add(part.text);
}

std::set<std::string> CarriedText::fields() const {
  std::set<std::string> out;
  for (const TextPart& part : parts) {
    if (part.field) out.insert(part.text);
  }
  return out;
}

MatchNames::MatchNames(const procedure::LinePattern* pattern) : pattern_(pattern != nullptr && pattern->binds() ? pattern : nullptr) {
  if (pattern_ != nullptr && pattern_->regexp && pattern_->regexp->scannable() != nullptr && !pattern_->negated)
    regexp_ = in_ascii(pattern_->regexp->scannable()->pattern());
  groups_ = groups_of(regexp_);
}

std::string MatchNames::name_for(std::size_t number) const {
  std::vector<std::string> wished;
  for (const auto& [name, group] : pattern_->names) {
    if (group == number) wished.push_back(name);
  }
  const auto& named = pattern_->regexp->group_names();
  if (number < named.size()) wished.push_back(named[number]);
  for (std::string& name : wished) {
    name = lower(name);
    const bool used = std::any_of(given_.begin(), given_.end(), [&](const auto& one) { return one.second == name; });
    if (is_plain_name(name) && !kTaken.contains(name) && !used) return name;
  }
  return "m" + std::to_string(number);
}

TextPart MatchNames::group(std::size_t number) {
  const auto [at, fresh] = given_.try_emplace(number);
  if (fresh) {
    given_.erase(at);
    given_[number] = name_for(number);
  }
  return {given_[number], true, !groups_[number].always};
}

TextPart MatchNames::line() {
  line_asked_ = true;
  return {"line", true, false};
}

std::size_t MatchNames::number_of(const std::string& field) const {
  for (const auto& [number, name] : given_) {
    if (name == field) return number;
  }
  return 0;
}

CarriedText MatchNames::value(std::string_view name) {
  CarriedText out;
  if (name == "_inputsrc" || name == "_intcontext") {
    out.obstacle = fmt::format("$+{{{}}} (where a line came from)", name);
    return out;
  }
  std::size_t number = groups_.size();
  if (const auto n = parse_uint(name)) {
    if (*n == 0) {
      out.add(line());
      return out;
    }
    if (*n == 1 && groups_.size() == 1 && !pattern_->negated) out.add("1");  // what a match without groups is worth
    number = static_cast<std::size_t>(std::min<std::uint64_t>(*n, groups_.size()));
  } else if (!pattern_->regexp) {  // a pattern2 that is made anew for each first match
    out.obstacle = fmt::format("$+{{{}}} of a pattern that holds values", name);
    return out;
  } else {
    const auto mapped = std::find_if(pattern_->names.begin(), pattern_->names.end(), [&](const auto& one) { return one.first == name; });
    const auto& named = pattern_->regexp->group_names();
    const auto at = std::find(named.begin(), named.end(), name);
    if (mapped != pattern_->names.end()) number = mapped->second;
    else if (at != named.end()) number = static_cast<std::size_t>(at - named.begin());
    if (number == 0) out.add(line());
  }
  if (number > 0 && number < groups_.size()) out.add(group(number));
  return out;
}

CarriedText carry_text(const std::string& text, const TextScope& scope) {
  CarriedText first;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool percent = text[i] == '%' && scope.percent != nullptr;
    const bool dollar = text[i] == '$' && scope.dollar != nullptr && scope.dollar->binds();
    const std::string_view behind = std::string_view(text).substr(i + 1);
    if ((dollar || percent) && !behind.empty() && behind.front() == text[i]) {
      first.add(behind.substr(0, 1));
      ++i;
      continue;
    }
    const MatchVariable variable = dollar || percent ? match_variable(behind) : MatchVariable{};
    if (variable.length == 0) {
      first.add(std::string_view(text).substr(i, 1));
      continue;
    }
    i += variable.length;
    CarriedText value = (percent ? scope.percent : scope.dollar)->value(variable.name);
    if (!variable.entry.empty()) value.obstacle = "a variable of the match cache";
    if (first.obstacle.empty()) first.obstacle = value.obstacle;
    for (const TextPart& part : value.parts) first.parts.push_back(part);  // a constant stays apart from what is written
  }
  if (scope.description == nullptr || !first.obstacle.empty()) return first;
  CarriedText out;
  for (std::size_t i = 0; i < first.parts.size(); ++i) {
    if (first.parts[i].field) out.add(first.parts[i]);
    else list_round(first.parts[i].text, scope, i + 1 < first.parts.size(), out);
  }
  return out;
}

std::string in_ascii(std::string_view regexp) {
  std::string out;
  for (const char c : regexp) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) out += c;
    else out += fmt::format("\\x{:02x}", byte);
  }
  return with_short_classes(std::move(out));
}

std::string quoted_expression(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\'' || c == '\\') out += std::string("\\") + c;
    else if (byte < 0x20 || byte >= 0x7f) out += fmt::format("\\x{:02x}", byte);
    else out += c;
  }
  return out + "'";
}

std::string as_template(const CarriedText& text) {
  std::string out;
  for (const TextPart& part : text.parts) {
    if (part.field) {
      out += fmt::format("${{{}{}}}", part.text, part.optional ? " ?? ''" : "");
      continue;
    }
    for (std::size_t i = 0; i < part.text.size(); ++i) {
      const auto byte = static_cast<unsigned char>(part.text[i]);
      // A $ in front of what begins with { would be taken for more than it is.
      const bool before_brace = part.text[i] == '$' && (i + 1 == part.text.size() || part.text[i + 1] == '{');
      if (before_brace || byte >= 0x7f) out += fmt::format("${{{}}}", quoted_expression(part.text.substr(i, 1)));
      else out += part.text[i];
    }
  }
  return out;
}

std::string as_expression(const CarriedText& text) {
  std::string out;
  for (const TextPart& part : text.parts) {
    out += out.empty() ? "" : " + ";
    if (!part.field) out += quoted_expression(part.text);
    else out += part.optional ? fmt::format("({} ?? '')", part.text) : part.text;
  }
  return out.empty() ? "''" : out;
}

std::string toml_text(std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
  if (plain && text.find('\'') == std::string_view::npos) return fmt::format("'{}'", text);
  if (plain && text.find_first_of("\"\\") == std::string_view::npos) return fmt::format("\"{}\"", text);
  if (plain && text.find("'''") == std::string_view::npos && !text.ends_with('\'')) return fmt::format("'''{}'''", text);
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out += std::string("\\") + c;
    else if (byte < 0x20 || byte == 0x7f) out += fmt::format("\\u{:04x}", byte);
    else out += c;
  }
  return out + "\"";
}

std::string pattern_test(const std::string& regexp) {
  std::string out;
  for (std::size_t i = 0; i < regexp.size(); ++i) {
    if (regexp[i] == '\\' && i + 1 < regexp.size()) out += regexp[i++];
    else if (regexp[i] == '\'') out += '\\';
    out += regexp[i];
  }
  return fmt::format("line ~ '{}'", out);
}

}  // namespace correlator::rules::sec
