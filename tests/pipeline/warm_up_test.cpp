// SPDX-License-Identifier: Apache-2.0
// A key is in doubt until events have left it alone for as long as its rule remembers; the second decides.
#include "pipeline/warm_up.h"

#include "piping.h"

using namespace correlator;
using namespace correlator::pipeline;
using namespace correlator::pipeline::test;

namespace {

constexpr Timestamp kBegin{1'000'000'000'000'000};

Timestamp after(std::int64_t seconds) { return kBegin + Duration::seconds(seconds); }

// Two rules: "three" (kRules), and here both given by hand.
struct Proof {
  std::shared_ptr<const rules::RuleSet> rules = load_rules(kRules);
  rules::Memory memory;
  std::unique_ptr<WarmUp> warm_up;

  explicit Proof(std::vector<rules::RuleMemory> spans, std::int64_t from) {
    memory.rules = std::move(spans);
    memory.events.assign(rules->events.size(), Duration{});
    memory.counters.assign(rules->events.size(), false);
    for (const rules::RuleMemory& rule : memory.rules) {
      if (rule.influences) memory.influencing = memory.influencing + rule.span;
      memory.longest = std::max(memory.longest, rule.span);
    }
    warm_up = std::make_unique<WarmUp>(*rules, memory, kBegin, after(from));
  }
  void touch(std::uint32_t rule, const char* key, std::int64_t second) { warm_up->touched(rule, key, after(second)); }
  std::string at(std::int64_t second) {
    warm_up->line({}, after(second));
    return warm_up->doubt().value_or("");
  }
};

rules::RuleMemory plain(std::int64_t seconds) { return {Duration::seconds(seconds), false, false}; }

}  // namespace

TEST_CASE("a key that was left alone for its span is sure") {
  Proof proof({plain(100), plain(0)}, 300);
  proof.touch(0, "a", 50);
  proof.touch(0, "a", 150);  // exactly the span later: nothing of before is left
  proof.touch(0, "a", 249);
  proof.touch(0, "b", 100);  // unknown for the span after the beginning, and sure then
  proof.touch(0, "b", 199);
  proof.touch(0, "b", 298);
  CHECK(proof.at(299) == "");
  CHECK_FALSE(proof.warm_up->sure());
  CHECK(proof.at(300) == "");
  CHECK(proof.warm_up->sure());
}

TEST_CASE("a second less is a doubt, if it may still matter") {
  Proof proof({plain(100), plain(0)}, 300);
  for (const std::int64_t second : {99, 198, 201}) proof.touch(0, "a", second);
  CHECK(proof.at(299) == "");
  CHECK(proof.at(300) == "a window or case of rule three");

  Proof over({plain(100), plain(0)}, 300);
  for (const std::int64_t second : {99, 198, 200}) over.touch(0, "a", second);  // nothing is left of it at 300
  CHECK(over.at(300) == "");

  Proof held({plain(100), plain(0)}, 300);
  held.touch(0, "a", 99);
  held.touch(0, "a", 198);
  CHECK(held.at(301) == "");
  held.touch(0, "a", 250);  // an event that waited
  CHECK(held.warm_up->doubt() == "a window or case of rule three");
}

TEST_CASE("a rule that others see puts them in doubt for as long as it remembers") {
  rules::RuleMemory influences = plain(50);
  influences.influences = true;
  Proof proof({plain(100), influences}, 400);
  proof.touch(1, "x", 49);    // in doubt, and what it decides until 99 too
  proof.touch(0, "a", 198);   // a second too early
  proof.touch(0, "a", 290);
  proof.touch(0, "a", 380);
  CHECK(proof.at(400) == "a window or case of rule three");
  Proof sure({plain(100), influences}, 400);
  sure.touch(1, "x", 49);
  sure.touch(0, "a", 199);
  sure.touch(0, "a", 380);
  CHECK(sure.at(400) == "");
}

TEST_CASE("what is remembered for ever is in doubt when an event of the range meets it") {
  rules::RuleMemory for_ever = plain(0);
  for_ever.for_ever = true;
  Proof proof({for_ever, plain(0)}, 300);
  proof.touch(0, "a", 299);
  CHECK(proof.at(300) == "");
  CHECK_FALSE(proof.warm_up->sure());
  proof.touch(0, "b", 300);
  CHECK(proof.warm_up->doubt() == "rule three, which remembers for ever");
}
