// SPDX-License-Identifier: Apache-2.0
// Runs both engines over one stream and makes what differs small.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model.h"

namespace correlator::oracle {

struct Difference {
  std::size_t record = 0;  // first one whose answers differ
  std::vector<std::string> expected, got;
  std::string error;  // instead: what went wrong altogether
};

// `restarts`: the real engine is written out and read back before these records (sorted).
std::optional<Difference> compare(const Spec& spec, const Stream& stream, const std::vector<std::size_t>& restarts = {});

// Rules and records that are not needed for the difference are taken away.
void shrink(Spec& spec, Stream& stream);

std::string report(const Spec& spec, const Stream& stream, const Difference& difference);

// How often each rule's cases open for the stream, by the real engine.
std::vector<std::size_t> openings(const Spec& spec, const Stream& stream);
// What the real engine says about one rule, record by record.
std::vector<std::string> said_about(const Spec& spec, const Stream& stream, const std::string& rule);

}  // namespace correlator::oracle
