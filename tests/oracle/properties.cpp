// SPDX-License-Identifier: Apache-2.0
#include "properties.h"

#include <algorithm>

#include "compare.h"

namespace correlator::oracle {
namespace {

std::string listed(const std::vector<std::size_t>& counts) {
  std::string out;
  for (std::size_t count : counts) out += (out.empty() ? "" : " ") + std::to_string(count);
  return out;
}

std::string printed(const Stream& stream) {
  std::string out;
  for (const Input& input : stream) {
    out += input.kind == Input::Kind::mark ? "mark " + std::to_string(input.event.time) + "\n" : to_line(input.event) + "\n";
  }
  return out;
}

Spec ordered_spec(Random& random) {
  const Op op = random.one_of<Op>({Op::count, Op::distinct, Op::group, Op::answer});
  Spec spec = random_spec(random, name_of(op));
  Rule& rule = spec.rules[0];
  rule.at_once = false;
  rule.cooldown = 0;
  rule.clears = op == Op::answer ? Clears::by_default : Clears::quiet;
  // Order inside `disorder` is said not to matter; spans shorter than that can hide in it whole.
  rule.within = std::max(rule.within, 2 * kDisorder);
  rule.quiet = std::max(rule.quiet, 2 * kDisorder);
  rule.ignore.clear();
  spec.groups.clear();
  return spec;
}

Time by_time(const Input& a) { return a.event.time; }

// Lines in another order, none more than 5 s behind the newest before it.
Stream shuffled(Random& random, const Stream& stream) {
  std::vector<std::pair<Time, std::size_t>> order;
  for (std::size_t i = 0; i < stream.size(); ++i) {
    order.emplace_back(stream[i].event.time + static_cast<Time>(random.below(static_cast<std::uint64_t>(kDisorder))), i);
  }
  std::sort(order.begin(), order.end());
  Stream out;
  for (const auto& [unused, i] : order) out.push_back(stream[i]);
  return out;
}

}  // namespace

std::string order_within_disorder(Random& random) {
  const Spec spec = ordered_spec(random);
  Stream stream = random_stream(random, spec, 60);
  std::erase_if(stream, [](const Input& input) { return input.kind != Input::Kind::line; });
  std::stable_sort(stream.begin(), stream.end(), [](const Input& a, const Input& b) { return by_time(a) < by_time(b); });
  Stream other = shuffled(random, stream);
  Input end;
  end.kind = Input::Kind::mark;
  end.event.time = stream.back().event.time + 30 * kLate;
  stream.push_back(end);
  other.push_back(end);
  const auto sorted = openings(spec, stream), mixed = openings(spec, other);
  if (sorted == mixed) return {};
  const auto differs = [&](const Stream& some) {  // the order is kept, records are taken away
    Stream in_order = some;
    std::stable_sort(in_order.begin(), in_order.end(), [](const Input& a, const Input& b) { return by_time(a) < by_time(b); });
    return openings(spec, in_order) != openings(spec, some);
  };
  for (std::size_t at = 0; at + 1 < other.size();) {
    Stream less = other;
    less.erase(less.begin() + static_cast<std::ptrdiff_t>(at));
    if (differs(less)) {
      other = std::move(less);
    } else {
      ++at;
    }
  }
  return "order within disorder changed how often cases open: " + listed(sorted) + " sorted, " + listed(mixed) + " mixed\n" + to_toml(spec) +
         printed(other);
}

std::string unrelated_rule(Random& random) {
  const Spec spec = random_spec(random, "");
  Spec more = spec;
  Spec other = random_spec(random, "");
  for (Rule& rule : other.rules) {
    rule.id = "other" + rule.id;
    if (rule.emits != 0 || rule.sets || rule.unsets || rule.where_context != 0) continue;
    more.rules.insert(random.chance(50) ? more.rules.begin() : more.rules.end(), rule);
  }
  const Stream stream = random_stream(random, spec, 100);
  Stream lines = stream;
  std::erase_if(lines, [](const Input& input) { return input.kind == Input::Kind::reset; });
  for (const Rule& rule : spec.rules) {
    const auto alone = said_about(spec, lines, rule.id), together = said_about(more, lines, rule.id);
    if (alone != together) return "another rule changed what `" + rule.id + "` says\n" + to_toml(more) + printed(lines);
  }
  return {};
}

std::string restart_changes_nothing(Random& random, const std::string& only) {
  const Spec spec = random_spec(random, only);
  const Stream stream = random_stream(random, spec, 120);
  if (compare(spec, stream)) return {};  // the comparison itself reports this
  std::vector<std::size_t> restarts;
  const std::uint64_t percent = random.one_of<std::uint64_t>({2, 20, 100});
  for (std::size_t i = 0; i < stream.size(); ++i) {
    if (random.chance(percent)) restarts.push_back(i);
  }
  const auto difference = compare(spec, stream, restarts);
  if (!difference) return {};
  return "a restart changed the answer at record " + std::to_string(difference->record) + "\n" + report(spec, stream, *difference);
}

}  // namespace correlator::oracle
