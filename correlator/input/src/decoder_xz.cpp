// SPDX-License-Identifier: Apache-2.0
#include <lzma.h>

#include "decoder.h"

namespace correlator::input {
namespace {

// `xz -9` needs 65 MiB to decompress; a hostile header may ask for 4 GiB.
constexpr std::uint64_t kMemoryLimit = std::uint64_t{512} << 20;

class XzDecoder final : public Decoder {
 public:
  ~XzDecoder() override { lzma_end(&stream_); }

  bool begin() override { return lzma_stream_decoder(&stream_, kMemoryLimit, 0) == LZMA_OK; }

  Outcome decode(std::span<const char>& in, std::span<char>& out) override {
    stream_.next_in = reinterpret_cast<const std::uint8_t*>(in.data());
    stream_.avail_in = in.size();
    stream_.next_out = reinterpret_cast<std::uint8_t*>(out.data());
    stream_.avail_out = out.size();
    result_ = lzma_code(&stream_, LZMA_RUN);
    in = in.last(stream_.avail_in);
    out = out.last(stream_.avail_out);
    if (result_ == LZMA_STREAM_END) return Outcome::member_end;
    return result_ == LZMA_OK || result_ == LZMA_BUF_ERROR ? Outcome::more : Outcome::damaged;
  }

  std::string why() const override {
    switch (result_) {
      case LZMA_MEMLIMIT_ERROR:
        return "it needs more than 512 MiB of memory";
      case LZMA_MEM_ERROR:
        return "out of memory";
      case LZMA_OPTIONS_ERROR:
        return "unknown compression options";
      case LZMA_FORMAT_ERROR:
        return "invalid header";
      default:
        return "invalid data or checksum";
    }
  }

 private:
  lzma_stream stream_ = LZMA_STREAM_INIT;
  lzma_ret result_ = LZMA_OK;
};

}  // namespace

std::unique_ptr<Decoder> make_xz_decoder() {
  return std::make_unique<XzDecoder>();
}

}  // namespace correlator::input
