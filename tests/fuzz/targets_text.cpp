// SPDX-License-Identifier: Apache-2.0
// Log lines, rule files, expressions.
#include <algorithm>
#include <memory>

#include "base/json.h"
#include "base/text.h"
#include "engine/json.h"
#include "expr/expression.h"
#include "input/sources.h"
#include "pipeline/live.h"
#include "pipeline/session.h"
#include "rules/loader.h"
#include "syslog/frame.h"
#include "syslog/parser.h"
#include "targets.h"

namespace correlator::fuzz {
namespace {

bool inside(std::string_view part, std::string_view whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

// Frames of a stream that comes in blocks of about `size` bytes, as a reader would cut it.
std::vector<std::string> frames_of(std::string_view stream, std::size_t size) {
  std::vector<std::string> out;
  syslog::FrameState state;
  std::size_t at = 0, length = 0;
  for (bool last = stream.empty(); !last;) {
    length += size;
    const std::string_view block = stream.substr(at, length);
    const bool at_eof = at + block.size() == stream.size();
    syslog::BlockFrames walk(block, state, at_eof);
    std::vector<std::string> found;
    for (syslog::Frame frame; walk.next(frame);) found.emplace_back(frame.bytes);
    if (walk.consumed() == 0 && !at_eof) continue;  // the block must grow and is walked again
    out.insert(out.end(), found.begin(), found.end());
    state = walk.state();
    at += walk.consumed();
    length = 0;
    last = at_eof;
  }
  return out;
}

const std::shared_ptr<const rules::RuleSet>& site() {
  static const auto rules = [] {
    return loaded(R"toml(format = 1
[class.error]
key = ["host"]
may = { n = "int", page = "hex", what = "text" }
[[event]]
id = "edac"
class = "error"
match = 'EDAC MC\d+: (?P<n>\d+) (?:CE|UE) ?(?P<what>.*?)(?:page:(?P<page>0x[0-9a-f]+))?'
types = { n = "int", page = "hex" }
weight = "n ?? 1"
[[event]]
id = "other"
class = "error"
[event.record]
many = ['Hardware Error', 'pcieport', 'memory failure']
same = ["host"]
within = "1s"
[[rule]]
id = "count"
on = "error"
count = "7 in 1h"
[[rule]]
id = "each"
on = { on = "error", where = "(n ?? 0) > 100" }
[[rule]]
id = "silent"
key = ["host"]
absence = { of = "error", for = "1h" }
)toml");
  }();
  return rules;
}

std::string decisions_of(std::string_view log, std::size_t piece) {
  std::string out;
  static const auto matcher = std::make_shared<const pipeline::Matcher>(pipeline::Matcher::build(site()).value());
  pipeline::SessionOptions options;
  options.matcher = matcher;
  auto session = pipeline::Session::start(site(), std::nullopt, options, [&](const engine::StepOutput& step, const rules::RuleSet& set) {
    for (const engine::Event& event : step.events) out += to_line(engine::to_json(event, set)) + "\n";
    for (const engine::Decision& decision : step.decisions) out += to_line(engine::to_json(decision)) + "\n";
  });
  if (!session.ok()) return session.error().message;
  const SimulatedClock clock(*parse_rfc3339("2026-01-02T00:00:00Z"));
  std::vector<std::unique_ptr<input::LiveSource>> sources;
  sources.push_back(input::reader_source(input::memory_reader("log", std::string(log), piece)));
  pipeline::Live live(**session, std::move(sources), clock, {});
  if (const Status status = live.run([] { return false; }); !status.ok()) return status.error().message;
  return out;
}

class NoNames final : public expr::Scope, public expr::Bindings {
 public:
  std::optional<expr::Symbol> symbol(std::string_view name) const override {
    expr::Symbol symbol;
    symbol.slot = 0;
    if (name == "n" || name == "page") symbol.type = expr::Type::integer, symbol.optional = name == "page", symbol.slot = name == "page" ? 1 : 0;
    else if (name == "host" || name == "text") symbol.type = expr::Type::text, symbol.slot = 2;
    else if (name == "time") symbol.type = expr::Type::time, symbol.slot = 3;
    else if (name == "x") symbol.type = expr::Type::any, symbol.optional = true, symbol.slot = 1;
    else return std::nullopt;
    return symbol;
  }
  std::optional<expr::Signature> function(std::string_view) const override { return std::nullopt; }
  std::vector<std::string> names() const override { return {"n", "page", "host", "text", "time", "x"}; }
  expr::Value symbol(std::uint32_t slot) const override {
    switch (slot) {
      case 0: return std::uint64_t{0x1234};
      case 2: return std::string("kvm1\xff");
      case 3: return Timestamp{1'000'000};
      default: return {};
    }
  }
  expr::Value call(std::uint32_t, std::span<const expr::Value>, std::string_view) const override { return {}; }
};

template <class Compiled>
std::string tried(const std::string& text) {
  const NoNames world;
  const auto compiled = Compiled::compile(text, world);
  if (compiled.ok()) {
    const expr::Value value = compiled->eval(world);
    return compiled->eval(world) == value ? "" : "two evaluations differ";
  }
  const Diagnostic& d = compiled.error();
  if (!d.code.starts_with("E1") || d.message.empty()) return "refused without a reason: " + d.code;
  return d.place.column >= 1 && d.place.column <= text.size() + 1 ? "" : "the place lies outside of the text";
}

}  // namespace

std::string run_syslog(std::string_view bytes) {
  const std::vector<char> exact(bytes.begin(), bytes.end());  // so that a sanitizer sees every step beyond the end
  const std::string_view frame(exact.data(), exact.size());
  syslog::Parser parser;
  syslog::Message m;
  if (!parser.parse(frame, m)) return {};
  if (!inside(m.raw, frame)) return "raw lies outside of the frame";
  unsigned sum = 0;
  for (const auto view : {m.raw, m.host, m.program, m.text, m.caller, m.input, m.exe, m.from_ip, m.id, m.boot_id}) {
    for (const char c : view) sum += static_cast<unsigned char>(c);
  }
  return sum == 1 ? "a sum of 1" : "";
}

std::string run_frames(std::string_view bytes) {
  const auto whole = frames_of(bytes, bytes.size() + 1);
  for (const std::size_t size : {std::size_t{256}, std::size_t{4096}}) {
    const auto pieces = frames_of(bytes, size);
    if (pieces != whole) {
      return "blocks of " + std::to_string(size) + " give " + std::to_string(pieces.size()) + " frames, one block " + std::to_string(whole.size());
    }
  }
  for (const std::string& frame : whole) {
    if (std::string wrong = run_syslog(frame); !wrong.empty()) return wrong;
  }
  return {};
}

std::string run_archive(std::string_view bytes) {
  const std::string whole = decisions_of(bytes, bytes.size() + 1);
  for (const std::size_t piece : {std::size_t{97}, std::size_t{1024}}) {
    if (decisions_of(bytes, piece) != whole) return "pieces of " + std::to_string(piece) + " bytes change what is decided";
  }
  for (const std::string_view line : split(whole, "\n")) {
    if (!line.empty() && !parse_json(line)) return "the output is no JSON: " + std::string(line);
  }
  return {};
}

std::string run_rules(std::string_view bytes) {
  const rules::Loaded loaded = rules::load({{"t.toml", std::string(bytes)}});
  if ((loaded.rules != nullptr) == has_errors(loaded.diagnostics)) return "neither loaded nor refused";
  for (const Diagnostic& d : loaded.diagnostics) {
    const std::string text = to_text(d);
    if (text.find('\x1b') != std::string::npos) return "a diagnostic has control characters";
    if (d.place.line == 0) return "a diagnostic without a place: " + text;
    if (d.message.empty() || d.code.empty()) return "a diagnostic without a reason";
  }
  return {};
}

std::string run_expressions(std::string_view bytes) {
  const std::string text(bytes);
  std::string wrong = tried<expr::Expression>(text);
  return wrong.empty() ? tried<expr::Template>(text) : wrong;
}

}  // namespace correlator::fuzz
