// SPDX-License-Identifier: Apache-2.0
#include "children.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <sstream>

#include "base/text.h"
#include "host/memory_file.h"

extern char** environ;

namespace correlator::sec {
namespace {

// As Perl's exec decides: a line without anything that a shell would take for itself needs none. NAME=value and exec in front
// do, # does not.
bool needs_shell(const std::string& command) {
  if (command.starts_with("exec ") || command.find_first_of("$&*(){}[]'\";\\|?<>~`\n") != std::string::npos) return true;
  const auto word = std::find_if_not(command.begin(), command.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
  return word != command.end() && *word == '=';
}

std::vector<std::string> argv_of(const engine::Effect& effect) {
  if (!effect.words.empty()) return effect.words;
  if (needs_shell(effect.command)) return {"/bin/sh", "-c", effect.command};
  std::vector<std::string> out;
  std::istringstream words(effect.command);
  for (std::string word; words >> word;) out.push_back(word);
  return out;
}

class Setup {
 public:
  Setup(int input, int output) {
    posix_spawn_file_actions_init(&files_);
    if (input >= 0) posix_spawn_file_actions_adddup2(&files_, input, STDIN_FILENO);
    if (output >= 0) posix_spawn_file_actions_adddup2(&files_, output, STDOUT_FILENO);
    posix_spawnattr_init(&attributes_);
    sigset_t none, defaults;
    sigemptyset(&none);
    sigfillset(&defaults);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &defaults);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~Setup() {
    posix_spawn_file_actions_destroy(&files_);
    posix_spawnattr_destroy(&attributes_);
  }
  Setup(const Setup&) = delete;
  Setup& operator=(const Setup&) = delete;

  int spawn(pid_t& pid, std::vector<std::string>& words) const {
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    return ::posix_spawnp(&pid, words.front().c_str(), &files_, &attributes_, argv.data(), environ);
  }

 private:
  posix_spawn_file_actions_t files_;
  posix_spawnattr_t attributes_;
};

}  // namespace

Children::~Children() = default;

Status Children::start(const engine::Effect& effect) {
  std::vector<std::string> words = argv_of(effect);
  if (words.empty()) return {};
  // Complete before it starts: nobody has to feed it, and it cannot hold us up.
  const host::Descriptor input = effect.feeds ? host::memory_file(effect.text) : host::Descriptor();
  if (effect.feeds && !input) return make_error("E401", "no file for what " + words.front() + " is to read: " + std::strerror(errno));
  std::array<int, 2> ends{-1, -1};
  if (effect.spawns && ::pipe2(ends.data(), O_CLOEXEC) != 0) return make_error("E401", "no pipe for " + words.front() + ": " + std::strerror(errno));
  host::Descriptor output(ends[0]);
  const host::Descriptor written(ends[1]);
  if (output) ::fcntl(output.get(), F_SETFL, O_NONBLOCK);
  const Setup setup(input ? input.get() : input_, written.get());
  pid_t pid = 0;
  const int error = setup.spawn(pid, words);
  const std::string shown = effect.command.empty() ? join(words, " ") : effect.command;
  if (error != 0) return make_error("E401", "cannot start " + shown + ": " + std::strerror(error), "the command must exist and be executable");
  running_.push_back({pid, effect.number, shown, effect.target, {}, std::move(output)});
  return {};
}

void Children::read_lines(Running& child, std::vector<ChildLine>& lines, bool to_end) {
  std::array<char, 16384> buffer;
  while (child.output) {
    const ssize_t n = ::read(child.output.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) break;
    if (n == 0) {
      child.output.reset();
      break;
    }
    child.partial.append(buffer.data(), static_cast<std::size_t>(n));
    if (!to_end && child.partial.size() > (1U << 20U)) break;  // the others want their turn
  }
  std::size_t begin = 0;
  for (std::size_t end; (end = child.partial.find('\n', begin)) != std::string::npos; begin = end + 1) {
    lines.push_back({child.partial.substr(begin, end - begin), child.context});
  }
  child.partial.erase(0, begin);
  if ((to_end || !child.output) && !child.partial.empty()) {
    lines.push_back({child.partial, child.context});
    child.partial.clear();
  }
}

void Children::collect(std::vector<ChildLine>& lines, std::vector<ChildEnd>& ends) {
  for (auto child = running_.begin(); child != running_.end();) {
    if (child->output) read_lines(*child, lines, false);
    int status = 0;
    const pid_t ended = ::waitpid(child->pid, &status, WNOHANG);
    if (ended == 0 || (ended < 0 && errno == EINTR)) {
      ++child;
      continue;
    }
    read_lines(*child, lines, true);
    ends.push_back({child->ticket, WIFEXITED(status) ? WEXITSTATUS(status) : 0, WIFSIGNALED(status) ? WTERMSIG(status) : 0, child->command});
    child = running_.erase(child);
  }
}

std::vector<int> Children::descriptors() const {
  std::vector<int> out;
  for (const Running& child : running_) {
    if (child.output) out.push_back(child.output.get());
  }
  return out;
}

void Children::terminate() {
  for (const Running& child : running_) ::kill(child.pid, SIGTERM);
}

std::vector<Children::Shown> Children::list() const {
  std::vector<Shown> out;
  for (const Running& child : running_) out.push_back({child.pid, child.command, child.context, static_cast<bool>(child.output)});
  return out;
}

}  // namespace correlator::sec
