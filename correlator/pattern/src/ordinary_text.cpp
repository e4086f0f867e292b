// SPDX-License-Identifier: Apache-2.0
#include "ordinary_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>

#include "ascii.h"
#include "base/hash.h"

namespace correlator::pattern {
namespace {

constexpr std::string_view kPage =
#include "ordinary_page.inc"
    ;

// Counts of all windows of two, three and four bytes, hashed; a collision makes a window look a little
// commoner.
class Grams {
 public:
  Grams() : counts_(new std::array<std::uint16_t, kSize>()) {
    std::string page;
    ascii_lower(kPage, page);
    const std::string_view text = page;
    for (std::size_t width = 2; width <= 4; ++width) {
      for (std::size_t i = 0; i + width <= text.size(); ++i) ++at(text.substr(i, width));
    }
    lines_ = static_cast<double>(std::count(page.begin(), page.end(), '\n'));
  }

  unsigned count(std::string_view window) const { return (*counts_)[slot(window)]; }
  double lines() const { return lines_; }

 private:
  static constexpr std::size_t kSize = std::size_t{1} << 17;
  static std::size_t slot(std::string_view window) { return hash64(window, window.size()) % kSize; }
  std::uint16_t& at(std::string_view window) { return (*counts_)[slot(window)]; }

  std::unique_ptr<std::array<std::uint16_t, kSize>> counts_;
  double lines_ = 1;
};

const Grams& grams() {
  static const Grams page;
  return page;
}

}  // namespace

double ordinary_rate(std::string_view window) {
  const Grams& page = grams();
  const double seen = page.count(window);
  if (window.size() < 4) return seen;
  const double middle = page.count(window.substr(1, 2));
  const double likely = middle == 0 ? 0 : page.count(window.substr(0, 3)) / middle * page.count(window.substr(1, 3));
  return (seen + likely) / 2;
}

double ordinary_share(std::string_view literal) {
  const Grams& page = grams();
  if (literal.size() < 2) return 1.0;
  const std::size_t width = std::min<std::size_t>(literal.size(), 4);
  unsigned least = 0xffff;
  unsigned unseen = 0;
  for (std::size_t i = 0; i + width <= literal.size(); ++i) {
    const unsigned count = page.count(literal.substr(i, width));
    least = std::min(least, count);
    unseen += count == 0;
  }
  if (least > 0) {
    // A literal is at most as common as its rarest window, and each byte more makes it a little rarer.
    const double thinning = std::pow(0.99, static_cast<double>(literal.size() - width));
    return std::min(1.0, least / page.lines() * thinning);
  }
  // Never seen on the page: the longer the stranger. Short windows stay dangerous.
  const double start = width == 2 ? 0.01 : width == 3 ? 0.004 : 0.002;
  return start * std::pow(0.75, std::min(unseen, 24u));
}

}  // namespace correlator::pattern
