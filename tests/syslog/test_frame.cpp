// SPDX-License-Identifier: Apache-2.0
#include "catch.h"
#include "stream.h"
#include "syslog/frame.h"
#include "syslog/parser.h"

using namespace correlator::syslog;
using namespace correlator::syslog::testing;

namespace {

std::vector<OwnedFrame> walk(const std::string& stream, Random* random, std::size_t typical) {
  std::vector<OwnedFrame> frames;
  for_each_block(stream, random, typical,
                 [&](std::string_view block, std::size_t at, FrameState state, bool eof, std::size_t) {
                   BlockFrames blocks(block, state, eof);
                   Frame frame;
                   while (blocks.next(frame))
                     frames.push_back({at + frame.begin, std::string(frame.bytes), frame.truncated});
                 });
  return frames;
}

std::vector<std::string> texts(const std::string& stream) {
  std::vector<std::string> out;
  for (const OwnedFrame& frame : walk(stream, nullptr, stream.size() + 1)) out.push_back(frame.bytes);
  return out;
}

using Texts = std::vector<std::string>;

std::string sized_field(const std::string& name, const std::string& value) {
  std::string out = name + "\n";
  for (unsigned i = 0; i < 8; ++i) out += static_cast<char>(value.size() >> (8 * i) & 0xff);
  return out + value + "\n";
}

}  // namespace

TEST_CASE("lines, kmsg records and export entries are frames") {
  CHECK(texts("a\nb\n\nc") == Texts{"a", "b", "", "c"});
  CHECK(texts("6,1,2,-;r\n SUBSYSTEM=pci\n DEVICE=x\n6,2,3,-;s\n t\n") ==
        Texts{"6,1,2,-;r\n SUBSYSTEM=pci\n DEVICE=x", "6,2,3,-;s", " t"});
  CHECK(texts("a\n SUBSYSTEM=pci\n") == Texts{"a", " SUBSYSTEM=pci"});
  CHECK(texts("__CURSOR=1\nA=b\n\n__CURSOR=2\nA=c\n\nplain\n") ==
        Texts{"__CURSOR=1\nA=b", "__CURSOR=2\nA=c", "plain"});
  CHECK(texts("x\n\n__CURSOR=1\nA=b\n\ny\n") == Texts{"x", "", "__CURSOR=1\nA=b", "y"});
  CHECK(texts("x\n__CURSOR=1\nA=b\n") == Texts{"x", "__CURSOR=1", "A=b"});
  const std::string field = sized_field("MESSAGE", "q\n\n__CURSOR=9\n_TRANSPORT=kernel\n");
  CHECK(texts("__CURSOR=1\n" + field + "\nz\n") ==
        Texts{"__CURSOR=1\n" + field.substr(0, field.size() - 1), "z"});
  // What is no field ends the entry; the line is not lost.
  CHECK(texts("__CURSOR=1\nno field\nz\n") == Texts{"__CURSOR=1", "no field", "z"});
}

