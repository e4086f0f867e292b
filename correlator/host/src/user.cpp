// SPDX-License-Identifier: Apache-2.0
#include "host/user.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

namespace correlator::host {
namespace {

namespace fs = std::filesystem;

struct User {
  uid_t uid = 0;
  gid_t gid = 0;
};

std::optional<User> find_user(const std::string& name) {
  std::vector<char> buffer(16 * 1024);
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return std::nullopt;
  return User{found->pw_uid, found->pw_gid};
}

std::optional<gid_t> find_group(const std::string& name) {
  std::vector<char> buffer(16 * 1024);
  group entry{};
  group* found = nullptr;
  if (::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return std::nullopt;
  return found->gr_gid;
}

Diagnostic no_user(const std::string& name) {
  return make_error("E410", fmt::format("there is no user \"{}\"", name),
                    fmt::format("create it: adduser --system --group --home /var/lib/correlator {}", name));
}

Diagnostic writable(const fs::path& component, std::string_view how, std::string_view mend) {
  return make_error("E411", fmt::format("{} {}: what it holds could be changed by somebody who is not root", component.string(), how),
                    fmt::format("{} {}", mend, component.string()));
}

Status check_component(const fs::path& component) {
  struct stat info {};
  if (::lstat(component.c_str(), &info) != 0) {
    return make_error("E411", fmt::format("cannot look at {}: {}", component.string(), std::strerror(errno)), "does it exist?");
  }
  if (info.st_uid != 0 && info.st_uid != ::geteuid()) {
    return writable(component, fmt::format("belongs to user {}", info.st_uid), "chown root:root");
  }
  if (S_ISLNK(info.st_mode)) return {};  // a link's own mode means nothing; who may replace it stands in its directory
  const bool sticky_dir = S_ISDIR(info.st_mode) && (info.st_mode & S_ISVTX) != 0;
  if ((info.st_mode & S_IWOTH) != 0 && !sticky_dir) return writable(component, "is writable by everybody", "chmod o-w");
  if ((info.st_mode & S_IWGRP) != 0 && info.st_gid != 0 && !sticky_dir) {
    return writable(component, fmt::format("is writable by group {}", info.st_gid), "chmod g-w");
  }
  return {};
}

Status check_chain(const fs::path& path) {
  fs::path so_far;
  for (const fs::path& part : path) {
    so_far /= part;
    if (auto status = check_component(so_far); !status) return status;
  }
  return {};
}

}  // namespace

bool is_root() { return ::geteuid() == 0; }

Status become_user(const std::string& name) {
  const auto user = find_user(name);
  if (!user) return no_user(name);
  if (::geteuid() == user->uid && ::getuid() == user->uid) return {};
  const bool changed = ::initgroups(name.c_str(), user->gid) == 0 && ::setresgid(user->gid, user->gid, user->gid) == 0 &&
                       ::setresuid(user->uid, user->uid, user->uid) == 0;
  if (!changed) {
    return make_error("E410", fmt::format("cannot become user \"{}\": {}", name, std::strerror(errno)),
                      "start it as root, or as that user");
  }
  // What cannot fail here would mean that root was not given up.
  if (user->uid != 0 && ::setuid(0) == 0) {
    return make_error("E410", fmt::format("became user \"{}\", but could become root again", name), "this is a fault of the system");
  }
  return {};
}

Status make_directory(const fs::path& dir, mode_t mode, const std::string& user, const std::string& group) {
  const auto failed = [&](int error) {
    return make_error("E410", fmt::format("cannot prepare {}: {}", dir.string(), std::strerror(error)),
                      "create it by hand, or name another directory");
  };
  std::error_code failure;
  struct stat info {};
  const bool there = ::lstat(dir.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
  if (!there) {
    fs::create_directories(dir.parent_path(), failure);
    if (::mkdir(dir.c_str(), mode) != 0) return failed(errno);
    if (::chmod(dir.c_str(), mode) != 0) return failed(errno);
  }
  if (user.empty() || !is_root()) return {};
  const auto owner = find_user(user);
  if (!owner) return no_user(user);
  const gid_t gid = group.empty() ? owner->gid : find_group(group).value_or(owner->gid);
  // One that a service manager made for us belongs to root.
  if (there && info.st_uid == owner->uid && (group.empty() || info.st_gid == gid)) return {};
  if (::lchown(dir.c_str(), owner->uid, gid) != 0) return failed(errno);
  return {};
}

Status only_we_can_write(const fs::path& path) {
  std::error_code failure;
  const fs::path written = fs::absolute(path, failure).lexically_normal();
  if (auto status = check_chain(written); !status) return status;
  const fs::path resolved = fs::canonical(written, failure);
  if (failure) return make_error("E411", fmt::format("cannot resolve {}: {}", path.string(), failure.message()), "does it exist?");
  return resolved == written ? Status{} : check_chain(resolved);
}

}  // namespace correlator::host
