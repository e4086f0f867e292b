// SPDX-License-Identifier: Apache-2.0
#include "host/sandbox.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

namespace correlator::host {
namespace {

namespace fs = std::filesystem;

Diagnostic refused(std::string_view what, int error) {
  return make_error("E410", fmt::format("{}: {}", what, std::strerror(error)), "run with --no-sandbox if this kernel cannot do it");
}

// ---- Landlock: which files may be written -----------------------------------------------------------------------

// Rights that older headers do not name, with the ABI that brought them (Documentation/userspace-api/landlock.rst).
constexpr std::uint64_t kRefer = std::uint64_t{1} << 13;     // ABI 2
constexpr std::uint64_t kTruncate = std::uint64_t{1} << 14;  // ABI 3
constexpr std::uint64_t kFileRights = LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate;

std::uint64_t handled_rights(int abi) {
  std::uint64_t rights = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                         LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
                         LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
                         LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;
  if (abi >= 2) rights |= kRefer;
  if (abi >= 3) rights |= kTruncate;
  return rights;
}

Status allow_below(int ruleset, const fs::path& path, std::uint64_t rights) {
  landlock_path_beneath_attr beneath{};
  const int fd = ::open(path.c_str(), O_PATH | O_CLOEXEC);
  if (fd < 0) return refused(fmt::format("cannot open {} for the sandbox", path.string()), errno);
  struct stat info {};
  const bool directory = ::fstat(fd, &info) == 0 && S_ISDIR(info.st_mode);
  const std::uint64_t wanted = rights & ~std::uint64_t{LANDLOCK_ACCESS_FS_EXECUTE};
  beneath.allowed_access = directory ? wanted : wanted & kFileRights;
  beneath.parent_fd = fd;
  const long done = ::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
  const int error = errno;
  ::close(fd);
  if (done != 0) return refused(fmt::format("cannot allow writing below {}", path.string()), error);
  return {};
}

Result<int> restrict_files(const std::vector<fs::path>& writable) {
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version <= 0) return 0;
  const int abi = static_cast<int>(version);
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs = handled_rights(abi);
  const int ruleset = static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0));
  if (ruleset < 0) return refused("Landlock", errno);
  Status status;
  for (const fs::path& path : writable) {
    if (status.ok()) status = allow_below(ruleset, path, attributes.handled_access_fs);
  }
  if (status.ok() && ::syscall(SYS_landlock_restrict_self, ruleset, 0) != 0) status = refused("Landlock", errno);
  ::close(ruleset);
  if (!status.ok()) return status.error();
  return abi;
}

// ---- seccomp: which calls are left ------------------------------------------------------------------------------

// What nobody needs who reads lines and writes a database; each answers EPERM.
constexpr std::array kForbidden = {
    "execve",       "execveat",      "fork",          "vfork",        "ptrace",        "process_vm_readv",
    "process_vm_writev", "mount",    "umount2",       "pivot_root",   "chroot",        "setns",
    "unshare",      "init_module",   "finit_module",  "delete_module", "kexec_load",   "kexec_file_load",
    "bpf",          "perf_event_open", "keyctl",      "add_key",      "request_key",   "userfaultfd",
    "io_uring_setup", "io_uring_enter", "io_uring_register", "open_by_handle_at", "name_to_handle_at", "setuid",
    "setgid",       "setresuid",     "setresgid",     "setreuid",     "setregid",      "setgroups",
    "mknod",        "mknodat",       "reboot",        "swapon",       "swapoff",       "acct",
    "settimeofday", "clock_settime", "adjtimex",      "clock_adjtime", "sethostname",  "setdomainname",
    "personality",  "quotactl",      "nfsservctl",    "lookup_dcookie", "syslog",      "vmsplice",
    "memfd_secret", "pidfd_getfd",   "move_mount",    "open_tree",    "fsopen",        "fsmount",
};

struct FilterDeleter {
  void operator()(void* filter) const { seccomp_release(filter); }
};

Result<bool> restrict_calls() {
  const std::unique_ptr<void, FilterDeleter> filter(seccomp_init(SCMP_ACT_ALLOW));
  if (filter == nullptr) return false;
  scmp_filter_ctx context = filter.get();
  for (const char* name : kForbidden) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR) continue;  // not on this architecture, or the library is older than the call
    if (const int error = seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), number, 0); error != 0) return refused("seccomp", -error);
  }
  // Threads are made with CLONE_THREAD, processes without. clone3 hides its flags behind a pointer: with ENOSYS the C
  // library falls back to clone.
  int error = seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                               SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
  if (error == 0) error = seccomp_rule_add(context, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
  if (error == 0) {
    error = seccomp_rule_add(context, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_NE, AF_UNIX));
  }
  if (error == 0) error = seccomp_load(context);
  if (error == -ENOSYS || error == -EINVAL) return false;  // a kernel without it
  if (error != 0) return refused("seccomp", -error);
  return true;
}

}  // namespace

std::string Sandbox::describe() const {
  if (landlock == 0 && !seccomp) return "none";
  return fmt::format("{}{}{}", landlock > 0 ? fmt::format("landlock {}", landlock) : "", landlock > 0 && seccomp ? ", " : "",
                     seccomp ? "seccomp" : "");
}

Result<Sandbox> enter_sandbox(const SandboxOptions& options) {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refused("no_new_privs", errno);
  Sandbox sandbox;
  auto abi = restrict_files(options.writable);
  if (!abi) return abi.error();
  sandbox.landlock = *abi;
  auto calls = restrict_calls();
  if (!calls) return calls.error();
  sandbox.seccomp = *calls;
  return sandbox;
}

}  // namespace correlator::host
