// SPDX-License-Identifier: Apache-2.0
// Literals picked by how often they occur in a sample of the log at hand.
#include <algorithm>
#include <map>
#include <string>

#include "ascii.h"
#include "ordinary_text.h"
#include "pattern_set_impl.h"

namespace correlator::pattern {
namespace {

constexpr std::size_t kPart = std::size_t{256} << 10;

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

// Lines of lower-cased text that contain the literal.
std::uint64_t count_lines(std::string_view text, std::string_view literal) {
  std::uint64_t count = 0;
  std::size_t at = 0;
  while (at < text.size() && (at = text.find(literal, at)) != std::string_view::npos) {
    ++count;
    at = std::min(text.find('\n', at + literal.size()), text.size());
  }
  return count;
}

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
  HashScanner(atoms, HashScanner::Width::best).scan(sample, counter);
  const auto lines = static_cast<double>(std::count(sample.begin(), sample.end(), '\n') + 1);
  // What the sample does not contain is ranked by what is usual, below anything that it does contain.
  const auto judged = [lines](std::string_view literal, std::uint64_t seen) {
    return std::max(static_cast<double>(seen) / lines, ordinary_share(literal) / (2 * lines));
  };
  for (std::size_t i = 0; i < atoms.size(); ++i) shares[atoms[i]] = judged(atoms[i], counter.lines_with[i]);

  // Parts that several atoms have in common come up while choosing; they are counted in a part of the sample.
  std::string lowered;
  ascii_lower(sample.substr(0, kPart), lowered);
  const double scale = static_cast<double>(sample.size() + 1) / static_cast<double>(lowered.size() + 1);
  const Share share = [&](std::string_view literal) {
    auto known = shares.find(literal);
    if (known == shares.end()) {
      const auto seen =
          static_cast<std::uint64_t>(static_cast<double>(count_lines(lowered, literal)) * scale);
      known = shares.emplace(literal, judged(literal, seen)).first;
    }
    return known->second;
  };
  return PatternSet(std::make_unique<Impl>(impl_->regexes, impl_->raw, impl_->options, share));
}

}  // namespace correlator::pattern
