// SPDX-License-Identifier: Apache-2.0
// Texts of SEC's rules, $1 and %s, as texts and expressions of the TOML language.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "regexp.h"
#include "rules/procedure.h"

namespace correlator::rules::sec {

struct TextPart {
  std::string text;       // as it is, or the name of a field
  bool field = false;
  bool optional = false;  // the field may be none, which is empty in SEC
};

// A text, or why it cannot be said.
struct CarriedText {
  std::vector<TextPart> parts;
  std::string obstacle;
  bool tells_time = false;  // %t or %u stood in it

  void add(std::string_view text);
  void add(const TextPart& part);
  std::set<std::string> fields() const;
};

// The variables of one match as fields. Only what is asked for becomes a field.
class MatchNames {
 public:
  // nullptr: the pattern has no variables, and a $ is a $.
  explicit MatchNames(const procedure::LinePattern* pattern);

  bool binds() const { return pattern_ != nullptr; }
  // What $NAME is worth: a field, a constant, or an obstacle.
  CarriedText value(std::string_view name);
  TextPart line();  // the whole line
  TextPart group(std::size_t number);

  const std::string& regexp() const { return regexp_; }  // RE2's, in ASCII
  const std::vector<GroupFacts>& groups() const { return groups_; }
  const std::map<std::size_t, std::string>& given() const { return given_; }
  bool line_asked() const { return line_asked_; }
  std::size_t number_of(const std::string& field) const;  // 0: none of the groups

 private:
  std::string name_for(std::size_t number) const;

  const procedure::LinePattern* pattern_;
  std::string regexp_;
  std::vector<GroupFacts> groups_{1};
  std::map<std::size_t, std::string> given_;
  bool line_asked_ = false;
};

// What the variables of a text mean where it stands.
struct TextScope {
  MatchNames* dollar = nullptr;
  MatchNames* percent = nullptr;              // action2 of a pair: %1 is of the first match
  const CarriedText* description = nullptr;   // %s; nullptr: no list variables here
  bool has_time = false;                      // an event is at hand, and it is now
};
CarriedText carry_text(const std::string& text, const TextScope& scope);

// The text as it is written in the TOML file.
std::string as_template(const CarriedText& text);    // with ${…}
std::string as_expression(const CarriedText& text);  // 'a ' + b
std::string quoted_expression(std::string_view text);
std::string toml_text(std::string_view text);        // with its quotes
std::string in_ascii(std::string_view regexp);
std::string pattern_test(const std::string& regexp); // line ~ '…'

}  // namespace correlator::rules::sec
