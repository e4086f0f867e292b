// SPDX-License-Identifier: Apache-2.0
#include "sec/service.h"

#include <cstdio>
#include <utility>

#include "base/text.h"
#include "perl_library.h"
#include "program.h"
#include "run.h"

namespace correlator::sec {

int serve(const std::vector<std::string>& words) {
  Diagnostics warnings;
  Options options = parse_options(words, warnings);
  for (const Diagnostic& d : warnings) std::fputs(to_text(d).c_str(), stderr);
  if (options.help) {
    std::fputs(options_help().c_str(), stdout);
    return 0;
  }
  if (options.version) {
    std::printf("correlator sec, for rule files of SEC 2.9.4%s\n", PerlLibrary::is_there() ? ", with Perl" : ", without Perl");
    return 0;
  }
  if (options.conf.empty()) std::fputs("sec: no rule files are named, so nothing will happen; --conf=FILE names them\n", stderr);
  if (options.test_only) return test_rules(options);
  return Run(words, std::move(options)).go();
}

}  // namespace correlator::sec
