// SPDX-License-Identifier: Apache-2.0
#include <bzlib.h>

#include <algorithm>

#include "decoder.h"

namespace correlator::input {
namespace {

constexpr std::size_t kMost = std::size_t{1} << 30;  // the library counts in 32 bits

class Bzip2Decoder final : public Decoder {
 public:
  ~Bzip2Decoder() override { end(); }

  bool begin() override {
    end();
    stream_ = {};
    ready_ = BZ2_bzDecompressInit(&stream_, 0, 0) == BZ_OK;
    return ready_;
  }

  Outcome decode(std::span<const char>& in, std::span<char>& out) override {
    const auto in_now = static_cast<unsigned>(std::min(in.size(), kMost));
    const auto out_now = static_cast<unsigned>(std::min(out.size(), kMost));
    stream_.next_in = const_cast<char*>(in.data());
    stream_.avail_in = in_now;
    stream_.next_out = out.data();
    stream_.avail_out = out_now;
    const int result = BZ2_bzDecompress(&stream_);
    in = in.subspan(in_now - stream_.avail_in);
    out = out.subspan(out_now - stream_.avail_out);
    if (result == BZ_STREAM_END) return Outcome::member_end;
    return result == BZ_OK ? Outcome::more : Outcome::damaged;
  }

  std::string why() const override { return "invalid data or checksum"; }

 private:
  void end() {
    if (ready_) BZ2_bzDecompressEnd(&stream_);
    ready_ = false;
  }

  bz_stream stream_{};
  bool ready_ = false;
};

}  // namespace

std::unique_ptr<Decoder> make_bzip2_decoder() {
  return std::make_unique<Bzip2Decoder>();
}

}  // namespace correlator::input
