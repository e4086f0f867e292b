// SPDX-License-Identifier: Apache-2.0
// What rule files of SEC get wrong although they load.
#pragma once

#include "rules/procedure.h"

namespace correlator::rules::sec {

// Warnings about all files together: variables of one may be set in another.
Diagnostics lint(const procedure::ProcedureProgram& program);

}  // namespace correlator::rules::sec
