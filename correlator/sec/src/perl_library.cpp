// SPDX-License-Identifier: Apache-2.0
#include "perl_library.h"

#include <dlfcn.h>

#include <array>
#include <filesystem>

namespace correlator::sec {
namespace {

namespace fs = std::filesystem;

// Beside the program where it was built, or where it was installed.
fs::path library() {
  std::error_code failure;
  const fs::path program = fs::read_symlink("/proc/self/exe", failure).parent_path();
  for (const char* place : {"../perl/correlator-perl.so", "../lib/correlator/correlator-perl.so"}) {
    const fs::path file = program / place;
    if (fs::exists(file, failure)) return file;
  }
  return {};
}

}  // namespace

bool PerlLibrary::is_there() { return !library().empty(); }

bool PerlLibrary::open() {
  if (tried_) return compiler_ != nullptr;
  tried_ = true;
  const fs::path file = library();
  if (file.empty()) return false;
  // Perl's own modules look for its symbols.
  void* handle = ::dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (handle == nullptr) {
    reason_ = ::dlerror();
    return false;
  }
  using Scripts = engine::ScriptHost* (*)();
  using Compiler = rules::sec::CodeCompiler* (*)();
  const auto scripts = reinterpret_cast<Scripts>(::dlsym(handle, "correlator_perl_scripts"));
  const auto compiler = reinterpret_cast<Compiler>(::dlsym(handle, "correlator_perl_compiler"));
  if (scripts == nullptr || compiler == nullptr) return false;
  scripts_ = scripts();
  compiler_ = compiler();
  return true;
}

Result<std::uint32_t> PerlLibrary::compile(const std::string& source) {
  if (open()) return compiler_->compile(source);
  return make_error("E084", "this needs Perl, which this program was built without" + (reason_.empty() ? reason_ : " (" + reason_ + ")"),
                    "write the test with match variables and context names, or build with libperl-dev installed");
}

}  // namespace correlator::sec
