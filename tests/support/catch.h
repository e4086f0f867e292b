// SPDX-License-Identifier: Apache-2.0
// One include for both Catch2 generations: Debian 12 ships v2, newer systems v3.
#pragma once
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#define CORRELATOR_CATCH_V3 1
#else
#include <catch2/catch.hpp>
#endif
