// SPDX-License-Identifier: Apache-2.0
#include "pipeline/live.h"

#include <algorithm>
#include <cstdlib>

#include "input/blocks.h"
#include "pipeline/chunk.h"

namespace correlator::pipeline {
namespace {

// A date without year is of the year that puts it nearest to its arrival.
Timestamp nearest_year(CivilTime civil, Timestamp arrival, const Zone& zone) {
  const int year = zone.to_local(arrival).year;
  Timestamp best = Timestamp::min();
  for (const int candidate : {year - 1, year, year + 1}) {
    civil.year = candidate;
    if (!is_valid(civil)) continue;
    const Timestamp time = zone.to_utc(civil);
    if (best == Timestamp::min() || std::abs((time - arrival).us) < std::abs((best - arrival).us))
      best = time;
  }
  return best == Timestamp::min() ? arrival : best;
}

class Live {
 public:
  Live(Session& session, const Clock& clock, const LiveOptions& options)
      : session_(session), clock_(clock), options_(options), parser_(options.parser) {}

  Status take(std::shared_ptr<const Chunk> chunk) {
    if (chunk == nullptr || chunk->bytes.empty()) return {};
    candidates_.clear();
    session_.matcher().candidates(chunk->bytes, chunk->state, scratch_, candidates_);
    look_back_.add(chunk);
    for (const Candidate& candidate : candidates_) line(*chunk, candidate);
    if (session_.uncommitted() == 0) return {};
    if (auto status = session_.commit(); !status) return status;
    return options_.after_commit ? options_.after_commit() : Status{};
  }

 private:
  void line(const Chunk& chunk, const Candidate& candidate) {
    syslog::Message message;
    if (!parser_.parse(candidate.frame.bytes, message)) return;
    message.truncated = candidate.frame.truncated;
    const Timestamp arrival = message.arrival.value_or(clock_.now());
    const Effective effective = effective_time(message, arrival, options_);
    Line line;
    line.frame = candidate.frame.bytes;
    line.stream = options_.input;
    line.line_number = chunk.line_of(candidate.frame.begin);
    line.time = effective.time;
    line.arrival = arrival;
    line.undated = effective.undated;
    line.clamped = effective.clamped;
    line.truncated = candidate.frame.truncated;
    if (message.text == "-- MARK --") return session_.mark(line.time);
    if (message.repeats_previous == 0) {
      session_.line(line, message, candidate.patterns);
      return;
    }
    const LookBack::Found found =
        look_back_.before(chunk.offset + candidate.frame.begin, message.host, session_.matcher(), scratch_);
    line.frame = found.frame;
    line.times = message.repeats_previous;
    if (!found.patterns.empty() && parser_.parse(found.frame, message))
      session_.line(line, message, found.patterns);
  }

  Session& session_;
  const Clock& clock_;
  const LiveOptions& options_;
  syslog::Parser parser_;
  Matcher::Scratch scratch_;
  LookBack look_back_;
  std::vector<Candidate> candidates_;
};

}  // namespace

Effective effective_time(const syslog::Message& message, Timestamp arrival, const LiveOptions& options) {
  Effective out{arrival, false, false};
  switch (message.stamp.kind) {
    case syslog::Stamp::Kind::none:
    case syslog::Stamp::Kind::uptime:
      out.undated = !message.arrival.has_value();
      return out;
    case syslog::Stamp::Kind::wall:
      out.time = message.stamp.utc ? *message.stamp.utc : options.zone.to_utc(message.stamp.civil);
      break;
    case syslog::Stamp::Kind::yearless:
      out.time = nearest_year(message.stamp.civil, arrival, options.zone);
      break;
  }
  if (out.time > arrival + options.ahead) {
    out.time = arrival;
    out.clamped = true;
  }
  return out;
}

Status run_live(Session& session, std::unique_ptr<input::Reader> reader, const Clock& clock,
                const LiveOptions& options) {
  input::BlockOptions blocks;
  blocks.eager = true;
  input::BlockReader source(std::move(reader), blocks);
  Chunker chunker;
  Live live(session, clock, options);
  while (!options.stop || !options.stop()) {
    auto next = source.next();
    if (!next) return next.error();
    if (!next->has_value()) {
      if (auto status = live.take(chunker.end()); !status) return status;
      break;
    }
    if (auto status = live.take(chunker.add(std::move(**next))); !status) return status;
  }
  return session.commit();
}

}  // namespace correlator::pipeline
