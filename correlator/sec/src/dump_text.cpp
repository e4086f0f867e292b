// SPDX-License-Identifier: Apache-2.0
// The dump as text.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "dump_file.h"
#include "journal.h"

namespace correlator::sec {
namespace {

const std::string kDouble(60, '='), kSingle(60, '-');

std::string time_of(const Json& seconds) { return stamp(seconds.get<std::int64_t>()); }

// What a log says stays on its line.
std::string shown(const Json& value) { return value.is_string() ? printable(value.get_ref<const std::string&>()) : value.is_null() ? "(function)" : value.dump(); }

class Text {
 public:
  explicit Text(const Json& all) : all_(all) {}

  std::string run() {
    program();
    section("Environment");
    for (const auto& [name, value] : all_.at("env").items()) line(name + "=" + shown(value));
    costs();
    rules();
    inputs();
    buffers();
    pending();
    cache();
    operations();
    contexts();
    children();
    variables();
    return std::move(out_);
  }

 private:
  void line(const std::string& text = {}) { out_ += text + "\n"; }
  void field(const char* name, const Json& value) { line(fmt::format("{}: {}", name, shown(value))); }
  void total(std::size_t n) { line(fmt::format("Total: {} elements", n)); }
  void section(const char* name) {
    if (!out_.empty()) line();
    line(std::string(name) + ":");
    line(kDouble);
  }

  void program() {
    const Json& program = all_.at("program");
    section("Program information");
    field("Program version", program.at("version"));
    line("Time of the start: " + time_of(program.at("startuptime")));
    line("Time of the last configuration load: " + time_of(program.at("confloadtime")));
    line("Time of the dump: " + time_of(program.at("dumptime")));
    field("Program resource file", program.at("rcfile"));
    field("Program options", program.at("options"));
    field("Effective user ID", program.at("euid"));
    field("Effective group ID", program.at("egid"));
    std::string groups;
    for (const Json& group : program.at("sgid")) groups += (groups.empty() ? "" : " ") + group.dump();
    line("Supplementary group IDs: " + groups);
  }

  void costs() {
    const Json& cost = all_.at("perf");
    section("Performance statistics");
    for (const auto& [title, name] : {std::pair{"Run time", "runtime"}, std::pair{"User time", "user"}, std::pair{"System time", "system"},
                                      std::pair{"Child user time", "childuser"}, std::pair{"Child system time", "childsystem"}}) {
      line(fmt::format("{}: {:g} seconds", title, cost.at(name).get<double>()));
    }
    field("Processed input lines", cost.at("lines"));
  }

  void rules() {
    section("Rule usage statistics");
    for (const auto& [file, facts] : all_.at("rulestats").items()) {
      line();
      line("Statistics for the rules from " + printable(file));
      if (facts.contains("loadtime")) line("(loaded at " + time_of(facts.at("loadtime")) + ")");
      line(kSingle);
      const auto& rules = facts.at("stats");
      std::size_t widest = 1;
      for (const Json& rule : rules) widest = std::max(widest, rule.at("ruleline").dump().size());
      const std::size_t digits = std::to_string(rules.size()).size();
      for (std::size_t i = 0; i < rules.size(); ++i) {
        const Json& rule = rules[i];
        std::string cost;
        if (rule.contains("cputime")) cost = fmt::format(", {:.2f} seconds of CPU time spent for processing {} events", rule.at("cputime").get<double>(), rule.at("events").get<std::uint64_t>());
        line(fmt::format("Rule {:>{}} line {:>{}} matched {} events{} ({})", i + 1, digits, rule.at("ruleline").get<std::uint32_t>(), widest, rule.at("matches").get<std::uint64_t>(), cost, shown(rule.at("desc"))));
      }
    }
  }

  void inputs() {
    section("Input sources");
    for (const auto& [name, input] : all_.at("inputs").items()) {
      std::string text = printable(name) + " (status: " + shown(input.at("status"));
      if (input.contains("type")) text += ", type: " + shown(input.at("type"));
      if (input.contains("offset")) text += fmt::format(", read offset: {}, file size: {}", input.at("offset").dump(), input.at("size").dump());
      if (input.contains("inode")) text += fmt::format(", device/inode: {}/{}", input.at("dev").dump(), input.at("inode").dump());
      text += fmt::format(", received data: {} lines, ", input.at("lines").dump());
      line(text + (input.contains("context") ? "context: " + shown(input.at("context")) : "no context set") + ")");
    }
  }

  void lines_between_rules(const Json& lines) {
    line(kSingle);
    for (const Json& one : lines) line(shown(one));
    line(kSingle);
    line();
  }

  void buffers() {
    const Json& buffer = all_.at("buffer");
    const bool joint = buffer.contains("lastinputs");
    const std::string size = buffer.at("bufsize").dump();
    line();
    field("Input buffering mode", buffer.at("bufmode"));
    line((joint ? "Size of input buffer: " : "Size of each input buffer: ") + size);
    line();
    if (joint) {
      line("Content of input buffer (last " + size + " input line(s)):");
      lines_between_rules(buffer.at("lastlines"));
      line("Last " + size + " input source(s):");
      lines_between_rules(buffer.at("lastinputs"));
    } else {
      for (const auto& [source, lines] : buffer.at("lastlines").items()) {
        line("Content of input buffer for " + printable(source) + ":");
        lines_between_rules(lines);
      }
      if (buffer.contains("lastsynevents")) {
        line("Content of input buffer for synthetic events:");
        lines_between_rules(buffer.at("lastsynevents"));
      }
    }
    out_.pop_back();  // the next section brings its empty line
  }

