// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "catch.h"
#include "stream.h"
#include "syslog/archive_clock.h"

using namespace correlator;
using namespace correlator::syslog;
using namespace correlator::syslog::testing;

namespace {

Timestamp at(std::string_view text) {
  return parse_rfc3339(text).value();
}

ArchiveClockOptions until(std::string_view time) {
  ArchiveClockOptions options;
  options.not_after = at(time);
  return options;
}

std::string shown(const Resolved& r) {
  return to_rfc3339(r.time) + (r.undated ? " undated" : "") + (r.assumed ? " assumed" : "");
}

// Every line of the stream, resolved; blocks of random size if `random` is given.
std::map<std::uint64_t, std::string> resolve_all(const std::string& stream,
                                                 const ArchiveClockOptions& options, Random* random = nullptr,
                                                 std::size_t typical = 1 << 22) {
  ArchiveTimeline timeline(options);
  Parser parser;
  std::vector<LineTime> waiting;
  std::map<std::uint64_t, std::string> out;
  auto drain = [&] {
    std::erase_if(waiting, [&](const LineTime& line) {
      if (line.offset >= timeline.settled()) return false;
      out[line.offset] = shown(timeline.resolve(line));
      return true;
    });
  };
  for_each_block(
      stream, random, typical,
      [&](std::string_view block, std::size_t offset, FrameState state, bool, std::size_t consumed) {
        const std::string copy(block.substr(0, consumed));  // gone as soon as the marks are made
        timeline.add(copy, offset, state);
        BlockFrames frames(copy, state, true);
        Frame frame;
        Message m;
        while (frames.next(frame)) {
          if (!parser.parse(frame.bytes, m)) continue;
          if (random != nullptr && random->one_in(3)) continue;  // which lines are asked for must not matter
          waiting.push_back(timeline.mark(frame, m));
        }
        drain();
        if (!waiting.empty()) timeline.forget(waiting.front().offset);
      });
  timeline.end();
  drain();
  CHECK(waiting.empty());
  return out;
}

std::vector<std::string> times(const std::string& stream, const ArchiveClockOptions& options) {
  std::vector<std::string> out;
  for (const auto& [offset, time] : resolve_all(stream, options)) out.push_back(time);
  return out;
}

using Times = std::vector<std::string>;

}  // namespace

TEST_CASE("the first year is the latest that fits the file's age") {
  CHECK(times("Nov  3 17:40:22 h x\n", until("2026-11-03T17:00:00Z")) == Times{"2026-11-03T17:40:22Z"});
  CHECK(times("Nov  4 17:00:00 h x\n", until("2026-11-03T17:00:00Z")) == Times{"2026-11-04T17:00:00Z"});
  CHECK(times("Nov  4 17:00:01 h x\n", until("2026-11-03T17:00:00Z")) == Times{"2025-11-04T17:00:01Z"});
  CHECK(times("Feb 29 10:00:00 h x\n", until("2026-11-03T17:00:00Z")) == Times{"2024-02-29T10:00:00Z"});
  ArchiveClockOptions given;
  given.year = 2007;
  CHECK(times("Nov  3 17:40:22 h x\n", given) == Times{"2007-11-03T17:40:22Z"});
  CHECK(times("Feb 29 10:00:00 h x\n", given) == Times{"2004-02-29T10:00:00Z"});
  CHECK(times("Nov  3 17:40:22 h x\n", {}) == Times{"1970-11-03T17:40:22Z"});
}

TEST_CASE("following years are the nearest ones") {
  CHECK(times("Dec 31 23:59:58 h x\nJan  1 00:00:01 h x\nDec 31 23:59:59 h late\nJan  1 00:00:02 h x\n",
              until("2026-01-01T01:00:00Z")) == Times{"2025-12-31T23:59:58Z", "2026-01-01T00:00:01Z",
                                                      "2025-12-31T23:59:59Z", "2026-01-01T00:00:02Z"});
  // Three years in a short file: each line counts from the one before.
  ArchiveClockOptions options;
  options.year = 2003;
  CHECK(times("Jan 10 00:00:00 h x\nJun 10 00:00:00 h x\nNov 10 00:00:00 h x\nFeb 29 00:00:00 h x\nJul  1 "
              "00:00:00 h x\n",
              options) == Times{"2003-01-10T00:00:00Z", "2003-06-10T00:00:00Z", "2003-11-10T00:00:00Z",
                                "2004-02-29T00:00:00Z", "2004-07-01T00:00:00Z"});
}

TEST_CASE("a zone for what prints none") {
  ArchiveClockOptions options = until("2026-12-01T00:00:00Z");
  options.zone = Zone::find("+02:00").value();
  CHECK(times("Nov  3 17:40:22 h x\n[Wed Nov  4 11:05:16 2026] y\n2026-11-04T12:00:00+01:00 h z\n",
              options) == Times{"2026-11-03T15:40:22Z", "2026-11-04T09:05:16Z", "2026-11-04T11:00:00Z"});
}

