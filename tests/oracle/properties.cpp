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

World ordered_world(Random& random) {
  const Op op = random.one_of<Op>({Op::count, Op::distinct, Op::answer});
  World world = random_world(random, name_of(op));
  world.specs.resize(1);
  Spec& spec = world.specs[0];
  Rule& rule = spec.rules[0];
  if (rule.key == KeyOf::parts || rule.key == KeyOf::host_parts) rule.key = KeyOf::host;  // what shares a case is up to the first event
  if (op == Op::count) rule.n = std::min<std::uint64_t>(rule.n, 3);  // more newer pairs than that push out what a late one needs
  rule.at_once = false;
  rule.cooldown = 0;
  rule.clears = op == Op::answer ? Clears::by_default : Clears::quiet;
  rule.lasts = 0;  // an end that does not wait is not free of order
  rule.renewed = rule.then_over = false;
  // Order inside `disorder` is said not to matter; spans shorter than that can hide in it whole.
  rule.within = std::max(rule.within, 2 * kDisorder);
  rule.quiet = std::max(rule.quiet, 2 * kDisorder);
  rule.ignore.clear();
  spec.groups.clear();
  spec.record = {};
  return world;
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
  const World world = ordered_world(random);
  Stream stream = random_stream(random, world, 60);
  // What a counter rose by depends on the order by its nature.
  std::erase_if(stream, [](const Input& input) { return input.kind != Input::Kind::line || input.form == Input::Form::counter; });
  std::stable_sort(stream.begin(), stream.end(), [](const Input& a, const Input& b) { return by_time(a) < by_time(b); });
  Stream other = shuffled(random, stream);
  Input end;
  end.kind = Input::Kind::mark;
  end.event.time = stream.back().event.time + 30 * kLate;
  stream.push_back(end);
  other.push_back(end);
  const auto sorted = openings(world, stream), mixed = openings(world, other);
  if (sorted == mixed) return {};
  const auto differs = [&](const Stream& some) {  // the order is kept, records are taken away
    Stream in_order = some;
    std::stable_sort(in_order.begin(), in_order.end(), [](const Input& a, const Input& b) { return by_time(a) < by_time(b); });
    return openings(world, in_order) != openings(world, some);
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
  return "order within disorder changed how often cases open: " + listed(sorted) + " sorted, " + listed(mixed) + " mixed\n" + to_toml(world.first()) +
         printed(other);
}

std::string unrelated_rule(Random& random) {
  World world = random_world(random, "");
  world.specs.resize(1);
  World more = world;
  const World other = random_world(random, "");
  auto& rules = more.specs[0].rules;
  for (Rule rule : other.first().rules) {
    rule.id = "other" + rule.id;
    // Nor one that tells what is collected, which a rule that is left out may do.
    const bool tells = std::any_of(rule.then.begin(), rule.then.end(), [](const Step& step) { return step.lines; });
    if (rule.emits != 0 || rule.sets || rule.unsets || rule.collects || rule.empties || rule.where_context != 0 || tells) continue;
    rules.insert(random.chance(50) ? rules.begin() : rules.end(), rule);
  }
  Stream lines = random_stream(random, world, 100);
  std::erase_if(lines, [](const Input& input) {
    return input.kind == Input::Kind::reset || input.kind == Input::Kind::silence || input.kind == Input::Kind::release;
  });
  for (const Rule& rule : world.first().rules) {
    const auto alone = said_about(world, lines, rule.id), together = said_about(more, lines, rule.id);
    if (alone != together) return "another rule changed what `" + rule.id + "` says\n" + to_toml(more.first()) + printed(lines);
  }
  return {};
}

}  // namespace correlator::oracle
