// SPDX-License-Identifier: Apache-2.0
#include "make_input.h"

#include <bzlib.h>
#include <fmt/format.h>
#include <lzma.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include <fstream>
#include <stdexcept>

#include "catch.h"

namespace correlator::input::test {
namespace {

std::string gzip(const std::string& text) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("gzip");
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) throw std::runtime_error("gzip");
  return out;
}

// With a checksum, as the zstd program writes it.
std::string zstd(const std::string& text) {
  const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(), &ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  std::string out(ZSTD_compressBound(text.size()), '\0');
  const std::size_t size = ZSTD_compress2(context.get(), out.data(), out.size(), text.data(), text.size());
  if (ZSTD_isError(size)) throw std::runtime_error("zstd");
  out.resize(size);
  return out;
}

std::string xz(const std::string& text) {
  std::string out(lzma_stream_buffer_bound(text.size()), '\0');
  std::size_t size = 0;
  const lzma_ret result = lzma_easy_buffer_encode(
      1, LZMA_CHECK_CRC64, nullptr, reinterpret_cast<const std::uint8_t*>(text.data()), text.size(),
      reinterpret_cast<std::uint8_t*>(out.data()), &size, out.size());
  if (result != LZMA_OK) throw std::runtime_error("xz");
  out.resize(size);
  return out;
}

std::string bzip2(const std::string& text) {
  auto size = static_cast<unsigned>(text.size() + text.size() / 50 + 1000);
  std::string out(size, '\0');
  const int result = BZ2_bzBuffToBuffCompress(out.data(), &size, const_cast<char*>(text.data()),
                                              static_cast<unsigned>(text.size()), 1, 0, 0);
  if (result != BZ_OK) throw std::runtime_error("bzip2");
  out.resize(size);
  return out;
}

}  // namespace

std::string compress(const std::string& text, Compression compression) {
  switch (compression) {
    case Compression::none:
      return text;
    case Compression::gzip:
      return gzip(text);
    case Compression::zstd:
      return zstd(text);
    case Compression::xz:
      return xz(text);
    case Compression::bzip2:
      return bzip2(text);
  }
  return text;
}

std::string log_text(std::size_t bytes, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::string text;
  for (std::uint32_t n = 0; text.size() < bytes; ++n) {
    text += fmt::format("Jan {:2} {:02}:{:02}:{:02} node{} prog[{}]: message {} of value {:x}\n",
                        1 + n / 86400 % 28, n / 3600 % 24, n / 60 % 60, n % 60, random() % 40,
                        random() % 32768, n, random());
  }
  return text;
}

Outcome drain(Reader& reader, std::size_t step) {
  Outcome outcome;
  std::string piece(step, '\0');
  while (true) {
    const Result<std::size_t> got = reader.read(piece);
    if (!got) {
      outcome.code = got.error().code;
      outcome.message = got.error().message;
      outcome.file = got.error().place.file;
      const Result<std::size_t> again = reader.read(piece);
      CHECK((!again && again.error().message == outcome.message));
      return outcome;
    }
    if (*got == 0) {
      CHECK(reader.read(piece).value() == 0);
      return outcome;
    }
    outcome.bytes.append(piece, 0, *got);
  }
}

Directory::Directory() {
  std::string name = (std::filesystem::temp_directory_path() / "correlator-input-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
  path_ = name;
}

Directory::~Directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path Directory::write(const std::string& name, const std::string& bytes) const {
  const std::filesystem::path path = path_ / name;
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

}  // namespace correlator::input::test
