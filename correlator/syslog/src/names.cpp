// SPDX-License-Identifier: Apache-2.0
#include "names.h"

#include <algorithm>
#include <array>

#include "scan.h"

namespace correlator::syslog {
namespace {

struct Named {
  std::string_view name;
  std::uint8_t value;
};

constexpr std::array<Named, 27> kFacilities = {
    {{"kern", 0},     {"user", 1},     {"mail", 2},         {"daemon", 3},  {"auth", 4},      {"syslog", 5},
     {"lpr", 6},      {"news", 7},     {"uucp", 8},         {"cron", 9},    {"authpriv", 10}, {"ftp", 11},
     {"ntp", 12},     {"audit", 13},   {"alert", 14},       {"clock", 15},  {"local0", 16},   {"local1", 17},
     {"local2", 18},  {"local3", 19},  {"local4", 20},      {"local5", 21}, {"local6", 22},   {"local7", 23},
     {"security", 4}, {"console", 14}, {"solaris-cron", 15}}};

constexpr std::array<Named, 12> kLevels = {{{"emerg", 0},
                                            {"alert", 1},
                                            {"crit", 2},
                                            {"err", 3},
                                            {"warning", 4},
                                            {"notice", 5},
                                            {"info", 6},
                                            {"debug", 7},
                                            {"warn", 4},
                                            {"error", 3},
                                            {"panic", 0},
                                            {"critical", 2}}};

constexpr std::array<std::string_view, 22> kInputs = {
    "imklog",  "imkmsg", "imuxsock",      "imjournal", "imtcp",     "imudp",   "imptcp", "imrelp",
    "imfile",  "immark", "impstats",      "imgssapi",  "imsolaris", "im3195",  "imdiag", "imhttp",
    "imkafka", "imdtls", "imbatchreport", "imdocker",  "imczmq",    "rsyslogd"};

template <std::size_t N>
std::optional<std::uint8_t> value_of(const std::array<Named, N>& table, std::string_view name) {
  for (const Named& entry : table) {
    if (entry.name == name) return entry.value;
  }
  return std::nullopt;
}

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Sorted by subject: the subsystems and drivers that print "name: " and that hardware rules look at.
constexpr std::array<std::string_view, 62> kSubsystems = {
    // machine checks, memory, firmware
    "mce", "edac", "ghes_print_estatus", "ghes_edac", "sbridge", "i7core_edac", "soft_offline", "traps",
    "thermal", "watchdog", "hrtimer", "clocksource", "perf", "random", "audit", "firmware", "efi",
    "intel_rapl", "ipmi_si", "hardlockup", "softlockup", "rcu", "rcu_sched", "rcu_preempt", "__ratelimit",
    "swapper",
    // buses
    "pci", "pcieport", "aer", "dpc", "pciehp", "usb", "hub", "i2c", "iommu", "vfio-pci", "i801_smbus",
    // disks
    "sd", "scsi", "ata", "ide", "libata", "ahci", "nvme", "md", "raid", "dm", "loop", "blk_update_request",
    "end_request", "print_req_error", "megaraid_sas", "megasas", "hpsa", "aacraid", "cciss", "lpfc",
    "device-mapper",
    // network
    "e1000e", "ixgbe", "igb", "bnx2"};

constexpr std::array<std::string_view, 22> kNumbered = {
    "hd",   "sd", "sr",  "md",  "dm-",      "ata", "nvme", "eth",   "bond", "scsi", "raid",
    "loop", "vd", "xvd", "mpt", "megaraid", "qla", "mlx",  "e1000", "tg",   "ib",   "ens"};

constexpr std::array<std::string_view, 26> kPrograms = {
    "libvirtd",   "virtqemud",  "virtlogd",  "virsh",     "mcelog",   "rasdaemon",  "smartd",
    "rsyslogd",   "syslogd",    "syslog-ng", "heartbeat", "corosync", "pacemakerd", "crmd",
    "stonith-ng", "multipathd", "sshd",      "sudo",      "su",       "dracut",     "kdump",
    "init",       "udevd",      "cron",      "crond",     "logger"};

// "sda", "ata3.00", "nvme0n1", "md/raid1": a known stem and behind it a letter or a number.
bool is_numbered_device(std::string_view name) {
  for (const std::string_view stem : kNumbered) {
    if (!name.starts_with(stem) || name.size() == stem.size()) continue;
    const std::string_view rest = name.substr(stem.size());
    if (is_digit(rest[0])) return true;
    const bool drive = stem == "hd" || stem == "sd" || stem == "vd" || stem == "xvd";
    if (drive && rest.size() <= 2 && std::all_of(rest.begin(), rest.end(), is_lower)) return true;
  }
  return name.starts_with("md/");
}

bool is_all_upper(std::string_view name) {
  bool letter = false;
  for (const char c : name) {
    if (is_lower(c)) return false;
    letter = letter || is_upper(c);
  }
  return letter && name.size() >= 2 && !name.starts_with("CRON");
}

bool is_filesystem(std::string_view name) {
  return name.ends_with("-fs") || name.ends_with("-FS") || name == "BTRFS" || name == "Btrfs";
}

}  // namespace

std::optional<std::uint8_t> facility_of(std::string_view name) {
  return value_of(kFacilities, name);
}
std::optional<std::uint8_t> level_of(std::string_view name) {
  return value_of(kLevels, name);
}
bool is_input_name(std::string_view name) {
  return contains(kInputs, name);
}

bool is_kernel_prefix(std::string_view name) {
  return is_all_upper(name) || contains(kSubsystems, name) || is_numbered_device(name) ||
         is_filesystem(name) || name.ends_with("_edac") || name.find(':') != std::string_view::npos;
}

bool is_known_program(std::string_view name) {
  return contains(kPrograms, name) || name.starts_with("qemu") || name.starts_with("systemd") ||
         name.starts_with("libvirt") || name.starts_with("pacemaker") || name.starts_with("dracut-");
}

bool opens_kernel_text(std::string_view word) {
  static constexpr std::array<std::string_view, 14> kWords = {
      "EDAC",     "MCE",      "Memory", "Northbridge", "Kernel", "Machine", "Uhhuh.",
      "HARDWARE", "Hardware", "CPU",    "BUG:",        "Buffer", "Dazed",   "Bank"};
  return contains(kWords, word);
}

}  // namespace correlator::syslog
