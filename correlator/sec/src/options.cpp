// SPDX-License-Identifier: Apache-2.0
#include "sec/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <functional>

#include "base/text.h"

namespace correlator::sec {
namespace {

enum class Kind { list, text, number, positive, real, level, flag, once };  // flag: --x and --nox; once: only --x

struct Row {
  std::string_view name;
  Kind kind;
  std::function<void(Options&, const std::string&, bool)> set;
  std::string_view help;
};

std::optional<std::int64_t> number(const std::string& text) {
  const auto n = parse_uint(text);
  if (!n || *n > 0x7fffffff) return std::nullopt;
  return static_cast<std::int64_t>(*n);
}

const std::vector<Row>& rows() {
  const auto text = [](std::string Options::*member) { return [member](Options& o, const std::string& v, bool) { o.*member = v; }; };
  const auto flag = [](bool Options::*member) { return [member](Options& o, const std::string&, bool on) { o.*member = on; }; };
  const auto whole = [](auto Options::*member) {
    return [member](Options& o, const std::string& v, bool) { o.*member = static_cast<std::remove_reference_t<decltype(o.*member)>>(*number(v)); };
  };
  static const std::vector<Row> table = {
      {"conf", Kind::list, [](Options& o, const std::string& v, bool) { o.conf.push_back(v); }, "=GLOB  rule files; may stand several times"},
      {"input", Kind::list, [](Options& o, const std::string& v, bool) { o.input.push_back(v); }, "=GLOB[=CONTEXT]  inputs: files, FIFOs, - for standard input"},
      {"input-timeout", Kind::number, whole(&Options::input_timeout), "=SECONDS  after which a silent input is told of"},
      {"timeout-script", Kind::text, text(&Options::timeout_script), "=FILE  what is run then, with 1 or 0 and the input"},
      {"reopen-timeout", Kind::number, whole(&Options::reopen_timeout), "=SECONDS  between attempts to open an input"},
      {"check-timeout", Kind::number, whole(&Options::check_timeout), "=SECONDS  that a silent input is left alone"},
      {"poll-timeout", Kind::real, [](Options& o, const std::string& v, bool) { o.poll_timeout = std::strtod(v.c_str(), nullptr); }, "=SECONDS  to sleep when nothing came (0.1)"},
      {"socket-timeout", Kind::number, whole(&Options::socket_timeout), "=SECONDS  a connection may take (60)"},
      {"blocksize", Kind::positive, whole(&Options::block_size), "=BYTES  that are read of an input at once (a mebibyte)"},
      {"bufsize", Kind::number, whole(&Options::buffer_lines), "=LINES  kept for patterns of several lines (0: as the rules need)"},
      {"evstoresize", Kind::number, whole(&Options::store_limit), "=LINES  an event store may hold (0: any number)"},
      {"cleantime", Kind::number, whole(&Options::sweep_every), "=SECONDS  between looks at windows and contexts (1)"},
      {"log", Kind::text, text(&Options::log), "=FILE  the log of this programme"},
      {"syslog", Kind::text, text(&Options::syslog), "=FACILITY  the same to syslog"},
      {"debug", Kind::level, [](Options& o, const std::string& v, bool) { o.debug = static_cast<int>(*number(v)); }, "=1..6  how much is logged (6)"},
      {"pid", Kind::text, text(&Options::pid), "=FILE"},
      {"dump", Kind::text, text(&Options::dump), "=FILE  written on SIGUSR1 (/tmp/sec.dump)"},
      {"user", Kind::text, text(&Options::user), "=NAME  to run as"},
      {"group", Kind::list, [](Options& o, const std::string& v, bool) { o.groups.push_back(v); }, "=NAME  to run as; may stand several times"},
      {"umask", Kind::text, text(&Options::umask), "=MASK"},
      {"ruleperf", Kind::flag, flag(&Options::rule_times), "  count the time of each rule"},
      {"dumpfts", Kind::flag, flag(&Options::dump_timestamp), "  dump files with the time in their name"},
      {"dumpfjson", Kind::flag, flag(&Options::dump_json), "  dump files in JSON"},
      {"quoting", Kind::flag, flag(&Options::quoting), "  quote %s in commands"},
      {"tail", Kind::flag, flag(&Options::tail), "  wait for more at the end of files (default)"},
      {"fromstart", Kind::flag, flag(&Options::from_start), "  read files from their start"},
      {"detach", Kind::flag, flag(&Options::detach), "  become a daemon"},
      {"jointbuf", Kind::flag, flag(&Options::joint_buffer), "  one line buffer for all inputs"},
      {"keepopen", Kind::flag, flag(&Options::keep_open), "  keep inputs open over SIGABRT (default)"},
      {"rwfifo", Kind::flag, flag(&Options::rw_fifo), "  FIFOs never end (default)"},
      {"childterm", Kind::flag, flag(&Options::terminate_children), "  end children when this programme ends (default)"},
      {"intevents", Kind::flag, flag(&Options::internal_events), "  lines SEC_STARTUP, SEC_SHUTDOWN and so on"},
      {"intcontexts", Kind::flag, flag(&Options::internal_contexts), "  a context for each line that names its input"},
      {"testonly", Kind::flag, flag(&Options::test_only), "  read the rules and end: 1 if something is wrong with them"},
      {"timeline", Kind::once, flag(&Options::timeline), "  standard input is OFFSET<TAB>LINE on a clock of its own, #EOF ends it"},
      {"state", Kind::text, text(&Options::state), "=DIRECTORY  what goes on over several lines, and how far inputs were read, survives there"},
      {"sec-compat", Kind::text, [](Options& o, const std::string& v, bool) { o.exact = v == "exact"; }, "=exact  as SEC also where it is not safe (docs/coming-from-sec.md)"},
      {"help", Kind::once, flag(&Options::help), ""},
      {"version", Kind::once, flag(&Options::version), ""},
  };
  return table;
}

struct Found {
  const Row* row = nullptr;
  bool on = true;
  bool several = false;
};

// Options that SEC does not have stand in nobody's way: they are written out.
bool is_ours(std::string_view name) { return name == "timeline" || name == "state" || name == "sec-compat"; }

// A name or the only one of SEC's that begins so; "no" and "no-" in front of a flag.
Found find(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  Found out;
  std::vector<std::pair<const Row*, bool>> begins;
  for (const Row& row : rows()) {
    std::vector<std::pair<std::string, bool>> spellings = {{std::string(row.name), true}};
    if (row.kind == Kind::flag) {
      spellings.emplace_back("no" + std::string(row.name), false);
      spellings.emplace_back("no-" + std::string(row.name), false);
    }
    bool counted = false;
    for (const auto& [spelling, on] : spellings) {
      if (spelling == name) return {&row, on};
      if (!counted && !is_ours(row.name) && spelling.starts_with(name)) {
        begins.emplace_back(&row, on);
        counted = true;
      }
    }
  }
  if (begins.size() == 1) return {begins.front().first, begins.front().second};
  out.several = begins.size() > 1;
  return out;
}

bool takes_value(Kind kind) { return kind != Kind::flag && kind != Kind::once; }

// What is wrong with a value; empty if nothing is.
std::string wrong_value(const Row& row, const std::string& value) {
  switch (row.kind) {
    case Kind::number: return number(value) ? "" : "a number of at least 0";
    case Kind::positive: return number(value).value_or(0) > 0 ? "" : "a number of at least 1";
    case Kind::level: return number(value) && *number(value) >= 1 && *number(value) <= 6 ? "" : "a level from 1 to 6";
    case Kind::real: {
      double seconds = 0;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
      return error == std::errc() && end == value.data() + value.size() && seconds > 0 ? "" : "a number above 0";
    }
    default: return "";
  }
}

// Lines of the resource file stand behind the words of the command line, so that of two that differ the file's counts.
std::vector<std::string> with_resource_file(const std::vector<std::string>& words, Diagnostics& warnings) {
  const char* file = std::getenv("SECRC");
  if (file == nullptr) return words;
  std::vector<std::string> out = words;
  std::ifstream in(file);
  if (!in) {
    warnings.push_back(make_error("E501", fmt::format("the resource file '{}' cannot be read", file), "the variable SECRC names it"));
    warnings.back().gravity = Gravity::warning;
  }
  for (std::string line; std::getline(in, line);) {
    const std::string_view word = trim(line);
    if (!word.empty() && word.front() != '#') out.emplace_back(word);
  }
  return out;
}

}  // namespace

InputOption input_option(const std::string& given) {
  const std::size_t equals = given.rfind('=');
  const bool with_context = equals != std::string::npos && equals > 0 && equals + 1 < given.size() && given.find_first_of(" \t", equals) == std::string::npos;
  if (!with_context) return {given, {}};
  return {given.substr(0, equals), given.substr(equals + 1)};
}

Options parse_options(const std::vector<std::string>& given, Diagnostics& warnings) {
  Options out;
  const auto passed_over = [&](std::string message, std::string hint) {
    warnings.push_back(make_error("E501", std::move(message), std::move(hint)));
    warnings.back().gravity = Gravity::warning;
  };
  const std::vector<std::string> words = with_resource_file(given, warnings);
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string_view word = words[i];
    if (word == "-?" || word == "-h") {
      out.help = true;
      continue;
    }
    if (word == "--") break;
    if (word.empty() || word.front() != '-' || word == "-") {
      passed_over("the argument '" + words[i] + "' is passed over", "inputs are named with --input=FILE, rule files with --conf=FILE");
      continue;
    }
    word.remove_prefix(word.starts_with("--") ? 2 : 1);
    const std::size_t equals = word.find('=');
    const std::string name = lower(word.substr(0, equals));
    const Found found = find(name);
    if (found.row == nullptr) {
      std::vector<std::string> names;
      for (const Row& row : rows()) names.emplace_back(row.name);
      const std::string near = closest(name, names);
      passed_over(found.several ? "several options of sec begin with --" + name : "sec has no option --" + name,
                  near.empty() ? "correlator sec --help lists them" : "did you mean --" + near + "?");
      continue;
    }
    std::string value;
    if (!takes_value(found.row->kind) && equals != std::string_view::npos) {
      passed_over(fmt::format("--{} takes no value, and is passed over", name), "write --tail or --notail, and so with others");
      continue;
    }
    if (takes_value(found.row->kind)) {
      if (equals != std::string_view::npos) value = word.substr(equals + 1);
      else if (i + 1 < words.size()) value = words[++i];
      else {
        passed_over(fmt::format("--{} needs a value", found.row->name), "");
        continue;
      }
      if (const std::string expected = wrong_value(*found.row, value); !expected.empty()) {
        passed_over(fmt::format("--{}={} is passed over", found.row->name, value), "the value is " + expected);
        continue;
      }
    }
    found.row->set(out, value, found.on);
  }
  if (!out.groups.empty() && out.user.empty()) passed_over("--group has no effect without --user", "--user=NAME says who to run as");
  // One input with a context of its own gives each of the others one, too.
  for (const std::string& input : out.input) out.internal_contexts = out.internal_contexts || !input_option(input).context.empty();
  return out;
}

std::string options_help() {
  std::string out = "correlator sec runs rule files of SEC (Simple Event Correlator), with SEC's command line:\n";
  for (const Row& row : rows()) {
    if (!row.help.empty()) out += fmt::format("  --{}{}{}\n", row.kind == Kind::flag ? "[no]" : "", row.name, row.help);
  }
  return out;
}

}  // namespace correlator::sec
