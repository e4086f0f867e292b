// SPDX-License-Identifier: Apache-2.0
// A process that is held runs when it is let go and never otherwise.
#include "held_process.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include "catch.h"
#include "host/open_files.h"
#include "temp_dir.h"

using namespace correlator;
using namespace correlator::dispatch;
namespace fs = std::filesystem;

namespace {

ProcessSpec marking(testing::TempDir& dir) {
  dir.write("act", "#!/bin/sh\n: >\"$1\"\n", true);
  ProcessSpec spec;
  spec.program = dir.path() / "act";
  spec.arguments = {(dir.path() / "ran").string()};
  spec.output = dir.path() / "said";
  return spec;
}

// The process that one of our threads has made; it is waited for, however long its thread takes.
pid_t held_child() {
  for (;;) {
    for (const auto& task : fs::directory_iterator("/proc/self/task")) {
      pid_t pid = 0;
      if (std::ifstream(task.path() / "children") >> pid) return pid;
    }
  }
}

// R, S, Z, ... as in ps(1); nothing when there is no such process.
std::string state_of(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string number, name, state;
  stat >> number >> name >> state;
  return state;
}

bool over(pid_t pid) {
  const std::string state = state_of(pid);
  return state.empty() || state == "Z";
}

}  // namespace

TEST_CASE("a held process runs once it is let go") {
  testing::TempDir dir;
  HeldProcess held(marking(dir));
  held_child();
  CHECK_FALSE(fs::exists(dir.path() / "ran"));
  const auto pid = held.go();
  REQUIRE(pid.ok());
  int status = 0;
  REQUIRE(::waitpid(*pid, &status, 0) == *pid);
  CHECK(status == 0);
  CHECK(fs::exists(dir.path() / "ran"));
}

TEST_CASE("a process has as many open files as we were started with, however many we allow ourselves") {
  rlimit few{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &few) == 0);
  few.rlim_cur = std::min<rlim_t>(few.rlim_max, 321);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  CHECK(host::allow_open_files() == few.rlim_max);
  CHECK(host::allow_open_files() == few.rlim_max);  // the second time changes nothing of what is usual
  testing::TempDir dir;
  ProcessSpec spec = marking(dir);
  dir.write("act", "#!/bin/sh\nulimit -Sn >\"$1\"\nulimit -Hn >>\"$1\"\n", true);
  HeldProcess held(spec);
  const auto pid = held.go();
  REQUIRE(pid.ok());
  int status = 0;
  REQUIRE(::waitpid(*pid, &status, 0) == *pid);
  std::uint64_t soft = 0, hard = 0;
  std::ifstream(dir.path() / "ran") >> soft >> hard;
  CHECK(soft == few.rlim_cur);
  CHECK(hard == few.rlim_max);
}

TEST_CASE("a held process that has fallen asleep over its waiting is woken") {
  testing::TempDir dir;
  HeldProcess held(marking(dir));
  const pid_t child = held_child();
  while (state_of(child) != "S") ::usleep(1000);
  const auto pid = held.go();
  REQUIRE(pid.ok());
  CHECK(*pid == child);
  int status = 0;
  REQUIRE(::waitpid(*pid, &status, 0) == *pid);
  CHECK(status == 0);
  CHECK(fs::exists(dir.path() / "ran"));
}

TEST_CASE("a held process that is not let go leaves nothing behind") {
  testing::TempDir dir;
  pid_t pid = 0;
  {
    const HeldProcess held(marking(dir));
    pid = held_child();
  }
  CHECK(over(pid));
  CHECK_FALSE(fs::exists(dir.path() / "ran"));
  CHECK_FALSE(fs::exists(dir.path() / "said.pipe"));
}

TEST_CASE("a held process whose dispatcher dies ends without having run") {
  testing::TempDir dir;
  const ProcessSpec spec = marking(dir);
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t dispatcher = ::fork();
  if (dispatcher == 0) {
    new HeldProcess(spec);  // never destroyed
    const pid_t pid = held_child();
    ::_exit(::write(ends[1], &pid, sizeof pid) == sizeof pid ? 0 : 1);
  }
  pid_t pid = 0;
  REQUIRE(::read(ends[0], &pid, sizeof pid) == sizeof pid);
  int status = 0;
  REQUIRE(::waitpid(dispatcher, &status, 0) == dispatcher);
  REQUIRE(status == 0);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(90);
  while (!over(pid) && std::chrono::steady_clock::now() < end) ::usleep(1000);
  CHECK(over(pid));
  CHECK_FALSE(fs::exists(dir.path() / "ran"));
  ::close(ends[0]);
  ::close(ends[1]);
}
