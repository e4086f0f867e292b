// SPDX-License-Identifier: Apache-2.0
#include "pipeline/chunk.h"

#include <algorithm>

namespace correlator::pipeline {

std::uint64_t Chunk::line_of(std::size_t position) const {
  if (joined.empty()) return block.line_of(position);
  return first_line + input::count_newlines(bytes.substr(0, position));
}

std::shared_ptr<Chunk> Chunker::add(input::Block block) {
  auto chunk = std::make_shared<Chunk>();
  if (left_over_ != nullptr) {
    chunk->joined.assign(left_over_->bytes);
    chunk->joined += block.bytes;
    chunk->bytes = chunk->joined;
    chunk->offset = left_over_->offset;
    chunk->first_line = left_over_->first_line;
    left_over_.reset();
  } else {
    chunk->block = std::move(block);
    chunk->bytes = chunk->block.bytes;
    chunk->offset = chunk->block.offset;
    chunk->first_line = chunk->block.first_line;
  }
  cut(*chunk, false);
  return chunk;
}

std::shared_ptr<Chunk> Chunker::end() {
  std::shared_ptr<Chunk> rest = std::move(left_over_);
  left_over_.reset();
  if (rest != nullptr) cut(*rest, true);
  return rest;
}

void Chunker::cut(Chunk& chunk, bool at_eof) {
  chunk.state = state_;
  syslog::BlockFrames frames(chunk.bytes, state_, at_eof);
  const std::size_t consumed = frames.finish();
  state_ = frames.state();
  chunk.traits = frames.traits();
  if (consumed < chunk.bytes.size() && !at_eof) {
    left_over_ = std::make_shared<Chunk>();
    left_over_->joined.assign(chunk.bytes.substr(consumed));
    left_over_->bytes = left_over_->joined;
    left_over_->offset = chunk.offset + consumed;
    left_over_->first_line = chunk.line_of(consumed);
  }
  chunk.bytes = chunk.bytes.substr(0, consumed);
}

void LookBack::add(std::shared_ptr<const Chunk> chunk) {
  const std::uint64_t end = chunk->offset + chunk->bytes.size();
  recent_.push_back(std::move(chunk));
  while (recent_.size() > 1 && recent_[1]->offset + kLookBack <= end) recent_.pop_front();
}

LookBack::Found LookBack::before(std::uint64_t here, std::string_view host, const Matcher& matcher,
                                 Matcher::Scratch& scratch) const {
  const std::string wanted(host);
  const std::uint64_t limit = here > kLookBack ? here - kLookBack : 0;
  for (auto it = recent_.rbegin(); it != recent_.rend(); ++it) {
    const Chunk& part = **it;
    if (part.offset >= here) continue;
    std::size_t end = std::min<std::uint64_t>(part.bytes.size(), here - part.offset);
    while (end > 0 && part.offset + end > limit) {
      const std::size_t newline = part.bytes.substr(0, end - 1).rfind('\n');
      const std::size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
      if (part.offset + begin < limit) return {};
      const std::string_view line = part.bytes.substr(begin, end - begin - (part.bytes[end - 1] == '\n' ? 1 : 0));
      end = begin;
      syslog::Message message;
      if (!scratch.parser.parse(line, message) || message.host != wanted || message.repeats_previous > 0) continue;
      Found found{line, *it, {}};
      matcher.candidate_patterns(message, scratch, found.patterns);
      return found;
    }
  }
  return {};
}

}  // namespace correlator::pipeline
