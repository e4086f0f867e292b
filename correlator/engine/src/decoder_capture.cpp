// SPDX-License-Identifier: Apache-2.0
#include "decoder_capture.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "decoder.h"
#include "time/timestamp.h"

namespace correlator::engine {
namespace {

using rules::FieldType;

std::string_view without_0x(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
  return text;
}

expr::Value boolean(std::string_view text) {
  const std::string word = lower(text);
  for (const std::string_view yes : {"true", "yes", "on", "1"}) {
    if (word == yes) return true;
  }
  for (const std::string_view no : {"false", "no", "off", "0"}) {
    if (word == no) return false;
  }
  return {};
}

template <class T>
expr::Value or_none(const std::optional<T>& value) {
  return value ? expr::Value(*value) : expr::Value();
}

expr::Value list(std::string_view text, const std::string& separator) {
  expr::Value::List elements;
  if (text.empty()) return elements;
  if (separator.empty()) {
    elements.emplace_back(text);
    return elements;
  }
  std::size_t begin = 0;
  while (elements.size() < kMaxElements) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    elements.emplace_back(text.substr(begin, end - begin));
    if (end == text.size()) break;
    begin = end + separator.size();
  }
  return elements;
}

constexpr std::array<std::string_view, 24> kFacilities = {
    "kern",   "user",   "mail",     "daemon", "auth",   "syslog",   "lpr",     "news",
    "uucp",   "cron",   "authpriv", "ftp",    "ntp",    "security", "console", "solaris-cron",
    "local0", "local1", "local2",   "local3", "local4", "local5",   "local6",  "local7"};
constexpr std::array<std::string_view, 8> kLevels = {"emerg",   "alert",  "crit", "err",
                                                     "warning", "notice", "info", "debug"};

template <std::size_t N>
expr::Value name_of(const std::optional<std::uint8_t>& number, const std::array<std::string_view, N>& names) {
  if (!number) return {};
  return *number < N ? expr::Value(names[*number]) : expr::Value(std::to_string(*number));
}

expr::Value text_or_none(std::string_view text) {
  return text.empty() ? expr::Value() : expr::Value(text.substr(0, kMaxCapture));
}

}  // namespace

expr::Value normal_bdf(std::string_view text) {
  text = without_0x(text);
  if (text.size() == 4 && text.find_first_of(":.") == std::string_view::npos) {
    const auto packed = parse_hex(text);
    if (!packed) return {};
    return fmt::format("0000:{:02x}:{:02x}.{:x}", *packed >> 8, *packed >> 3 & 0x1F, *packed & 7);
  }
  // From the right: function, device, bus, and a domain that may be missing.
  const std::size_t dot = text.rfind('.');
  if (dot == std::string_view::npos || text.size() != dot + 2) return {};
  const auto function = parse_hex(text.substr(dot + 1));
  std::vector<std::string_view> parts = split(text.substr(0, dot), ":");
  if (parts.size() == 2) parts.insert(parts.begin(), "0000");
  if (parts.size() != 3 || parts[0].size() < 4 || parts[0].size() > 8 || parts[1].size() != 2 ||
      parts[2].size() != 2)
    return {};
  const auto domain = parse_hex(parts[0]), bus = parse_hex(parts[1]), device = parse_hex(parts[2]);
  if (!domain || !bus || !device || !function || *device > 0x1F || *function > 7) return {};
  return fmt::format("{:04x}:{:02x}:{:02x}.{:x}", *domain, *bus, *device, *function);
}

expr::Value captured_value(std::string_view text, const rules::Capture& capture) {
  text = text.substr(0, kMaxCapture);
  if (capture.bdf) return normal_bdf(text);
  switch (capture.type) {
    case FieldType::text:
      return text;
    case FieldType::integer:
    case FieldType::gauge:
      return or_none(parse_uint(text));
    case FieldType::hex:
      return or_none(parse_hex(text));
    case FieldType::boolean:
      return boolean(text);
    case FieldType::duration:
      return or_none(parse_duration(text));
    case FieldType::time:
      return or_none(parse_rfc3339(text));
    case FieldType::list:
      return list(text, capture.separator);
  }
  return {};
}

void take_captures(std::span<const rules::Capture> captures, std::span<const std::string_view> groups,
                   Fields& fields) {
  for (const rules::Capture& capture : captures) {
    if (capture.group >= groups.size() || groups[capture.group].data() == nullptr) continue;
    expr::Value value = captured_value(groups[capture.group], capture);
    if (!value.is_none()) fields.set(capture.field, std::move(value));
  }
}

Fields builtin_fields(const LineRecord& line) {
  const syslog::Message& message = *line.message;
  Fields fields;
  fields.reserve(Fields::kUsual);
  fields.set(rules::kHost, message.host.substr(0, kMaxCapture));
  fields.set(rules::kProgram, text_or_none(message.program));
  fields.set(rules::kPid, or_none(message.pid));
  fields.set(rules::kFacility, name_of(message.facility, kFacilities));
  fields.set(rules::kLevel, name_of(message.level, kLevels));
  fields.set(rules::kText, message.text.substr(0, EvidenceStore::kMaxText));
  fields.set(rules::kTime, line.time);
  fields.set(rules::kCaller, text_or_none(message.caller));
  return fields;
}

syslog::Sources sources_of(const rules::RuleSet& rules) {
  syslog::Sources out;
  out.inputs = rules.trusted_inputs;
  for (const rules::TrustedWriter& writer : rules.trusted_writers)
    out.writers.push_back({writer.uid, writer.exe});
  return out;
}

Trust trust_of(const syslog::Message& message, const syslog::Sources& sources) {
  switch (syslog::origin_of(message, sources)) {
    case syslog::Origin::kernel:
      return Trust::vouched;
    case syslog::Origin::claimed_kernel:
      return Trust::claimed;
    case syslog::Origin::forged_kernel:
      return Trust::none;
    case syslog::Origin::program:
      break;
  }
  if (message.program.empty()) return Trust::none;
  // Anyone may use any tag; who the writer was counts only where the log daemon took it from the kernel.
  return syslog::trusted_writer(message, sources) ? Trust::vouched : Trust::claimed;
}

}  // namespace correlator::engine
