// SPDX-License-Identifier: Apache-2.0
// Runs both engines over one stream and makes what differs small.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model.h"
#include "pipeline/matcher.h"

namespace correlator::oracle {

// The rules of a world, loaded: one set for each spec.
struct Loaded {
  std::vector<std::shared_ptr<const pipeline::Matcher>> matchers;
  std::string error;  // if one does not load
};
Loaded load(const World& world);

struct Difference {
  std::size_t record = 0;  // first one whose answers differ
  std::vector<std::string> expected, got;
};

std::optional<Difference> compare(const World& world, const Loaded& loaded, const Stream& stream);

// Takes away rules and records that are not needed for the difference, and says what is left of it.
std::string shrunk(World world, Stream stream);

// How often each rule's cases open for the stream, by the real engine.
std::vector<std::size_t> openings(const World& world, const Stream& stream);
// What the real engine says about one rule, record by record.
std::vector<std::string> said_about(const World& world, const Stream& stream, const std::string& rule);

// For people: the records as lines.
std::string printed(const Stream& stream);

}  // namespace correlator::oracle
