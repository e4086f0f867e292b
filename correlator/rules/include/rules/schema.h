// SPDX-License-Identifier: Apache-2.0
// The language as a JSON Schema, for editors and for `correlator schema`.
#pragma once

#include <string>

#include "base/json_fwd.h"

namespace correlator::rules {

// JSON Schema 2020-12 of a rule file as the JSON that its TOML stands for. It is made from the tables the
// reader uses, so it knows every key; what depends on other definitions (names, types of fields) only the
// reader checks.
Json schema();

// The keys of every table as Markdown, for the manual.
std::string key_reference();

}  // namespace correlator::rules
