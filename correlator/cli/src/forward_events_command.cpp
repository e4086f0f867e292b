// SPDX-License-Identifier: Apache-2.0
// correlator forward-events: what libvirt says of its guests, into the log. A panic, a watchdog, an I/O error or a dead QEMU
// leaves no line there by itself.
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <deque>

#include "base/text.h"
#include "commands.h"
#include "common.h"
#include "dispatch/process.h"
#include "host/notify.h"
#include "host/socket.h"
#include "input/virsh_events.h"
#include "time/clock.h"

namespace correlator::cli {
namespace {

constexpr std::size_t kMaxWaiting = 10'000;                  // lines that the log daemon did not take yet
constexpr Duration kSettle = Duration::milliseconds(20);     // virsh prints an event of several lines at once
constexpr Duration kFirstWait = Duration::seconds(1), kLongestWait = Duration::seconds(30);
constexpr Duration kLasted = Duration::seconds(10);          // a connection that held so long was one
constexpr int kInfo = 30, kNotice = 29, kError = 27;         // facility daemon

struct Options {
  std::string connect = "qemu:///system", to = "/run/correlator-events/socket", virsh = "/usr/bin/virsh", alive = "1m";
  bool monitor = false;
};

volatile std::sig_atomic_t g_stop = 0;

// With microseconds: rsyslog 8.2302 reads ".090" as 90 µs.
std::string with_microseconds(Timestamp time) {
  const CivilTime at = to_civil(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", at.year, at.month, at.day, at.hour, at.minute, at.second, at.us);
}

std::string datagram_of(int priority, Timestamp time, std::string_view text) {
  return fmt::format("<{}>{} virsh-event: {}", priority, with_microseconds(time), text);
}

// Lines on their way to the log daemon, which may be restarting. The oldest are kept: they say what happened first.
class Outbox {
 public:
  explicit Outbox(const std::string& to) : console_(to == "-"), sender_(console_ ? std::string{} : to) {}

  void put(int priority, Timestamp time, const std::string& text) {
    if (console_) {
      std::fputs((to_rfc3339(time) + " virsh-event: " + text + "\n").c_str(), stdout);
      std::fflush(stdout);
      return;
    }
    if (waiting_.size() == kMaxWaiting) {
      ++dropped_;
      return;
    }
    waiting_.push_back(datagram_of(priority, time, text));
  }

  void flush(Timestamp now) {
    while (!waiting_.empty() && sender_.send(waiting_.front())) waiting_.pop_front();
    if (dropped_ == 0 || !waiting_.empty()) return;
    const std::uint64_t lost = std::exchange(dropped_, 0);
    put(kError, now, fmt::format("lost {} line{}: the log daemon was away for too long", lost, lost == 1 ? "" : "s"));
    flush(now);
  }

  bool empty() const { return waiting_.empty(); }
  std::size_t size() const { return waiting_.size(); }

 private:
  bool console_;
  host::DatagramSender sender_;
  std::deque<std::string> waiting_;
  std::uint64_t dropped_ = 0;
};

// One virsh that listens, and is started again when it ends: it does when libvirtd does.
class Feed {
 public:
  Feed(const Options& o, std::string what, std::string command) : o_(o), what_(std::move(what)), command_(std::move(command)) {}

  bool connected() const { return connected_; }
  std::uint64_t events() const { return events_; }
  const std::optional<dispatch::Process>& virsh() const { return virsh_; }
  // When to call again though nothing came.
  Duration wait(Timestamp now) const {
    if (folding_.waiting()) return kSettle;
    return virsh_ ? Duration::seconds(1) : std::min(Duration::seconds(1), std::max(Duration{}, next_try_ - now));
  }

  void look(Timestamp now, bool quiet, Outbox& out) {
    if (!virsh_ && now >= next_try_) start(now, out);
    if (!virsh_) return;
    virsh_->read_output();
    const std::string said = virsh_->take_output();
    if (!said.empty()) {
      pass(folding_.take(said), now, out);
    } else if (quiet && folding_.waiting()) {
      pass(folding_.settle(), now, out);
    }
    if (const auto end = virsh_->try_wait()) {
      pass(folding_.take(virsh_->take_output()), now, out);
      pass(folding_.end(), now, out);
      virsh_.reset();
      lost(*end, now, out);
    }
  }

  void stop() { virsh_.reset(); }

 private:
  void start(Timestamp now, Outbox& out) {
    dispatch::ProcessSpec spec;
    spec.program = o_.virsh;
    // `uri` answers once there is a connection. Keepalives notice a libvirtd that hangs after 15 to 20 s.
    spec.arguments = {"-k", "5", "-K", "3", "-c", o_.connect, "uri; " + command_};
    spec.environment = {{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}, {"LC_ALL", "C"}, {"HOME", "/nonexistent"}};
    started_ = now;
    last_words_.clear();
    auto process = dispatch::Process::start(spec);
    if (process) {
      virsh_ = std::move(*process);
      return;
    }
    last_words_ = process.error().message;
    lost({}, now, out);
  }

  void pass(const std::vector<input::VirshLine>& lines, Timestamp now, Outbox& out) {
    for (const input::VirshLine& line : lines) {
      if (line.event) {
        ++events_;
        out.put(kInfo, line.time.value_or(now), line.text);
      } else if (!connected_ && line.text.find("://") != std::string::npos && !line.text.starts_with("error")) {
        connected_ = true;
        told_lost_ = false;
        out.put(kNotice, now, fmt::format("connected to {}: {} are seen from now on", o_.connect, what_));
      } else {
        last_words_ = line.text;
      }
    }
  }

  void lost(const dispatch::ProcessEnd& end, Timestamp now, Outbox& out) {
    const bool held = connected_ && now - started_ >= kLasted;
    pause_ = held ? kFirstWait : std::min(kLongestWait, Duration{std::max(kFirstWait.us, pause_.us * 2)});
    next_try_ = now + pause_;
    if (connected_ || !told_lost_) {
      std::string why = last_words_;
      if (why.empty()) why = end.signal != 0 ? fmt::format("virsh died of signal {}", end.signal) : fmt::format("virsh ended with {}", end.exit_code);
      out.put(kError, now, fmt::format("lost {}: {} are not seen: {}", o_.connect, what_, why));
    }
    connected_ = false;
    told_lost_ = true;
  }

  const Options& o_;
  std::string what_, command_, last_words_;
  std::optional<dispatch::Process> virsh_;
  input::VirshEvents folding_;
  std::uint64_t events_ = 0;
  Timestamp started_ = Timestamp::min(), next_try_ = Timestamp::min();
  Duration pause_{};
  bool connected_ = false, told_lost_ = false;
};

class Forwarder {
 public:
  Forwarder(const Options& o, Duration alive, const Clock& clock) : alive_(alive), o_(o), clock_(clock), out_(o.to) {
    feeds_.emplace_back(o, "events of guests", "event --all --loop --timestamp");
    if (o.monitor) feeds_.emplace_back(o, "events of QEMU's monitors", "qemu-monitor-event --loop --timestamp");
  }

  int run() {
    manager_.ready("connecting");
    bool quiet = false;
    while (g_stop == 0) {
      const Timestamp now = clock_.now();
      for (Feed& feed : feeds_) feed.look(now, quiet, out_);
      tell_alive(now);
      out_.flush(now);
      if (manager_.watchdog()) manager_.alive();
      quiet = wait(now);
    }
    manager_.stopping();
    const Timestamp now = clock_.now();
    for (Feed& feed : feeds_) feed.stop();
    out_.put(kNotice, now, fmt::format("stopped: events of guests are not seen at {}", o_.connect));
    out_.flush(now);
    return out_.empty() ? kFine : kIoError;
  }

 private:
  // A sign of life, by which a rule sees that this program is gone or its way to the log is.
  void tell_alive(Timestamp now) {
    if (now < next_alive_) return;
    next_alive_ = now + alive_;
    std::uint64_t events = 0;
    bool all = true;
    for (const Feed& feed : feeds_) events += feed.events(), all = all && feed.connected();
    manager_.status(fmt::format("{}, {} so far, {} to be sent", all ? "connected" : "not connected", counted(events, "event"), counted(out_.size(), "line")));
    if (all) out_.put(kInfo, now, fmt::format("watching {}: {} so far", o_.connect, counted(events, "event")));
  }

  // True if nothing came.
  bool wait(Timestamp now) const {
    std::array<pollfd, 4> on{};
    nfds_t count = 0;
    Duration longest = std::min(Duration::seconds(1), std::max(Duration{}, next_alive_ - now));
    if (!out_.empty()) longest = std::min(longest, Duration::milliseconds(100));
    for (const Feed& feed : feeds_) {
      longest = std::min(longest, feed.wait(now));
      if (!feed.virsh()) continue;
      for (const int fd : {feed.virsh()->output_fd(), feed.virsh()->exit_fd()}) {
        if (fd >= 0) on[count++] = {fd, POLLIN, 0};
      }
    }
    return ::poll(on.data(), count, static_cast<int>((longest.us + 999) / 1000)) == 0;
  }

  Duration alive_;
  const Options& o_;
  const Clock& clock_;
  Outbox out_;
  std::vector<Feed> feeds_;
  host::ServiceManager manager_;
  Timestamp next_alive_ = Timestamp::min();
};

void on_signal(int number) {
  struct sigaction action {};
  action.sa_handler = [](int) { g_stop = 1; };
  ::sigaction(number, &action, nullptr);
}

int run(const Options& o) {
  const auto alive = parse_duration(o.alive);
  if (!alive || *alive < Duration::seconds(1)) {
    complain(make_error("E501", fmt::format("--alive: {} is no time of a second or more", o.alive), "write 1m, or 30s"));
    return kUsage;
  }
  if (::access(o.virsh.c_str(), X_OK) != 0 || o.virsh.front() != '/') {
    complain(make_error("E501", fmt::format("there is no program {}", o.virsh), "install libvirt-clients, or name virsh with its whole path: --virsh PATH"));
    return kNoInput;
  }
  on_signal(SIGTERM);
  on_signal(SIGINT);
  const SystemClock clock;
  return Forwarder(o, *alive, clock).run();
}

}  // namespace

void add_forward_events(CLI::App& app, CommandLine& out) {
  CLI::App* sub = app.add_subcommand("forward-events", "Events of libvirt's guests into the log: one line each, also when libvirtd or the log daemon restart");
  auto o = std::make_shared<Options>();
  sub->add_option("--connect", o->connect, "libvirt's URI (default: qemu:///system)")->type_name("URI");
  sub->add_option("--to", o->to, "The log daemon's socket, - for standard output (default: /run/correlator-events/socket)")->type_name("SOCKET");
  sub->add_option("--alive", o->alive, "How often to say that events are watched (default: 1m)")->type_name("TIME");
  sub->add_option("--virsh", o->virsh, "virsh (default: /usr/bin/virsh)")->type_name("PATH");
  sub->add_flag("--monitor", o->monitor, "The events of QEMU's monitors as well (virsh qemu-monitor-event)");
  sub->callback([o, &out] { out.command = [o] { return run(*o); }; });
}

}  // namespace correlator::cli
