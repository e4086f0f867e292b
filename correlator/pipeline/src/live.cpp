// SPDX-License-Identifier: Apache-2.0
#include "pipeline/live.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/fault.h"

namespace correlator::pipeline {
namespace {

constexpr int kFramesInARow = 256;  // of one source, before the others and the clock have their turn
constexpr std::size_t kChunk = 64 * 1024;

// A date without year is of the year that puts it nearest to its arrival.
Timestamp nearest_year(CivilTime civil, Timestamp arrival, const Zone& zone) {
  const int year = zone.to_local(arrival).year;
  Timestamp best = Timestamp::min();
  for (const int candidate : {year - 1, year, year + 1}) {
    civil.year = candidate;
    if (!is_valid(civil)) continue;
    const Timestamp time = zone.to_utc(civil);
    if (best == Timestamp::min() || std::abs((time - arrival).us) < std::abs((best - arrival).us)) best = time;
  }
  return best == Timestamp::min() ? arrival : best;
}

// From a commit into memory's speed to a disk that hangs.
constexpr std::array<std::int64_t, 14> kCommitBounds = {50,     100,    250,     500,     1'000,     2'500,     5'000,
                                                        10'000, 25'000, 50'000, 100'000, 250'000, 1'000'000, 10'000'000};
// From a line that is handed on at once to a backlog of days.
constexpr std::array<std::int64_t, 10> kLagBounds = {10'000,      100'000,     1'000'000,     5'000'000,     30'000'000,
                                                     120'000'000, 600'000'000, 3'600'000'000, 21'600'000'000, 86'400'000'000};

std::uint64_t values_of(const Histogram& histogram) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i <= histogram.bounds_us().size(); ++i) sum += histogram.count(i);
  return sum;
}

bool broken_json(std::string_view frame, const syslog::Message& message) {
  return frame.starts_with('{') && message.format != syslog::Format::rsyslog_json && message.format != syslog::Format::journal;
}

// A wall clock that was set back makes everything due.
bool due(const std::optional<Timestamp>& last, Duration every, Timestamp now) {
  return !last || now < *last || now - *last >= every;
}

}  // namespace

Effective effective_time(const syslog::Message& message, Timestamp arrival, const Zone& zone, Duration ahead) {
  Effective out{arrival, false, false};
  switch (message.stamp.kind) {
    case syslog::Stamp::Kind::none:
    case syslog::Stamp::Kind::uptime: out.undated = !message.arrival.has_value(); return out;
    case syslog::Stamp::Kind::wall:
      out.time = message.stamp.utc ? *message.stamp.utc : zone.to_utc(message.stamp.civil);
      break;
    case syslog::Stamp::Kind::yearless: out.time = nearest_year(message.stamp.civil, arrival, zone); break;
  }
  if (out.time > arrival + ahead) {
    out.time = arrival;
    out.clamped = true;
  }
  return out;
}

InputCounters::InputCounters(std::string input) : name(std::move(input)), lag(kLagBounds) {}

// An input with what it needs here: the last lines for "last message repeated N times", and its counters.
struct Live::Source {
  std::unique_ptr<input::LiveSource> input;
  LookBack look_back;
  std::shared_ptr<Chunk> chunk;
  std::uint64_t offset = 0;  // of the next frame, in the bytes of all frames so far
  bool ended = false;
  bool empty = false;  // found empty in the last round
  InputCounters counters;

  explicit Source(std::unique_ptr<input::LiveSource> from) : input(std::move(from)), counters(input->name()) {}

