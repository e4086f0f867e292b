// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace correlator {
namespace {

EVP_MD_CTX* digest(void* context) { return static_cast<EVP_MD_CTX*>(context); }

// Looked up once: with EVP_sha256() each digest of a short text spends a third of its time on that.
const EVP_MD* sha256() {
  static const EVP_MD* found = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return found != nullptr ? found : EVP_sha256();
}

}  // namespace

Sha256::Sha256() : context_(EVP_MD_CTX_new()) { EVP_DigestInit_ex(digest(context_), sha256(), nullptr); }

Sha256::~Sha256() { EVP_MD_CTX_free(digest(context_)); }

Sha256& Sha256::add(std::string_view part) {
  add(static_cast<std::int64_t>(part.size()));
  EVP_DigestUpdate(digest(context_), part.data(), part.size());
  return *this;
}

Sha256& Sha256::add(std::int64_t number) {
  std::array<unsigned char, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<unsigned char>(static_cast<std::uint64_t>(number) >> (8 * i));
  }
  EVP_DigestUpdate(digest(context_), bytes.data(), bytes.size());
  return *this;
}

std::string Sha256::hex(std::size_t bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned int length = 0;
  EVP_DigestFinal_ex(digest(context_), out.data(), &length);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < std::min<std::size_t>(bytes, length); ++i) {
    text += digits[out[i] >> 4];
    text += digits[out[i] & 15];
  }
  return text;
}

std::uint64_t hash64(std::string_view text, std::uint64_t seed) {
  std::uint64_t h = 0xcbf29ce484222325ULL ^ seed;
  for (const char c : text) {
    h ^= static_cast<unsigned char>(c);
    h *= 0x100000001b3ULL;
  }
  h ^= h >> 33;
  h *= 0xff51afd7ed558ccdULL;
  return h ^ (h >> 33);
}

}  // namespace correlator
