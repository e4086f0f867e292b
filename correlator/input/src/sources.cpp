// SPDX-License-Identifier: Apache-2.0
#include "input/sources.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <system_error>
#include <tuple>
#include <utility>

#include "base/text.h"
#include "input/identity.h"

namespace correlator::input {
namespace {

namespace fs = std::filesystem;

struct File {
  fs::path path;
  RotatedName name;
};

Diagnostic about(const fs::path& path, const char* code, std::string message, std::string hint) {
  Diagnostic diagnostic = make_error(code, std::move(message), std::move(hint));
  diagnostic.place.file = path.string();
  return diagnostic;
}

// The names in a directory, sorted, hidden ones left out.
std::vector<std::string> names_in(const fs::path& directory, std::error_code& error) {
  std::vector<std::string> names;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    std::string name = at->path().filename().string();
    if (!name.starts_with('.')) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string hint_for_missing(const fs::path& path) {
  const fs::path directory = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::error_code error;
  const std::vector<std::string> names = names_in(directory, error);
  if (error) return fmt::format("the directory {} cannot be read either", printable(directory.string()));
  const std::string wanted = path.filename().string();
  for (const std::string& name : names) {
    const RotatedName rotated = parse_rotated_name(name);
    if (name.starts_with(wanted + ".") && rotated.base == wanted) {
      return fmt::format("there is {} beside it", printable(name));
    }
  }
  const std::string close = closest(wanted, names);
  if (!close.empty())
    return fmt::format("did you mean {}?", printable((path.parent_path() / close).string()));
  return "check the path; a pattern with * must be expanded by the shell";
}

class Expansion {
 public:
  void argument(const std::string& text) {
    if (text == "-") {
      if (!std::exchange(stdin_named_, true)) files_.push_back({"-", {"-", {}, {}, false}});
      return;
    }
    const fs::path path(text);
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) {
      const int number = errno;
      return complain(
          about(path, "E201", "cannot be opened: " + std::generic_category().message(number),
                number == ENOENT ? hint_for_missing(path) : "check the path and its permissions"));
    }
    if (S_ISDIR(info.st_mode)) return directory(path);
    if (S_ISREG(info.st_mode)) return file(path, info);
    if (S_ISFIFO(info.st_mode) || S_ISCHR(info.st_mode)) {
      files_.push_back({path, {path.filename().string(), {}, {}, false}});
      return;
    }
    complain(about(path, "E209", "is neither a file nor a directory nor a pipe",
                   "name a log file, a directory of log files, or - for stdin"));
  }

  SourceList result() {
    settle_doubtful();
    std::vector<std::pair<Key, std::vector<File>>> groups;
    std::map<Key, std::size_t> index;
    for (File& file : files_) {
      const Key key = key_of(file, file.name.base);
      const auto [found, added] = index.try_emplace(key, groups.size());
      if (added) groups.emplace_back(key, std::vector<File>());
      groups[found->second].second.push_back(std::move(file));
    }
    for (auto& [key, files] : groups) list_.sources.push_back(source(std::move(files)));
    return std::move(list_);
  }

 private:
  using Key = std::pair<std::string, std::string>;  // directory, base

  static Key key_of(const File& file, const std::string& base) {
    return {file.path.parent_path().lexically_normal().string(), base};
  }

  void complain(Diagnostic diagnostic) { list_.diagnostics.push_back(std::move(diagnostic)); }

  void directory(const fs::path& path) {
    std::error_code error;
    const std::vector<std::string> names = names_in(path, error);
    if (error) {
      return complain(about(path, "E201", "cannot be opened: " + error.message(),
                            "this user must be allowed to list the directory"));
    }
    std::size_t found = 0;
    for (const std::string& name : names) {
      struct stat info {};
      if (::stat((path / name).c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
      file(path / name, info);
      ++found;
    }
    if (found == 0) {
      complain(about(path, "E208", "is a directory without log files",
                     "regular files directly inside are read; name the directory that holds them"));
    }
  }

  void file(const fs::path& path, const struct stat& info) {
    if (!seen_.emplace(info.st_dev, info.st_ino).second) return;
    if (::access(path.c_str(), R_OK) != 0) {
      return complain(
          about(path, "E201", "cannot be opened: " + std::generic_category().message(errno),
                "logs are often readable by root or the group adm only: add this user to that group"));
    }
    files_.push_back({path, parse_rotated_name(path.filename().string())});
  }

  void settle_doubtful() {
    std::set<Key> current;
    for (const File& file : files_) {
      if (file.name.kind == RotatedName::Kind::current) current.insert(key_of(file, file.name.base));
    }
    for (File& file : files_) {
      if (!file.name.doubtful || current.contains(key_of(file, file.name.base))) continue;
      file.name = {file.path.filename().string(), RotatedName::Kind::current, "", false};
    }
  }

  // Oldest first: dates, then numbers downwards, then the file that is written now.
  static auto age(const File& file) {
    const bool date = file.name.kind == RotatedName::Kind::date;
    const bool number = file.name.kind == RotatedName::Kind::number;
    const auto count = number ? static_cast<std::int64_t>(parse_uint(file.name.order).value_or(0)) : 0;
    return std::tuple(date ? 0 : (number ? 1 : 2), date ? file.name.order : std::string(), -count);
  }

  Source source(std::vector<File> files) {
    // Of two files in one place the shorter name comes first: messages.1 before messages.1.gz.
    std::stable_sort(files.begin(), files.end(), [](const File& a, const File& b) {
      return std::tuple(age(a), a.path.string().size(), a.path.string()) <
             std::tuple(age(b), b.path.string().size(), b.path.string());
    });
    Source source;
    for (std::size_t i = 0; i < files.size(); ++i) {
      if (i != 0 && age(files[i]) == age(files[i - 1]) && twin(source.files.back(), files[i].path)) continue;
      source.files.push_back(files[i].path);
    }
    const fs::path& first = files.front().path;
    source.name = source.files.size() == 1 ? source.files.front().string()
                                           : (first.parent_path() / files.front().name.base).string();
    if (source.name == "-") source.name = "stdin";
    return source;
  }

  // Warns of a second file in one place; true if it is a copy (logrotate compresses a copy and then removes
  // the original, so that for a while there are both) and must not be read.
  bool twin(const fs::path& first, const fs::path& second) {
    const Result<FileIdentity> identity = identify(second);
    const Result<bool> same = identity ? same_file(first, *identity) : Result<bool>(false);
    const bool copy = same && *same;
    const std::string other = printable(first.filename().string());
    complain(about(second, "E210",
                   copy
                       ? fmt::format("begins with the same bytes as {} and is left out as its copy", other)
                       : fmt::format("stands for the same place in the rotation as {}; both are read", other),
                   copy ? "remove one of the two" : "if one is a copy of the other, name only one of them"));
    list_.diagnostics.back().gravity = Gravity::warning;
    return copy;
  }

  bool stdin_named_ = false;
  std::set<std::pair<dev_t, ino_t>> seen_;
  std::vector<File> files_;
  SourceList list_;
};

}  // namespace

SourceList expand_sources(std::span<const std::string> arguments) {
  Expansion expansion;
  for (const std::string& argument : arguments) expansion.argument(argument);
  return expansion.result();
}

}  // namespace correlator::input
