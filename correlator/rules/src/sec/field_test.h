// SPDX-License-Identifier: Apache-2.0
// Field tests of Perl snippets ("sub { $_[0]->{user} eq \"root\" }") that need no Perl.
#pragma once

#include <memory>
#include <string>

#include "rules/field_test.h"
#include "rules/procedure.h"

namespace correlator::rules::sec {

// Nothing if the snippet does more than look at its parameters.
std::shared_ptr<const FieldTest> translate(const std::string& perl);

}  // namespace correlator::rules::sec
