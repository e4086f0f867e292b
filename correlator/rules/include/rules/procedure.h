// SPDX-License-Identifier: Apache-2.0
// Rules as a procedure: files of rules that each line walks through in order, action lists, variables. The engine's
// `Procedure` runs it; the reader of SEC's language (rules/sec/reader.h) makes it. Immutable once made.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/diagnostic.h"
#include "rules/text_pattern.h"

namespace correlator::rules {
struct FieldTest;  // a test of values, carried over from a piece of code
}

namespace correlator::rules::procedure {

// A piece of another language (Perl) that a rule brings along. Compiled by whoever reads the rules, called through the
// engine's ScriptHost; `number` is its place there.
struct Code {
  std::string source;
  std::uint32_t number = 0;
};

struct LinePattern {
  enum class Type : std::uint8_t { regexp, substring, code, cached, truth };
  Type type = Type::regexp;
  bool negated = false;
  bool truth = false;          // Type::truth
  std::uint32_t lines = 1;     // how many of the last lines it looks at
  std::string text;            // as written; of a substring decoded, of a cached pattern the entry's name
  std::optional<TextPattern> regexp;  // not there while `opens_with` is not done
  bool from_match = false;     // pattern2 with variables of the first match: made anew for each operation
  std::optional<Code> code;
  std::string cache_as;        // entry of the match cache that a match is kept in; may be empty
  std::vector<std::pair<std::string, std::uint32_t>> names;  // further names for numbered variables
  Place place;

  // Whether $variables exist after a match. Where they do not, a $ in the rule is a $.
  bool binds() const { return type == Type::regexp || type == Type::code || (type == Type::cached && !negated); }
};

struct Condition {
  enum class Kind : std::uint8_t { context, entry, values, entries, source, negation, all, any };
  Kind kind = Kind::context;
  std::string text;                 // name of the context or the entry, or the source; may hold variables
  std::vector<std::string> words;   // parameters of code; each may hold variables
  std::optional<Code> code;
  std::shared_ptr<const FieldTest> test;  // instead of code
  std::vector<Condition> parts;     // of negation, all, any
  bool constant = true;             // no variables in text
};

struct Guard {
  std::optional<Condition> condition;
  bool before_pattern = false;  // asked first, so that a costly pattern is not tried
  std::string text;             // as written
};

enum class Verb : std::uint8_t {
  none, logonly, write, writen, closef, owritecl, udgram, closeudgr, ustream, closeustr, udpsock, closeudp, tcpsock, closetcp,
  shellcmd, cmdexec, spawn, spawnexec, cspawn, cspawnexec, pipe, pipeexec, create, destroy, obsolete, set, alias, unalias, add,
  prepend, fill, report, reportexec, copy, empty, pop, shift, trim, exists, getsize, getaliases, getltime, setltime, getctime,
  setctime, event, tevent, cevent, reset, getwpos, setwpos, assign, assignsq, free, eval, call, lcall, rewrite, addinput,
  dropinput, sigemul, varset, when, loop, leave, again
};

struct ActionList;
using ActionListPtr = std::shared_ptr<const ActionList>;

// Parameters stand in the order in which the action names them; one that was left out is not there.
struct Action {
  Verb verb = Verb::none;
  std::string variable;             // the %name it sets or asks
  std::vector<std::string> words;   // names, files, times: templates
  std::optional<std::string> text;  // what is written, added, sent; not there: the description
  std::vector<std::string> command; // cut at blanks when it was read, for what runs without a shell
  std::optional<std::string> shell_command;
  std::int64_t number = 0;          // seconds of event, offset of reset
  bool relative = false;            // reset: the number counts from this rule
  bool numbered = false;            // event, reset: a number was given
  std::optional<Code> code;
  bool by_entry = false;            // lcall: parameters name entries of the match cache
  std::shared_ptr<const FieldTest> test;
  ActionListPtr list, otherwise;
  Place place;
};

struct ActionList {
  std::vector<Action> actions;
  bool asks_cache = false;  // somewhere in it stands $:{entry:name}
  std::string text;         // as written, for dumps
};

struct Continue {
  enum class How : std::uint8_t { next, stop, jump, end };
  How how = How::stop;
  std::uint32_t target = 0;  // rule number of a jump
};

// One pattern of a rule with what belongs to it.
struct Member {
  LinePattern pattern;
  Guard guard;
  Continue then;
  ActionListPtr count;        // EventGroup: runs at each event
  std::uint32_t threshold = 1;
  std::string token;          // EventGroup: what the event adds to the group string
};

// What an EventGroup asks of the string of its events.
struct GroupPattern {
  LinePattern::Type type = LinePattern::Type::regexp;
  bool negated = false;
  std::string text;
  std::optional<TextPattern> regexp;
  std::optional<Code> code;
};

struct Schedule {
  std::bitset<60> minute;
  std::bitset<24> hour;
  std::bitset<32> day;      // 0 is the last day of the month
  std::bitset<13> month;
  std::bitset<7> weekday;
  std::bitset<100> year;
  bool any_year = true;
};

enum class RuleType : std::uint8_t {
  single, script, suppress_repeats, pair, pair_window, threshold, two_thresholds, group, suppress, calendar, jump
};
const char* rule_type_name(RuleType type);

struct ProcedureRule {
  RuleType type = RuleType::single;
  std::uint32_t number = 0;
  Place place;
  std::string type_text;  // as written
  std::uint64_t fingerprint = 0;  // of all that it says
  std::vector<Member> members;  // one; two of a pair; N of a group
  std::string description, description2;
  ActionListPtr action, action2, init, slide, end;
  std::int64_t window = 0, window2 = 0;
  std::uint32_t threshold2 = 0;
  bool fires_again = false;  // EventGroup multact
  std::optional<GroupPattern> group;
  std::string script;
  std::vector<std::string> script_words;  // without a shell
  bool shell = true;
  std::vector<std::string> sets;
  bool constant_sets = true;
  Schedule schedule;
};

struct ProcedureFile {
  std::string name;  // as given
  std::vector<ProcedureRule> rules;
  std::vector<std::string> sets;
  bool sees_input = true;  // otherwise only what jumps here
  std::int64_t changed = 0;  // when the file was last written, in nanoseconds
};

struct ProcedureProgram {
  std::vector<std::shared_ptr<const ProcedureFile>> files;
};

// Lines that the widest pattern of the program looks at, at least 1.
std::uint32_t widest_pattern(const ProcedureProgram& program);

}  // namespace correlator::rules::procedure
