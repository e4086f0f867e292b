# SPDX-License-Identifier: Apache-2.0
# The house rules as CMake functions: one static library per module with an
# include root of its own, and one test program per module.

add_library(correlator_flags INTERFACE)
target_compile_options(correlator_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow)
# GCC 12 sees overlapping copies inside std::string where there are none (its bug 105651).
target_compile_options(correlator_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
if(CORRELATOR_WERROR)
  target_compile_options(correlator_flags INTERFACE -Werror)
endif()
if(CORRELATOR_SANITIZE)
  list(JOIN CORRELATOR_SANITIZE "," _sanitizers)
  target_compile_options(correlator_flags INTERFACE
    -fsanitize=${_sanitizers} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(correlator_flags INTERFACE -fsanitize=${_sanitizers})
endif()
if(CORRELATOR_PCH)  # some libraries bring it, and a precompiled header fits only where all options are the same
  target_compile_options(correlator_flags INTERFACE -pthread)
endif()
if(CORRELATOR_COVERAGE)
  target_compile_options(correlator_flags INTERFACE --coverage -fprofile-abs-path)
  target_link_options(correlator_flags INTERFACE --coverage)
endif()

# With CORRELATOR_PCH what most files read anyway is compiled once, for the modules by correlator_base and for the tests by
# correlator_test_main, and used by all the others.
function(correlator_precompile target)
  cmake_parse_arguments(ARG "" "FIRST" "ALSO" ${ARGN})
  if(NOT CORRELATOR_PCH)
    return()
  endif()
  if(NOT target STREQUAL ARG_FIRST)
    target_precompile_headers(${target} REUSE_FROM ${ARG_FIRST})
    return()
  endif()
  target_precompile_headers(${target} PRIVATE <algorithm> <array> <cstdint> <deque> <filesystem> <fstream> <functional> <map>
    <memory> <optional> <set> <span> <string> <string_view> <unordered_map> <utility> <variant> <vector>
    <fmt/format.h> <nlohmann/json.hpp> ${ARG_ALSO})
endfunction()

# correlator_module(NAME [SEPARATE] [USES module...] [PRIVATE_LIBS lib...])
# USES names the lower modules whose headers this one may include; a module that
# is not named is not on the include path, so an upward include does not compile.
# SEPARATE: its files use the same names for things of their own (each command its Options), so they are never compiled as one.
# PRIVATE_LIBS are third-party libraries; their headers stay inside the module.
function(correlator_module name)
  cmake_parse_arguments(ARG "SEPARATE" "" "USES;PRIVATE_LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/*.cpp ${CMAKE_CURRENT_SOURCE_DIR}/src/*/*.cpp)
  add_library(correlator_${name} STATIC ${sources})
  target_include_directories(correlator_${name}
    PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/include PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/src)
  foreach(used IN LISTS ARG_USES)
    target_link_libraries(correlator_${name} PUBLIC correlator_${used})
  endforeach()
  target_link_libraries(correlator_${name} PRIVATE ${ARG_PRIVATE_LIBS} PUBLIC correlator_flags)
  correlator_precompile(correlator_${name} FIRST correlator_base)
  if(CORRELATOR_UNITY AND NOT ARG_SEPARATE)  # several files as one: a whole build in half the time, for machines that build once
    set_target_properties(correlator_${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  endif()
endfunction()

# correlator_test(NAME [USES module...] [LIBS lib...]): tests/NAME/*.cpp becomes test_NAME.
function(correlator_test name)
  cmake_parse_arguments(ARG "" "" "USES;LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  add_executable(test_${name} ${sources})
  foreach(used IN LISTS ARG_USES)
    target_link_libraries(test_${name} PRIVATE correlator_${used})
  endforeach()
  target_link_libraries(test_${name} PRIVATE correlator_test_main correlator_flags ${ARG_LIBS})
  target_compile_definitions(test_${name} PRIVATE
    CORRELATOR_SOURCE_DIR="${CMAKE_SOURCE_DIR}" CORRELATOR_BINARY_DIR="${CMAKE_BINARY_DIR}")
  target_compile_options(test_${name} PRIVATE ${CORRELATOR_COLD_OPTIONS})
  correlator_precompile(test_${name} FIRST correlator_test_main)
  add_test(NAME ${name} COMMAND test_${name})
endfunction()
