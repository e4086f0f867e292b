// SPDX-License-Identifier: Apache-2.0
// What must hold of the real engine whatever the rules are.
#pragma once

#include <string>

#include "random.h"

namespace correlator::oracle {

// Each makes a case at random and says what is wrong with it; empty: nothing.
std::string order_within_disorder(Random& random);   // the same cases open as often, whatever the order inside 5 s
std::string unrelated_rule(Random& random);          // another rule changes no answer of the first

}  // namespace correlator::oracle
