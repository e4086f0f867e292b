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
  switch (input.kind) {
    case Input::Kind::line:
      return to_line(input.event);
    case Input::Kind::noise:
      return to_rfc3339({input.event.time}) + " h1 prog: nothing";
    case Input::Kind::mark:
      return "mark " + to_rfc3339({input.event.time});
    case Input::Kind::reset:
      return "reset r" + std::to_string(input.reset_rule);
  }
  return "";
}

// Takes runs of records away, long ones first, as long as the difference stays.
void drop_records(const Spec& spec, Stream& stream) {
  for (std::size_t run = std::max<std::size_t>(1, stream.size() / 2); run > 0; run /= 2) {
    for (std::size_t at = 0; at < stream.size();) {
      Stream less = stream;
      const auto from = less.begin() + static_cast<std::ptrdiff_t>(at);
      less.erase(from, from + static_cast<std::ptrdiff_t>(std::min(run, stream.size() - at)));
      const auto difference = compare(spec, less);
      if (difference && difference->error.empty()) {
        less.resize(difference->record + 1);
        stream = std::move(less);
      } else {
        at += run;
      }
    }
  }
}

bool still_differs(const Spec& spec, Stream& stream) {
  const auto difference = compare(spec, stream);
  if (!difference || !difference->error.empty()) return false;
  stream.resize(difference->record + 1);
  return true;
}

template <class Change>
void simplify(Spec& spec, Stream& stream, Change change) {
  Spec less = spec;
  change(less);
  if (still_differs(less, stream)) spec = std::move(less);
}

void drop_rules(Spec& spec, Stream& stream) {
  simplify(spec, stream, [](Spec& s) { s.groups.clear(); });
  simplify(spec, stream, [](Spec& s) { s.mutes.clear(); });
  while (spec.rules.size() > 1) {
    const std::size_t before = spec.rules.size();
    simplify(spec, stream, [](Spec& s) { s.rules.pop_back(); });
    if (spec.rules.size() == before) break;
  }
  for (std::size_t i = 0; i < spec.rules.size(); ++i) {
    simplify(spec, stream, [i](Spec& s) { s.rules[i].hold = 0; });
    simplify(spec, stream, [i](Spec& s) { s.rules[i].ignore.clear(); });
    simplify(spec, stream, [i](Spec& s) { s.rules[i].unless.clear(); });
    simplify(spec, stream, [i](Spec& s) { s.rules[i].where_below = kAny; });
    simplify(spec, stream, [i](Spec& s) { s.rules[i].where_context = 0; });
    simplify(spec, stream, [i](Spec& s) { s.rules[i].cooldown = 0; });
    simplify(spec, stream, [i](Spec& s) { s.rules[i].then_clear = false; });
    simplify(spec, stream, [i](Spec& s) { s.rules[i].then.clear(); });
    simplify(spec, stream, [i](Spec& s) { s.rules[i].key = KeyOf::host; });
    simplify(spec, stream, [i](Spec& s) { s.rules[i].weigh_by_v = false; });
  }
}

}  // namespace

std::optional<Difference> compare(const Spec& spec, const Stream& stream, const std::vector<std::size_t>& restarts) {
  Difference out;
  const auto rules = load(spec, out.error);
  if (!rules) return out;
  out.error.clear();
  Real real(rules, spec);
  Oracle oracle(spec);
  std::size_t next = 0;
  for (std::size_t i = 0; i < stream.size(); ++i) {
    for (; next < restarts.size() && restarts[next] <= i; ++next) {
      if (!real.restart(out.error)) return out;
    }
    out.record = i;
    out.expected = sorted(oracle.step(stream[i]));
    out.got = sorted(real.step(stream[i]));
    if (out.expected != out.got) return out;
  }
  if (!real.ids_unique()) {
    out.error = "two decisions have one id";
    return out;
  }
  return std::nullopt;
}

void shrink(Spec& spec, Stream& stream) {
  if (!still_differs(spec, stream)) return;
  drop_rules(spec, stream);
  drop_records(spec, stream);
  drop_rules(spec, stream);
}

std::string report(const Spec& spec, const Stream& stream, const Difference& difference) {
  const std::string toml = to_toml(spec);
  std::string out = "--- rules\n" + toml + "--- records\n";
  for (std::size_t i = 0; i <= difference.record && i < stream.size(); ++i) out += described(stream[i]) + "\n";
  if (!difference.error.empty()) return out + "--- error\n" + difference.error + "\n";
  out += "--- the oracle expects of the last one\n";
  for (const std::string& line : difference.expected) out += "  " + line + "\n";
  out += "--- the engine gave\n";
  for (const std::string& line : difference.got) out += "  " + line + "\n";
  return out;
}

std::vector<std::size_t> openings(const Spec& spec, const Stream& stream) {
  std::vector<std::size_t> out(spec.rules.size());
  std::string errors;
  const auto rules = load(spec, errors);
  if (!rules) return {};
  Real real(rules, spec);
  for (const Input& input : stream) {
    for (const std::string& line : real.step(input)) {
      for (std::size_t i = 0; i < spec.rules.size(); ++i) out[i] += line.starts_with("opened " + spec.rules[i].id + " ") ? 1 : 0;
    }
  }
  return out;
}

std::vector<std::string> said_about(const Spec& spec, const Stream& stream, const std::string& rule) {
  std::vector<std::string> out;
  std::string errors;
  const auto rules = load(spec, errors);
  if (!rules) return {errors};
  Real real(rules, spec);
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