TEST_CASE("a leap ahead is believed only if what follows agrees") {
  const auto options = until("2026-11-05T00:00:00Z");
  CHECK(times("2026-11-03T10:00:00Z h a\n2099-01-01T00:00:00Z h b\n2026-11-03T10:00:05Z h c\n", options) ==
        Times{"2026-11-03T10:00:00Z", "2026-11-03T10:00:00Z assumed", "2026-11-03T10:00:05Z"});
  // At the front and at the end of the file.
  CHECK(times("2099-01-01T00:00:00Z h b\n2026-11-03T10:00:05Z h c\n", options) ==
        Times{"2026-11-03T10:00:05Z assumed", "2026-11-03T10:00:05Z"});
  CHECK(times("2026-11-03T10:00:00Z h a\n2099-01-01T00:00:00Z h b\n", options) ==
        Times{"2026-11-03T10:00:00Z", "2026-11-03T10:00:00Z assumed"});
  // A quiet night is no error, nor is a leap of exactly an hour.
  CHECK(times("2026-11-03T10:00:00Z h a\n2026-11-04T10:00:00Z h b\n2026-11-05T10:00:00Z h c\n", options) ==
        Times{"2026-11-03T10:00:00Z", "2026-11-04T10:00:00Z", "2026-11-05T10:00:00Z"});
  CHECK(times("2026-11-03T10:00:00Z h a\n2026-11-03T11:00:00Z h b\n2026-11-03T10:00:00Z h c\n", options)[1] ==
        "2026-11-03T11:00:00Z");
  // The same month, the leap between two anchors: the last line is the witness.
  CHECK(times("2026-11-03T10:00:00Z h a\n2026-11-20T00:00:00Z h b\n2026-11-03T10:00:05Z h c\n", options)[1] ==
        "2026-11-03T10:00:00Z assumed");
}

TEST_CASE("lines without a date") {
  const auto options = until("2026-11-05T00:00:00Z");
  CHECK(times("first\n2026-11-03T10:00:00Z h a\nsecond\n[  12.5] third\n2026-11-03T10:00:05Z h c\n\nfourth\n",
              options) == Times{"2026-11-03T10:00:00Z undated assumed", "2026-11-03T10:00:00Z",
                                "2026-11-03T10:00:00Z undated", "2026-11-03T10:00:00Z undated",
                                "2026-11-03T10:00:05Z", "2026-11-03T10:00:05Z undated"});
  CHECK(times("a\nb\n", options) ==
        Times{"1970-01-01T00:00:00Z undated assumed", "1970-01-01T00:00:00Z undated assumed"});
}

TEST_CASE("consoles count from their boot") {
  CHECK(times("x\n[    1.000000] a\ny\n[    3.500000] b\n", {}) ==
        Times{"1970-01-01T00:00:01Z undated assumed", "1970-01-01T00:00:01Z assumed",
              "1970-01-01T00:00:01Z undated assumed", "1970-01-01T00:00:03.500Z assumed"});
  ArchiveClockOptions options;
  options.boot = at("2026-01-01T00:00:00Z");
  // 5 s back is disorder, more is a new boot that begins when the old one was last seen.
  CHECK(times("[  100.000000] a\n[   95.000000] b\n[  101.000000] c\n[    1.000000] d\n[    2.000000] e\n",
              options) == Times{"2026-01-01T00:01:40Z", "2026-01-01T00:01:35Z", "2026-01-01T00:01:41Z",
                                "2026-01-01T00:01:42Z", "2026-01-01T00:01:43Z"});
  CHECK(times("6,1,1500000,-;a\n SUBSYSTEM=pci\n6,2,2500000,-;b\n", options) ==
        Times{"2026-01-01T00:00:01.500Z", "2026-01-01T00:00:02.500Z"});
}

TEST_CASE("which neighbours make every line an anchor") {
  auto stamp = [](const char* text) {
    Parser parser;
    Message m;
    parser.parse(std::string(text) + " h x", m);
    return m.stamp;
  };
  auto needs = [&](const char* a, const char* b) { return needs_every_line(stamp(a), stamp(b), Zone{}); };
  CHECK_FALSE(needs("Nov  3 10:00:00", "Nov 30 10:00:00"));
  CHECK(needs("Nov 30 23:59:59", "Dec  1 00:00:00"));
  CHECK_FALSE(needs("Nov  3 10:01:00", "Nov  3 10:00:00"));
  CHECK(needs("Nov  3 10:01:01", "Nov  3 10:00:00"));
  CHECK(needs("2025-11-03T10:00:00Z", "2026-11-03T10:00:00Z"));
  CHECK_FALSE(needs("2025-10-01T00:00:00Z", "2025-10-31T00:00:00Z"));
  CHECK(needs("2025-10-01T00:00:00Z", "2025-10-31T00:00:01Z"));
}

