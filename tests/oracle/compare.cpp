// SPDX-License-Identifier: Apache-2.0
#include "compare.h"

#include <algorithm>

#include "oracle.h"
#include "random.h"
#include "real.h"

namespace correlator::oracle {
namespace {

std::vector<std::string> sorted(std::vector<std::string> lines) {
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::string described(const Input& input) {
  const std::string rule = "r" + std::to_string(input.rule) + (input.key.empty() ? "" : " " + input.key);
  switch (input.kind) {
    case Input::Kind::line:
      return to_line(input) + (input.again ? " (repeated " + std::to_string(input.times) + " times)" : "");
    case Input::Kind::noise:
      return to_rfc3339({input.event.time}) + " h1 prog: nothing";
    case Input::Kind::mark:
      return "mark " + to_rfc3339({input.event.time});
    case Input::Kind::end:
      return "end";
    case Input::Kind::reset:
      return "reset rule " + rule;
    case Input::Kind::silence:
      return "silence rule " + rule + " for " + to_string(Duration{input.lifetime});
    case Input::Kind::release:
      return "release rule " + rule;
    case Input::Kind::reload:
      return "reload " + std::to_string(input.spec);
    case Input::Kind::restart:
      return "restart";
  }
  return "";
}

// A world and a stream that differ, and what is tried to make them smaller.
class Shrinking {
 public:
  Shrinking(World world, Stream stream) : world_(std::move(world)), stream_(std::move(stream)) {}

  bool differs() { return still(world_, stream_); }

  void run() {
    drop_specs();
    drop_rules();
    drop_records();
    drop_specs();
    drop_rules();
  }

  const World& world() const { return world_; }
  const Stream& stream() const { return stream_; }

 private:
  // Takes them over if they differ.
  bool still(const World& world, Stream stream) {
    const Loaded loaded = load(world);
    if (!loaded.error.empty()) return false;
    const auto difference = compare(world, loaded, stream);
    if (!difference) return false;
    stream.resize(difference->record + 1);
    world_ = world;
    stream_ = std::move(stream);
    return true;
  }

  template <class Change>
  void simplify(Change change) {
    World less = world_;
    for (Spec& spec : less.specs) change(spec);
    still(less, stream_);
  }

  void drop_specs() {
    Stream stream = stream_;
    std::erase_if(stream, [](const Input& input) { return input.kind == Input::Kind::reload; });
    World less = world_;
    less.specs.resize(1);
    still(less, stream);
  }

  void drop_rules() {
    simplify([](Spec& s) { s.groups.clear(); });
    simplify([](Spec& s) { s.mutes.clear(); });
    simplify([](Spec& s) { s.stale_v = kAny; });
    if (std::none_of(stream_.begin(), stream_.end(), [](const Input& input) { return input.form >= Input::Form::start; })) {
      simplify([](Spec& s) { s.record = {}; });
    }
    while (world_.specs.size() == 1 && world_.specs[0].rules.size() > 1) {
      const std::size_t before = world_.specs[0].rules.size();
      simplify([](Spec& s) { s.rules.pop_back(); });
      if (world_.specs[0].rules.size() == before) break;
    }
    for (const char* id : {"r0", "r1", "r2"}) {
      const auto of = [&](auto change) {
        simplify([&](Spec& s) {
          for (Rule& rule : s.rules) {
            if (rule.id == id) change(rule);
          }
        });
      };
      of([](Rule& r) { r.hold = 0; });
      of([](Rule& r) { r.ignore.clear(); });
      of([](Rule& r) { r.unless.clear(); });
      of([](Rule& r) { r.where_below = kAny; });
      of([](Rule& r) { r.where_context = 0; });
      of([](Rule& r) { r.cooldown = 0; });
      of([](Rule& r) { r.then_clear = false; });
      of([](Rule& r) { r.then_over = false; });
      of([](Rule& r) { r.renewed = false; });
      of([](Rule& r) { r.then.clear(); });
      of([](Rule& r) { r.emits = 0; });
      of([](Rule& r) { r.weigh_by_v = false; });
      of([](Rule& r) {
        if (r.op != Op::schedule) r.key = KeyOf::host;
      });
    }
  }

  // Takes runs of records away, long ones first.
  void drop_records() {
    for (std::size_t run = std::max<std::size_t>(1, stream_.size() / 2); run > 0; run /= 2) {
      for (std::size_t at = 0; at < stream_.size();) {
        Stream less = stream_;
        const auto from = less.begin() + static_cast<std::ptrdiff_t>(at);
        less.erase(from, from + static_cast<std::ptrdiff_t>(std::min(run, less.size() - at)));
        if (!still(world_, less)) at += run;
      }
    }
  }

  World world_;
  Stream stream_;
};

}  // namespace

Loaded load(const World& world) {
  Loaded out;
  for (const Spec& spec : world.specs) {
    const auto rules = load(spec, out.error);
    auto matcher = rules == nullptr ? Result<pipeline::Matcher>(Diagnostic{}) : pipeline::Matcher::build(rules);
    if (matcher) {
      out.matchers.push_back(std::make_shared<const pipeline::Matcher>(std::move(matcher).value()));
      continue;
    }
    out.error += "the rules do not load\n" + to_toml(spec);
    return out;
  }
  out.error.clear();
  return out;
}

std::optional<Difference> compare(const World& world, const Loaded& loaded, const Stream& stream) {
  Real real(loaded.matchers, world);
  Oracle oracle(world);
  Difference out;
  for (std::size_t i = 0; i < stream.size(); ++i) {
    out.record = i;
    out.expected = sorted(oracle.step(stream[i]));
    out.got = sorted(real.step(stream[i]));
    if (out.expected != out.got) return out;
  }
  return std::nullopt;
}

std::string printed(const Stream& stream) {
  std::string out;
  for (const Input& input : stream) out += described(input) + "\n";
  return out;
}

std::string shrunk(World world, Stream stream) {
  Shrinking shrinking(std::move(world), std::move(stream));
  if (!shrinking.differs()) return "it differed once, but not again\n";
  shrinking.run();
  const auto difference = compare(shrinking.world(), load(shrinking.world()), shrinking.stream());
  if (!difference) return "it differed once, but not again\n";
  std::string out;
  for (std::size_t i = 0; i < shrinking.world().specs.size(); ++i) {
    out += "--- rules " + std::to_string(i) + "\n" + to_toml(shrinking.world().specs[i]);
  }
  out += "--- records\n" + printed(shrinking.stream());
  out += "--- the oracle expects of the last one\n";
  for (const std::string& line : difference->expected) out += "  " + line + "\n";
  out += "--- the engine gave\n";
  for (const std::string& line : difference->got) out += "  " + line + "\n";
  return out;
}

std::vector<std::size_t> openings(const World& world, const Stream& stream) {
  std::vector<std::size_t> out(world.first().rules.size());
  Real real(load(world).matchers, world);
  for (const Input& input : stream) {
    for (const std::string& line : real.step(input)) {
      for (std::size_t i = 0; i < out.size(); ++i) out[i] += line.starts_with("opened " + world.first().rules[i].id + " ") ? 1 : 0;
    }
  }
  return out;
}

std::vector<std::string> said_about(const World& world, const Stream& stream, const std::string& rule) {
  std::vector<std::string> out;
  const Loaded loaded = load(world);
  if (!loaded.error.empty()) return {loaded.error};
  Real real(loaded.matchers, world);
  for (std::size_t i = 0; i < stream.size(); ++i) {
    std::vector<std::string> lines;
    for (const std::string& line : real.step(stream[i])) {
      if (line.find(" " + rule + " [") != std::string::npos) lines.push_back(std::to_string(i) + " " + line);
    }
    lines = sorted(std::move(lines));
    out.insert(out.end(), lines.begin(), lines.end());
  }
  return out;
}

}  // namespace correlator::oracle
