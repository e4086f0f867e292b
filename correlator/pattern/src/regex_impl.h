// SPDX-License-Identifier: Apache-2.0
// What stands behind a Regex. FilteredRE2 owns the program, so that the prefilter analysis needs no second
// compilation of the pattern.
#pragma once

#include <re2/filtered_re2.h>
#include <re2/re2.h>
#include <re2/stringpiece.h>

#include <mutex>
#include <string>
#include <vector>

#include "pattern/regex.h"

namespace correlator::pattern {

struct Regex::Impl {
  // min_atom_len: shorter atoms tell nothing in a log (see literals.cpp).
  static constexpr int kMinAtom = 2;

  std::string text;
  Options options;
  mutable re2::FilteredRE2 filter{kMinAtom};
  const re2::RE2* program = nullptr;  // owned by filter
  std::vector<std::string> names;

  // The atoms of the prefilter tree, lower-cased by RE2; computed once, on first use.
  const std::vector<std::string>& atoms() const {
    std::call_once(analysed_, [this] { filter.Compile(&atoms_); });
    return atoms_;
  }

 private:
  mutable std::once_flag analysed_;
  mutable std::vector<std::string> atoms_;
};

inline re2::StringPiece piece(std::string_view text) {
  return re2::StringPiece(text.data(), text.size());
}

re2::RE2::Options re2_options(const Regex::Options& options);

}  // namespace correlator::pattern
