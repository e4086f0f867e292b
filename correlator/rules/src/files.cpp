// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>

#include "rules/loader.h"

namespace correlator::rules {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMostBytes = 16U << 20U;

Diagnostic unreadable(const fs::path& path, std::string_view why, std::string hint) {
  return make_error("E036", fmt::format("{}: {}", path.string(), why), std::move(hint));
}

Result<RuleFile> read_file(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (!error && size > kMostBytes)
    return unreadable(path, "is larger than 16 MiB", "split it, or name the right file");
  std::ifstream in(path, std::ios::binary);
  if (!in) return unreadable(path, "cannot be read", "check its permissions");
  RuleFile file{path.string(), {}};
  file.text.assign(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  if (in.bad()) return unreadable(path, "cannot be read to its end", "check the disk");
  return file;
}

bool is_mask(const fs::path& path) {
  std::error_code error;
  return fs::is_symlink(path, error) && fs::read_symlink(path, error) == "/dev/null";
}

}  // namespace

Result<std::vector<RuleFile>> read_rule_files(const std::vector<fs::path>& paths) {
  struct Found {
    fs::path path;
    std::size_t rank;  // index of the argument it came from
  };
  std::map<std::string, Found> by_name;  // of directories; a later one replaces
  std::vector<Found> found;
  std::error_code error;
  for (std::size_t rank = 0; rank < paths.size(); ++rank) {
    const fs::path& path = paths[rank];
    const auto status = fs::status(path, error);
    if (!fs::exists(status)) {
      return unreadable(path, "there is no such file or directory",
                        "name a directory of *.toml files or a single file: --rules PATH");
    }
    if (!fs::is_directory(status)) {
      found.push_back({path, rank});
      continue;
    }
    std::vector<fs::path> names;
    for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
      if (at->path().extension() == ".toml" && !at->path().filename().string().starts_with("."))
        names.push_back(at->path());
    }
    if (error) return unreadable(path, "the directory cannot be read", "check its permissions");
    for (const fs::path& name : names) by_name.insert_or_assign(name.filename().string(), Found{name, rank});
  }
  for (auto& [name, one] : by_name) {
    if (!is_mask(one.path)) found.push_back(std::move(one));
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Found& a, const Found& b) { return a.rank < b.rank; });
  std::vector<RuleFile> files;
  for (const Found& one : found) {
    auto file = read_file(one.path);
    if (!file) return file.error();
    files.push_back(std::move(file).value());
  }
  return files;
}

}  // namespace correlator::rules
