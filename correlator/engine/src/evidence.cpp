// SPDX-License-Identifier: Apache-2.0
// The texts of evidence lines, once each.
#include <fmt/format.h>

#include <utility>

#include "base/json.h"
#include "decoder.h"
#include "expr/value.h"

namespace correlator::engine {

void EvidenceStore::add(EvidenceLine line) {
  const std::uint64_t seq = line.seq;
  Entry& entry = lines_[seq];
  if (line.text.size() > kMaxText) line.text.resize(kMaxText);
  entry.line = std::move(line);
  entry.known = true;
  loose_.push_back(seq);
  fresh_.push_back(seq);
}

void EvidenceStore::keep(std::uint64_t seq) {
  ++lines_[seq].references;
}

void EvidenceStore::release(std::uint64_t seq) {
  const auto found = lines_.find(seq);
  if (found == lines_.end() || found->second.references == 0) return;
  if (--found->second.references == 0) loose_.push_back(seq);
}

const EvidenceLine* EvidenceStore::find(std::uint64_t seq) const {
  const auto found = lines_.find(seq);
  return found == lines_.end() || !found->second.known ? nullptr : &found->second.line;
}

void EvidenceStore::sweep() {
  for (const std::uint64_t seq : loose_) {
    const auto found = lines_.find(seq);
    if (found == lines_.end() || found->second.references > 0) continue;
    if (found->second.written) erased_.push_back(seq);
    lines_.erase(found);
  }
  loose_.clear();
}

std::uint64_t EvidenceStore::bytes() const {
  // A node of the map is the entry, its key, a link and the heap's own word; short texts live inside their string.
  constexpr std::uint64_t kNode = sizeof(Entry) + sizeof(std::uint64_t) + 2 * sizeof(void*);
  const auto heap = [](const std::string& text) { return text.capacity() > 15 ? text.capacity() + 17 : 0; };
  std::uint64_t total = lines_.bucket_count() * sizeof(void*);
  for (const auto& [seq, entry] : lines_) total += kNode + heap(entry.line.host) + heap(entry.line.text) + heap(entry.line.file);
  return total;
}

std::size_t EvidenceStore::size() const {
  return lines_.size();
}

void EvidenceStore::take_changes(std::vector<StateRow>& out) {
  for (const std::uint64_t seq : erased_) out.push_back({StateKind::evidence, seq, {}, {}, {}, true});
  erased_.clear();
  for (const std::uint64_t seq : fresh_) {
    const auto found = lines_.find(seq);
    if (found == lines_.end() || found->second.written) continue;
    const EvidenceLine& line = found->second.line;
    const Json body = Json::array({line.time.us, expr::to_json(line.host), expr::to_json(line.text),
                                   expr::to_json(line.file), line.line_number});
    out.push_back({StateKind::evidence, seq, {}, {}, to_line(body), false});
    found->second.written = true;
  }
  fresh_.clear();
}

Status EvidenceStore::restore(const StateRow& row) {
  const auto bad = [&] {
    return make_error("E310", fmt::format("the stored evidence line {} cannot be read", row.id),
                      "the state database is damaged");
  };
  const std::optional<Json> body = parse_json(row.body);
  if (!body || !body->is_array() || body->size() != 5) return bad();
  const Json& json = *body;
  if (!json[0].is_number_integer() || !json[4].is_number_unsigned()) return bad();
  std::string texts[3];
  for (std::size_t i = 0; i < 3; ++i) {
    const std::optional<expr::Value> value = expr::from_json(json[i + 1]);
    if (!value || value->text() == nullptr) return bad();
    texts[i] = *value->text();
  }
  Entry& entry = lines_[row.id];
  entry.line = {row.id,   Timestamp{json[0].get<std::int64_t>()},
                texts[0], texts[1],
                texts[2], json[4].get<std::uint64_t>()};
  entry.known = entry.written = true;
  loose_.push_back(row.id);
  return {};
}

}  // namespace correlator::engine
