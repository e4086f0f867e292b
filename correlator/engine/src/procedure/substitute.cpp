// SPDX-License-Identifier: Apache-2.0
// Texts with variables. Match variables first, then those of the action list; what comes out of the log is masked in between.
#include <array>
#include <ctime>

#include "core.h"
#include "variables.h"

namespace correlator::engine {
namespace {

std::string format_time(Second now, const char* format) {
  const auto time = static_cast<std::time_t>(now);
  std::tm local{};
  localtime_r(&time, &local);
  std::array<char, 128> out{};
  return {out.data(), std::strftime(out.data(), out.size(), format, &local)};
}

std::string character(std::string_view digits) {
  unsigned n = 0;
  for (const char c : digits) n = n < 256 && c >= '0' && c <= '9' ? n * 10 + static_cast<unsigned>(c - '0') : 256;
  return digits.empty() || n > 255 ? std::string() : std::string(1, static_cast<char>(n));
}

// %.name: the time, and characters that cannot be typed.
std::string builtin(std::string_view name, Second now) {
  if (name.starts_with("chr")) return character(name.substr(3));
  if (name == "nl") return "\n";
  if (name == "cr") return "\r";
  if (name == "tab") return "\t";
  if (name == "sp") return " ";
  static constexpr std::array<std::pair<std::string_view, const char*>, 14> kTimes{{
      {"sec", "%S"}, {"min", "%M"}, {"hour", "%H"}, {"hmsstr", "%H:%M:%S"}, {"mday", "%d"}, {"mdaystr", "%e"}, {"mon", "%m"},
      {"monstr", "%b"}, {"year", "%Y"}, {"wday", "%w"}, {"wdaystr", "%a"}, {"tzname", "%Z"}, {"tzoff", "%z"}, {"tzoff2", "%z"}}};
  for (const auto& [known, format] : kTimes) {
    if (known != name) continue;
    std::string out = format_time(now, format);
    if (name == "tzoff2" && out.size() == 5) out.insert(3, ":");
    return out;
  }
  return {};
}

void append_masked(std::string& out, std::string_view value, bool mask) {
  for (const char c : value) {
    if (mask && c == '%') out += '%';
    out += c;
  }
}

const Bindings* entry_of(const Scope& scope, bool percent, std::string_view name) {
  const MatchCache* cache = scope.cache_of(percent);
  if (cache == nullptr) return nullptr;
  const auto entry = cache->find(name);
  return entry == cache->end() ? nullptr : entry->second.get();
}

}  // namespace

// The first round, without masking: for descriptions, names of contexts, keys.
std::string Procedure::Core::match_text(const std::string& pattern, const Scope& scope, bool& from_log) const {
  if (scope.dollar == nullptr) return pattern;
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    const bool percent = c == '%' && scope.percent != nullptr;
    if (c != '$' && !percent) {
      out += c;
      continue;
    }
    const std::string_view behind = std::string_view(pattern).substr(i + 1);
    if (!behind.empty() && behind.front() == c) {
      out += c;
      ++i;
      continue;
    }
    const MatchVariable variable = match_variable(behind);
    if (variable.length == 0) {
      out += c;
      continue;
    }
    from_log = true;
    const Bindings* from = percent ? scope.percent.get() : scope.dollar.get();
    if (!variable.entry.empty()) from = entry_of(scope, percent, variable.entry);
    const ScriptValue* value = from == nullptr ? nullptr : from->find(variable.name);
    if (value != nullptr && *value) out += **value;
    i += variable.length;
  }
  return out;
}

namespace {

// Both rounds. `write` gets each character that stands in the rule, `insert` each value.
class TwoRounds {
 public:
  TwoRounds(const Procedure::Core& core, const Setting& setting, Writer* first = nullptr, Writer* second = nullptr, bool pastes = false)
      : core_(core), setting_(setting), first_(first), shell_(second), pastes_(pastes) {}

  // Values are handed over beside the text, as they are.
  void hand_over() { masks_values_ = false; }

  // The first round alone: scripts hold % for themselves.
  std::string match_only(const std::string& pattern) {
    masks_ = false;
    if (setting_.scope.dollar == nullptr) return pattern;
    return match_round(pattern);
  }

  Text run(const std::string& pattern) {
    const std::string first = setting_.scope.dollar == nullptr ? pattern : match_round(pattern);
    return {list_round(first), from_log_};
  }

