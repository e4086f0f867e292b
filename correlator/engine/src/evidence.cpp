// SPDX-License-Identifier: Apache-2.0
#include "evidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "expr/value.h"

namespace correlator::engine {
namespace {

std::optional<EvidenceLine> line_of(const StateRow& row) {
  const std::optional<Json> body = parse_json(row.body);
  if (!body || !body->is_array() || body->size() != 5) return std::nullopt;
  const Json& json = *body;
  if (!json[0].is_number_integer() || !json[4].is_number_unsigned()) return std::nullopt;
  std::string texts[3];
  for (std::size_t i = 0; i < 3; ++i) {
    const std::optional<expr::Value> value = expr::from_json(json[i + 1]);
    if (!value || value->text() == nullptr) return std::nullopt;
    texts[i] = *value->text();
  }
  return EvidenceLine{row.id,   Timestamp{json[0].get<std::int64_t>()},
                      texts[0], texts[1],
                      texts[2], json[4].get<std::uint64_t>()};
}

// As to_line() writes it. Nearly every text is printable ASCII that needs no escape.
void put_with_size(std::string& out, const std::string& text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < '\x7f' && c != '"' && c != '\\'; });
  if (!plain) {
    out += to_line(expr::to_json(text));
    return;
  }
  out += '"';
  out += text;
  out += '"';
}

std::string body_of(const EvidenceLine& line) {
  std::string out;
  out.reserve(line.host.size() + line.text.size() + line.file.size() + 48);
  out += '[';
  out += std::to_string(line.time.us);
  for (const std::string* text : {&line.host, &line.text, &line.file}) {
    out += ',';
    put_with_size(out, *text);
  }
  out += ',';
  out += std::to_string(line.line_number);
  out += ']';
  return out;
}

Diagnostic unreadable(std::uint64_t seq) {
  return make_error("E310", fmt::format("the stored evidence line {} cannot be read", seq),
                    "the state database is damaged");
}

}  // namespace

EvidenceStore::Entry& EvidenceStore::entry(std::uint64_t seq) {
  const std::size_t before = lines_.size();
  Entry& entry = lines_[seq];
  if (lines_.size() != before) entry.written = texts_ != nullptr && seq <= upto_ ? 1 : 0;
  return entry;
}

void EvidenceStore::set_text(Entry& entry, EvidenceLine line) const {
  if (entry.text == kNoText) {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(pool_.size()));
      pool_.emplace_back();
    }
    entry.text = free_.back();
    free_.pop_back();
  }
  pool_[entry.text] = std::make_unique<EvidenceLine>(std::move(line));
}

void EvidenceStore::add(EvidenceLine line) {
  const std::uint64_t seq = line.seq;
  if (line.text.size() > kMaxText) line.text.resize(kMaxText);
  set_text(entry(seq), std::move(line));
  loose_.push_back(seq);
  fresh_.push_back(seq);
}

void EvidenceStore::keep(std::uint64_t seq) {
  ++entry(seq).references;
}

void EvidenceStore::release(std::uint64_t seq) {
  Entry* found = lines_.find(seq);
  if (found == nullptr || found->references == 0) return;
  if (--found->references == 0) loose_.push_back(seq);
}

const EvidenceLine* EvidenceStore::find(std::uint64_t seq) const {
  Entry* found = lines_.find(seq);
  if (found == nullptr) return nullptr;
  if (found->text == kNoText && found->written && texts_ != nullptr) read_text(seq, *found);
  return found->text == kNoText ? nullptr : pool_[found->text].get();
}

void EvidenceStore::read_text(std::uint64_t seq, Entry& entry) const {
  const auto row = texts_->line(seq);
  if (!row) {
    failure_ = row.error();
  } else if (*row) {
    auto line = line_of(**row);
    if (line) {
      set_text(entry, std::move(*line));
    } else {
      failure_ = unreadable(seq);
    }
  }
}

void EvidenceStore::sweep() {
  for (const std::uint64_t seq : loose_) {
    const Entry* found = lines_.find(seq);
    if (found == nullptr || found->references > 0) continue;
    if (found->written) erased_.push_back(seq);
    if (found->text != kNoText) {
      pool_[found->text].reset();
      free_.push_back(found->text);
    }
    lines_.erase(seq);
  }
  loose_.clear();
}

std::uint64_t EvidenceStore::bytes() const {
  // A line is the heap's own word and the object; short texts live inside their string.
  const auto heap = [](const std::string& text) { return text.capacity() > 15 ? text.capacity() + 17 : 0; };
  std::uint64_t total = lines_.bytes() + pool_.capacity() * sizeof(pool_[0]) + free_.capacity() * sizeof(free_[0]);
  for (const auto& line : pool_) {
    if (line) total += sizeof(EvidenceLine) + sizeof(void*) + heap(line->host) + heap(line->text) + heap(line->file);
  }
  return total;
}

void EvidenceStore::take_changes(std::vector<StateRow>& out) {
  for (const std::uint64_t seq : erased_) out.push_back({StateKind::evidence, seq, {}, {}, {}, true});
  erased_.clear();
  for (const std::uint64_t seq : fresh_) {
    Entry* found = lines_.find(seq);
    if (found == nullptr || found->written || found->text == kNoText) continue;
    out.push_back({StateKind::evidence, seq, {}, {}, body_of(*pool_[found->text]), false});
    found->written = 1;
  }
  fresh_.clear();
}

Status EvidenceStore::restore(const StateRow& row) {
  auto line = line_of(row);
  if (!line) return unreadable(row.id);
  Entry& known = entry(row.id);
  set_text(known, std::move(*line));
  known.written = 1;
  loose_.push_back(row.id);
  return {};
}

void EvidenceStore::read_from(std::shared_ptr<EvidenceTexts> texts, std::uint64_t upto) {
  texts_ = std::move(texts);
  upto_ = upto;
}

}  // namespace correlator::engine
