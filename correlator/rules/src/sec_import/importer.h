// SPDX-License-Identifier: Apache-2.0
// From a procedure's rules to TOML. A rule is carried over whole, in part, or left out; each difference is said.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "rules/sec/import.h"
#include "text.h"

namespace correlator::rules::sec {

using procedure::Action;
using procedure::ActionListPtr;
using procedure::LinePattern;
using procedure::Member;
using procedure::ProcedureFile;
using procedure::ProcedureRule;
using procedure::RuleType;
using procedure::Verb;

// A condition on a line, as an expression, or why it cannot be said.
struct LineTest {
  std::string text;  // empty: it always holds
  bool never = false;
  std::string obstacle;
  std::string regexp;          // where it is `line ~ 'regexp'` and no more
  std::string opposite, opposite_regexp;  // where it is `not (opposite)`
  std::set<std::string> contexts;  // that it asks for

  bool always() const { return text.empty() && !never && obstacle.empty(); }
};
LineTest negated(LineTest test);
LineTest both(LineTest a, LineTest b);
LineTest either(LineTest a, LineTest b);

// What SEC's order of rules makes of a rule: which lines come to it.
struct Reach {
  std::vector<LineTest> all;         // each has to hold
  std::vector<LineTest> none;        // what takes lines before it; none may hold
  std::vector<std::string> remarks;  // lines of which this cannot be said
  std::vector<std::pair<std::string, const LinePattern*>> endings;  // the same, of lines that this pattern matches
  std::string obstacle;              // no line comes, or lines come several times
};

// Contexts as far as their life can be told.
class Contexts {
 public:
  explicit Contexts(const procedure::ProcedureProgram& program);
  void leave_out(const ProcedureRule& rule) { left_out_.insert(&rule); }
  // An action that cannot be said after all, because of its text or its place; whether that is news.
  bool leave_out(const Action& action) { return unsayable_.insert(&action).second; }
  bool left_out(const ProcedureRule& rule, const Action& action) const { return left_out_.contains(&rule) || unsayable_.contains(&action); }
  // Empty: `context()` of the TOML rules is true when SEC's context lives.
  std::string obstacle(const std::string& name) const;
  // Empty: it also has the same lines as SEC's event store.
  std::string store_obstacle(const std::string& name) const;
  // Whether the rule's own condition, or what it did before, says that the context is there (or is not).
  static bool known_to_be(bool there, const ProcedureRule& rule, const Action& action);
  bool created(const std::string& name) const;
  // Whether a rule that is carried over adds lines to it.
  bool gets_lines(const std::string& name) const;
  // Whether a rule of another file, or one from `first` on and before `last`, changes one of them: within one line, too.
  bool changed_between(const std::set<std::string>& names, const ProcedureFile& file, std::uint32_t first, std::uint32_t last) const;
  // Whether another rule creates the context of this action with another list for its end.
  bool ends_otherwise(const Action& action) const;
  // Whether this very action can be said as `set` or `unset`.
  bool sayable(const Action& action) const;

 private:
  struct Touch {
    const ProcedureRule* rule;
    const Action* action;
    std::string name;
    bool sayable = false;
    bool makes = false;  // the context may not have been there
  };
  void look_at(const ProcedureRule& rule, const ActionListPtr& list, bool then);
  std::vector<Touch> touches_;
  std::set<const ProcedureRule*> left_out_;
  std::set<const Action*> unsayable_;
};

// [action.NAME] of the file, each once.
class ActionTable {
 public:
  // `args`: as they stand in the file; a ${…} is an argument of the step.
  // `lines`: what it reads are the lines of the step.
  std::string name_of(const std::string& run, const std::vector<std::string>& args, const std::string& comment, bool lines = false);
  std::string written() const;
  const std::set<std::string>& programs() const { return programs_; }
  void needs_program(const std::string& program) { programs_.insert(program); }

 private:
  struct Entry {
    std::string name, text;
  };
  std::vector<Entry> entries_;
  std::map<std::string, std::string> known_;
  std::set<std::string> programs_;  // what has to be put into the actions directory
};

// Everything said of one rule, on the way.
struct Carrying {
  const ProcedureRule& rule;
  std::vector<std::string> lines;  // of [[rule]]
  std::string before, behind;      // tables of their own
  std::vector<Diagnostic> left_out, differs;
  std::string obstacle;            // the whole rule is left out
};

// Fields that are known where steps stand.
struct StepScope {
  TextScope texts;
  std::optional<std::set<std::string>> known;  // none: all
  bool of_first = false;   // SEC has the values of the first event there
  bool may_set = false;    // contexts can be set there
  std::optional<std::set<std::string>> later = std::set<std::string>{};  // what is known when a context ends that is set here; none: all
  std::optional<CarriedText> ending = std::nullopt;  // the name of the context whose end this is, for _THIS
  std::string ending_name = {};                      // the same as written
};

// Whether the values of the text are those that SEC would have there.
bool all_known(const CarriedText& text, const StepScope& scope);

class Importer {
 public:
  Importer(const procedure::ProcedureProgram& program, const std::string& source);
  Imported run();

