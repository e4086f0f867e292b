// SPDX-License-Identifier: Apache-2.0
// correlator schema, correlator help CODE.
#include "rules/schema.h"

#include <fmt/format.h>

#include "base/codes.h"
#include "base/text.h"
#include "commands.h"
#include "common.h"
#include "base/json.h"

namespace correlator::cli {
namespace {

int print_code(const std::string& wanted) {
  if (wanted.empty()) {
    for (const CodeEntry& entry : code_catalogue()) std::fputs(fmt::format("{}  {}\n", entry.code, entry.title).c_str(), stdout);
    return kFine;
  }
  const CodeEntry* entry = find_code(upper(wanted));
  if (entry == nullptr) {
    complain(make_error("E501", fmt::format("there is no code {}", wanted), "`correlator help` lists them all"));
    return kUsage;
  }
  std::fputs(fmt::format("{}: {}\n\n{}\n", entry->code, entry->title, entry->text).c_str(), stdout);
  return kFine;
}

}  // namespace

void add_schema(CLI::App& app, CommandLine& out) {
  CLI::App* sub = app.add_subcommand("schema", "JSON Schema of the rule language, for editors");
  sub->callback([&out] {
    out.command = [] {
      std::fputs((rules::schema().dump(2) + "\n").c_str(), stdout);
      return static_cast<int>(kFine);
    };
  });
}

void add_help(CLI::App& app, CommandLine& out) {
  CLI::App* sub = app.add_subcommand("help", "Explain an error or warning code such as E012");
  auto code = std::make_shared<std::string>();
  sub->add_option("CODE", *code, "The code; without one, all codes are listed");
  sub->callback([code, &out] { out.command = [code] { return print_code(*code); }; });
}

}  // namespace correlator::cli
