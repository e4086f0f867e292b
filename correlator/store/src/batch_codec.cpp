// SPDX-License-Identifier: Apache-2.0
#include "batch_codec.h"

#include "base/json.h"
#include "base/varint.h"
#include "engine/json.h"

namespace correlator::store {
namespace {

constexpr char kVersion = 1;

std::string fate_name(engine::Decision::Fate fate) {
  switch (fate) {
    case engine::Decision::Fate::decided: return "decided";
    case engine::Decision::Fate::held: return "held";
    case engine::Decision::Fate::dropped: return "dropped";
  }
  return "decided";
}

// Both directions are one list of fields each: what put() writes take() reads.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  void operator()(std::uint64_t n) { put_varint(out_, n); }
  void operator()(std::uint32_t n) { put_varint(out_, n); }
  void operator()(IntakeKind kind) { put_varint(out_, static_cast<std::uint64_t>(kind)); }
  void operator()(Timestamp time) { put_signed(out_, time.us); }
  void operator()(const std::string& text) {
    put_varint(out_, text.size());
    out_ += text;
  }

 private:
  std::string& out_;
};

class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}
  void operator()(std::uint64_t& n) { good_ = good_ && take_varint(in_, n); }
  void operator()(std::uint32_t& n) {
    std::uint64_t wide = 0;
    (*this)(wide);
    n = static_cast<std::uint32_t>(wide);
  }
  void operator()(IntakeKind& kind) {
    std::uint64_t wide = 0;
    (*this)(wide);
    kind = static_cast<IntakeKind>(wide);
  }
  void operator()(Timestamp& time) { good_ = good_ && take_signed(in_, time.us); }
  void operator()(std::string& text) {
    std::uint64_t size = 0;
    (*this)(size);
    good_ = good_ && size <= in_.size();
    if (!good_) return;
    text = in_.substr(0, static_cast<std::size_t>(size));
    in_.remove_prefix(static_cast<std::size_t>(size));
  }
  bool good() const { return good_; }
  bool done() const { return good_ && in_.empty(); }

 private:
  std::string_view in_;
  bool good_ = true;
};

template <class Visit, class Row>
void fields(Visit& visit, Row& row)
  requires requires { row.frame; }
{
  visit(row.seq), visit(row.kind), visit(row.time), visit(row.stream), visit(row.line_number), visit(row.frame);
  visit(row.extra), visit(row.line_id);
}
template <class Visit, class Row>
void fields(Visit& visit, Row& row)
  requires requires { row.document; }
{
  visit(row.id), visit(row.time), visit(row.seq), visit(row.rule), visit(row.key), visit(row.step), visit(row.action);
  visit(row.fate), visit(row.document), visit(row.arguments);
}
template <class Visit, class Row>
void fields(Visit& visit, Row& row)
  requires requires { row.identity; }
{
  visit(row.stream), visit(row.identity), visit(row.offset), visit(row.line), visit(row.extra);
}

template <class Row>
void put(Writer& writer, const std::vector<Row>& rows) {
  writer(std::uint64_t{rows.size()});
  for (const Row& row : rows) fields(writer, row);
}
template <class Row>
void take(Reader& reader, std::vector<Row>& rows) {
  std::uint64_t count = 0;
  reader(count);
  while (reader.good() && count-- > 0) fields(reader, rows.emplace_back());
}

}  // namespace

std::vector<DecisionRow> decision_rows(const std::vector<engine::Decision>& decisions) {
  std::vector<DecisionRow> rows;
  rows.reserve(decisions.size());
  for (const engine::Decision& d : decisions) {
    rows.push_back({d.id, d.time, d.seq, d.rule, engine::to_text(d.key), d.step, d.action, fate_name(d.fate),
                    to_line(engine::to_json(d)), to_line(Json(d.parts))});
  }
  return rows;
}

std::string encode_batch(const Batch& batch, const std::vector<DecisionRow>& decisions) {
  std::string out(1, kVersion);
  Writer writer(out);
  put(writer, batch.intake);
  put(writer, decisions);
  put(writer, batch.cursors);
  return out;
}

bool decode_batch(std::string_view bytes, SpooledBatch& out) {
  if (bytes.empty() || bytes[0] != kVersion) return false;
  Reader reader(bytes.substr(1));
  take(reader, out.batch.intake);
  take(reader, out.decisions);
  take(reader, out.batch.cursors);
  return reader.done();
}

}  // namespace correlator::store
