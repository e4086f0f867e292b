// SPDX-License-Identifier: Apache-2.0
// Writes a syslog archive as a site of many hosts would: dozens of programmes, some two hundred message
// shapes, hosts of different loudness, bursts. The same seed gives the same bytes on every machine.
//   bench_generate [--bytes N] [--hosts N] [--errors SHARE] [--seed N] [--format rfc3164|iso|json]
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "shapes.h"
#include "time/timestamp.h"

namespace correlator::bench {
namespace {

// splitmix64: the standard's distributions differ between libraries, and the bytes must not.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t n) { return n == 0 ? 0 : next() % n; }
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

 private:
  std::uint64_t state_;
};

constexpr std::string_view kWords[] = {"alpha",   "billing", "cache",  "delta",   "edge",   "frontend",
                                       "gateway", "harbor",  "index",  "journal", "keeper", "ledger",
                                       "mailer",  "notify",  "orders", "proxy",   "queue",  "relay",
                                       "search",  "tracker", "upload", "vault",   "worker", "zone"};
constexpr std::string_view kUsers[] = {"root",   "admin",    "deploy",   "anna",   "bert", "carla",
                                       "backup", "www-data", "postgres", "oracle", "git",  "nagios"};
constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct Options {
  std::uint64_t bytes = 100'000'000;
  unsigned hosts = 40;
  double errors = 0.005;
  std::uint64_t seed = 1;
  std::string format = "rfc3164";
};

template <class Array>
std::string_view pick(Random& random, const Array& array) {
  return array[random.below(std::size(array))];
}

// Numbers below each of `bounds`, drawn in this order. Arguments of one call are drawn in an order that the
// compiler chooses, so that lines of several draws go through here.
template <class... Bounds>
std::array<std::uint64_t, sizeof...(Bounds)> draw(Random& random, Bounds... bounds) {
  return {random.below(bounds)...};
}

std::string value(char kind, Random& r) {
  constexpr std::uint64_t kNumberOfWords = std::size(kWords);
  switch (kind) {
    case 'n':
      return std::to_string(r.below(r.below(4) == 0 ? 100'000 : 100));
    case 'h':
      return fmt::format("{:06x}", r.below(0xFFFFFF));
    case 'x':
      return fmt::format("{:016x}", r.next());
    case 'i': {
      const auto [a, b, c] = draw(r, 256u, 256u, 256u);
      return fmt::format("10.{}.{}.{}", a, b, c);
    }
    case 'u':
      return std::string(pick(r, kUsers));
    case 'p': {
      const auto [a, b, number, is_log] = draw(r, kNumberOfWords, kNumberOfWords, 10'000u, 2u);
      return fmt::format("/srv/{}/{}/{}.{}", kWords[a], kWords[b], number, is_log ? "log" : "dat");
    }
    case 'd':
      return fmt::format("sd{}", static_cast<char>('a' + r.below(12)));
    case 'w': {
      const auto [word, numbered, number] = draw(r, kNumberOfWords, 3u, 20u);
      return numbered == 0 ? fmt::format("{}{}", kWords[word], number) : std::string(kWords[word]);
    }
    case 'g':
      return fmt::format("vm-{}", r.below(200));
    case 'e':
      return r.below(2) ? fmt::format("tap{}", r.below(64)) : fmt::format("enp{}s0", r.below(6));
    case 'b': {
      const auto [bus, device, function] = draw(r, 0x40u, 0x20u, 8u);
      return fmt::format("0000:{:02x}:{:02x}.{}", bus, device, function);
    }
    case 't': {
      const auto [whole, part] = draw(r, 3'000u, 1'000u);
      return fmt::format("{}.{:03}", whole, part);
    }
    case 's': {
      const auto [a, b, c, d, e] =
          draw(r, std::uint64_t{1} << 32, 65536u, 4096u, 65536u, std::uint64_t{1} << 48);
      return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", a, b, c, d, e);
    }
    default:
      return {};
  }
}

std::string fill(std::string_view text, Random& random) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '{' && i + 2 < text.size() && text[i + 2] == '}') {
      out += value(text[i + 1], random);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

class Generator {
 public:
  explicit Generator(const Options& options) : o_(options), random_(options.seed) {
    for (const Shape& shape : ordinary_shapes()) {
      for (unsigned i = 0; i < shape.weight; ++i) ordinary_.push_back(&shape);
    }
    for (const Shape& shape : error_shapes()) {
      for (unsigned i = 0; i < shape.weight; ++i) errors_.push_back(&shape);
    }
    // Programmes of the house: each site has its own, with a handful of shapes each.
    for (int program = 0; program < 24; ++program) {
      const std::string name =
          fmt::format("{}-{}", kWords[static_cast<std::size_t>(program)], program % 3 == 0 ? "api" : "job");
      for (int shape = 0; shape < 4; ++shape) {
        const auto [subject, object] = draw(random_, std::size(kWords), std::size(kWords));
        own_.push_back({name, fmt::format("level={} msg=\"{} {} {}\" id={{x}} took={{t}}ms peer={{i}}",
                                          shape == 0 ? "error" : "info", kWords[subject],
                                          shape == 0 ? "failed for" : "finished", kWords[object])});
      }
    }
  }

  std::string line() {
    // Hosts are of different loudness: the square prefers the first ones.
    if (burst_ == 0) {
      const double u = random_.unit();
      host_ = static_cast<unsigned>(u * u * o_.hosts);
      shape_ = nullptr;
      if (random_.below(400) == 0) {
        burst_ = 5 + random_.below(60);
        shape_ = ordinary_[random_.below(ordinary_.size())];
      }
    } else {
      --burst_;
    }
    now_.us += static_cast<std::int64_t>(random_.below(burst_ > 0 ? 2'000 : 40'000));
    if (random_.unit() < o_.errors) {
      const Shape& shape = *errors_[random_.below(errors_.size())];
      return dress(shape.program, shape.text);
    }
    if (shape_ != nullptr) return dress(shape_->program, shape_->text);
    const std::uint64_t kind = random_.below(1000);
    if (kind < 4) {
      const Shape& shape = tempting_shapes()[random_.below(tempting_shapes().size())];
      return dress(shape.program, shape.text);
    }
    if (kind < 300) {
      const auto& [program, text] = own_[random_.below(own_.size())];
      return dress(program, text);
    }
    const Shape& shape = *ordinary_[random_.below(ordinary_.size())];
    return dress(shape.program, shape.text);
  }

 private:
  std::string dress(std::string_view program, std::string_view shape) {
    std::string text = fill(shape, random_);
    const bool kernel = program == "kernel";
    if (kernel && o_.format != "json")
      text = fmt::format("[{:5}.{:06}] {}", now_.us / 1'000'000 % 100'000, now_.us % 1'000'000, text);
    const std::string host = fmt::format("kvm{:03}", host_);
    const std::string tag = kernel ? "kernel" : fmt::format("{}[{}]", program, 300 + random_.below(30'000));
    if (o_.format == "json") {
      return to_line(Json{{"timereported", to_rfc3339(now_)},
                          {"timegenerated", to_rfc3339(now_)},
                          {"hostname", host},
                          {"inputname", kernel ? "imklog" : "imuxsock"},
                          {"programname", program},
                          {"syslogfacility-text", kernel ? "kern" : "daemon"},
                          {"syslogtag", tag + ":"},
                          {"msg", " " + text}}) +
             "\n";
    }
    if (o_.format == "iso") return fmt::format("{} {} {}: {}\n", to_rfc3339(now_), host, tag, text);
    const CivilTime c = to_civil(now_);
    return fmt::format("{} {:2} {:02}:{:02}:{:02} {} {}: {}\n", kMonths[c.month - 1], c.day, c.hour, c.minute,
                       c.second, host, tag, text);
  }

  Options o_;
  Random random_;
  Timestamp now_ = *parse_rfc3339("2026-01-01T00:00:00Z");
  std::vector<const Shape*> ordinary_, errors_;
  std::vector<std::pair<std::string, std::string>> own_;
  unsigned host_ = 0;
  std::uint64_t burst_ = 0;
  const Shape* shape_ = nullptr;
};

bool parse(int argc, char** argv, Options& o) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const char* text = argv[i + 1];
    if (name == "--bytes") {
      o.bytes = std::strtoull(text, nullptr, 10);
    } else if (name == "--hosts") {
      o.hosts = static_cast<unsigned>(std::strtoul(text, nullptr, 10));
    } else if (name == "--errors") {
      o.errors = std::strtod(text, nullptr);
    } else if (name == "--seed") {
      o.seed = std::strtoull(text, nullptr, 10);
    } else if (name == "--format") {
      o.format = text;
    } else {
      return false;
    }
  }
  return argc % 2 == 1 && (o.format == "rfc3164" || o.format == "iso" || o.format == "json");
}

}  // namespace
}  // namespace correlator::bench

int main(int argc, char** argv) {
  correlator::bench::Options options;
  if (!correlator::bench::parse(argc, argv, options)) {
    std::fputs(
        "usage: bench_generate [--bytes N] [--hosts N] [--errors SHARE] [--seed N] [--format "
        "rfc3164|iso|json]\n",
        stderr);
    return 2;
  }
  correlator::bench::Generator generator(options);
  std::uint64_t written = 0;
  while (written < options.bytes) {
    const std::string line = generator.line();
    if (std::fwrite(line.data(), 1, line.size(), stdout) != line.size()) return 74;
    written += line.size();
  }
  return std::fflush(stdout) == 0 ? 0 : 74;
}
