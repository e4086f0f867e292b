// SPDX-License-Identifier: Apache-2.0
// Words that syslog, rsyslog and the kernel use.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace correlator::syslog {

std::optional<std::uint8_t> facility_of(std::string_view name);  // "kern", "local0" and dmesg's spellings
std::optional<std::uint8_t> level_of(std::string_view name);     // "emerg" .. "debug", "warn", "error"

// An inputname that rsyslog can write: "imklog", "imuxsock", …
bool is_input_name(std::string_view name);

// For "NAME: " behind a host, without a pid: is this how a kernel message begins (old syslog-ng left out the
// "kernel:"), not a program? Such a name belongs to the text.
bool is_kernel_prefix(std::string_view name);
// For a line that has neither host nor date: is NAME a program that we know? Everything else is a console's.
bool is_known_program(std::string_view name);
// A first word of kernel messages that cannot be a host.
bool opens_kernel_text(std::string_view word);

}  // namespace correlator::syslog
