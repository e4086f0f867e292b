// SPDX-License-Identifier: Apache-2.0
#include "field_test.h"

namespace correlator::rules::sec {

std::shared_ptr<const FieldTest> translate(const std::string&) { return nullptr; }

}  // namespace correlator::rules::sec
