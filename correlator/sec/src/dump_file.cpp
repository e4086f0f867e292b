// SPDX-License-Identifier: Apache-2.0
#include "dump_file.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/json.h"
#include "base/text.h"

extern char** environ;

namespace correlator::sec {
namespace {

double seconds(const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; }

Json facts_json(const DumpFacts& facts) {
  Json out = {{"program", "correlator sec"}, {"options", facts.words}, {"pid", ::getpid()}, {"uid", ::getuid()}, {"gid", ::getgid()}};
  for (char** entry = environ; *entry != nullptr; ++entry) out["environment"].push_back(*entry);
  rusage own{}, children{};
  ::getrusage(RUSAGE_SELF, &own);
  ::getrusage(RUSAGE_CHILDREN, &children);
  out["cpu"] = {{"user", seconds(own.ru_utime)}, {"system", seconds(own.ru_stime)},
                {"children_user", seconds(children.ru_utime)}, {"children_system", seconds(children.ru_stime)}};
  out["inputs"] = Json::array();
  for (const auto& input : facts.inputs.all()) {
    out["inputs"].push_back({{"name", input->name()}, {"open", input->is_open()}, {"context", input->context}, {"lines", input->lines},
                             {"device", input->info().st_dev}, {"inode", input->info().st_ino}});
  }
  out["children"] = Json::array();
  for (const auto& [pid, command] : facts.children.list()) out["children"].push_back({{"pid", pid}, {"command", command}});
  return out;
}

// The same as indented text.
void as_text(const Json& json, std::string& out, const std::string& indent) {
  for (const auto& [key, value] : json.items()) {
    const std::string name = json.is_array() ? "-" : key + ":";
    if (value.is_structured()) {
      out += indent + name + "\n";
      as_text(value, out, indent + "  ");
    } else {
      out += indent + name + " " + (value.is_string() ? printable(value.get<std::string>()) : value.dump()) + "\n";
    }
  }
}

}  // namespace

Status write_dump(const DumpFacts& facts, const Json& engine) {
  Json all = facts_json(facts);
  all.update(engine);
  std::string text;
  if (facts.options.dump_json) text = to_line(all) + "\n";
  else as_text(all, text, "");
  std::string name = facts.options.dump;
  if (facts.options.dump_timestamp) name += "." + std::to_string(facts.now);
  const host::Descriptor file(::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!file) return make_error("E401", "the dump file " + name + " is not written: " + std::strerror(errno), "a file that exists is never replaced; --dumpfts gives each a name of its own");
  const ssize_t written = ::write(file.get(), text.data(), text.size());
  if (written != static_cast<ssize_t>(text.size())) return make_error("E401", "the dump file " + name + " could not be written whole");
  return {};
}

}  // namespace correlator::sec
