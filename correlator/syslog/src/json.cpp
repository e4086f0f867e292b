// SPDX-License-Identifier: Apache-2.0
#include "json.h"

#include <simdjson.h>

#include <deque>
#include <string>

#include "base/text.h"
#include "dates.h"
#include "names.h"
#include "parts.h"
#include "scan.h"

namespace correlator::syslog {
namespace {

namespace dom = simdjson::dom;

// Bytes that are not UTF-8 would make simdjson refuse the document, and with it a real kernel line. They
// travel through it as code points of a private plane, U+10FF00 + byte, and are put back in the decoded
// strings.
constexpr std::string_view kSmuggled = "\xF4\x8F";  // then BE or BF: U+10FF80 .. U+10FFFF

void smuggle(unsigned char byte, std::string& out) {
  out += static_cast<char>(0xF4);
  out += static_cast<char>(0x8F);
  out += static_cast<char>(0xBC + (byte >> 6));
  out += static_cast<char>(0x80 + (byte & 0x3F));
}

// Length of the valid UTF-8 sequence at the front, 0 if there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if ((lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) > 0x9F)) return 0;
  if ((lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) > 0x8F)) return 0;
  return length;
}

std::string make_valid(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 64);
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      smuggle(static_cast<unsigned char>(text[0]), out);
      text.remove_prefix(1);
    } else {
      out.append(text.substr(0, length));
      text.remove_prefix(length);
    }
  }
  return out;
}

std::string put_bytes_back(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const std::string_view four = text.substr(i, 4);
    const unsigned high = four.size() == 4 ? static_cast<unsigned char>(four[2]) : 0u;
    if (four.size() == 4 && four[0] == kSmuggled[0] && four[1] == kSmuggled[1] && high >= 0xBE) {
      out += static_cast<char>((high - 0xBC) << 6 | (static_cast<unsigned char>(four[3]) & 0x3F));
      i += 4;
    } else {
      out += text[i++];
    }
  }
  return out;
}

bool is_journal(const dom::object& object) {
  for (const auto field : object) {
    if (field.key == "__REALTIME_TIMESTAMP" || field.key == "__CURSOR" || field.key == "_TRANSPORT")
      return true;
  }
  return false;
}

// rsyslog writes times as its template says: RFC 3339, or the year-less form.
Stamp stamp_of(std::string_view text) {
  Stamp stamp;
  if ((take_iso_date(text, stamp) || take_bsd_date(text, stamp)) && text.empty()) return stamp;
  return {};
}

// What an rsyslog object says, before it is put together.
struct RsyslogFields {
  std::string_view message, host, tag, program, pid, uid, exe, input, from_ip, id, facility, level, reported,
      generated, transport, sequence;
};

struct FieldName {
  std::string_view name;
  std::string_view RsyslogFields::*member;
};

constexpr FieldName kFieldNames[] = {{"msg", &RsyslogFields::message},
                                     {"message", &RsyslogFields::message},
                                     {"hostname", &RsyslogFields::host},
                                     {"host", &RsyslogFields::host},
                                     {"syslogtag", &RsyslogFields::tag},
                                     {"tag", &RsyslogFields::tag},
                                     {"programname", &RsyslogFields::program},
                                     {"program", &RsyslogFields::program},
                                     {"app-name", &RsyslogFields::program},
                                     {"procid", &RsyslogFields::pid},
                                     {"pid", &RsyslogFields::pid},
                                     {"uid", &RsyslogFields::uid},
                                     {"exe", &RsyslogFields::exe},
                                     {"inputname", &RsyslogFields::input},
                                     {"fromhost-ip", &RsyslogFields::from_ip},
                                     {"id", &RsyslogFields::id},
                                     {"cid", &RsyslogFields::id},
                                     {"uuid", &RsyslogFields::id},
                                     {"syslogfacility", &RsyslogFields::facility},
                                     {"facility", &RsyslogFields::facility},
                                     {"syslogfacility-text", &RsyslogFields::facility},
                                     {"syslogseverity", &RsyslogFields::level},
                                     {"severity", &RsyslogFields::level},
                                     {"syslogseverity-text", &RsyslogFields::level},
                                     {"timereported", &RsyslogFields::reported},
                                     {"@timestamp", &RsyslogFields::reported},
                                     {"timestamp", &RsyslogFields::reported},
                                     {"timegenerated", &RsyslogFields::generated},
                                     {"sequence", &RsyslogFields::sequence},
                                     {"transport", &RsyslogFields::transport}};

// Trusted properties that imuxsock and imjournal keep under "$!".
constexpr FieldName kTrustedNames[] = {{"uid", &RsyslogFields::uid},
                                       {"_UID", &RsyslogFields::uid},
                                       {"exe", &RsyslogFields::exe},
                                       {"_EXE", &RsyslogFields::exe},
                                       {"_TRANSPORT", &RsyslogFields::transport},
                                       {"sequnum", &RsyslogFields::sequence},
                                       {"cid", &RsyslogFields::id}};

std::optional<std::uint8_t> code_of(std::string_view text,
                                    std::optional<std::uint8_t> (*by_name)(std::string_view),
                                    std::uint32_t largest) {
  if (const auto number = whole_id(text)) {
    if (*number > largest) return std::nullopt;
    return static_cast<std::uint8_t>(*number);
  }
  return by_name(text);
}

}  // namespace

struct JsonReader::State {
  dom::parser parser;
  std::string padded;
  std::deque<std::string> strings;  // decoded numbers, byte arrays, repaired text: stable addresses
  bool repaired = false;

