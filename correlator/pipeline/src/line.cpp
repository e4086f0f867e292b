// SPDX-License-Identifier: Apache-2.0
#include "pipeline/line.h"

#include <fmt/format.h>

#include "base/json.h"

namespace correlator::pipeline {

Diagnostic damaged_row(const store::IntakeRow& row) {
  return make_error("E304", fmt::format("intake record {} cannot be read", row.seq),
                    "the state database is damaged: move it away and start again, windows begin empty then");
}

syslog::ParserOptions own_kmsg(syslog::ParserOptions options) {
  options.live_kmsg = true;
  return options;
}

store::IntakeRow to_row(const Line& line, std::uint64_t seq) {
  store::IntakeRow row;
  row.seq = seq;
  row.kind = store::IntakeKind::line;
  row.time = line.time;
  row.stream = line.stream;
  row.line_number = line.line_number;
  row.frame = line.frame;
  row.line_id = line.id;
  const bool ordinary = !line.arrival && !line.undated && !line.clamped && line.times == 1 && !line.truncated && !line.own_kmsg &&
                        line.host.empty();
  if (ordinary) return row;
  Json extra = Json::object();
  if (line.arrival) extra["arrival"] = line.arrival->us;
  if (line.undated) extra["undated"] = true;
  if (line.clamped) extra["clamped"] = true;
  if (line.times != 1) extra["times"] = line.times;
  if (line.truncated) extra["truncated"] = true;
  if (line.own_kmsg) extra["kmsg"] = true;
  if (!line.host.empty()) extra["host"] = line.host;
  row.extra = correlator::to_line(extra);
  return row;
}

Result<Line> to_line_record(const store::IntakeRow& row, std::string& host) {
  Line line;
  line.frame = row.frame;
  line.stream = row.stream;
  line.line_number = row.line_number;
  line.time = row.time;
  if (row.extra.empty()) return line;
  const auto extra = parse_json(row.extra);
  if (!extra || !extra->is_object()) return damaged_row(row);
  try {
    if (extra->contains("arrival")) line.arrival = Timestamp{(*extra)["arrival"].get<std::int64_t>()};
    line.undated = extra->value("undated", false);
    line.clamped = extra->value("clamped", false);
    line.times = extra->value("times", 1U);
    line.truncated = extra->value("truncated", false);
    line.own_kmsg = extra->value("kmsg", false);
    host = extra->value("host", "");
  } catch (const Json::exception&) {  // a member of another type
    return damaged_row(row);
  }
  line.host = host;
  return line;
}

}  // namespace correlator::pipeline
