// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>

#include "parts.h"

namespace correlator::rules::sec {

// A rule that jumps forward names a label; the labels are known when the whole file was read.
struct PendingJump {
  std::uint32_t rule;
  std::size_t member;
  std::string label;
  Field field;
};

struct OptionsRule {
  std::vector<std::string> sets;
  bool sees_input = true;
};

class RuleReader {
 public:
  RuleReader(Reading& reading, const Group& group, std::uint32_t number) : reading_(reading), group_(group), number_(number) {}

  // Nothing after the reasons were said. An Options rule gives no rule, and is not refused either.
  std::optional<ProcedureRule> read();
  std::optional<OptionsRule> options;
  std::vector<PendingJump> jumps;

 private:
  bool collect();
  bool set_type(const Field& field);
  bool check_fields();
  bool allowed(const std::string& key) const;
  void need(const std::string& key);
  const Field* get(const std::string& key) const;

  void members();
  Member member(const std::string& suffix, std::size_t index);
  bool read_pattern(LinePattern& out, const Field& ptype, const Field& pattern, std::size_t index);
  void pattern_text(LinePattern& out, const Field& pattern, std::size_t index);
  void regexp(LinePattern& out, const Field& pattern, std::size_t index);
  void varmap(LinePattern& out, const Field& field);
  void read_continue(Continue& out, const Field& field, std::size_t index);
  void settings();
  void script();
  void jump();
  void group_settings();
  void options_rule();
  ActionListPtr actions(const std::string& key);
  std::optional<std::int64_t> number(const std::string& key, std::int64_t least, const char* what);
  std::optional<bool> yes_no(const std::string& key);

  Reading& reading_;
  const Group& group_;
  std::uint32_t number_;
  std::map<std::string, const Field*> fields_;
  ProcedureRule rule_;
  std::string type_;        // lower case
  std::uint32_t count_ = 1; // of patterns
  bool is_options_ = false;
};

}  // namespace correlator::rules::sec