  bool parse(std::string_view frame, dom::object& object);
  std::string_view keep(std::string text) { return strings.emplace_back(std::move(text)); }
  std::string_view text_of(const dom::element& value);
  std::string_view bytes_of(const dom::array& array);
  void read_journal(const dom::object& object, Message& m);
  void read_rsyslog(const dom::object& object, Message& m);
  template <std::size_t N>
  void collect(const dom::object& object, const FieldName (&names)[N], RsyslogFields& fields);
  void put_together(const RsyslogFields& fields, Message& m);
};

bool JsonReader::State::parse(std::string_view frame, dom::object& object) {
  strings.clear();
  repaired = false;
  for (;;) {
    const std::size_t size = frame.size();
    padded.reserve(size + simdjson::SIMDJSON_PADDING);
    padded.assign(frame);
    padded.append(simdjson::SIMDJSON_PADDING, ' ');
    const auto error = parser.parse(padded.data(), size, false).get(object);
    if (error == simdjson::SUCCESS) return true;
    if (error != simdjson::UTF8_ERROR || repaired) return false;
    repaired = true;
    frame = keep(make_valid(frame));
  }
}

// Strings and whole numbers; of an array of strings the first. Anything else is as good as absent.
std::string_view JsonReader::State::text_of(const dom::element& value) {
  switch (value.type()) {
    case dom::element_type::STRING: {
      const std::string_view text = value.get_string().value_unsafe();
      return repaired ? keep(put_bytes_back(text)) : text;
    }
    case dom::element_type::INT64:
      return keep(std::to_string(value.get_int64().value_unsafe()));
    case dom::element_type::UINT64:
      return keep(std::to_string(value.get_uint64().value_unsafe()));
    case dom::element_type::ARRAY: {
      const dom::array array = value.get_array().value_unsafe();
      if (array.begin() == array.end()) return {};
      const dom::element first = *array.begin();
      if (first.type() == dom::element_type::STRING) return text_of(first);
      // A field that occurred twice with bytes in it is an array of arrays.
      if (first.type() == dom::element_type::ARRAY) return bytes_of(first.get_array().value_unsafe());
      return bytes_of(array);
    }
    default:
      return {};
  }
}

std::string_view JsonReader::State::bytes_of(const dom::array& array) {
  std::string bytes;
  for (const dom::element element : array) {
    std::uint64_t byte = 0;
    if (element.get_uint64().get(byte) != simdjson::SUCCESS || byte > 255) return {};
    bytes += static_cast<char>(byte);
  }
  return keep(std::move(bytes));
}

void JsonReader::State::read_journal(const dom::object& object, Message& m) {
  JournalFields fields;
  for (const auto field : object) fields.set(field.key, text_of(field.value));
  fields.fill(m);
}

template <std::size_t N>
void JsonReader::State::collect(const dom::object& object, const FieldName (&names)[N],
                                RsyslogFields& fields) {
  for (const auto field : object) {
    for (const FieldName& known : names) {
      if (known.name != field.key) continue;
      std::string_view& slot = fields.*known.member;
      if (slot.data() == nullptr) slot = text_of(field.value);
      break;
    }
  }
}

void JsonReader::State::read_rsyslog(const dom::object& object, Message& m) {
  RsyslogFields fields;
  collect(object, kFieldNames, fields);
  dom::object trusted;
  if (object["$!"].get(trusted) == simdjson::SUCCESS) collect(trusted, kTrustedNames, fields);
  put_together(fields, m);
}

void JsonReader::State::put_together(const RsyslogFields& f, Message& m) {
  m.format = Format::rsyslog_json;
  m.host = f.host;
  m.input = f.input;
  m.from_ip = f.from_ip;
  m.exe = f.exe;
  m.id = f.id;
  m.uid = whole_id(f.uid);
  m.sequence = whole_id(f.sequence);
  m.facility = code_of(f.facility, facility_of, 191);
  m.level = code_of(f.level, level_of, 7);
  m.arrival = stamp_of(f.generated).utc;
  m.stamp = stamp_of(f.reported);
  if (m.stamp.kind == Stamp::Kind::none) m.stamp = stamp_of(f.generated);

  std::string_view text = f.message;
  take(text, ' ');
  // The tag decides as it does in a line; without one the programme's name has to do.
  const std::string_view tag = trim(f.tag);
  if (tag.ends_with(':') || tag.ends_with(']')) {
    const bool colon = tag.ends_with(':');
    read_tag(keep(std::string(tag) + (colon ? " " : ": ") + std::string(text)), m, TagPlace::behind_host);
  } else if (!tag.empty() && m.facility.value_or(1) == 0) {
    read_tag(keep(std::string(tag) + " " + std::string(text)), m, TagPlace::behind_host);
  } else {
    m.program = f.program.empty() ? tag : f.program;
    m.text = text;
    if (m.program.empty()) read_tag(text, m, TagPlace::behind_host);
  }
  if (!m.pid) m.pid = whole_id(f.pid);
  m.transport = f.transport;
}

JsonReader::JsonReader() : state_(std::make_unique<State>()) {}
JsonReader::~JsonReader() = default;

bool JsonReader::read(std::string_view frame, Message& m) {
  dom::object object;
  if (!state_->parse(frame, object)) return false;
  if (is_journal(object)) {
    state_->read_journal(object, m);
  } else {
    state_->read_rsyslog(object, m);
  }
  return true;
}

}  // namespace correlator::syslog
