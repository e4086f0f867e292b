// SPDX-License-Identifier: Apache-2.0
// FilteredRE2 tells the atoms of a pattern and whether a set of atoms can be all that a matching text
// contains. That is enough to find out, without knowing its tree, which sets of atoms no match can do
// without.
#include "literals.h"

#include <algorithm>
#include <numeric>

#include "pattern/price.h"

namespace correlator::pattern {
namespace {

constexpr std::size_t kLongest = 32;        // bytes of a literal that are scanned for
constexpr std::size_t kManyAtoms = 400;     // above, the search for the smallest set would be too slow
constexpr std::size_t kMostRequired = 4;    // second-level literals kept
// Every fourth byte of a text need be looked at only as long as no literal is shorter: a short one costs all others as much
// as one that so large a share of the lines contains.
constexpr double kPriceOfShort = 0.01;
constexpr double kStillRare = 0.005;        // a common part this rare stands for several literals
constexpr double kRareEnough = 0.0005;      // a single literal this rare is not traded for several

class Chooser {
 public:
  Chooser(const Regex::Impl& regex, const Share& share)
      : filter_(regex.filter), atoms_(regex.atoms()), share_(share) {
    for (const std::string& atom : atoms_) {
      shares_.push_back(share(atom));
      costs_.push_back(shares_.back() + (atom.size() < kShortestCheap ? kPriceOfShort : 0));
    }
    kept_.assign(atoms_.size(), true);
  }

  PatternLiterals choose() {
    PatternLiterals out;
    std::fill(kept_.begin(), kept_.end(), false);
    if (can_match()) return out;
    std::vector<std::size_t> cut = smallest_cut();
    const std::vector<std::size_t> singles = required_atoms();
    if (!singles.empty() && (costs_[singles[0]] <= kRareEnough || costs_[singles[0]] <= 2 * total(cut, costs_))) {
      cut = {singles[0]};
    }
    out.per_line = std::min(1.0, total(cut, shares_));
    if (out.per_line > kUsableShare) {
      out.per_line = 1.0;
      return out;
    }
    for (const std::size_t atom : cut) out.any_of.push_back(atoms_[atom].substr(0, kLongest));
    merge_prefixes(out.any_of);
    for (const std::size_t atom : singles) {
      if (out.required.size() == kMostRequired) break;
      if (!implied(atoms_[atom], out)) out.required.push_back(atoms_[atom]);
    }
    return out;
  }

 private:
  // Whether RE2 thinks that a text with just the kept atoms in it may match.
  bool can_match() {
    present_.clear();
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      if (kept_[i]) present_.push_back(static_cast<int>(i));
    }
    filter_.AllPotentials(present_, &passed_);
    return !passed_.empty();
  }

  static double total(const std::vector<std::size_t>& atoms, const std::vector<double>& of) {
    return std::accumulate(atoms.begin(), atoms.end(), 0.0, [&of](double sum, std::size_t atom) { return sum + of[atom]; });
  }

  // All atoms at first, then every one given back, the commonest first, without which a match is still
  // impossible.
  std::vector<std::size_t> smallest_cut() {
    std::vector<std::size_t> order(atoms_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    if (atoms_.size() > kManyAtoms) return order;
    std::sort(order.begin(), order.end(), [this](auto a, auto b) { return costs_[a] > costs_[b]; });
    std::vector<std::size_t> cut;
    std::fill(kept_.begin(), kept_.end(), false);
    for (const std::size_t atom : order) {
      kept_[atom] = true;
      if (can_match()) {
        kept_[atom] = false;
        cut.push_back(atom);
      }
    }
    return cut;
  }

  // The atoms that every match contains, the rarest first.
  std::vector<std::size_t> required_atoms() {
    std::vector<std::size_t> out;
    if (atoms_.size() > kManyAtoms) return out;
    std::fill(kept_.begin(), kept_.end(), true);
    for (std::size_t i = 0; i < atoms_.size(); ++i) {
      kept_[i] = false;
      if (!can_match()) out.push_back(i);
      kept_[i] = true;
    }
    std::sort(out.begin(), out.end(), [this](auto a, auto b) { return costs_[a] < costs_[b]; });
    return out;
  }

  // "mc0" to "mc9" of MC\d are one literal if what they have in common is still rare.
  void merge_prefixes(std::vector<std::string>& literals) const {
    std::sort(literals.begin(), literals.end());
    std::vector<std::string> merged;
    for (std::string& literal : literals) {
      if (!merged.empty()) {
        const std::string& last = merged.back();
        const auto differ = std::mismatch(last.begin(), last.end(), literal.begin(), literal.end());
        const std::string common(last.begin(), differ.first);
        if (common == last || (common.size() >= kShortestCheap && share_(common) <= kStillRare)) {
          merged.back() = common;
          continue;
        }
      }
      merged.push_back(std::move(literal));
    }
    literals = std::move(merged);
  }

  static bool implied(const std::string& atom, const PatternLiterals& literals) {
    const auto inside = [&](const std::string& other) { return other.find(atom) != std::string::npos; };
    return std::all_of(literals.any_of.begin(), literals.any_of.end(), inside) ||
           std::any_of(literals.required.begin(), literals.required.end(), inside);
  }

  const re2::FilteredRE2& filter_;
  const std::vector<std::string>& atoms_;
  const Share& share_;
  std::vector<double> shares_, costs_;
  std::vector<bool> kept_;
  std::vector<int> present_;
  std::vector<int> passed_;
};

}  // namespace

PatternLiterals choose_literals(const Regex::Impl& regex, const Share& share) {
  // Only for bytes is folding A to Z all that a case-insensitive atom needs.
  if (!regex.options.latin1) return {};
  return Chooser(regex, share).choose();
}

}  // namespace correlator::pattern
