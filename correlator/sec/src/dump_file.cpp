// SPDX-License-Identifier: Apache-2.0
#include "dump_file.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/json.h"
#include "base/text.h"

extern char** environ;

namespace correlator::sec {
namespace {

double seconds(const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec / 10'000) / 100; }

Json program_json(const DumpFacts& facts) {
  const char* resource_file = std::getenv("SECRC");
  std::array<gid_t, 64> groups{};
  const int n = ::getgroups(static_cast<int>(groups.size()), groups.data());
  Json out = {{"version", "correlator sec, for rule files of SEC 2.9.4"}, {"startuptime", facts.started}, {"confloadtime", facts.configured},
              {"dumptime", facts.now}, {"rcfile", resource_file == nullptr ? "none" : resource_file}, {"options", join(facts.words, " ")},
              {"pid", ::getpid()}, {"euid", ::geteuid()}, {"egid", ::getegid()}, {"sgid", Json::array()}};
  for (int i = 0; i < n; ++i) out["sgid"].push_back(groups[static_cast<std::size_t>(i)]);
  return out;
}

Json environment_json() {
  std::map<std::string, std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) out[std::string(text.substr(0, equals))] = text.substr(equals + 1);
  }
  return out;
}

Json cost_json(const DumpFacts& facts, const Json& lines) {
  rusage own{}, children{};
  ::getrusage(RUSAGE_SELF, &own);
  ::getrusage(RUSAGE_CHILDREN, &children);
  return {{"runtime", facts.now - facts.started}, {"user", seconds(own.ru_utime)}, {"system", seconds(own.ru_stime)},
          {"childuser", seconds(children.ru_utime)}, {"childsystem", seconds(children.ru_stime)}, {"lines", lines}};
}

Json input_json(const Input& input) {
  Json out = {{"file", input.name()}, {"status", input.is_open() ? "Open" : "Closed"}, {"lines", input.lines}};
  if (!input.context.empty()) out["context"] = input.context;
  if (!input.is_open()) return out;
  const bool regular = S_ISREG(input.info().st_mode);
  out["type"] = regular ? "regular file" : "pipe";
  out["dev"] = input.info().st_dev;
  out["inode"] = input.info().st_ino;
  if (!regular) return out;
  struct stat there {};
  if (const auto place = input.cursor()) out["offset"] = place->offset;
  out["size"] = ::fstat(input.fd(), &there) == 0 ? there.st_size : 0;
  return out;
}

Json child_json(const Children::Shown& child) {
  Json out = {{"pid", child.pid}, {"cmdline", child.command}};
  if (child.spawns) out.update({{"status", "Connected to pipe input"}, {"context", child.context.empty() ? "_INTERNAL_EVENT" : child.context}});
  return out;
}

// Bytes that are no UTF-8 are letters of Latin-1, as in SEC's dump.
Json as_utf8(const Json& from) {
  if (from.is_string()) {
    const auto& text = from.get_ref<const std::string&>();
    const bool ascii = std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x80; });
    if (ascii) return from;
    std::string out;
    for (const char byte : text) {
      const auto c = static_cast<unsigned char>(byte);
      if (c < 0x80) out += byte;
      else out += {static_cast<char>(0xc0 | (c >> 6U)), static_cast<char>(0x80 | (c & 0x3fU))};
    }
    return out;
  }
  Json out = from;
  if (from.is_object()) {
    out = Json::object();
    for (const auto& [key, value] : from.items()) out[as_utf8(key).get<std::string>()] = as_utf8(value);
  } else if (from.is_array()) {
    for (Json& value : out) value = as_utf8(value);
  }
  return out;
}

}  // namespace

Status write_dump(const DumpFacts& facts, Json engine) {
  Json all = std::move(engine);
  all["program"] = program_json(facts);
  all["env"] = environment_json();
  all["perf"] = cost_json(facts, all["lines"]);
  all.erase("lines");
  all.erase("time");
  for (const auto& [file, time] : facts.loaded) {
    if (all["rulestats"].contains(file)) all["rulestats"][file]["loadtime"] = time;
  }
  all["inputs"] = Json::object();
  for (const auto& input : facts.inputs.all()) all["inputs"][input->name()] = input_json(*input);
  all["children"] = Json::object();
  for (const Children::Shown& child : facts.children.list()) all["children"][std::to_string(child.pid)] = child_json(child);
  const std::string text = facts.options.dump_json ? as_utf8(all).dump() + "\n" : dump_text(all);
  std::string name = facts.options.dump;
  if (facts.options.dump_timestamp) name += "." + std::to_string(facts.now);
  const host::Descriptor file(::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!file) return make_error("E401", "the dump file " + name + " is not written: " + std::strerror(errno), "a file that exists is never replaced; --dumpfts gives each a name of its own");
  const ssize_t written = ::write(file.get(), text.data(), text.size());
  if (written != static_cast<ssize_t>(text.size())) return make_error("E401", "the dump file " + name + " could not be written whole");
  return {};
}

}  // namespace correlator::sec
