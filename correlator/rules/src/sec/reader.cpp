// SPDX-License-Identifier: Apache-2.0
#include "rules/sec/reader.h"

#include <algorithm>

#include "read_rule.h"

namespace correlator::rules::procedure {

const char* rule_type_name(RuleType type) {
  switch (type) {
    case RuleType::single: return "Single";
    case RuleType::script: return "SingleWithScript";
    case RuleType::suppress_repeats: return "SingleWithSuppress";
    case RuleType::pair: return "Pair";
    case RuleType::pair_window: return "PairWithWindow";
    case RuleType::threshold: return "SingleWithThreshold";
    case RuleType::two_thresholds: return "SingleWith2Thresholds";
    case RuleType::group: return "EventGroup";
    case RuleType::suppress: return "Suppress";
    case RuleType::calendar: return "Calendar";
    case RuleType::jump: return "Jump";
  }
  return "";
}

std::uint32_t widest_pattern(const ProcedureProgram& program) {
  std::uint32_t widest = 1;
  for (const auto& file : program.files) {
    for (const ProcedureRule& rule : file->rules) {
      for (const Member& member : rule.members) widest = std::max(widest, member.pattern.lines);
    }
  }
  return widest;
}

}  // namespace correlator::rules::procedure

namespace correlator::rules::sec {
namespace {

// A label names the next rule that was accepted; going there only works forward.
void resolve(ProcedureFile& file, const std::vector<PendingJump>& jumps, const std::map<std::string, std::uint32_t>& labels, Diagnostics& said) {
  for (const PendingJump& jump : jumps) {
    Continue& then = file.rules[jump.rule].members[jump.member].then;
    then.how = Continue::How::stop;
    const auto label = labels.find(jump.label);
    const std::size_t at = jump.field.value.rfind(jump.label);
    if (label != labels.end() && label->second > jump.rule) {
      then.how = Continue::How::jump;
      then.target = label->second;
      continue;
    }
    const bool known = label != labels.end();
    said.push_back(about(file.name, jump.field, at, jump.label.size(),
                         known ? "the label does not stand below this rule, so matching ends here" : "there is no such label, so matching ends here",
                         known ? "GoTo only goes forward" : "labels are compared with their case"));
    said.back().gravity = Gravity::warning;
  }
}

}  // namespace

ReadFile read(std::string_view text, const std::string& name, const ReadOptions& options) {
  ReadFile out;
  auto file = std::make_shared<ProcedureFile>();
  file->name = name;
  std::vector<PendingJump> jumps;
  std::map<std::string, std::uint32_t> labels;
  for (const Group& group : cut_statements(text, name, out.diagnostics)) {
    const auto number = static_cast<std::uint32_t>(file->rules.size());
    for (const Field& field : group.fields) {
      if (field.key == "label") labels[field.value] = number;
    }
    Reading reading{name, options, out.diagnostics};
    RuleReader reader(reading, group, number);
    auto rule = reader.read();
    if (reader.options) {
      file->sets = std::move(reader.options->sets);
      file->sees_input = reader.options->sees_input;
    }
    if (!rule) continue;
    file->rules.push_back(*std::move(rule));
    jumps.insert(jumps.end(), reader.jumps.begin(), reader.jumps.end());
  }
  resolve(*file, jumps, labels, out.diagnostics);
  out.file = std::move(file);
  return out;
}

}  // namespace correlator::rules::sec
