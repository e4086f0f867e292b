// SPDX-License-Identifier: Apache-2.0
// Result<T>: a value or the Diagnostic that says why there is none. User mistakes travel as values;
// exceptions stay inside the module whose library throws them.
#pragma once

#include <cassert>
#include <optional>
#include <utility>
#include <variant>

#include "base/diagnostic.h"

namespace correlator {

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}                    // NOLINT(implicit)
  Result(Diagnostic diagnostic) : state_(std::in_place_index<1>, std::move(diagnostic)) {}  // NOLINT(implicit)

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // Only when ok().
  T& value() & { assert(ok()); return std::get<0>(state_); }
  const T& value() const& { assert(ok()); return std::get<0>(state_); }
  T&& value() && { assert(ok()); return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // Only when !ok().
  const Diagnostic& error() const& { assert(!ok()); return std::get<1>(state_); }
  Diagnostic&& error() && { assert(!ok()); return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Diagnostic> state_;
};

// Status: done, or why not.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Diagnostic diagnostic) : error_(std::move(diagnostic)) {}  // NOLINT(implicit)

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Diagnostic& error() const { assert(!ok()); return *error_; }

 private:
  std::optional<Diagnostic> error_;
};

}  // namespace correlator
