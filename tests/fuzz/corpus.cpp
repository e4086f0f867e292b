// SPDX-License-Identifier: Apache-2.0
// What is in the tree already, and how it is spoilt.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

#include "rules/loader.h"
#include "targets.h"

namespace correlator::fuzz {
namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;
using namespace std::string_view_literals;

const fs::path kRoot = CORRELATOR_SOURCE_DIR;

std::vector<std::string> contents(const fs::path& folder, const std::vector<std::string>& extensions) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string extension = entry.path().extension().string();
    if (entry.is_regular_file() && std::find(extensions.begin(), extensions.end(), extension) != extensions.end()) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> out;
  for (const fs::path& path : paths) {
    std::ifstream in(path, std::ios::binary);
    out.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return out;
}

// Framings that no capture has.
const std::vector<std::string>& framings() {
  static const std::vector<std::string> lines = {
      "<4>Nov  3 17:40:22 h kernel[12]: [  123.456789] [ T593001] EDAC MC0: 1 CE x\n",
      "Nov  3 2004 17:40:22.123 h kernel: message repeated 3 times: [ [ 1.5] x]\n",
      "<165>1 2003-10-11T22:14:15.003Z h app 77 ID47 [e@1 k=\"v \\\"]\\\\\"][f] \xEF\xBB\xBFtext\n",
      "[Wed Apr 12 11:05:16 2023] RAS: x\n",
      "6,369,13119327,-,caller=T1;pcieport \\x09 x\n SUBSYSTEM=pci\n DEVICE=+pci:0000:00:04.0\n",
      "Nov  3 17:40:22 h last message repeated 4 times\n",
      R"({"timereported":"2026-01-01T00:00:00Z","hostname":"h","programname":"kernel","inputname":"imklog","msg":" EDAC MC0: \u0031 UE","uid":1,"$!":{"uid":2}})"
      "\n",
      R"({"__CURSOR":"s","__REALTIME_TIMESTAMP":"1767225600000000","MESSAGE":[69,255],"_TRANSPORT":"kernel"})"
      "\n",
      "__CURSOR=s\n__REALTIME_TIMESTAMP=1767225600000000\n_TRANSPORT=kernel\nMESSAGE\n\x05\0\0\0\0\0\0\0a\nb\nc\n_PID=1\n\n"s};
  return lines;
}

}  // namespace

std::vector<std::string> small_logs() {
  std::vector<std::string> out = contents(kRoot / "examples/captures", {".log", ".kmsg", ".txt"});
  for (std::string& log : out) log = log.substr(0, 6000);
  std::string all;
  for (const std::string& line : framings()) all += line;
  out.push_back(all);
  return out;
}

std::vector<std::string> lines_of_captures() {
  std::vector<std::string> out = framings();
  std::size_t n = 0;
  for (const std::string& log : small_logs()) {
    for (std::size_t begin = 0; begin < log.size();) {
      const std::size_t end = std::min(log.find('\n', begin), log.size());
      if (++n % 5 == 0) out.push_back(log.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  return out;
}

std::vector<std::string> rule_files() {
  std::vector<std::string> out = contents(kRoot / "tests/golden", {".toml"});
  for (std::string& text : contents(kRoot / "tests/rules", {".toml"})) out.push_back(std::move(text));
  return out;
}

std::vector<std::string> expressions() {
  std::vector<std::string> out;
  for (const std::string& file : contents(kRoot / "rules", {".toml"})) {
    for (std::size_t at = 0; (at = file.find('"', at)) != std::string::npos;) {
      const std::size_t end = file.find('"', at + 1);
      if (end == std::string::npos) break;
      const std::string text = file.substr(at + 1, end - at - 1);
      if (text.find('\n') == std::string::npos && text.find_first_of("=?(<+&$") != std::string::npos) out.push_back(text);
      at = end + 1;
    }
  }
  for (const char* text : {"bits(n, 15, 8) == 3 ? 'a' : text", "hosts(host).rack ?? 'none'", "n in [1, 2, 3] and text ~ '^a+$'", "${n} of ${host}",
                           "(time - time) < 10s or not has(page)", "split(text, ',')"})
    out.emplace_back(text);
  return out;
}

std::shared_ptr<const rules::RuleSet> loaded(const std::string& text) {
  rules::Loaded result = rules::load({{"site.toml", text}});
  if (result.rules != nullptr) return result.rules;
  for (const Diagnostic& d : result.diagnostics) std::fputs(to_text(d).c_str(), stderr);
  std::abort();
}

std::string mutated(const std::vector<std::string>& corpus, std::mt19937_64& random) {
  static constexpr std::array kPieces = {
      "'"sv, "\""sv, "["sv, "]"sv, "{"sv, "}"sv, "${"sv, "(?<"sv, ")"sv, "\n"sv, " = "sv, "%{"sv, "\\"sv, "\0"sv, "\xff"sv, "''"sv, "1e9"sv,
      "-1"sv, "true"sv, "null"sv, "[[rule]]\n"sv, "??"sv, "open("sv, "settings."sv, "99999999999999999999"sv, "18446744073709551615"sv,
      "-9223372036854775808"sv, "0s"sv, "\x1b[31m"sv, "*"sv, "\\u0000"sv, "\\ud800"sv, "last message repeated 4000000000 times"sv, ","sv, ":"sv,
      "2099-01-01T00:00:00Z "sv, "Feb 29 23:59:60 "sv, "__CURSOR=x\n"sv};
  const auto upto = [&](std::size_t n) { return n == 0 ? 0 : static_cast<std::size_t>(random() % n); };
  std::string text = corpus[upto(corpus.size())];
  for (std::size_t edits = 1 + upto(6); edits > 0; --edits) {
    const std::size_t at = upto(text.size() + 1);
    switch (random() % 6) {
      case 0: text.erase(at, upto(30)); break;
      case 1: text.insert(at, kPieces[upto(kPieces.size())]); break;
      case 2:
        if (at < text.size()) text[at] = static_cast<char>(random());
        break;
      case 3: {
        const std::string& other = corpus[upto(corpus.size())];
        text.insert(at, other.substr(upto(other.size()), upto(200)));
        break;
      }
      case 4: text.insert(at, text.substr(upto(text.size()), upto(100))); break;
      default: {  // a number becomes another
        const std::size_t digit = text.find_first_of("0123456789", at);
        if (digit == std::string::npos) break;
        const std::size_t end = std::min(text.find_first_not_of("0123456789", digit), text.size());
        text.replace(digit, end - digit, std::to_string(random() >> (random() % 64)));
      }
    }
  }
  return text;
}

}  // namespace correlator::fuzz
