// SPDX-License-Identifier: Apache-2.0
#include "line_buffer.h"

#include <algorithm>

namespace correlator::engine {

void LineBuffers::resize(std::uint32_t lines, bool joint) {
  lines_ = lines;
  joint_ = joint || lines == 1;
  current_ = nullptr;
  joined_.clear();
  for (auto& [name, buffer] : buffers_) {
    while (buffer.size() < lines_) buffer.push_front({});
    while (buffer.size() > lines_) buffer.pop_front();
  }
}

void LineBuffers::restore(const std::string& source, std::deque<BufferedLine> lines) {
  if (source.empty() != joint_) return;
  buffers_[source] = std::move(lines);
  resize(lines_, joint_);
}

void LineBuffers::add(std::string_view source, std::string_view text) {
  const std::string_view key = joint_ ? std::string_view() : source;
  auto found = buffers_.find(key);
  if (found == buffers_.end()) found = buffers_.emplace(key, std::deque<BufferedLine>(lines_)).first;
  current_ = &found->second;
  if (lines_ == 1) {  // the usual case, without an allocation
    current_->front().text.assign(text);
    current_->front().source.assign(source);
    return;
  }
  joined_.clear();
  current_->pop_front();
  current_->push_back({std::string(text), std::string(source)});
}

const std::string& LineBuffers::last(std::uint32_t n) {
  if (n == 1) return current_->back().text;
  const auto [at, fresh] = joined_.try_emplace(n);
  if (!fresh) return at->second;
  for (std::uint32_t back = std::min(n, lines_); back > 0; --back) {
    if (back != std::min(n, lines_)) at->second += '\n';
    at->second += (*current_)[current_->size() - back].text;
  }
  return at->second;
}

std::string LineBuffers::source(std::uint32_t back) const { return (*current_)[current_->size() - back].source; }
std::string LineBuffers::line(std::uint32_t back) const { return (*current_)[current_->size() - back].text; }

std::string LineBuffers::sources(std::uint32_t n) const {
  if (!joint_ || n == 1) return source(1);
  std::string out;
  for (std::uint32_t back = std::min(n, lines_); back > 0; --back) {
    if (back != std::min(n, lines_)) out += ' ';
    out += source(back);
  }
  return out;
}

void LineBuffers::rewrite(std::uint32_t n, const std::vector<std::string>& lines) {
  if (current_ == nullptr) return;  // no line has come yet
  joined_.clear();
  if (n == 0) n = static_cast<std::uint32_t>(lines.size());
  n = std::min(n, lines_);
  const std::size_t kept = std::min<std::size_t>(n, lines.size());  // of too many the first ones
  for (std::uint32_t back = 1; back <= n; ++back) {
    std::string& text = (*current_)[current_->size() - back].text;
    if (back <= kept) text = lines[kept - back];
    else text.clear();
  }
}

}  // namespace correlator::engine
