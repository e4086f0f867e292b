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
if(CORRELATOR_COVERAGE)
  target_compile_options(correlator_flags INTERFACE --coverage -fprofile-abs-path)
  target_link_options(correlator_flags INTERFACE --coverage)
endif()

# correlator_module(NAME [USES module...] [PRIVATE_LIBS lib...])
# USES names the lower modules whose headers this one may include; a module that
# is not named is not on the include path, so an upward include does not compile.
# PRIVATE_LIBS are third-party libraries; their headers stay inside the module.
function(correlator_module name)
  cmake_parse_arguments(ARG "" "" "USES;PRIVATE_LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/*.cpp ${CMAKE_CURRENT_SOURCE_DIR}/src/*/*.cpp)
  add_library(correlator_${name} STATIC ${sources})
  target_include_directories(correlator_${name}
    PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/include PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/src)
  foreach(used IN LISTS ARG_USES)
    target_link_libraries(correlator_${name} PUBLIC correlator_${used})
  endforeach()
  target_link_libraries(correlator_${name} PRIVATE ${ARG_PRIVATE_LIBS} PUBLIC correlator_flags)
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
  add_test(NAME ${name} COMMAND test_${name})
endfunction()
