// SPDX-License-Identifier: Apache-2.0
// Batches as bytes, for the spool.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "store/engine_db.h"

namespace correlator::store {

// A decision as its table has it.
struct DecisionRow {
  std::string id;
  Timestamp time;
  std::uint64_t seq = 0;
  std::string rule, key;
  std::uint32_t step = 0;
  std::string action, fate, document, arguments;
};
std::vector<DecisionRow> decision_rows(const std::vector<engine::Decision>& decisions);

struct SpooledBatch {
  Batch batch;  // intake and cursors
  std::vector<DecisionRow> decisions;
};
// Intake, decisions and cursors of a batch.
std::string encode_batch(const Batch& batch, const std::vector<DecisionRow>& decisions);
// False if these are no bytes of encode_batch().
bool decode_batch(std::string_view bytes, SpooledBatch& out);

}  // namespace correlator::store
