// SPDX-License-Identifier: Apache-2.0
#include "backtrack/regex.h"

#ifdef CORRELATOR_PCRE2
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>
#include <cstring>
#endif

namespace correlator::backtrack {

#ifdef CORRELATOR_PCRE2

namespace {
// Enough for any sane pattern on a line of some KB; a hostile line is given up after some ten milliseconds.
constexpr std::uint32_t kSteps = 1'000'000;
constexpr std::uint32_t kDepth = 100'000;

struct FreeMatch {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
}  // namespace

struct Regex::Impl {
  pcre2_code* code = nullptr;
  pcre2_match_context* limits = nullptr;
  std::vector<std::string> names;

  ~Impl() {
    pcre2_match_context_free(limits);
    pcre2_code_free(code);
  }
};

bool Regex::available() { return true; }

Result<Regex> Regex::compile(std::string_view pattern) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  auto impl = std::make_shared<Impl>();
  impl->code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), PCRE2_DUPNAMES, &error, &offset, nullptr);
  if (impl->code == nullptr) {
    std::array<PCRE2_UCHAR, 256> text{};
    pcre2_get_error_message(error, text.data(), text.size());
    Diagnostic d = make_error("E082", reinterpret_cast<const char*>(text.data()));
    d.place.column = static_cast<std::uint32_t>(offset) + 1;
    d.source = pattern;
    return d;
  }
  pcre2_jit_compile(impl->code, PCRE2_JIT_COMPLETE);  // where it cannot, the interpreter matches
  impl->limits = pcre2_match_context_create(nullptr);
  pcre2_set_match_limit(impl->limits, kSteps);
  pcre2_set_depth_limit(impl->limits, kDepth);
  std::uint32_t groups = 0, entries = 0, size = 0;
  PCRE2_SPTR table = nullptr;
  pcre2_pattern_info(impl->code, PCRE2_INFO_CAPTURECOUNT, &groups);
  pcre2_pattern_info(impl->code, PCRE2_INFO_NAMECOUNT, &entries);
  pcre2_pattern_info(impl->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
  pcre2_pattern_info(impl->code, PCRE2_INFO_NAMETABLE, &table);
  impl->names.resize(groups + 1);
  for (std::uint32_t i = 0; i < entries; ++i) {
    const PCRE2_SPTR entry = table + std::size_t{i} * size;
    const std::size_t group = std::size_t{entry[0]} << 8 | entry[1];
    impl->names[group] = reinterpret_cast<const char*>(entry + 2);
  }
  return Regex(std::move(impl));
}

Regex::Outcome Regex::match(std::string_view text, std::vector<std::string_view>& groups) const {
  groups.clear();
  const std::unique_ptr<pcre2_match_data, FreeMatch> data(pcre2_match_data_create_from_pattern(impl_->code, nullptr));
  if (data == nullptr) return Outcome::gave_up;
  const char* bytes = text.data() == nullptr ? "" : text.data();
  const int found = pcre2_match(impl_->code, reinterpret_cast<PCRE2_SPTR>(bytes), text.size(), 0, 0, data.get(), impl_->limits);
  if (found == PCRE2_ERROR_NOMATCH) return Outcome::no_match;
  if (found < 0) return Outcome::gave_up;
  const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(data.get());
  for (std::size_t i = 0; i < impl_->names.size(); ++i) {
    if (static_cast<int>(i) >= found || ends[2 * i] == PCRE2_UNSET) {
      groups.emplace_back();
    } else {
      groups.emplace_back(bytes + ends[2 * i], ends[2 * i + 1] - ends[2 * i]);
    }
  }
  return Outcome::match;
}

std::size_t Regex::group_count() const { return impl_->names.size() - 1; }
const std::vector<std::string>& Regex::group_names() const { return impl_->names; }

#else

struct Regex::Impl {
  std::vector<std::string> names;
};
bool Regex::available() { return false; }
Result<Regex> Regex::compile(std::string_view) {
  return make_error("E083", "this build has no backtracking matcher", "install libpcre2-dev and build again");
}
Regex::Outcome Regex::match(std::string_view, std::vector<std::string_view>& groups) const {
  groups.clear();
  return Outcome::no_match;
}
std::size_t Regex::group_count() const { return 0; }
const std::vector<std::string>& Regex::group_names() const { return impl_->names; }

#endif

}  // namespace correlator::backtrack
