// SPDX-License-Identifier: Apache-2.0
#include "pipeline/matcher.h"

#include <algorithm>
#include <functional>

namespace correlator::pipeline {
namespace {

// syslogd's and rsyslog's two ways to say it; the parser decides what the line really is.
constexpr std::string_view kRepeatPattern = "last message repeated [0-9]+ times?";
constexpr std::string_view kMarkPattern = "-- MARK --";

void sort_and_unite(std::vector<std::uint32_t>& ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}

}  // namespace

Matcher::Matcher(std::shared_ptr<const rules::RuleSet> rules, std::shared_ptr<const pattern::PatternSet> set)
    : rules_(std::move(rules)), set_(std::move(set)), raw_(rules_->patterns.size() + 2, false) {
  for (const rules::PatternText& text : rules_->patterns) {
    if (text.event >= rules_->events.size()) continue;
    const rules::LinePattern& line = rules_->events[text.event].lines[text.line];
    raw_[line.pattern] = line.raw;
  }
}

Result<Matcher> Matcher::build(std::shared_ptr<const rules::RuleSet> rules, pattern::PatternSet::Options options) {
  std::vector<pattern::Regex> regexes;
  regexes.reserve(rules->patterns.size() + 2);
  for (const rules::PatternText& text : rules->patterns) {
    if (text.compiled) {
      regexes.push_back(*text.compiled);
      continue;
    }
    auto compiled = pattern::Regex::compile(text.text);
    if (!compiled) return compiled.error();
    regexes.push_back(std::move(compiled).value());
  }
  for (const std::string_view own : {kRepeatPattern, kMarkPattern}) regexes.push_back(*pattern::Regex::compile(own));
  auto set = std::make_shared<pattern::PatternSet>(pattern::PatternSet::build(std::move(regexes), options));
  return Matcher(std::move(rules), std::move(set));
}

Matcher Matcher::tuned_to(std::string_view sample) const {
  return Matcher(rules_, std::make_shared<const pattern::PatternSet>(set_->tuned_to(sample)));
}

// Nothing is to be expected behind the last frame: a record of /dev/kmsg there has all its lines.
constexpr bool kWholeFrames = true;

void Matcher::candidates(std::string_view block, syslog::FrameState state, const syslog::BlockTraits& traits,
                         Scratch& scratch, std::vector<Candidate>& out) const {
  set_->scan(block, scratch.scan, scratch.hits);
  if (syslog::block_may_hide_literals(block, traits)) return hidden(block, state, traits, scratch, out);
  if (scratch.hits.empty()) return;
  syslog::BlockFrames frames(block, state, kWholeFrames, traits);
  const std::size_t first = out.size();
  for (const pattern::Hit& hit : scratch.hits) {
    if (out.size() == first || hit.line_begin >= out.back().frame.end) {
      syslog::Frame frame;
      if (!frames.at(hit.line_begin, frame)) continue;
      out.push_back({frame, {}, {}});
    }
    // A frame of several lines meets its hits line by line.
    std::vector<std::uint32_t>& ids = out.back().patterns;
    const auto at = std::lower_bound(ids.begin(), ids.end(), hit.pattern);
    if (at == ids.end() || *at != hit.pattern) ids.insert(at, hit.pattern);
  }
}

// Some frames of the block may spell their text with escapes: those are decoded, and what comes out is scanned at once, too.
void Matcher::hidden(std::string_view block, syslog::FrameState state, const syslog::BlockTraits& traits, Scratch& scratch,
                     std::vector<Candidate>& out) const {
  scratch.hidden.clear();
  scratch.decoded.clear();
  syslog::BlockFrames frames(block, state, kWholeFrames, traits);
  auto hit = scratch.hits.cbegin();
  for (syslog::Frame frame; frames.next(frame);) {
    Scratch::Hidden found{frame, {}};
    for (; hit != scratch.hits.cend() && hit->line_begin < frame.end; ++hit) {
      if (hit->line_begin >= frame.begin) found.ids.push_back(hit->pattern);
    }
    if (syslog::may_hide_literals(frame.bytes)) look_behind_escapes(found, scratch);
    if (!found.ids.empty() || found.decoded_end > 0) scratch.hidden.push_back(std::move(found));
  }
  set_->scan(scratch.decoded, scratch.scan, scratch.hits);
  hit = scratch.hits.cbegin();
  for (Scratch::Hidden& found : scratch.hidden) {
    for (; hit != scratch.hits.cend() && hit->line_begin < found.decoded_end; ++hit) found.ids.push_back(hit->pattern);
    if (found.ids.empty()) continue;
    sort_and_unite(found.ids);
    out.push_back({found.frame, std::move(found.ids), {}});
  }
}

// What the frame says goes to the decoded texts as a line of its own. If only the parser can tell what that is, or if it is
// no single line, it is scanned here.
void Matcher::look_behind_escapes(Scratch::Hidden& found, Scratch& scratch) const {
  if (syslog::without_escapes(found.frame.bytes, scratch.plain) && scratch.plain.find('\n') == std::string::npos) {
    scratch.decoded += scratch.plain;
    scratch.decoded += '\n';
    found.decoded_end = scratch.decoded.size();
    return;
  }
  syslog::Message message;
  if (!scratch.parser.parse(found.frame.bytes, message)) return;
  set_->scan_text(message.text, scratch.scan, scratch.ids);
  found.ids.insert(found.ids.end(), scratch.ids.begin(), scratch.ids.end());
}

bool Matcher::goes_without_saying(std::uint32_t pattern, const std::vector<engine::PatternMatch>& matches) const {
  if (matches.empty()) return false;
  const rules::PatternText& text = rules_->patterns[pattern];
  const rules::PatternText& last = rules_->patterns[matches.back().pattern];
  return text.event < rules_->events.size() && text.event == last.event && text.line > last.line;
}

bool Matcher::confirmed(const syslog::Message& message, std::uint32_t pattern, Candidate& candidate,
                        pattern::Costs* costs) const {
  if (pattern == repeat_pattern()) return message.repeats_previous > 0;
  if (pattern == mark_pattern()) return message.text == kMarkPattern;
  if (goes_without_saying(pattern, candidate.matches)) return false;
  engine::PatternMatch match;
  match.pattern = pattern;
  if (!set_->match(pattern, raw_[pattern] ? message.raw : message.text, match.groups, costs)) return false;
  candidate.matches.push_back(std::move(match));
  return true;
}

void Matcher::confirm(Scratch& scratch, std::vector<Candidate>& candidates) const {
  std::erase_if(candidates, [&](Candidate& candidate) {
    syslog::Message message;
    if (!scratch.parser.parse(candidate.frame.bytes, message)) return true;
    std::erase_if(candidate.patterns, [&](std::uint32_t pattern) { return !confirmed(message, pattern, candidate, scratch.costs); });
    // A decoded text is the parser's and gone with the next frame.
    const std::string_view bytes = candidate.frame.bytes;
    const bool stays = std::less_equal<>()(bytes.data(), message.text.data()) &&
                       std::less_equal<>()(message.text.data() + message.text.size(), bytes.data() + bytes.size());
    if (!stays) candidate.matches.clear();
    return candidate.patterns.empty();
  });
}

void Matcher::candidate_patterns(const syslog::Message& message, Scratch& scratch, std::vector<std::uint32_t>& out) const {
  set_->scan_text(message.raw, scratch.scan, scratch.ids);
  out.insert(out.end(), scratch.ids.begin(), scratch.ids.end());
  if (!syslog::may_hide_literals(message.raw)) return;
  set_->scan_text(message.text, scratch.scan, scratch.ids);
  out.insert(out.end(), scratch.ids.begin(), scratch.ids.end());
  sort_and_unite(out);
}

bool Matcher::frame(std::string_view bytes, syslog::Parser& parser, Scratch& scratch, syslog::Message& message,
                    std::vector<std::uint32_t>& out) const {
  if (!syslog::may_hide_literals(bytes)) {
    set_->scan_text(bytes, scratch.scan, scratch.ids);
    if (scratch.ids.empty()) return false;
    out.assign(scratch.ids.begin(), scratch.ids.end());
    return parser.parse(bytes, message);
  }
  // rsyslog escapes each slash, so that almost every frame has escapes, and almost none means anything: those are not parsed.
  if (syslog::without_escapes(bytes, scratch.plain)) {
    // All that the parser will give stands in one of the two.
    for (const std::string_view text : {std::string_view(scratch.plain), bytes}) {
      set_->scan_text(text, scratch.scan, scratch.ids);
      out.insert(out.end(), scratch.ids.begin(), scratch.ids.end());
    }
    if (out.empty()) return false;
    sort_and_unite(out);
    return parser.parse(bytes, message);
  }
  if (!parser.parse(bytes, message)) return false;
  candidate_patterns(message, scratch, out);
  return !out.empty();
}

void Matcher::match(const syslog::Message& message, std::span<const std::uint32_t> tried,
                    std::vector<engine::PatternMatch>& out, pattern::Costs* costs) const {
  for (const std::uint32_t id : tried) {
    if (id >= rules_->patterns.size() || goes_without_saying(id, out)) continue;
    engine::PatternMatch match;
    match.pattern = id;
    if (set_->match(id, raw_[id] ? message.raw : message.text, match.groups, costs)) out.push_back(std::move(match));
  }
}

}  // namespace correlator::pipeline
