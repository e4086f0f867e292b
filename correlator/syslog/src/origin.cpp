// SPDX-License-Identifier: Apache-2.0
// Who vouches for a line that says it is from the kernel.
#include <algorithm>

#include "parts.h"
#include "syslog/sources.h"

namespace correlator::syslog {
namespace {

// Facility kern, no process behind it.
bool consistent(const Message& m) {
  return m.facility.value_or(0) == 0 && m.pid.value_or(0) == 0 && !m.uid;
}

Origin vouched(const Message& m, bool believe) {
  return believe && m.facility == 0 ? Origin::kernel : Origin::claimed_kernel;
}

// The journal checks _TRANSPORT itself; writers of /dev/kmsg come with a facility of their own.
Origin of_journal(const Message& m, bool believe) {
  if (m.input != "kernel") return Origin::forged_kernel;
  return vouched(m, believe);
}

Origin of_input(const Message& m, const ParserOptions& options) {
  // imklog itself drops what is not facility kern, so it vouches even where the facility was not written.
  if (m.input == "imklog") {
    return options.believe_provenance ? Origin::kernel : Origin::claimed_kernel;
  }
  if (m.input == "imkmsg" || m.input == "kmsg" || m.input == "imjournal/kernel")
    return vouched(m, options.believe_provenance);
  // imjournal repeats what any client said; only _TRANSPORT, if it was passed on, tells.
  if (m.input == "imjournal" && !m.transport.empty()) {
    return m.transport == kKernel ? vouched(m, options.believe_provenance) : Origin::forged_kernel;
  }
  // A followed file is an archive.
  if (m.input == "imfile" || m.input == "imjournal") return Origin::claimed_kernel;
  return Origin::forged_kernel;
}

bool trusts_input(const Sources& sources, std::string_view input) {
  return !input.empty() &&
         std::find(sources.inputs.begin(), sources.inputs.end(), input) != sources.inputs.end();
}

// These take uid and exe from the kernel, not from the message. A JSON line of any other input has them from
// its author.
bool credentials_count(const Message& m) {
  return m.format == Format::journal || m.input == "imuxsock" || m.input == "imjournal";
}

}  // namespace

Origin origin_of(const Message& m, const Sources& sources) {
  const bool raised = m.origin == Origin::forged_kernel && m.format != Format::journal && m.facility == 0 &&
                      consistent(m) && trusts_input(sources, m.input);
  return raised ? Origin::kernel : m.origin;
}

bool trusted_writer(const Message& m, const Sources& sources) {
  if (m.format != Format::journal && trusts_input(sources, m.input)) return true;
  if (!m.uid || !credentials_count(m)) return false;
  if (*m.uid == 0) return true;
  return std::any_of(sources.writers.begin(), sources.writers.end(), [&](const Writer& writer) {
    return writer.uid == *m.uid && (writer.exe.empty() || writer.exe == m.exe);
  });
}

bool may_speak(const Message& m, const Sources& sources) {
  const bool archive = m.format != Format::journal && (m.input.empty() || m.input == "imfile");
  return archive || trusted_writer(m, sources);
}

void set_origin(Message& m, const ParserOptions& options) {
  if (m.program != kKernel) {
    m.origin = Origin::program;
  } else if (!consistent(m)) {
    m.origin = Origin::forged_kernel;
  } else if (m.format == Format::journal) {
    m.origin = of_journal(m, options.believe_provenance);
  } else if (!m.input.empty()) {
    m.origin = of_input(m, options);
  } else {
    m.origin = Origin::claimed_kernel;
  }
}

bool dated(const Message& message) {
  return message.stamp.kind == Stamp::Kind::wall || message.stamp.kind == Stamp::Kind::yearless;
}

std::string_view to_string(Origin origin) {
  switch (origin) {
    case Origin::program:
      return "program";
    case Origin::kernel:
      return "kernel";
    case Origin::claimed_kernel:
      return "claimed kernel";
    case Origin::forged_kernel:
      return "forged kernel";
  }
  return "";
}

std::string_view to_string(Format format) {
  switch (format) {
    case Format::raw:
      return "raw";
    case Format::bsd:
      return "bsd";
    case Format::rfc5424:
      return "rfc5424";
    case Format::iso:
      return "iso";
    case Format::provenance:
      return "provenance";
    case Format::dmesg:
      return "dmesg";
    case Format::kmsg:
      return "kmsg";
    case Format::journal:
      return "journal";
    case Format::rsyslog_json:
      return "rsyslog-json";
    case Format::libvirt:
      return "libvirt";
    case Format::virsh_event:
      return "virsh-event";
  }
  return "";
}

}  // namespace correlator::syslog