 private:
  std::string match_round(const std::string& pattern) {
    const Scope& scope = setting_.scope;
    std::string out;
    const auto literal = [&](char c) {
      if (first_ != nullptr) first_->literal(c);
      else out += c;
    };
    for (std::size_t i = 0; i < pattern.size(); ++i) {
      const char c = pattern[i];
      const bool percent = c == '%' && scope.percent != nullptr;
      const std::string_view behind = std::string_view(pattern).substr(i + 1);
      if ((c != '$' && !percent) || behind.empty()) {
        literal(c);
        continue;
      }
      if (behind.front() == c) {
        literal(c);
        ++i;
        continue;
      }
      const MatchVariable variable = match_variable(behind);
      if (variable.length == 0) {
        literal(c);
        continue;
      }
      i += variable.length;
      from_log_ = true;
      const std::string value = value_of(variable, percent);
      std::string masked;
      append_masked(masked, value, masks_ && !(core_.options.paste_log_text && !variable.entry.empty()));  // SEC forgets it for these
      if (first_ == nullptr) out += masked;
      else if (core_.options.paste_log_text || pastes_) for (const char m : masked) first_->literal(m);
      else first_->value(masks_values_ ? masked : value);
    }
    return first_ != nullptr ? first_->take() : out;
  }

  std::string value_of(const MatchVariable& variable, bool percent) const {
    const Scope& scope = setting_.scope;
    const Bindings* from = percent ? scope.percent.get() : scope.dollar.get();
    if (!variable.entry.empty()) from = entry_of(scope, percent, variable.entry);
    const ScriptValue* value = from == nullptr ? nullptr : from->find(variable.name);
    return value != nullptr && *value ? **value : std::string();
  }

  std::string list_round(const std::string& pattern) {
    std::string out;
    const auto literal = [&](char c) {
      if (shell_ != nullptr) shell_->literal(c);
      else out += c;
    };
    for (std::size_t i = 0; i < pattern.size(); ++i) {
      const char c = pattern[i];
      if (c != '%') {
        literal(c);
        continue;
      }
      if (i + 1 < pattern.size() && pattern[i + 1] == '%') {
        literal(c);
        ++i;
        continue;
      }
      const ListVariable variable = list_variable(std::string_view(pattern).substr(i + 1));
      if (variable.length == 0) {
        literal(c);
        continue;
      }
      i += variable.length;
      insert(variable.name, out);
    }
    return shell_ != nullptr ? shell_->take() : out;
  }

  void insert(std::string_view name, std::string& out) {
    const Variable value = value_of(name);
    from_log_ = from_log_ || value.from_log;
    if (shell_ == nullptr) {
      out += value.value;
    } else if (name == "s" && core_.options.quote_description) {
      shell_->value(value.value, true);
    } else if (value.from_log && !core_.options.paste_log_text) {
      shell_->value(value.value);
    } else {
      for (const char c : value.value) shell_->literal(c);
    }
  }

  Variable value_of(std::string_view name) const {
    if (name == "s") return {setting_.description, setting_.description_from_log, {}};
    if (name == "t") return {format_time(core_.now, "%a %b %e %H:%M:%S %Y"), false, {}};
    if (name == "u") return {std::to_string(core_.now), false, {}};
    if (name.front() == '.') return {builtin(name.substr(1), core_.now), false, {}};
    const auto found = core_.variables.find(name);
    return found == core_.variables.end() ? Variable{} : found->second;
  }

  const Procedure::Core& core_;
  const Setting& setting_;
  Writer* first_;   // of match variables
  Writer* shell_;   // of the action list's
  bool pastes_;
  bool masks_values_ = true;
  bool from_log_ = false;
  bool masks_ = true;
};

}  // namespace

Text Procedure::Core::text(const std::string& pattern, const Setting& setting) { return TwoRounds(*this, setting).run(pattern); }

Text Procedure::Core::text_or_description(const std::optional<std::string>& pattern, const Setting& setting) {
  if (!pattern) return {setting.description, setting.description_from_log};
  return text(*pattern, setting);
}

std::string Procedure::Core::word(const rules::procedure::Action& action, std::size_t index, const Setting& setting) {
  if (index >= action.words.size()) return setting.description;
  return text(action.words[index], setting).value;
}

std::string Procedure::Core::shell(const std::string& pattern, const Setting& setting) {
  ShellWriter first, second;
  return TwoRounds(*this, setting, &first, &second).run(pattern).value;
}

std::string Procedure::Core::script_text(const std::string& pattern, const Setting& setting, bool for_shell) {
  ShellWriter writer;
  return TwoRounds(*this, setting, for_shell ? &writer : nullptr).match_only(pattern);
}

std::string Procedure::Core::code(const std::string& pattern, const Setting& setting, bool list_variables, std::vector<std::string>& values) {
  CodeWriter first(values), second(values);
  TwoRounds rounds(*this, setting, &first, &second);
  rounds.hand_over();
  return list_variables ? rounds.run(pattern).value : rounds.match_only(pattern);
}

}  // namespace correlator::engine
