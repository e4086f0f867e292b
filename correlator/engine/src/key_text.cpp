// SPDX-License-Identifier: Apache-2.0
#include "key_text.h"

#include <fmt/format.h>

namespace correlator::engine {
namespace {

// One tag byte a type, in the order of expr::Value's own; 0 ends a list.
enum Tag : char { kEnd = 0, kNone = 1, kInteger, kBoolean, kText, kDuration, kTime, kList };

// Length, then the bytes from the highest one: shorter numbers are smaller ones.
void put_number(std::string& out, std::uint64_t n) {
  char bytes[9];
  int used = 0;
  for (int shift = 56; shift >= 0; shift -= 8) {
    const auto byte = static_cast<char>(n >> shift & 0xFF);
    if (used > 0 || byte != 0) bytes[used++] = byte;
  }
  out += static_cast<char>(used);
  out.append(bytes, static_cast<std::size_t>(used));
}

std::uint64_t take_number(std::string_view& in) {
  const auto used = static_cast<std::size_t>(in[0]);
  std::uint64_t n = 0;
  for (std::size_t i = 1; i <= used; ++i) n = n << 8 | static_cast<unsigned char>(in[i]);
  in.remove_prefix(1 + used);
  return n;
}

// Text ends in 0 0; a 0 inside is 0 255. A shorter text stands before its extensions.
void put_text(std::string& out, std::string_view text) {
  for (std::size_t zero = text.find('\0'); zero != std::string_view::npos; zero = text.find('\0')) {
    out.append(text.substr(0, zero + 1)) += '\xFF';
    text.remove_prefix(zero + 1);
  }
  out.append(text).append(2, '\0');
}

std::string take_text(std::string_view& in) {
  std::string out;
  std::size_t i = 0;
  for (; in[i] != 0 || in[i + 1] != 0; ++i) {
    out += in[i];
    if (in[i] == 0) ++i;
  }
  in.remove_prefix(i + 2);
  return out;
}

constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
std::uint64_t biased(std::int64_t us) { return static_cast<std::uint64_t>(us) ^ kSign; }
std::int64_t unbiased(std::uint64_t n) { return static_cast<std::int64_t>(n ^ kSign); }

void put(std::string& out, const expr::Value& value) {
  switch (value.type()) {
    case expr::Type::integer: out += kInteger; return put_number(out, *value.integer());
    case expr::Type::boolean: out += kBoolean; out += *value.boolean() ? '\2' : '\1'; return;
    case expr::Type::text: out += kText; return put_text(out, *value.text());
    case expr::Type::duration: out += kDuration; return put_number(out, biased(value.duration()->us));
    case expr::Type::time: out += kTime; return put_number(out, biased(value.time()->us));
    case expr::Type::list:
      out += kList;
      for (const expr::Value& item : *value.list()) put(out, item);
      out += kEnd;
      return;
    default: out += kNone; return;
  }
}

expr::Value take(std::string_view& in) {
  const char tag = in[0];
  in.remove_prefix(1);
  switch (tag) {
    case kInteger: return take_number(in);
    case kBoolean: {
      const bool value = in[0] == 2;
      in.remove_prefix(1);
      return value;
    }
    case kText: return take_text(in);
    case kDuration: return Duration{unbiased(take_number(in))};
    case kTime: return Timestamp{unbiased(take_number(in))};
    case kList: {
      expr::Value::List items;
      while (in[0] != kEnd) items.push_back(take(in));
      in.remove_prefix(1);
      return items;
    }
    default: return {};
  }
}

constexpr int kDeepest = 32;  // lists in lists; no key has that many

bool skip_number(std::string_view& in) {
  if (in.empty() || static_cast<unsigned char>(in[0]) > 8) return false;
  const std::size_t used = 1 + static_cast<std::size_t>(in[0]);
  if (in.size() < used || (used > 1 && in[1] == 0)) return false;
  in.remove_prefix(used);
  return true;
}

bool skip_text(std::string_view& in) {
  for (;;) {
    const std::size_t zero = in.find('\0');
    if (zero == std::string_view::npos || zero + 1 == in.size()) return false;
    const char after = in[zero + 1];
    in.remove_prefix(zero + 2);
    if (after == 0) return true;
    if (after != '\xFF') return false;
  }
}

bool skip(std::string_view& in, int depth) {
  if (in.empty()) return false;
  const char tag = in[0];
  in.remove_prefix(1);
  switch (tag) {
    case kNone: return true;
    case kBoolean:
      if (in.empty() || (in[0] != 1 && in[0] != 2)) return false;
      in.remove_prefix(1);
      return true;
    case kInteger:
    case kDuration:
    case kTime: return skip_number(in);
    case kText: return skip_text(in);
    case kList:
      if (depth == kDeepest) return false;
      while (!in.empty() && in[0] != kEnd) {
        if (!skip(in, depth + 1)) return false;
      }
      if (in.empty()) return false;
      in.remove_prefix(1);
      return true;
    default: return false;
  }
}

}  // namespace

bool is_packed(std::string_view bytes) {
  while (!bytes.empty()) {
    if (!skip(bytes, 0)) return false;
  }
  return true;
}

std::string pack(std::span<const expr::Value> values) {
  std::string out;
  out.reserve(32 * values.size());  // most are packed to be looked up, and gone then
  for (const expr::Value& value : values) put(out, value);
  return out;
}

std::vector<expr::Value> unpack(std::string_view packed) {
  std::vector<expr::Value> out;
  while (!packed.empty()) out.push_back(take(packed));
  return out;
}

namespace {

std::string name_of(std::span<const std::string> names, std::size_t i) { return i < names.size() ? names[i] : fmt::format("key{}", i + 1); }

}  // namespace

Key named(std::span<const std::string> names, std::span<const expr::Value> values) {
  Key key;
  key.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) key.emplace_back(name_of(names, i), values[i]);
  return key;
}

std::string named_text(std::span<const std::string> names, std::string_view packed) {
  std::string out;
  for (std::size_t i = 0; !packed.empty(); ++i) append_to_text(out, name_of(names, i), take(packed));
  return out;
}

}  // namespace correlator::engine