TEST_CASE("a frame is cut at 1 MiB and nothing else is disturbed") {
  const std::string limit(kMaxFrame, 'x');
  for (const std::string& stream :
       {"a\n" + limit + "\nb\n", "a\n" + limit + "y\nb\n", "a\n" + limit + limit + "\n SUBSYSTEM=q\nb\n",
        "6,1,2,-;" + limit.substr(8) + "\n SUBSYSTEM=pci\n A=b\nb\n",
        "__CURSOR=1\nA=" + limit + "\nB=c\n\nb\n",
        "__CURSOR=1\n" + sized_field("A", limit + "\n\n__CURSOR=2\n") + "B=c\n\nb\n"}) {
    const auto whole = walk(stream, nullptr, stream.size() + 1);
    CHECK(whole.back().bytes == "b");
    for (const OwnedFrame& frame : whole) CHECK(frame.bytes.size() <= kMaxFrame);
    CHECK(walk(stream, nullptr, 300'000) == whole);
    CHECK(walk(stream, nullptr, kMaxFrame + 1) == whole);
  }
  CHECK_FALSE(walk("a\n" + limit + "\nb\n", nullptr, 65536)[1].truncated);
  CHECK(walk("a\n" + limit + "y\nb\n", nullptr, 65536)[1].truncated);
}

TEST_CASE("property: frames do not depend on the blocks, and at() finds what next() gives") {
  const std::uint64_t seed = GENERATE(range(1, 400));
  INFO("seed " << seed);
  Random random(seed);
  const std::string stream = random_stream(random, 1 + random.below(40));
  const auto whole = walk(stream, nullptr, stream.size() + 1);
  CHECK(walk(stream, &random, 1 + random.below(200)) == whole);

  for_each_block(
      stream, &random, 120,
      [&](std::string_view block, std::size_t at, FrameState state, bool eof, std::size_t consumed) {
        BlockFrames walked(block, state, eof), asked(block, state, eof);
        std::vector<Frame> owner(block.size());
        Frame frame, found;
        while (walked.next(frame)) {
          for (std::size_t i = frame.begin; i < frame.end; ++i) owner[i] = frame;
        }
        for (std::size_t tries = 0; tries < 2 * block.size(); ++tries) {
          const std::size_t i = tries < block.size() ? tries : random.below(block.size());
          const bool have = asked.at(i, found);
          INFO("offset " << at + i);
          CHECK(have == (owner[i].end != 0));
          if (have)
            CHECK((found.begin == owner[i].begin && found.end == owner[i].end &&
                   found.bytes == owner[i].bytes));
          CHECK((have || i >= consumed || owner[i].end == 0));
        }
      });
}

TEST_CASE("which frames may hide a literal") {
  CHECK(may_hide_literals(R"({"msg":"a\u0062"})"));
  CHECK(may_hide_literals(R"({"MESSAGE" : [69,68]})"));
  CHECK_FALSE(may_hide_literals(R"({"msg":"[Hardware Error]"})"));
  CHECK_FALSE(may_hide_literals(R"(plain \ text)"));
  CHECK_FALSE(may_hide_literals(R"({1}[Hardware \ Error])"));
  CHECK(may_hide_literals("6,1,2,-;a\\x09b"));
  CHECK_FALSE(may_hide_literals("6,1,2,-;ab\n X=\\x09"));
  CHECK_FALSE(block_may_hide_literals("a\nb \\ c\n"));
  CHECK(block_may_hide_literals("a\n{\"m\":1}\n"));
  CHECK(block_may_hide_literals("a\n6,1,2,-;a\\x09b\n"));
}

TEST_CASE("a frame without its escapes holds each decoded text") {
  std::string plain;
  CHECK(without_escapes(R"({"exe":"\/usr\/bin\/a","msg":"say \"\u00e9\u20ac\\\" EDAC\tMC0"})", plain));
  CHECK(plain == "{\"exe\":\"/usr/bin/a\",\"msg\":\"say \"\u00e9\u20ac\\\" EDAC\tMC0\"}");
  CHECK(without_escapes(R"({"msg":"none"})", plain));
  CHECK(plain == R"({"msg":"none"})");
  // What only the parser can tell.
  for (const char* frame : {R"({"msg":"\ud83d\ude00"})", R"({"msg":"\x41"})", R"({"msg":"\u12"})", R"({"msg":")" "\\", R"({"MESSAGE":[69]})",
                            "{\"msg\":\"\xF4\x8F\xBF\xBF\"}", "plain \\ text"}) {
    INFO(frame);
    CHECK_FALSE(without_escapes(frame, plain));
  }
}

TEST_CASE("property: what the parser reads of an escaped frame is found in it without its escapes") {
  constexpr std::string_view kPieces[] = {"\\/", "\\\\", "\\\"", "\\n", "\\t", "\\u0041", "\\u00fc", "\\u0001", "a", "EDAC", " ", "\xC3\xBC", "\xFF", "\xF0\x9F\x98\x80", "/"};
  const std::uint64_t seed = GENERATE(range(1, 500));
  INFO("seed " << seed);
  Random random(seed);
  std::string frame = R"({"hostname":"h","syslogtag":"app:","msg":"x)";
  for (std::size_t i = random.below(30); i > 0; --i) frame += kPieces[random.below(std::size(kPieces))];
  frame += R"(y"})";
  Parser parser;
  Message message;
  std::string plain;
  REQUIRE(parser.parse(frame, message));
  if (!without_escapes(frame, plain)) return;
  INFO(frame);
  CHECK(plain.find(message.text) != std::string::npos);
}

TEST_CASE("property: a block without hiding frames has none") {
  const std::uint64_t seed = GENERATE(range(1, 300));
  INFO("seed " << seed);
  Random random(seed);
  const std::string stream = random_stream(random, 1 + random.below(30));
  bool any = false;
  for (const OwnedFrame& frame : walk(stream, nullptr, stream.size() + 1))
    any = any || may_hide_literals(frame.bytes);
  if (any) CHECK(block_may_hide_literals(stream));
}

TEST_CASE("finish() consumes what next() would, and leaves the same state") {
  for (const std::string_view text : {"a\nb\n", "a\n\n", "\n", "a\nb", "", "__CURSOR=x\nMESSAGE=m\n\n", "__CURSOR=x\nMESSAGE=m\n",
                                      "6,1,2,-;t\n SUBSYSTEM=pci\n", "6,1,2,-;t\n", "x\n\n__CURSOR=y\n"}) {
    for (const bool at_eof : {false, true}) {
      BlockFrames walk(text, {}, at_eof), jump(text, {}, at_eof);
      for (Frame frame; walk.next(frame);) {
      }
      INFO(text);
      CHECK(jump.finish() == walk.consumed());
      CHECK(jump.state() == walk.state());
    }
  }
}
