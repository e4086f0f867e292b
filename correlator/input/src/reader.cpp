// SPDX-License-Identifier: Apache-2.0
#include "input/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "byte_source.h"
#include "decoder.h"
#include "magic.h"

namespace correlator::input {
namespace {

// What is looked at to tell what a file is, and what decompressors are fed with: thousands of files may be open at once.
constexpr std::size_t kLookSize = std::size_t{4} << 10, kInputSize = std::size_t{32} << 10;

// The bytes of a source, with a look ahead.
class Input {
 public:
  explicit Input(std::unique_ptr<ByteSource> from) : source(std::move(from)) {}

  std::string_view ahead() const { return {buffer_.data() + begin_, end_ - begin_}; }
  bool ended() const { return ended_; }
  std::uint64_t offset() const { return offset_; }  // of the first byte ahead

  void drop(std::size_t bytes) {
    begin_ += bytes;
    offset_ += bytes;
  }
  void read_in_bulk() { size_ = kInputSize; }
  // Nobody looks ahead any more.
  void give_back() {
    buffer_ = {};
    begin_ = end_ = 0;
  }
  void passed(std::uint64_t bytes) { offset_ += bytes; }  // bytes that did not come through here

  // Adds at least one byte to what is ahead, or finds the end.
  Status more() {
    if (begin_ == end_) begin_ = end_ = 0;
    if (buffer_.size() < size_) buffer_.resize(size_);
    if (end_ == buffer_.size()) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (end_ == buffer_.size()) buffer_.resize(2 * buffer_.size());
    Result<std::size_t> got = source->read(std::span(buffer_).subspan(end_));
    if (!got) return got.error();
    end_ += *got;
    ended_ = *got == 0;
    return {};
  }

  // What the bytes ahead are, reading as many as it takes.
  Result<Compression> detect_ahead() {
    while (true) {
      if (const auto found = detect(ahead(), ended_)) return *found;
      if (Status status = more(); !status) return status.error();
    }
  }

  std::unique_ptr<ByteSource> source;

 private:
  std::vector<char> buffer_;
  std::size_t size_ = kLookSize, begin_ = 0, end_ = 0;
  std::uint64_t offset_ = 0;
  bool ended_ = false;
};

class PlainReader final : public Reader {
 public:
  explicit PlainReader(Input input)
      : Reader(input.source->name, input.source->size, input.source->mtime), input_(std::move(input)) {}

  Result<std::size_t> read(std::span<char> out) override {
    if (error_) return *error_;
    std::size_t got = std::min(out.size(), input_.ahead().size());
    if (got != 0) {  // what the detection looked at
      std::memcpy(out.data(), input_.ahead().data(), got);
      input_.drop(got);
      if (input_.ahead().empty()) input_.give_back();
    } else {
      Result<std::size_t> direct = input_.source->read(out);
      if (!direct) {
        error_ = direct.error();
        return *error_;
      }
      got = *direct;
      input_.passed(got);
    }
    set_compressed_offset(input_.offset());
    return got;
  }

  Result<std::uint64_t> skip(std::uint64_t bytes) override {
    const std::size_t held = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, input_.ahead().size()));
    input_.drop(held);
    std::uint64_t sought = 0;
    if (held < bytes) sought = input_.source->skip(bytes - held);
    input_.passed(sought);
    set_compressed_offset(input_.offset());
    if (held + sought == bytes) return bytes;
    Result<std::uint64_t> rest = Reader::skip(bytes - held - sought);  // a pipe, or the end of the file
    if (!rest) return rest;
    return held + sought + *rest;
  }

  void cancel() override { input_.source->cancel(); }
  Compression compression() const override { return Compression::none; }

 private:
  Input input_;
  std::optional<Diagnostic> error_;
};

class CompressedReader final : public Reader {
 public:
  CompressedReader(Input input, Compression compression, std::unique_ptr<Decoder> decoder)
      : Reader(input.source->name, input.source->size, input.source->mtime),
        input_(std::move(input)),
        compression_(compression),
        decoder_(std::move(decoder)) {
    input_.read_in_bulk();
  }

  Result<std::size_t> read(std::span<char> out) override {
    while (!error_ && !ended_) {
      if (!in_member_) {
        begin_member();
        continue;
      }
      if (const std::size_t got = decode(out); got != 0) return got;
    }
    if (error_) return *error_;
    return std::size_t{0};
  }

  void cancel() override { input_.source->cancel(); }
  Compression compression() const override { return compression_; }

