// SPDX-License-Identifier: Apache-2.0
#include <deque>
#include <random>
#include <set>
#include <string>

#include "catch.h"
#include "pipeline/seen.h"

using correlator::pipeline::SeenLines;

TEST_CASE("an id is known until so many others came after it, and not one longer") {
  SeenLines seen(3);
  for (const char* id : {"a", "b", "c"}) seen.add(id);
  CHECK(seen.contains("a"));
  seen.add("b");  // known already: nothing is pushed out
  CHECK(seen.contains("a"));
  seen.add("d");
  CHECK(!seen.contains("a"));
  CHECK(seen.contains("b"));
  CHECK(seen.size() == 3);
}

TEST_CASE("seen ids against a plain set, at every size of the table") {
  const unsigned seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (const std::size_t most : {1, 2, 7, 64, 1000}) {
    SeenLines seen(most);
    std::deque<std::string> order;
    std::set<std::string> known;
    for (int i = 0; i < 20'000; ++i) {
      const std::string id = "id" + std::to_string(random() % (most * 3 + 1));
      REQUIRE(seen.contains(id) == known.contains(id));
      seen.add(id);
      if (!known.insert(id).second) continue;
      order.push_back(id);
      if (order.size() > most) {
        known.erase(order.front());
        order.pop_front();
      }
    }
  }
}
