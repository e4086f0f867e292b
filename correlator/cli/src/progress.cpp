// SPDX-License-Identifier: Apache-2.0
#include "progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/text.h"

namespace correlator::cli {
namespace {

// A terminal that cannot take a line back: Emacs' shell, a log of a build.
bool is_dumb() {
  const char* term = std::getenv("TERM");
  return term == nullptr || std::string_view(term) == "dumb";
}

std::size_t columns() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

ProgressBar::ProgressBar(bool wanted)
    : wanted_(wanted && isatty(STDERR_FILENO) == 1 && !is_dumb()), begin_(std::chrono::steady_clock::now()) {}

ProgressBar::~ProgressBar() {
  clear();
}

void ProgressBar::show(const pipeline::Progress& p) {
  if (!wanted_) return;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  const double rate = seconds > 0 ? static_cast<double>(p.done) / seconds / 1e6 : 0;
  std::string line;
  if (p.size > 0) {
    const std::uint64_t part = std::min<std::uint64_t>(p.done * 20 / p.size, 20);
    line = fmt::format("[{:=<{}}{: <{}}] {:3}%  ", "", part, "", 20 - part,
                       std::min<std::uint64_t>(p.done * 100 / p.size, 100));
  }
  line += fmt::format("{}  {:.0f} MB/s  {}", counted(p.lines, "line"), rate, to_rfc3339(p.at));
  line = shorten(line, columns() - 2);
  const std::string text = fmt::format("\r\x1b[K{}", line);
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
  shown_ = true;
}

void ProgressBar::clear() {
  if (!shown_) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  shown_ = false;
}

}  // namespace correlator::cli
