// SPDX-License-Identifier: Apache-2.0
// The last N lines, of all sources together or of each.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace correlator::engine {

struct BufferedLine {
  std::string text;
  std::string source;
};

class LineBuffers {
 public:
  void resize(std::uint32_t lines, bool joint);
  std::uint32_t lines() const { return lines_; }
  bool joint() const { return joint_; }

  // A line comes in; what follows is about the buffer it went into.
  void add(std::string_view source, std::string_view text);
  // The last n lines as one text. Valid until the buffer changes.
  const std::string& last(std::uint32_t n);
  // Where the last n lines came from.
  std::string sources(std::uint32_t n) const;
  std::string source(std::uint32_t back) const;
  std::string line(std::uint32_t back) const;
  // The last lines become these; `n` of them, where it is more than there are, with empty ones in front.
  void rewrite(std::uint32_t n, const std::vector<std::string>& lines);
  const std::map<std::string, std::deque<BufferedLine>, std::less<>>& all() const { return buffers_; }
  // Those of an earlier run; not where lines of all sources are together now and were not then, or the other way round.
  void restore(const std::string& source, std::deque<BufferedLine> lines);

 private:
  std::uint32_t lines_ = 1;
  bool joint_ = true;
  std::map<std::string, std::deque<BufferedLine>, std::less<>> buffers_;
  std::deque<BufferedLine>* current_ = nullptr;
  std::map<std::uint32_t, std::string> joined_;
};

}  // namespace correlator::engine