 private:
  // importer.cpp
  void carry(Carrying& to);
  void single(Carrying& to);
  void suppressed(Carrying& to);
  void counting(Carrying& to);
  void scheduled(Carrying& to);
  void pair(Carrying& to);
  void write_match(Carrying& to, MatchNames& names, const Member& member, const Reach& reach);
  void say_order(Carrying& to, const Reach& reach) const;
  void write_rule(Carrying& to, std::string& out) const;
  std::string id_of(const ProcedureRule& rule) const;
  std::string header(const Imported& result) const;
  static void differ(Carrying& to, std::string message, std::string hint = {});

  // key.cpp
  struct Key {
    CarriedText description;        // desc=, for %s
    std::string let;                // expression of `desc`, if one is needed
    std::vector<std::string> key;   // as written
    std::set<std::string> fields;   // known where only the key is
    std::set<std::string> same;     // of the same value in all events of a key
    std::set<std::string> values;   // of the line, in the description
  };
  Key key_of(Carrying& to, MatchNames& names) const;
  static void write_key(Carrying& to, const Key& key);

  // second.cpp: pattern2 of a pair
  struct Second {
    std::string regexp, obstacle;
    bool one_way = true;
  };
  Second second_pattern(const ProcedureRule& rule, MatchNames& first, const Key& key) const;

  // order.cpp
  Reach reach_of(const ProcedureRule& rule) const;
  Reach reach_of_file(const ProcedureFile& file) const;
  void add_earlier(const ProcedureFile& file, const ProcedureRule* until, Reach& out) const;
  LineTest unless_passed_over(const ProcedureFile& file, const ProcedureRule& rule, Reach& out) const;
  LineTest match_of(const ProcedureRule& rule) const;
  LineTest match_of(const Member& member) const;
  LineTest guard_of(const procedure::Guard& guard, MatchNames* names) const;
  LineTest condition_of(const procedure::Condition& condition, MatchNames* names) const;
  const ProcedureFile& file_of(const ProcedureRule& rule) const;

  // steps.cpp
  void steps(Carrying& to, const char* key, const ActionListPtr& list, const StepScope& scope);
  std::optional<std::string> step(Carrying& to, const Action& action, const StepScope& scope);
  std::optional<std::string> say(Carrying& to, const Action& action, const StepScope& scope);
  // `more`: further keys of the step.
  std::optional<std::string> command(Carrying& to, const Action& action, const StepScope& scope, const std::string& more = {});
  std::optional<std::string> report(Carrying& to, const Action& action, const StepScope& scope);
  std::optional<std::string> piped(Carrying& to, const Action& action, const StepScope& scope);

  // made_lines.cpp
  void find_makers(const ProcedureRule& rule, const ActionListPtr& list, bool then);
  void say_lost_lines(Carrying& to) const;

  // stores.cpp
  std::string collecting(Carrying& to, const Action& action, const Action* opening, const std::string& key, const StepScope& scope);
  std::string at_end_of(Carrying& to, const Action& action, const CarriedText& name, const StepScope& scope);
  std::optional<std::string> mail(Carrying& to, const Action& action, const StepScope& scope);
  void made_lines(Carrying& to, const ActionListPtr& list, const StepScope& scope);
  void contexts(Carrying& to, const ActionListPtr& list, const StepScope& scope);
  std::optional<CarriedText> text_of(Carrying& to, const Action& action, const std::string& text, const StepScope& scope);

  const procedure::ProcedureProgram& program_;
  std::string source_;
  Contexts contexts_;
  std::vector<std::pair<const ProcedureRule*, const Action*>> makers_;  // actions that make lines
  bool changed_ = false;  // something turned out not to be sayable: all has to be looked at anew
  ActionTable actions_;
  mutable std::set<const ProcedureFile*> on_the_way_;
};

// Said of an action or a rule that is left out.
Diagnostic left_out(const Place& place, std::string what, std::string why, std::string hint = {});

}  // namespace correlator::rules::sec
