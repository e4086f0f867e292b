// SPDX-License-Identifier: Apache-2.0
#include <zstd.h>

#include <algorithm>

#include "decoder.h"

namespace correlator::input {
namespace {

class ZstdDecoder final : public Decoder {
 public:
  ~ZstdDecoder() override { ZSTD_freeDCtx(context_); }

  bool begin() override {
    if (context_ == nullptr) context_ = ZSTD_createDCtx();
    if (context_ == nullptr) return false;
    ZSTD_DCtx_reset(context_, ZSTD_reset_session_only);
    wanted_ = 1;
    return true;
  }

  // The library drops what a call has written when the same call meets an error, so it gets no more input at
  // a time than the one block it asks for: what was good before stays.
  Outcome decode(std::span<const char>& in, std::span<char>& out) override {
    ZSTD_inBuffer from{in.data(), std::min(in.size(), wanted_), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    const std::size_t result = ZSTD_decompressStream(context_, &to, &from);
    if (ZSTD_isError(result)) {
      why_ = ZSTD_getErrorName(result);
      return Outcome::damaged;
    }
    in = in.subspan(from.pos);
    out = out.subspan(to.pos);
    wanted_ = std::max<std::size_t>(result, 1);
    return result == 0 ? Outcome::member_end : Outcome::more;
  }

  std::string why() const override { return why_; }

 private:
  ZSTD_DCtx* context_ = nullptr;
  std::size_t wanted_ = 1;
  std::string why_;
};

}  // namespace

std::unique_ptr<Decoder> make_zstd_decoder() {
  return std::make_unique<ZstdDecoder>();
}

}  // namespace correlator::input
