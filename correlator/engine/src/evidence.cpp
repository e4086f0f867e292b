// SPDX-License-Identifier: Apache-2.0
#include "evidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "engine/intake.h"
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

// Of memory: the heap's own word and the object; short texts live inside their string.
std::uint64_t size_of(const EvidenceLine& line) {
  const auto heap = [](const std::string& text) { return text.capacity() > 15 ? text.capacity() + 17 : 0; };
  return sizeof(EvidenceLine) + sizeof(void*) + heap(line.host) + heap(line.text) + heap(line.file);
}

}  // namespace

EvidenceLine evidence_of(const LineRecord& record, std::uint64_t seq) {
  const syslog::Message& message = *record.message;
  return {seq, record.time, std::string(message.host), std::string(message.text.substr(0, EvidenceStore::kMaxText)), std::string(record.stream), record.line_number};
}

EvidenceStore::Entry& EvidenceStore::entry(std::uint64_t seq) const {
  const std::size_t before = lines_.size();
  Entry& entry = lines_[seq];
  if (lines_.size() == before) return entry;
  entry.written = carried(seq) ? 1 : 0;
  if (alone_.erase(seq)) entry.references = 1;
  return entry;
}

EvidenceStore::Entry* EvidenceStore::known(std::uint64_t seq) const {
  if (Entry* found = lines_.find(seq)) return found;
  return alone_.contains(seq) ? &entry(seq) : nullptr;
}

// What its entry says is what alone_ says of it.
void EvidenceStore::leave_alone(std::uint64_t seq, const Entry& entry) const {
  if (texts_ == nullptr || seq > upto_ || entry.references != 1 || entry.text != kNoText || (entry.written != 0) != carried(seq)) return;
  lines_.erase(seq);
  alone_.insert(seq);
}

void EvidenceStore::set_text(Entry& entry, EvidenceLine line) const {
  if (entry.text == kNoText) {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(pool_.size()));
      pool_.emplace_back();
    }
    entry.text = free_.back();
    free_.pop_back();
    if (texts_ != nullptr) in_memory_.push_back(line.seq);
  } else if (pool_[entry.text] != nullptr) {
    text_bytes_ -= size_of(*pool_[entry.text]);
  }
  text_bytes_ += size_of(line);
  pool_[entry.text] = std::make_unique<EvidenceLine>(std::move(line));
}

void EvidenceStore::drop_text(Entry& entry) const {
  text_bytes_ -= size_of(*pool_[entry.text]);
  pool_[entry.text].reset();
  free_.push_back(entry.text);
  entry.text = kNoText;
}

void EvidenceStore::add(EvidenceLine line) {
  const std::uint64_t seq = line.seq;
  if (line.text.size() > kMaxText) line.text.resize(kMaxText);
  set_text(entry(seq), std::move(line));
  loose_.push_back(seq);
  if (texts_ == nullptr) fresh_.push_back(seq);
}

void EvidenceStore::keep(std::uint64_t seq) {
  if (texts_ != nullptr && seq <= upto_ && !alone_.contains(seq) && lines_.find(seq) == nullptr) {
    alone_.insert(seq);
  } else {
    ++entry(seq).references;
  }
}

void EvidenceStore::release(std::uint64_t seq) {
  Entry* found = known(seq);
  if (found == nullptr || found->references == 0) return;
  if (--found->references == 0) loose_.push_back(seq);
}

const EvidenceLine* EvidenceStore::find(std::uint64_t seq) const {
  Entry* found = known(seq);
  if (found == nullptr) return nullptr;
  if (found->text == kNoText && texts_ != nullptr && seq <= upto_) read_text(seq, *found);
  return found->text == kNoText ? nullptr : pool_[found->text].get();
}

void EvidenceStore::read_text(std::uint64_t seq, Entry& entry) const {
  if (!entry.written) {
    auto line = texts_->line(seq);
    if (!line) {
      failure_ = line.error();
    } else if (*line) {
      set_text(entry, std::move(**line));
    }
    return;
  }
  const auto row = texts_->row(seq);
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
    Entry* found = lines_.find(seq);
    if (found == nullptr || found->references > 0) continue;
    if (found->written) erased_.push_back(seq);
    if (found->text != kNoText) drop_text(*found);
    lines_.erase(seq);
  }
  loose_.clear();
}

std::uint64_t EvidenceStore::bytes() const {
  return lines_.bytes() + alone_.bytes() + pool_.capacity() * sizeof(pool_[0]) + free_.capacity() * sizeof(free_[0]) + in_memory_.size() * sizeof(in_memory_[0]) + text_bytes_;
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

void EvidenceStore::read_from(std::shared_ptr<EvidenceTexts> texts, std::uint64_t upto, std::uint64_t carried) {
  texts_ = std::move(texts);
  upto_ = upto;
  carried_ = std::min(carried, upto);
}

void EvidenceStore::stored(std::uint64_t upto) {
  if (texts_ == nullptr) return;
  upto_ = upto;
  const auto text_of = [this](std::uint64_t seq) {
    Entry* found = lines_.find(seq);
    return found != nullptr && found->text != kNoText ? found : nullptr;
  };
  for (; text_bytes_ > kInMemory && !in_memory_.empty(); in_memory_.pop_front()) {
    if (Entry* oldest = text_of(in_memory_.front())) {
      drop_text(*oldest);
      leave_alone(in_memory_.front(), *oldest);
    }
  }
  const std::size_t texts = pool_.size() - free_.size();
  if (in_memory_.size() > 2 * texts + 1024) std::erase_if(in_memory_, [&](std::uint64_t seq) { return text_of(seq) == nullptr; });
}

Status EvidenceStore::carry_over(const RowVisitor& write) {
  std::vector<std::uint64_t> numbers;
  lines_.each([&](std::uint64_t seq, const Entry& entry) {
    if (!entry.written) numbers.push_back(seq);
  });
  alone_.each([&](std::uint64_t seq) {
    if (!carried(seq)) numbers.push_back(seq);
  });
  std::sort(numbers.begin(), numbers.end());
  for (const std::uint64_t seq : numbers) {
    Entry& entry = *known(seq);
    const bool was_there = entry.text != kNoText;
    const EvidenceLine* line = find(seq);
    if (!failure_.ok()) return failure_;
    if (line == nullptr) continue;
    if (auto status = write({StateKind::evidence, seq, {}, {}, body_of(*line), false}); !status) return status;
    if (was_there) continue;
    drop_text(entry);
    leave_alone(seq, entry);
  }
  return {};
}

void EvidenceStore::carried_over(std::uint64_t upto) {
  lines_.each([](std::uint64_t, Entry& entry) { entry.written = 1; });
  carried_ = upto;
}

}  // namespace correlator::engine
