// SPDX-License-Identifier: Apache-2.0
#include "variables.h"

#include <cctype>

namespace correlator::engine {
namespace {

bool word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

}  // namespace

void ShellWriter::literal(char c) {
  out_ += c;
  if (escaped_) {
    escaped_ = false;
  } else if (inside_ == Inside::single) {
    if (c == '\'') inside_ = Inside::nothing;
  } else if (c == '\\') {
    escaped_ = true;
  } else if (c == '"') {
    inside_ = inside_ == Inside::twice ? Inside::nothing : Inside::twice;
  } else if (c == '\'' && inside_ == Inside::nothing) {
    inside_ = Inside::single;
  }
}

void ShellWriter::value(std::string_view text, bool one_word) {
  escaped_ = false;  // a \ in front quotes the first character of what follows, which is fine for it
  if (inside_ == Inside::twice) {
    for (const char c : text) {
      if (c == '"' || c == '\\' || c == '$' || c == '`') out_ += '\\';
      out_ += c;
    }
    return;
  }
  bool quoted = inside_ == Inside::single;
  const bool was = quoted;
  if (one_word && text.empty() && !quoted) out_ += "''";
  for (const char c : text) {
    const bool plain = word(c) || std::string_view("-+./:=@%,").find(c) != std::string_view::npos;
    const bool separates = (c == ' ' || c == '\t') && !one_word;
    if (c == '\'') {
      out_ += quoted ? "'\\''" : "\\'";
    } else if (!was && (plain || separates) && !(quoted && !separates)) {
      if (quoted) out_ += '\'';
      quoted = false;
      out_ += c;
    } else {
      if (!quoted) out_ += '\'';
      quoted = true;
      out_ += c;
    }
  }
  if (quoted && !was) out_ += '\'';
}

void CodeWriter::literal(char c) {
  out_ += c;
  if (escaped_) escaped_ = false;
  else if (c == '\\') escaped_ = true;
  else if (c == '\'' && !twice_) single_ = !single_;
  else if (c == '"' && !single_) twice_ = !twice_;
}

void CodeWriter::value(std::string_view text, bool) {
  const std::string name = "$main::SEC::_value[" + std::to_string(values_.size()) + "]";
  values_.emplace_back(text);
  escaped_ = false;
  out_ += single_ ? "'." + name + ".'" : name;
}

}  // namespace correlator::engine