namespace {

// A long stream with all that is odd: gaps, leaps, disorder, stretches without dates, reboots, big frames.
std::string long_stream(Random& random, bool one_line = false) {
  std::string out;
  std::int64_t us =
      at("2024-01-01T00:00:00Z").us + static_cast<std::int64_t>(random.below(400)) * 86'400'000'000;
  std::int64_t uptime = 0;
  const bool yearless = random.one_in(2);
  const std::size_t size = 20'000 + random.below(500'000);
  bool dates = !random.one_in(3);
  while (out.size() < size) {
    us += static_cast<std::int64_t>(random.below(2'000'000));
    uptime += static_cast<std::int64_t>(random.below(3'000'000));
    if (random.one_in(300)) us += static_cast<std::int64_t>(random.below(100)) * 86'400'000'000;
    if (random.one_in(200)) uptime = 0;
    if (random.one_in(500)) dates = !dates;
    const bool leap = random.one_in(400);
    const CivilTime c =
        to_civil(Timestamp{us + (leap ? 70'000'000'000'000 : 0) - (random.one_in(50) ? 30'000'000 : 0)});
    static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char date[64];
    if (!dates || random.one_in(20)) {
      std::snprintf(date, sizeof date, random.one_in(2) ? "[%5d.%06d] " : "plain %d.%d ",
                    static_cast<int>(uptime / 1'000'000), static_cast<int>(uptime % 1'000'000));
    } else if (yearless) {
      std::snprintf(date, sizeof date, "%s %2u %02u:%02u:%02u h ", kMonths[c.month - 1], c.day, c.hour,
                    c.minute, c.second);
    } else {
      std::snprintf(date, sizeof date, "%04d-%02u-%02uT%02u:%02u:%02uZ h ", c.year, c.month, c.day, c.hour,
                    c.minute, c.second);
    }
    out += date + std::string(random.below(120), 'x') + "\n";
    if (one_line) continue;
    if (random.one_in(300)) out += "6,1," + std::to_string(uptime) + ",-;record\n SUBSYSTEM=pci\n";
    if (random.one_in(800)) {
      out +=
          "\n__CURSOR=s\n__REALTIME_TIMESTAMP=" + std::to_string(us) + "\n_TRANSPORT=syslog\nMESSAGE=x\n\n";
    }
  }
  return out;
}

}  // namespace

TEST_CASE("property: no time depends on the blocks or on which lines are asked for") {
  const std::uint64_t seed = GENERATE(range(1, 25));
  INFO("seed " << seed);
  Random random(seed);
  const std::string stream = long_stream(random);
  auto options = until("2026-11-05T00:00:00Z");
  if (random.one_in(2)) options.boot = at("2025-01-01T00:00:00Z");
  const auto whole = resolve_all(stream, options);
  for (const std::size_t typical : {3'000u, 40'000u, 65'536u, 300'000u}) {
    INFO("blocks up to " << typical);
    for (const auto& [offset, time] : resolve_all(stream, options, &random, typical)) {
      if (whole.at(offset) != time) {
        INFO("offset " << offset);
        CHECK(whole.at(offset) == time);
      }
    }
  }
}

TEST_CASE("property: anchors alone tell the same times as the whole stream") {
  const std::uint64_t seed = GENERATE(range(1, 40));
  INFO("seed " << seed);
  Random random(seed);
  const std::string stream = long_stream(random, true) + long_stream(random, true);
  const auto options = until("2026-11-05T00:00:00Z");
  const auto whole = resolve_all(stream, options);
  std::size_t looked_at = 0;
  std::string piece;
  const auto bytes = [&](std::uint64_t from, std::size_t size) -> std::string_view {
    // Gone with the next call, as the bytes of a file are.
    piece = from < stream.size() ? stream.substr(from, size) : std::string();
    looked_at += piece.size();
    return piece;
  };
  ArchiveTimeline timeline(options);
  std::string head = stream.substr(0, stream.rfind('\n', kAnchorSpacing) + 1);
  timeline.add(head, 0, {});
  head.assign(head.size(), '!');
  const std::uint64_t until = random.below(stream.size());
  const auto end = timeline.skim(until, bytes);
  if (!end) return;  // no date in the head
  INFO("until " << until << ", gone on with at " << *end);
  CHECK(looked_at < stream.size() + 300'000);
  REQUIRE((*end == 0 || stream[*end - 1] == '\n'));
  std::vector<LineTime> waiting;
  Parser parser;
  bool dated_line = false;
  const auto drain = [&] {
    std::erase_if(waiting, [&](const LineTime& line) {
      if (line.offset >= timeline.settled()) return false;
      const std::string time = shown(timeline.resolve(line));
      if (whole.at(line.offset) != time) {
        INFO("offset " << line.offset);
        CHECK(whole.at(line.offset) == time);
      }
      return true;
    });
  };
  const std::string rest = stream.substr(*end);
  for_each_block(rest, &random, 50'000, [&](std::string_view block, std::size_t offset, FrameState state, bool, std::size_t consumed) {
    const std::string copy(block.substr(0, consumed));
    timeline.add(copy, *end + offset, state);
    BlockFrames frames(copy, state, true);
    Message m;
    for (Frame frame; frames.next(frame);) {
      if (!parser.parse(frame.bytes, m)) continue;
      // Lines without a date before the first that has one belong to a line that was passed over.
      dated_line = dated_line || dated(m);
      if (dated_line) waiting.push_back(timeline.mark(frame, m));
    }
    drain();
  });
  timeline.end();
  drain();
  CHECK(waiting.empty());
}