  void pending() {
    section("Pending events");
    for (const Json& event : all_.at("pendingevents")) {
      field("Event", event.at("event"));
      line(fmt::format("Will be created at {} with context '{}'", time_of(event.at("time")), shown(event.at("context"))));
      line();
    }
    total(all_.at("pendingevents").size());
  }

  void cache() {
    section("Pattern match cache");
    for (const auto& [name, fields] : all_.at("pmatchcache").items()) {
      line("Match: " + printable(name));
      for (const auto& [field, value] : fields.items()) line(printable(field) + " = " + shown(value));
      line();
    }
    total(all_.at("pmatchcache").size());
  }

  // The fields of an operation in the order in which they are read: those of a pattern, then what it does.
  void operation(const Json& op) {
    const auto optional = [&](const std::string& title, const std::string& name) {
      if (op.contains(name)) line(title + ": " + shown(op.at(name)));
    };
    const auto pattern = [&](const std::string& n) {
      optional("Pattern" + n, "pattern" + n);
      optional("Context" + n, "context" + n);
      optional("Behavior after match" + n, "continue" + n);
      if (!op.contains("eventpatterns")) return;
      optional("Count action" + n, "count" + n);
      optional("Threshold" + n, "threshold" + n);
      optional("Event group token" + n, "egtoken" + n);
    };
    const bool is_group = op.contains("eventpatterns");
    field("Key", op.at("key"));
    line("Operation started at: " + time_of(op.at("starttime")));
    line("Correlation window begins at: " + time_of(op.at("windowstart")));
    if (op.contains("windowend")) line("Correlation window ends at: " + time_of(op.at("windowend")));
    field("Configuration file", op.at("configfile"));
    line(fmt::format("Rule number: {}", op.at("ruleid").get<std::uint32_t>() + 1));
    field("Rule internal ID", op.at("ruleid"));
    field("Type", op.at("type"));
    pattern("");
    for (std::size_t n = 2; is_group && op.contains("pattern" + std::to_string(n)); ++n) pattern(std::to_string(n));
    optional("Event group pattern", "egpattern");
    optional("Event group string", "egstring");
    optional("Init action", "init");
    optional("Slide action", "slide");
    optional("End action", "end");
    optional("Description", "desc");
    optional("Action", "action");
    if (!is_group && op.contains("pattern2")) pattern("2");
    if (!op.contains("window2")) later_fields(op);
    line("Window: " + (op.at("window") == 0 ? std::string("infinite") : op.at("window").dump() + " seconds"));
    if (!is_group) optional("Threshold", "threshold");
    if (op.contains("window2")) {
      later_fields(op);
      line("Window2: " + op.at("window2").dump() + " seconds");
      optional("Threshold2", "threshold2");
    }
    if (op.contains("eventtimes")) times(op);
    line();
    line(kSingle);
  }

  void later_fields(const Json& op) {
    if (op.contains("desc2")) field("Description2", op.at("desc2"));
    if (op.contains("action2")) field("Action2", op.at("action2"));
  }

  void times(const Json& op) {
    std::string status = op.at("status").get<std::string>();
    if (status == "threshold reached") status = "seen before threshold was crossed";
    if (status == "thresholds reached") status = "seen before thresholds were crossed";
    const Json& times = op.at("eventtimes");
    line(fmt::format("{} events observed at ({}):", times.size(), status));
    for (std::size_t i = 0; i < times.size(); ++i) {
      std::string text = time_of(times[i]);
      if (op.contains("eventpatterns")) text += " (matched by pattern #" + op.at("eventpatterns")[i].dump();
      if (op.contains("eventtokens")) text += ", event group token: " + shown(op.at("eventtokens")[i]);
      line(text + (op.contains("eventpatterns") ? ")" : ""));
    }
  }

  void operations() {
    section("List of event correlation operations");
    for (const Json& op : all_.at("operations")) operation(op);
    total(all_.at("operations").size());
  }

  void contexts() {
    section("List of contexts");
    for (const Json& context : all_.at("contexts")) {
      for (const Json& name : context.at("name")) field("Context Name", name);
      line("Creation Time: " + time_of(context.at("creationtime")));
      const Json& lifetime = context.at("lifetime");
      line("Lifetime: " + (lifetime == 0 ? std::string("infinite") : lifetime.dump() + " seconds"));
      if (context.contains("action")) line(fmt::format("Action on delete: {} (%s = {})", shown(context.at("action")), shown(context.at("listdesc"))));
      const Json& lines = context.at("buffer");
      if (!lines.empty()) line(fmt::format("{} events associated with context:", lines.size()));
      for (const Json& one : lines) line(shown(one));
      line(kSingle);
    }
    total(all_.at("contexts").size());
  }

  void children() {
    section("Child processes");
    for (const Json& child : all_.at("children")) {
      field("Child PID", child.at("pid"));
      field("Commandline started by child", child.at("cmdline"));
      if (child.contains("status")) line(fmt::format("{} with context '{}'", shown(child.at("status")), shown(child.at("context"))));
      line(kSingle);
    }
    total(all_.at("children").size());
  }

  void variables() {
    section("Action list variables");
    for (const auto& [name, value] : all_.at("variables").items()) line(fmt::format("%{} = '{}'", name, shown(value)));
    total(all_.at("variables").size());
    line();
  }

  const Json& all_;
  std::string out_;
};

}  // namespace

std::string dump_text(const Json& all) { return Text(all).run(); }

}  // namespace correlator::sec
