// SPDX-License-Identifier: Apache-2.0
// What may be none, and what a condition says about it. Things that may be none are named by their source
// text: "page", "hosts(host).rack", "int(n)".
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace correlator::expr {

// A small set that keeps the order of insertion, which is the order of the text.
class Names {
 public:
  Names() = default;
  explicit Names(std::string one) { items_.push_back(std::move(one)); }

  bool contains(std::string_view name) const {
    return std::find(items_.begin(), items_.end(), name) != items_.end();
  }
  void add(const std::string& name) {
    if (!contains(name)) items_.push_back(name);
  }
  void add(const Names& other) {
    for (const std::string& name : other.items_) add(name);
  }
  Names common(const Names& other) const {
    Names out;
    for (const std::string& name : items_) {
      if (other.contains(name)) out.items_.push_back(name);
    }
    return out;
  }
  bool empty() const { return items_.empty(); }
  const std::vector<std::string>& items() const { return items_; }

 private:
  std::vector<std::string> items_;
};

struct Presence {
  Names none_from;   // these can make the value none
  Names swallowed;   // these could have made a part none that and/or/not/?: took for false
  Names implied;     // present whenever the value is
  Names when_true;   // present whenever the value is true
  Names when_false;  // present whenever the value is false
};

}  // namespace correlator::expr
