// SPDX-License-Identifier: Apache-2.0
#include "input/virsh_events.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"

namespace correlator::input {
namespace {

constexpr std::size_t kMaxLine = 64 * 1024;  // of what virsh prints; the rest of a longer line is dropped
constexpr std::size_t kStampSize = 28;       // "2026-11-22 08:44:52.460+0000"
constexpr std::string_view kOf = "for domain '";

// These have quotes of their own behind the guest's name.
constexpr std::array<std::string_view, 3> kQuoting = {"event 'agent-lifecycle' ", "event 'migration-iteration' ",
                                                      "event 'memory-device-size-change' "};

// The text behind the time, if this is the first line of an event.
std::optional<std::string_view> event_text(std::string_view line, std::optional<Timestamp>& time) {
  if (line.size() > kStampSize + 2 && line.substr(kStampSize, 2) == ": ") {
    time = parse_rfc3339(line.substr(0, kStampSize));
    if (time) line.remove_prefix(kStampSize + 2);
  }
  constexpr std::string_view kEvent = "event ";
  if (!line.starts_with(kEvent) || line.size() == kEvent.size()) return std::nullopt;
  const char first = line[kEvent.size()];
  const bool quoted = first == '\'', qmp = first >= 'A' && first <= 'Z';
  if (!quoted && !qmp) return std::nullopt;
  return line;
}

// A guest may be called `web': Crashed Panicked`, and virsh prints that as it is: its name would end too early and the
// event be another guest's. Such a line keeps no quote, so that no rule finds a name in it that somebody else has.
std::string without_false_names(std::string_view text) {
  const std::size_t at = text.find(kOf);
  if (at == std::string_view::npos) return std::string(text);
  const std::size_t begin = at + kOf.size(), end = text.find('\'', begin);
  const std::string_view behind = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  const bool quoting = std::any_of(kQuoting.begin(), kQuoting.end(), [&](std::string_view name) { return text.starts_with(name); });
  const bool well_formed = end != std::string_view::npos && (behind.empty() || behind.front() == ':' || behind.front() == ' ');
  if (well_formed && (quoting || behind.find('\'') == std::string_view::npos)) return std::string(text);
  std::string out(text.substr(0, begin - 1));
  for (const char c : text.substr(begin - 1)) out += c == '\'' ? std::string("\\x27") : std::string(1, c);
  return out;
}

std::string one_line(std::string_view text) { return shorten(printable(without_false_names(text)), VirshLine::kMaxText); }

}  // namespace

std::vector<VirshLine> VirshEvents::take(std::string_view bytes) {
  std::vector<VirshLine> out;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    rest_.append(piece.substr(0, kMaxLine - std::min(kMaxLine, rest_.size())));
    if (end == std::string_view::npos) break;
    line(std::exchange(rest_, {}), out);
    bytes.remove_prefix(end + 1);
  }
  return out;
}

void VirshEvents::line(std::string_view text, std::vector<VirshLine>& out) {
  std::optional<Timestamp> time;
  if (const auto event = event_text(text, time)) {
    close(out);
    VirshLine begun{time, std::string(*event), true};
    if (event->ends_with(":")) {
      open_ = std::move(begun);
    } else {
      begun.text = one_line(begun.text);
      out.push_back(std::move(begun));
    }
    return;
  }
  const std::string_view said = trim(text);
  if (said.empty()) return;
  if (open_ && !said.starts_with("error: ")) {
    if (open_->text.size() < kMaxLine) open_->text.append(" ").append(said);
    return;
  }
  close(out);
  out.push_back({std::nullopt, shorten(printable(said), VirshLine::kMaxText), false});
}

void VirshEvents::close(std::vector<VirshLine>& out) {
  if (!open_) return;
  open_->text = one_line(open_->text);
  out.push_back(*std::exchange(open_, std::nullopt));
}

std::vector<VirshLine> VirshEvents::settle() {
  std::vector<VirshLine> out;
  close(out);
  return out;
}

std::vector<VirshLine> VirshEvents::end() {
  std::vector<VirshLine> out;
  if (!rest_.empty()) line(std::exchange(rest_, {}), out);
  close(out);
  return out;
}

}  // namespace correlator::input
