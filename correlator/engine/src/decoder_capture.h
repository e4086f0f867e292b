// SPDX-License-Identifier: Apache-2.0
// From the text of a line to typed fields.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "engine/event.h"
#include "engine/intake.h"
#include "engine/provenance.h"
#include "rules/model.h"

namespace correlator::engine {

inline constexpr std::size_t kMaxCapture = 4'096;  // a longer captured text is cut
inline constexpr std::size_t kMaxElements = 256;   // of a list; the rest is left out

// A captured text as its type; none if it does not convert.
expr::Value captured_value(std::string_view text, const rules::Capture& capture);

// "0200" (bus, device and function packed), "02:00.0" and "0000:02:00.0", with or without 0x, as
// "0000:02:00.0"; none for anything else.
expr::Value normal_bdf(std::string_view text);

// Sets the fields of captures that took part.
void take_captures(std::span<const rules::Capture> captures, std::span<const std::string_view> groups,
                   Fields& fields);

// The fields that every event has, as far as the line has them.
Fields builtin_fields(const LineRecord& line);

// How far the origin of a line is vouched for (semantics.md, section 4).
Trust trust_of(const syslog::Message& message, const syslog::Sources& sources);

}  // namespace correlator::engine