 private:
  // Members may be separated by zero bytes: padding of xz streams and of tapes, or what a crash left behind.
  void begin_member() {
    while (true) {
      const std::string_view ahead = input_.ahead();
      const std::size_t zeros = std::min(ahead.find_first_not_of('\0'), ahead.size());
      input_.drop(zeros);
      set_compressed_offset(input_.offset());
      if (zeros < ahead.size()) break;
      if (input_.ended()) {
        ended_ = true;
        return;
      }
      if (Status status = input_.more(); !status) return fail(status.error());
    }
    Result<Compression> found = input_.detect_ahead();
    if (!found) return fail(found.error());
    if (*found != compression_) return foreign();
    in_member_ = decoder_->begin();
    if (!in_member_) damaged("no memory to decompress it");
  }

  // One step; how many bytes of `out` it filled. Asks for input only when the decoder gives nothing without,
  // so that everything a pipe has sent so far comes out before we wait for more.
  std::size_t decode(std::span<char> out) {
    std::span<const char> in(input_.ahead().data(), input_.ahead().size());
    const std::size_t before = in.size();
    std::span<char> left = out;
    const Decoder::Outcome outcome = decoder_->decode(in, left);
    const std::size_t used = before - in.size();
    const std::size_t got = out.size() - left.size();
    input_.drop(used);
    set_compressed_offset(input_.offset());
    if (outcome == Decoder::Outcome::member_end) {
      in_member_ = false;
    } else if (outcome == Decoder::Outcome::damaged) {
      damaged(decoder_->why());
    } else if (got == 0 && used == 0 && before != 0) {
      damaged("the decoder makes no progress");
    } else if (got == 0 && input_.ahead().empty()) {
      if (input_.ended()) {
        truncated();
      } else if (Status status = input_.more(); !status) {
        fail(status.error());
      }
    }
    return got;
  }

  void fail(Diagnostic diagnostic) {
    if (diagnostic.place.file.empty()) diagnostic.place.file = name();
    error_ = std::move(diagnostic);
  }
  void truncated() {
    fail(make_error("E202",
                    fmt::format("the {} stream is cut off: the file ends at byte {} in the middle of it",
                                to_string(compression_), input_.offset()),
                    "everything before it was read; copy the file again, or go on without the rest"));
  }
  void damaged(const std::string& why) {
    fail(make_error(
        "E203",
        fmt::format("the {} stream is damaged at byte {}: {}", to_string(compression_), input_.offset(), why),
        "everything before it was read; take another copy of the file"));
  }
  void foreign() {
    fail(make_error("E204",
                    fmt::format("behind the {} stream, at byte {}, stands something that is not {}",
                                to_string(compression_), input_.offset(), to_string(compression_)),
                    fmt::format("it was not read; `tail -c +{}` cuts it out into a file of its own",
                                input_.offset() + 1)));
  }

  Input input_;
  Compression compression_;
  std::unique_ptr<Decoder> decoder_;
  bool in_member_ = false;
  bool ended_ = false;
  std::optional<Diagnostic> error_;
};

Result<std::unique_ptr<Reader>> open_source(std::unique_ptr<ByteSource> source) {
  Input input(std::move(source));
  Result<Compression> found = input.detect_ahead();
  if (!found) return std::move(found).error();
  std::unique_ptr<Decoder> decoder;
  switch (*found) {
    case Compression::none:
      return std::unique_ptr<Reader>(std::make_unique<PlainReader>(std::move(input)));
    case Compression::gzip:
      decoder = make_gzip_decoder();
      break;
    case Compression::zstd:
      decoder = make_zstd_decoder();
      break;
    case Compression::xz:
      decoder = make_xz_decoder();
      break;
    case Compression::bzip2:
      decoder = make_bzip2_decoder();
      break;
  }
  return std::unique_ptr<Reader>(
      std::make_unique<CompressedReader>(std::move(input), *found, std::move(decoder)));
}

}  // namespace

std::string_view to_string(Compression compression) {
  switch (compression) {
    case Compression::none:
      return "plain";
    case Compression::gzip:
      return "gzip";
    case Compression::zstd:
      return "zstd";
    case Compression::xz:
      return "xz";
    case Compression::bzip2:
      return "bzip2";
  }
  return "plain";
}

Result<std::uint64_t> Reader::skip(std::uint64_t bytes) {
  std::vector<char> dropped(kInputSize);
  std::uint64_t done = 0;
  while (done < bytes) {
    const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(bytes - done, dropped.size()));
    Result<std::size_t> got = read(std::span(dropped).first(step));
    if (!got) return std::move(got).error();
    if (*got == 0) break;
    done += *got;
  }
  return done;
}

Result<std::unique_ptr<Reader>> open_reader(const std::filesystem::path& path) {
  Result<std::unique_ptr<ByteSource>> source = open_file_source(path);
  if (!source) return std::move(source).error();
  return open_source(std::move(*source));
}

std::unique_ptr<Reader> memory_reader(std::string name, std::string bytes, std::size_t piece) {
  // Memory cannot fail to be read, so there is always a Reader.
  return std::move(open_source(open_memory_source(std::move(name), std::move(bytes), piece))).value();
}

}  // namespace correlator::input
