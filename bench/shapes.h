// SPDX-License-Identifier: Apache-2.0
// Message shapes of an ordinary site: what the generator fills in.
#pragma once

#include <span>
#include <string_view>

namespace correlator::bench {

// Placeholders: {n} number, {h} hex word, {x} 16 hex digits, {i} IPv4 address, {u} user, {p} path, {d} disk, {w} word,
// {g} guest, {e} network interface, {b} PCI address, {t} seconds with fraction, {s} uuid.
struct Shape {
  std::string_view program;  // "kernel" lines carry a printk time
  std::string_view text;
  unsigned weight = 1;  // how common it is among its kind
};

std::span<const Shape> ordinary_shapes();  // what nobody has a rule for
std::span<const Shape> tempting_shapes();  // hold the words of hardware errors and mean none
std::span<const Shape> error_shapes();     // what the shipped rules decode

}  // namespace correlator::bench
