// SPDX-License-Identifier: Apache-2.0
// What the next run finds: the state, and of what was decided that part which does not stand in its file yet.
#include "catch.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/json.h"
#include "rules/sec/reader.h"
#include "sec/kept_state.h"

using namespace correlator;
namespace fs = std::filesystem;

namespace {

struct Directory {
  fs::path path;
  Directory() {
    std::string name = (fs::temp_directory_path() / "kept.XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~Directory() { fs::remove_all(path); }
};

void write(const fs::path& file, const std::string& text) { std::ofstream(file, std::ios::binary | std::ios::app) << text; }

engine::Procedure with_rules(const std::string& text) {
  auto program = std::make_shared<rules::procedure::ProcedureProgram>();
  const auto read = rules::sec::read(text, "test.sec", {});
  REQUIRE(read.diagnostics.empty());
  program->files.push_back(read.file);
  return engine::Procedure(program, {});
}

engine::Effect text_to(const fs::path& file, const std::string& text) {
  engine::Effect out;
  out.kind = engine::Effect::Kind::file;
  out.target = file.string();
  out.text = text;
  return out;
}

engine::Effect command(const std::string& line) {
  engine::Effect out;
  out.kind = engine::Effect::Kind::command;
  out.command = line;
  return out;
}

sec::KeptState open(const Directory& directory) {
  auto opened = sec::KeptState::open(directory.path / "state");
  REQUIRE(opened.ok());
  return std::move(*opened);
}

constexpr const char* kRule = "type=Single\nptype=RegExp\npattern=(.*)\ndesc=d\naction=none\n";

// What of "one\ntwo\nthree\n" and a command is to be done again if the file holds `behind` when the next run begins.
std::vector<std::string> left(const std::string& behind) {
  const Directory directory;
  const fs::path file = directory.path / "out";
  write(file, "before\n");
  {
    sec::KeptState kept = open(directory);
    REQUIRE(kept.commit(with_rules(kRule), {}, {text_to(file, "one\n"), text_to(file, "two\n"), command("echo \xff"), text_to(file, "three\n")}).ok());
  }
  write(file, behind);
  std::vector<std::string> out;
  const sec::KeptState kept = open(directory);
  for (const engine::Effect& effect : kept.waiting()) out.push_back(effect.kind == engine::Effect::Kind::command ? effect.command : effect.text);
  return out;
}

}  // namespace

TEST_CASE("texts that stand in their file already are not written again") {
  using Texts = std::vector<std::string>;
  CHECK(left("") == Texts{"one\n", "two\n", "echo \xff", "three\n"});
  CHECK(left("on") == Texts{"e\n", "two\n", "echo \xff", "three\n"});
  CHECK(left("one\n") == Texts{"two\n", "echo \xff", "three\n"});
  CHECK(left("one\ntwo\nthr") == Texts{"echo \xff", "ee\n"});
  CHECK(left("one\ntwo\nthree\n") == Texts{"echo \xff"});
  CHECK(left("somebody else\n") == Texts{"one\n", "two\n", "echo \xff", "three\n"});
}

TEST_CASE("what was noted as done is not done again") {
  const Directory directory;
  {
    sec::KeptState kept = open(directory);
    REQUIRE(kept.commit(with_rules(kRule), {}, {command("first")}).ok());
    REQUIRE(kept.done().ok());
    REQUIRE(kept.commit(with_rules(kRule), {{"in", "1:2", 7, 1, {}}}, {}).ok());
  }
  const sec::KeptState kept = open(directory);
  CHECK(kept.waiting().empty());
  REQUIRE(kept.cursor("in") != nullptr);
  CHECK(*kept.cursor("in") == store::Cursor{"in", "1:2", 7, 1, {}});
  CHECK(kept.cursor("other") == nullptr);
}

TEST_CASE("two runs do not write one state") {
  const Directory directory;
  const sec::KeptState kept = open(directory);
  const auto second = sec::KeptState::open(directory.path / "state");
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().code == "E302");
}

TEST_CASE("bytes of the log survive as they are") {
  const Directory directory;
  const std::string rules = "type=Single\nptype=RegExp\npattern=^keep (.*)\ndesc=d\naction=add S $1; assign %v $1; event 9 $1\n\n"
                            "type=Single\nptype=RegExp\npattern=^show\ndesc=d\naction=pop S %l; write - %l|%v\n";
  const std::string bytes = std::string("a\xff\xc3\x28\x01", 5) + '\0' + "z";
  engine::Effects effects;
  {
    engine::Procedure engine = with_rules(rules);
    engine.line(1000, {"in", {}, "keep " + bytes, nullptr}, effects);
    sec::KeptState kept = open(directory);
    REQUIRE(kept.commit(engine, {}, {}).ok());
  }
  engine::Procedure engine = with_rules(rules);
  std::vector<std::string> dropped;
  open(directory).bring_back(engine, dropped);
  CHECK(dropped.empty());
  CHECK(engine.now() == 1000);
  effects.clear();
  engine.line(1001, {"in", {}, "show", nullptr}, effects);
  REQUIRE(effects.size() == 1);
  CHECK(effects[0].text == bytes + "|" + bytes + "\n");
  CHECK(engine.next_due() == 1009);
}

TEST_CASE("a state that is damaged or of another version is dropped part by part") {
  engine::Procedure engine = with_rules(kRule);
  std::vector<std::string> dropped;
  engine.restore({{"clock", "\xff nonsense", false}, {"operation 1", std::string("\xa0", 1), false}, {"something new", std::string("\xa0", 1), false}}, dropped);
  CHECK(dropped == std::vector<std::string>{"a part of the state, 'clock', is damaged", "a part of the state, 'operation 1', is not as this version writes it",
                                            "a part of the state, 'something new', which this version does not know"});
}

TEST_CASE("a script that ran has no end for the next run, and code in a variable is lost") {
  const std::string rules = "type=SingleWithScript\nptype=SubStr\npattern=go\nscript=sleep 9\ndesc=d\naction=write - good\naction2=write - bad\n";
  engine::Procedure before = with_rules(rules);
  engine::Effects effects;
  before.line(1000, {"in", {}, "go", nullptr}, effects);
  REQUIRE(effects.size() == 1);
  std::vector<engine::SavedRow> rows = before.save();
  for (engine::SavedRow& row : rows) {
    if (row.key != "variables") continue;
    row.body.clear();
    Json::to_cbor(Json::parse(R"([["kept", "1", false, false], ["code", "", false, true]])"), row.body);
  }
  engine::Procedure after = with_rules(rules);
  std::vector<std::string> dropped;
  after.restore(rows, dropped);
  REQUIRE(dropped.size() == 2);
  CHECK(std::count(dropped.begin(), dropped.end(), "the end of a script of rule 1 of test.sec, which was running") == 1);
  CHECK(std::count(dropped.begin(), dropped.end(), "variable %code, which held code") == 1);
  CHECK(after.dump(1000)["variables"] == Json{{"kept", "1"}});
  effects.clear();
  after.script_ended(1001, 1, true, effects);
  CHECK(effects.empty());
  after.line(1002, {"in", {}, "go", nullptr}, effects);
  REQUIRE(effects.size() == 1);
  CHECK(effects[0].number == 2);  // a ticket is given once
}

TEST_CASE("operations that did not change are not given again, and stay") {
  const Directory directory;
  const std::string rules = "type=SingleWithThreshold\nptype=RegExp\npattern=(\\w)\ndesc=$1\naction=write - $1\nwindow=600\nthresh=3\n";
  engine::Procedure engine = with_rules(rules);
  engine::Effects effects;
  const auto lines = [&](engine::Procedure& to, std::int64_t now, const std::string& text) {
    for (const char c : text) to.line(now, {"in", {}, std::string(1, c), nullptr}, effects);
  };
  lines(engine, 1000, "abc");
  {
    sec::KeptState kept = open(directory);
    REQUIRE(kept.commit(engine, {}, {}).ok());
    lines(engine, 1001, "a");
    std::size_t same = 0, given = 0;
    for (const engine::SavedRow& row : engine.save(false)) {
      if (row.key.starts_with("operation ")) ++(row.same ? same : given);
    }
    CHECK(same == 2);
    CHECK(given == 1);
    lines(engine, 1002, "b");
    for (int again = 0; again < 2; ++again) REQUIRE(kept.commit(engine, {}, {}).ok());
  }
  CHECK(effects.empty());
  engine::Procedure next = with_rules(rules);
  std::vector<std::string> dropped;
  open(directory).bring_back(next, dropped);
  lines(next, 1003, "abc");
  REQUIRE(effects.size() == 1);  // b; the second a was given to nobody but this test
  CHECK(effects[0].text == "b\n");
}