  // Keeps the frame for look_back; returns where it stands in the stream.
  std::uint64_t remember(std::string_view frame) {
    if (chunk == nullptr || chunk->joined.size() + frame.size() + 1 > chunk->joined.capacity()) {
      chunk = std::make_shared<Chunk>();
      chunk->joined.reserve(std::max(kChunk, frame.size() + 1));
      chunk->offset = offset;
      look_back.add(chunk);
    }
    chunk->joined.append(frame).push_back('\n');  // never moves: it was reserved
    chunk->bytes = chunk->joined;
    const std::uint64_t at = offset;
    offset += frame.size() + 1;
    return at;
  }
};

Live::Live(Session& session, std::vector<std::unique_ptr<input::LiveSource>> sources, const Clock& clock, LiveOptions options)
    : session_(session), clock_(clock), options_(std::move(options)), parser_(options_.parser), kmsg_parser_(own_kmsg(options_.parser)), seen_(options_.remembered_ids), sync_(options_.sync), synced_commits_(kCommitBounds), unsynced_commits_(kCommitBounds) {
  for (auto& source : sources) sources_.push_back(std::make_unique<Source>(std::move(source)));
  session_.each_line_id(options_.remembered_ids, [&](std::string_view id) { seen_.add(id); });
}

Live::~Live() = default;

std::vector<Diagnostic> Live::resume() {
  std::vector<Diagnostic> missing;
  if (session_.db() == nullptr) return missing;
  const auto cursors = session_.db()->cursors();
  if (!cursors) return {cursors.error()};
  for (const auto& source : sources_) {
    for (const store::Cursor& cursor : *cursors) {
      if (cursor.stream != source->input->name()) continue;
      const auto status = source->input->resume({cursor.identity, cursor.offset, cursor.extra});
      if (!status) missing.push_back(status.error());
    }
  }
  return missing;
}

void Live::watch(int fd, std::function<void()> ready) { watches_.push_back({fd, std::move(ready)}); }

std::vector<store::Cursor> Live::cursors() const {
  std::vector<store::Cursor> out;
  for (const auto& source : sources_) {
    if (auto position = source->input->position()) {
      out.push_back({source->input->name(), position->identity, position->offset, source->counters.lines(), position->extra});
    }
  }
  if (positions) positions(out);
  return out;
}

LiveCounters Live::counters() const {
  LiveCounters all;
  for (const auto& source : sources_) {
    all.frames += source->counters.lines();
    all.recorded += source->counters.matched + source->counters.marks;
    all.repeated += source->counters.repeated;
    all.refused += source->counters.refused;
  }
  all.synced = values_of(synced_commits_);
  all.unsynced = values_of(unsynced_commits_);
  return all;
}

std::vector<InputCounters> Live::inputs() const {
  std::vector<InputCounters> out;
  for (const auto& source : sources_) {
    out.push_back(source->counters);
    out.back().lost = source->input->lost();
  }
  return out;
}

bool Live::record_now() { return session_.uncommitted() == 0 || make_durable(clock_.now()); }

// What is to be said of a line that counts, after the engine has seen it.
void Live::remark(Source& source, const Line& line, const engine::Counters& before) {
  InputCounters& counters = source.counters;
  const engine::Counters& after = session_.engine().counters();
  counters.late += after.late - before.late;
  counters.forged += after.forged - before.forged;
  if (line.clamped) ++counters.future;
  if (line.undated) ++counters.undated;
  if (line.arrival) counters.lag.add(std::max<std::int64_t>((*line.arrival - line.time).us, 0));
}

Line Live::line_of(const Source& source, const input::LiveFrame& frame, const syslog::Message& message, Timestamp now) const {
  const Timestamp arrival = message.arrival.value_or(frame.arrival.value_or(now));
  const Effective effective = effective_time(message, arrival, options_.zone, options_.ahead);
  Line line;
  line.frame = frame.bytes;
  line.stream = source.input->name();
  // No line number: what counts lines since the start would be another one after a restart.
  line.time = effective.time;
  line.arrival = arrival;
  line.undated = effective.undated;
  line.clamped = effective.clamped;
  line.truncated = frame.truncated;
  line.own_kmsg = source.input->is_kernel();
  return line;
}

void Live::announce(Timestamp now) {
  if (!soon || sync_.storm() || !due(announced_at_, options_.announce_every, now)) return;
  announced_at_ = now;
  soon();
}

// True if the frame meant something and is in the session's batch now.
bool Live::step(Source& source, const input::LiveFrame& frame, Timestamp now) {
  InputCounters& counters = source.counters;
  const std::uint64_t at = source.remember(frame.bytes);
  ids_.clear();
  syslog::Message message;
  syslog::Parser& parser = source.input->is_kernel() ? kmsg_parser_ : parser_;
  if (frame.truncated) ++counters.truncated;
  if (!session_.matcher().frame(frame.bytes, parser, scratch_, message, ids_)) {
    // What holds no literal of a pattern is not parsed: a JSON object that stops half-way shows at its end.
    if (frame.bytes.empty() || (frame.bytes.front() == '{' && frame.bytes.back() != '}')) ++counters.malformed;
    ++counters.unmatched;
    return false;
  }
  announce(now);
  if (broken_json(frame.bytes, message)) ++counters.malformed;
  message.truncated = frame.truncated;
  const std::string id(frame.id.empty() ? message.id : std::string_view(frame.id));
  if (!id.empty() && seen_.contains(id)) {
    ++counters.repeated;
    return session_.uncommitted() > 0;
  }
  Line line = line_of(source, frame, message, now);
  line.id = id;
  const bool mark = message.text == "-- MARK --";
  const engine::Counters before = session_.engine().counters();
  bool stepped = false;
  // Anybody may log these words; where the log daemon says which of its inputs a line came through, only its own counts.
  if (mark && (message.input.empty() || message.input == "immark")) {
    session_.mark(line.time);
    stepped = true;
  } else if (mark) {
    stepped = false;
  } else if (message.repeats_previous == 0) {
    const bool storm = source.input->answers_early() && !sync_.wanted(now, false);
    stepped = session_.line(line, message, ids_, storm ? [&] { answer_ahead(source, now); } : std::function<void()>());
  } else {
    const LookBack::Found found = source.look_back.before(at, message.host, session_.matcher(), scratch_);
    line.frame = found.frame;
    line.times = message.repeats_previous;
    stepped = !found.patterns.empty() && parser.parse(found.frame, message) && session_.line(line, message, found.patterns);
  }
  ++(!stepped ? counters.unmatched : mark ? counters.marks : counters.matched);
  if (stepped && !mark) remark(source, line, before);
  if (stepped && !id.empty()) seen_.add(id);
  return stepped;
}

bool Live::make_durable(Timestamp now) {
  const bool decided_something = session_.decided();
  const bool sync = sync_.wanted(now, decided_something);
  fault_point("live.record.before");
  const Timestamp begin = clock_.now();
  bool seen = false;
  const auto show = [&] {
    if (visible) visible();
    seen = true;
  };
  if (!session_.record(cursors(), sync, decided_something ? std::function<void()>(show) : nullptr).ok()) return false;
  const Duration took = clock_.now() - begin;
  (sync ? synced_commits_ : unsynced_commits_).add(std::max<std::int64_t>(took.us, 0));  // the clock may have been set back
  fault_point("live.record.after");
  sync_.committed(now, sync, took);
  if (decided_something && !seen && visible) visible();
  if (decided_something && decided) decided();
  return true;
}

void Live::answer(Source& source, bool accepted) {
  fault_point("live.answer.before");
  source.input->answer(accepted);
  if (!accepted) ++source.counters.refused;
}

// In a storm a line is answered as soon as it is set down, so that rsyslogd has the next one ready when the engine is done with this one:
// falling asleep between two lines and being woken costs more than a line.
void Live::answer_ahead(Source& source, Timestamp now) {
  sync_.committed(now, false);
  unsynced_commits_.add(std::max<std::int64_t>((clock_.now() - now).us, 0));
  answer(source, true);
  answered_ = true;
  // What cannot be sent shows when the next line is asked for.
  [[maybe_unused]] const Status sent = source.input->send_answers();
  fault_point("live.ahead.after");
}

void Live::take(Source& source, const input::LiveFrame& frame, Timestamp now) {
  source.counters.last = now;
  source.counters.modules.count(frame.bytes);
  answered_ = false;
  const bool meant = step(source, frame, now);
  if (meant) ++recorded_;
  const bool owed = answered_ ? session_.decided() : meant;
  if (owed && !make_durable(now)) {
    stuck_ = &source;
    stuck_since_ = now;
  } else if (!answered_) {
    answer(source, true);
  }
}

Status Live::read_from(Source& source, Timestamp now) {
  input::LiveFrame frame;
  for (int i = 0; i < kFramesInARow && stuck_ == nullptr; ++i) {
    auto next = source.input->next(frame);
    if (!next) return next.error();
    source.ended = *next == input::LiveSource::Next::end;
    source.empty = *next != input::LiveSource::Next::frame;
    if (source.empty) return {};
    take(source, frame, now);
  }
  return {};
}

// A recorded mark while all inputs that have no marks of their own were found empty.
void Live::tick(Timestamp now) {
  bool any = false;
  for (const auto& source : sources_) {
    if (source->input->has_marks() || source->ended) continue;
    if (!source->empty) return;
    any = true;
  }
  if (!any || !due(tick_at_, options_.tick_every, now)) return;
  if (std::exchange(tick_at_, now)) session_.mark(now);
}

void Live::do_what_is_due(Timestamp now) {
  // Also while a line is stuck: those before it are answered.
  if (const auto deadline = sync_.deadline(); deadline && now >= *deadline && session_.sync().ok()) sync_.committed(now, true);
  if (stuck_ != nullptr) {
    // A line that has its answer cannot be given back: the spool is emptied for what it decided.
    if (make_durable(now) || (answered_ && session_.db()->drain().ok() && make_durable(now))) {
      Source& source = *std::exchange(stuck_, nullptr);
      if (!answered_) answer(source, true);
    } else if (!answered_ && stuck_->input->may_refuse() && due(stuck_since_, options_.refuse_after, now)) {
      answer(*std::exchange(stuck_, nullptr), false);
    } else {
      return;
    }
  }
  tick(now);
  if (due(second_at_, Duration::seconds(1), now)) {
    second_at_ = now;
    if (each_second) each_second();
  }
  if (session_.uncommitted() > 0) make_durable(now);
  const bool many = recorded_ - recorded_at_snapshot_ >= options_.snapshot_records;
  if (many || due(snapshot_at_, options_.snapshot_every, now)) {
    // A failure shows in the session's health; the rows stay marked and are written with the next snapshot.
    [[maybe_unused]] const Status written = session_.snapshot(cursors());
    snapshot_at_ = now;
    recorded_at_snapshot_ = recorded_;
  }
}

Duration Live::until_due(Timestamp now) const {
  Duration wait = stuck_ != nullptr ? Duration::milliseconds(100) : second_at_ ? Duration::seconds(1) - (now - *second_at_) : Duration{};
  if (const auto deadline = sync_.deadline()) wait = std::min(wait, *deadline - now);
  return std::clamp(wait, Duration{}, Duration::seconds(1));
}

Result<bool> Live::round(Duration wait) {
  std::vector<pollfd>& fds = polled_fds_;
  std::vector<Source*>& polled = polled_;
  fds.clear();
  polled.clear();
  wait = std::min(wait, until_due(clock_.now()));
  for (const auto& source : sources_) {
    if (source->ended || stuck_ != nullptr) continue;
    const int fd = source->input->fd();
    if (fd < 0 || !source->empty) wait = std::min(wait, fd < 0 ? Duration::milliseconds(100) : Duration{});
    fds.push_back({fd, POLLIN, 0});
    polled.push_back(source.get());
  }
  for (const Watch& watch : watches_) fds.push_back({watch.fd, POLLIN, 0});
  ::poll(fds.data(), fds.size(), static_cast<int>((wait.us + 999) / 1000));
  const Timestamp now = clock_.now();
  for (std::size_t i = 0; i < polled.size(); ++i) {
    if (fds[i].fd >= 0 && fds[i].revents == 0 && polled[i]->empty) continue;
    if (auto status = read_from(*polled[i], now); !status) return status.error();
  }
  for (std::size_t i = 0; i < watches_.size(); ++i) {
    if (fds[polled.size() + i].revents != 0) watches_[i].ready();
  }
  do_what_is_due(now);
  // Who starts us again, rsyslogd or systemd, begins with what is stored.
  if (!session_.failure().ok()) return session_.failure().error();
  const bool going = std::any_of(sources_.begin(), sources_.end(), [](const auto& source) { return !source->ended; });
  return going || stuck_ != nullptr;
}

Status Live::run(const std::function<bool()>& stop) {
  while (!stop()) {
    auto going = round(Duration::seconds(1));
    if (!going) return going.error();
    if (!*going) break;
  }
  return finish();
}

Status Live::finish() {
  if (auto status = session_.record(cursors(), true); !status) return status;
  if (auto status = session_.snapshot(cursors()); !status) return status;
  return session_.sync();
}

}  // namespace correlator::pipeline
