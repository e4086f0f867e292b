// SPDX-License-Identifier: Apache-2.0
#include "pattern/pattern_set.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <map>
#include <utility>

#include "ordinary_text.h"
#include "pattern_set_impl.h"
#include "stopwatch.h"

namespace correlator::pattern {

const std::string& PatternLiterals::shortest() const {
  static const std::string none;
  const auto found = std::min_element(any_of.begin(), any_of.end(), [](const auto& a, const auto& b) { return a.size() < b.size(); });
  return found == any_of.end() ? none : *found;
}

PatternSet::Impl::Impl(std::vector<Regex> compiled, std::vector<bool> raw_flags, const Options& how,
                       const Share& share)
    : regexes(std::move(compiled)), raw(std::move(raw_flags)), options(how) {
  std::vector<std::uint32_t> without;
  for (std::uint32_t i = 0; i < regexes.size(); ++i) {
    literals.push_back(choose_literals(*regexes[i].impl_, share));
    if (literals.back().any_of.empty()) without.push_back(i);
  }
  index_literals();
  make_scanners();
  unfiltered = std::make_unique<Unfiltered>(regexes, std::move(without), options.set_memory);
  counters.reset(new Counters[regexes.size()]);
}

void PatternSet::Impl::make_scanners() {
  using Width = HashScanner::Width;
  const bool scalar = options.force_scalar || options.scanner == Scanner::scalar;
  hashed = std::make_unique<HashScanner>(scanned, scalar ? Width::scalar : options.scanner == Scanner::avx2 ? Width::avx2 : Width::best);
  if (scalar || options.scanner == Scanner::avx2) return;
  // Vectorscan is the slower one where the CPU looks at many windows at once, and the faster one where it does not.
  const bool wide = std::string_view(hashed->name()) != "scalar";
  if (options.scanner == Scanner::vectorscan || !wide) vector = VectorScanner::make(scanned);
}

void PatternSet::Impl::index_literals() {
  std::map<std::string_view, std::vector<std::uint32_t>> by_text;
  for (std::uint32_t i = 0; i < literals.size(); ++i) {
    for (const std::string& literal : literals[i].any_of) by_text[literal].push_back(i);
  }
  for (const auto& [text, patterns] : by_text) {
    scanned.emplace_back(text);
    first_user.push_back(static_cast<std::uint32_t>(users.size()));
    users.insert(users.end(), patterns.begin(), patterns.end());
  }
  first_user.push_back(static_cast<std::uint32_t>(users.size()));

  std::map<std::string_view, std::uint32_t> numbers;
  for (const PatternLiterals& of_pattern : literals) {
    first_required.push_back(static_cast<std::uint32_t>(required_of.size()));
    for (const std::string& literal : of_pattern.required) {
      const auto [at, is_new] = numbers.emplace(literal, static_cast<std::uint32_t>(required.size()));
      if (is_new) required.push_back(literal);
      required_of.push_back(at->second);
    }
  }
  first_required.push_back(static_cast<std::uint32_t>(required_of.size()));
}

PatternSet::PatternSet(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PatternSet::PatternSet(PatternSet&&) noexcept = default;
PatternSet& PatternSet::operator=(PatternSet&&) noexcept = default;
PatternSet::~PatternSet() = default;

PatternSet::Scratch::Scratch() : impl_(std::make_unique<Impl>()) {}
PatternSet::Scratch::~Scratch() = default;
PatternSet::Scratch::Scratch(Scratch&&) noexcept = default;
PatternSet::Scratch& PatternSet::Scratch::operator=(Scratch&&) noexcept = default;
std::uint64_t PatternSet::Scratch::take_found_in_vain() { return std::exchange(impl_->found_in_vain, 0); }
void PatternSet::Scratch::count_into(Costs* costs) { impl_->costs = costs; }

Result<PatternSet> PatternSet::build(const std::vector<Spec>& specs, const Options& options) {
  std::vector<Regex> regexes;
  std::vector<bool> raw;
  for (const Spec& spec : specs) {
    auto regex = Regex::compile(spec.pattern, spec.options);
    if (!regex.ok()) return regex.error();
    regexes.push_back(*std::move(regex));
    raw.push_back(spec.raw);
  }
  return PatternSet(std::make_unique<Impl>(std::move(regexes), std::move(raw), options, ordinary_share));
}

PatternSet PatternSet::build(std::vector<Regex> regexes, const Options& options) {
  std::vector<bool> raw(regexes.size(), false);
  return PatternSet(std::make_unique<Impl>(std::move(regexes), std::move(raw), options, ordinary_share));
}

bool PatternSet::match(std::uint32_t pattern, std::string_view text,
                       std::vector<std::string_view>& groups, Costs* costs) const {
  if (costs != nullptr) ++costs->of[pattern].tried;
  {
    const Stopwatch watch(costs == nullptr ? nullptr : &costs->of[pattern].ns);
    if (!impl_->regexes[pattern].match(text, groups)) return false;
  }
  impl_->counters[pattern].confirmed.fetch_add(1, std::memory_order_relaxed);
  return true;
}

std::uint32_t PatternSet::size() const {
  return static_cast<std::uint32_t>(impl_->regexes.size());
}
const Regex& PatternSet::regex(std::uint32_t pattern) const {
  return impl_->regexes[pattern];
}
bool PatternSet::raw(std::uint32_t pattern) const {
  return impl_->raw[pattern];
}
const PatternLiterals& PatternSet::literals(std::uint32_t pattern) const {
  return impl_->literals[pattern];
}
bool PatternSet::has_unfiltered() const {
  return !impl_->unfiltered->empty();
}
const char* PatternSet::scanner() const {
  return impl_->vector ? "vectorscan" : impl_->hashed->name();
}

PatternSetStats PatternSet::stats() const {
  PatternSetStats out;
  for (std::uint32_t i = 0; i < size(); ++i) {
    out.candidates += candidates(i);
    out.confirmed += confirmed(i);
  }
  out.set_fallbacks = impl_->set_fallbacks.load(std::memory_order_relaxed);
  out.scan_fallbacks = impl_->scan_fallbacks.load(std::memory_order_relaxed);
  return out;
}

std::uint64_t PatternSet::candidates(std::uint32_t pattern) const {
  return impl_->counters[pattern].candidates.load(std::memory_order_relaxed);
}

std::uint64_t PatternSet::confirmed(std::uint32_t pattern) const {
  return impl_->counters[pattern].confirmed.load(std::memory_order_relaxed);
}

}  // namespace correlator::pattern
