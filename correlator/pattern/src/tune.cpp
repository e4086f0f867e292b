// SPDX-License-Identifier: Apache-2.0
// Literals picked by how often they occur in a sample of the log at hand.
#include <algorithm>
#include <map>
#include <string>

#include "ordinary_text.h"
#include "pattern_set_impl.h"

namespace correlator::pattern {
namespace {

class LineCounter final : public LiteralSink {
 public:
  LineCounter(std::string_view text, std::size_t literals)
      : text_(text), lines_with(literals), seen_(literals) {}

  void found(std::uint32_t literal, std::size_t end) override {
    const std::size_t newline = text_.rfind('\n', end - 1);
    const std::size_t line = newline == std::string_view::npos ? 1 : newline + 2;
    if (seen_[literal] == line) return;
    seen_[literal] = line;
    ++lines_with[literal];
  }

 private:
  std::string_view text_;

 public:
  std::vector<std::uint64_t> lines_with;

 private:
  std::vector<std::size_t> seen_;
};

}  // namespace

PatternSet PatternSet::tuned_to(std::string_view sample) const {
  std::map<std::string, double, std::less<>> shares;
  for (const Regex& regex : impl_->regexes) {
    if (!regex.options().latin1) continue;
    for (const std::string& atom : regex.impl_->atoms()) shares.emplace(atom, 0.0);
  }
  std::vector<std::string> atoms;
  for (const auto& entry : shares) atoms.push_back(entry.first);
  LineCounter counter(sample, atoms.size());
  ScalarScanner(atoms).scan(sample, counter);
  const auto lines = static_cast<double>(std::count(sample.begin(), sample.end(), '\n') + 1);
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    // What the sample does not contain is ranked by what is usual, below anything that it does contain.
    const double usual = ordinary_share(atoms[i]) / (2 * lines);
    shares[atoms[i]] = std::max(static_cast<double>(counter.lines_with[i]) / lines, usual);
  }
  const Share share = [&](std::string_view atom) { return shares.find(atom)->second; };
  return PatternSet(std::make_unique<Impl>(impl_->regexes, impl_->raw, impl_->options, share));
}

}  // namespace correlator::pattern
