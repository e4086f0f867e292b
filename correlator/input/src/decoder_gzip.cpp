// SPDX-License-Identifier: Apache-2.0
// gzip by ISA-L where the build found it (more than twice as fast), by zlib otherwise.
#include <algorithm>

#include "decoder.h"

#if defined(CORRELATOR_HAVE_ISAL)
#include <isa-l/igzip_lib.h>
#else
#include <zlib.h>
#endif

namespace correlator::input {
namespace {

constexpr std::size_t kMost = std::size_t{1} << 30;  // both libraries count in 32 bits

#if defined(CORRELATOR_HAVE_ISAL)

class GzipDecoder final : public Decoder {
 public:
  bool begin() override {
    isal_inflate_init(&state_);
    state_.crc_flag = ISAL_GZIP;
    return true;
  }

  Outcome decode(std::span<const char>& in, std::span<char>& out) override {
    const auto in_now = static_cast<std::uint32_t>(std::min(in.size(), kMost));
    const auto out_now = static_cast<std::uint32_t>(std::min(out.size(), kMost));
    // The library reads through this pointer only; its type says otherwise.
    state_.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(in.data()));
    state_.avail_in = in_now;
    state_.next_out = reinterpret_cast<std::uint8_t*>(out.data());
    state_.avail_out = out_now;
    result_ = isal_inflate(&state_);
    in = in.subspan(in_now - state_.avail_in);
    out = out.subspan(out_now - state_.avail_out);
    if (result_ < 0 || result_ == ISAL_NEED_DICT) return Outcome::damaged;
    return state_.block_state == ISAL_BLOCK_FINISH ? Outcome::member_end : Outcome::more;
  }

  std::string why() const override {
    switch (result_) {
      case ISAL_INVALID_BLOCK:
        return "invalid deflate block";
      case ISAL_INVALID_SYMBOL:
        return "invalid deflate symbol";
      case ISAL_INVALID_LOOKBACK:
        return "invalid distance";
      case ISAL_INVALID_WRAPPER:
        return "invalid header";
      case ISAL_UNSUPPORTED_METHOD:
        return "unknown compression method";
      case ISAL_INCORRECT_CHECKSUM:
        return "checksum or length does not fit";
      default:
        return "invalid data";
    }
  }

 private:
  inflate_state state_;
  int result_ = 0;
};

#else

class GzipDecoder final : public Decoder {
 public:
  ~GzipDecoder() override {
    if (ready_) inflateEnd(&stream_);
  }

  bool begin() override {
    if (ready_) return inflateReset(&stream_) == Z_OK;
    ready_ = inflateInit2(&stream_, 15 + 16) == Z_OK;  // gzip wrapper, largest window
    return ready_;
  }

  Outcome decode(std::span<const char>& in, std::span<char>& out) override {
    const auto in_now = static_cast<uInt>(std::min(in.size(), kMost));
    const auto out_now = static_cast<uInt>(std::min(out.size(), kMost));
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream_.avail_in = in_now;
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = out_now;
    const int result = inflate(&stream_, Z_NO_FLUSH);
    in = in.subspan(in_now - stream_.avail_in);
    out = out.subspan(out_now - stream_.avail_out);
    if (result == Z_STREAM_END) return Outcome::member_end;
    return result == Z_OK || result == Z_BUF_ERROR ? Outcome::more : Outcome::damaged;
  }

  std::string why() const override { return stream_.msg != nullptr ? stream_.msg : "invalid data"; }

 private:
  z_stream stream_{};
  bool ready_ = false;
};

#endif

}  // namespace

std::unique_ptr<Decoder> make_gzip_decoder() {
  return std::make_unique<GzipDecoder>();
}

std::string_view gzip_library() {
#if defined(CORRELATOR_HAVE_ISAL)
  return "isa-l";
#else
  return "zlib";
#endif
}

}  // namespace correlator::input
