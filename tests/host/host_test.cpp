// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <functional>
#include <thread>

#include "catch.h"
#include "host/sandbox.h"
#include "host/socket.h"
#include "host/user.h"
#include "temp_dir.h"

using namespace correlator;
using correlator::testing::TempDir;
namespace fs = std::filesystem;

namespace {

// What a child process with its hands tied comes to; 0: all as expected.
int in_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 200 + WTERMSIG(status);
}

// The diagnostic as printed, with the scratch directory's name taken out.
std::string said(const Diagnostic& diagnostic, const TempDir* dir = nullptr) {
  std::string text = to_text(diagnostic);
  for (std::size_t at = 0; dir != nullptr && (at = text.find(dir->path().string())) != std::string::npos;) {
    text.replace(at, dir->path().string().size(), "DIR");
  }
  return text;
}

std::string golden(const char* name) {
  std::ifstream in(std::string(CORRELATOR_SOURCE_DIR "/tests/host/errors/") + name);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

bool can_write(const fs::path& file) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT, 0600);
  if (fd >= 0) ::close(fd);
  return fd >= 0;
}

}  // namespace

TEST_CASE("the sandbox leaves writing below its directories, and takes programs, processes and the network") {
  const TempDir inside, outside;
  std::ofstream(outside.path() / "old") << "x";
  const int code = in_child([&] {
    const auto sandbox = host::enter_sandbox({{inside.path()}});
    if (!sandbox) return 1;
    if (!can_write(inside.path() / "a")) return 2;
    if (sandbox->landlock > 0 && can_write(outside.path() / "a")) return 3;
    if (sandbox->landlock > 0 && can_write(outside.path() / "old")) return 4;
    if (sandbox->landlock > 0 && ::unlink((outside.path() / "old").c_str()) == 0) return 5;
    if (::open((outside.path() / "old").c_str(), O_RDONLY) < 0) return 6;  // reading stays free
    if (!sandbox->seccomp) return 0;
    if (::fork() >= 0 || errno != EPERM) return 7;
    char* argv[] = {nullptr};
    if (::execv("/bin/true", argv) == 0 || errno != EPERM) return 8;
    if (::socket(AF_INET, SOCK_STREAM, 0) >= 0) return 9;
    if (::socket(AF_UNIX, SOCK_STREAM, 0) < 0) return 10;
    bool ran = false;
    std::thread([&] { ran = true; }).join();  // threads still start
    return ran ? 0 : 11;
  });
  CHECK(code == 0);
}

TEST_CASE("root is given up for good, groups too") {
  if (!host::is_root()) return;
  CHECK(in_child([] {
          if (!host::become_user("nobody")) return 1;
          if (::getuid() == 0 || ::geteuid() == 0) return 2;
          if (::setuid(0) == 0 || ::seteuid(0) == 0) return 3;
          gid_t groups[64];
          for (int i = ::getgroups(64, groups) - 1; i >= 0; --i) {
            if (groups[i] == 0) return 4;
          }
          return can_write("/root/x") ? 5 : 0;
        }) == 0);
  const auto missing = host::become_user("no-such-user-here");
  REQUIRE(!missing);
  CHECK(said(missing.error()) == golden("E410-no-user.txt"));
}

TEST_CASE("what somebody else could change is refused, with the component and the command that mends it") {
  const TempDir dir;
  const fs::path sub = dir.path() / "sub", file = sub / "script";
  fs::create_directory(sub);
  std::ofstream(file) << "#!/bin/sh\n";
  ::chmod(sub.c_str(), 0755);
  ::chmod(file.c_str(), 0755);
  CHECK(host::only_we_can_write(file).ok());

  ::chmod(file.c_str(), 0757);
  const auto by_all = host::only_we_can_write(file);
  REQUIRE(!by_all);
  CHECK(said(by_all.error(), &dir) == golden("E411-writable.txt"));
  ::chmod(file.c_str(), 0755);

  ::chmod(sub.c_str(), 0777);
  CHECK(!host::only_we_can_write(file));  // the directory decides as well
  ::chmod(sub.c_str(), 01777);
  CHECK(host::only_we_can_write(file).ok());  // sticky: only the owner may replace the entry
  ::chmod(sub.c_str(), 0755);

  fs::create_symlink(file, dir.path() / "link");
  CHECK(host::only_we_can_write(dir.path() / "link").ok());
  ::chmod(sub.c_str(), 0777);
  CHECK(!host::only_we_can_write(dir.path() / "link"));  // what the link leads to counts
  ::chmod(sub.c_str(), 0755);

  if (host::is_root()) {
    REQUIRE(::chown(file.c_str(), 65534, 65534) == 0);
    CHECK(!host::only_we_can_write(file));
  }
  CHECK(!host::only_we_can_write(dir.path() / "missing"));
}

TEST_CASE("a bell wakes the doorbell; without one it does nothing") {
  const TempDir dir;
  host::Bell bell(dir.path() / "bell");
  bell.ring();  // nobody there
  CHECK(said(host::Doorbell::open(dir.path() / "missing" / "bell", 0600).error(), &dir) == golden("E413-no-directory.txt"));
  auto door = host::Doorbell::open(dir.path() / "bell", 0600);
  REQUIRE(door);
  using Call = host::Doorbell::Call;
  CHECK(door->answer() == Call::none);
  for (int i = 0; i < 10'000; ++i) bell.ring();  // a full queue blocks nobody
  CHECK(door->answer() == Call::now);
  CHECK(door->answer() == Call::none);
  bell.ring_soon();
  CHECK(door->answer() == Call::soon);
  CHECK(door->answer_awake(Duration::milliseconds(1)) == Call::none);  // it did not come
  bell.ring();
  bell.ring_soon();
  CHECK(door->answer() == Call::now);
  bell.ring();
  CHECK(door->answer_awake(Duration::minutes(1)) == Call::now);
  auto again = host::Doorbell::open(dir.path() / "bell", 0600);  // what an earlier owner left is replaced
  REQUIRE(again);
  bell.ring();
  CHECK(again->answer() == Call::now);
}

TEST_CASE("a request is a line in and a line out; nobody there is no error") {
  const TempDir dir;
  const auto nobody = host::ask(dir.path() / "control", "{}", Duration::seconds(1));
  REQUIRE(nobody);
  CHECK(!nobody->has_value());
  auto server = host::ControlServer::open(dir.path() / "control");
  REQUIRE(server);
  CHECK(!server->accept());
  CHECK(said(host::ask(dir.path() / "control", "{}", Duration::seconds(1)).error(), &dir) == golden("E414-no-answer.txt"));
  while (server->accept()) {
  }
  std::thread client([&] {
    const auto answer = host::ask(dir.path() / "control", R"({"verb":"reload"})", Duration::seconds(5));
    CHECK((answer && *answer == R"({"ok":true})"));
  });
  std::optional<host::Request> request;
  while (!request) request = server->accept();
  CHECK(request->line() == R"({"verb":"reload"})");
  CHECK(request->uid() == ::getuid());
  request->reply(R"({"ok":true})");
  client.join();
}
