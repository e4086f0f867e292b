// SPDX-License-Identifier: Apache-2.0
#include "statement.h"

#include <algorithm>
#include <cctype>

#include "base/text.h"

namespace correlator::rules::sec {
namespace {

constexpr std::string_view kBlanks = " \t\r\v\f";
bool blank(char c) { return kBlanks.find(c) != std::string_view::npos; }

// A logical line: what a \ at the end continues is one with what follows.
struct Joined {
  std::string text;
  std::vector<Piece> pieces;
};

class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}

  // True where the last line should have gone on; next() did not give it as a line, but `out` is it.
  bool ends_within() const { return ends_within_; }

  bool next(Joined& out) {
    if (text_.empty()) return false;
    out = {};
    for (;;) {
      std::string_view line = take();
      out.pieces.push_back({out.text.size(), number_, 1, std::string(line)});
      out.text += line;
      // What is looked at is all that stands there by now: an empty line behind "\ \" takes away the second \, too.
      const std::size_t last = out.text.find_last_not_of(kBlanks);
      if (last == std::string::npos || out.text[last] != '\\') return true;
      out.text.resize(last);
      if (!text_.empty()) continue;
      ends_within_ = true;
      return false;
    }
  }

 private:
  std::string_view take() {
    ++number_;
    const std::size_t end = text_.find('\n');
    const std::string_view line = text_.substr(0, end);
    text_.remove_prefix(end == std::string_view::npos ? text_.size() : end + 1);
    return line;
  }

  std::string_view text_;
  std::uint32_t number_ = 0;
  bool ends_within_ = false;
};

std::size_t first_of_text(std::string_view text, std::size_t from = 0) {
  while (from < text.size() && blank(text[from])) ++from;
  return from;
}

// The place of byte `offset` of a joined text.
Piece piece_at(const std::vector<Piece>& pieces, std::size_t offset) {
  Piece found = pieces.front();
  for (const Piece& piece : pieces) {
    if (piece.offset <= offset) found = piece;
  }
  found.column += static_cast<std::uint32_t>(offset - found.offset);
  return found;
}

// False if the line is no keyword=value.
bool make_field(const Joined& line, Field& field) {
  const std::string& text = line.text;
  std::size_t at = first_of_text(text);
  const std::size_t key = at;
  while (at < text.size() && std::isalnum(static_cast<unsigned char>(text[at]))) ++at;
  const std::size_t key_end = at;
  at = first_of_text(text, at);
  if (key == key_end || at >= text.size() || text[at] != '=') return false;
  const std::size_t value = first_of_text(text, at + 1);
  std::size_t end = text.size();
  while (end > value && blank(text[end - 1])) --end;
  if (value >= end) return false;
  const Piece where = piece_at(line.pieces, key);
  field = {text.substr(key, key_end - key), text.substr(value, end - value), where.line, where.column, where.source, {}};
  for (const Piece& piece : line.pieces) {
    if (piece.offset <= value) field.pieces.assign(1, {0, piece.line, piece.column + static_cast<std::uint32_t>(value - piece.offset), piece.source});
    else if (piece.offset < end) field.pieces.push_back({piece.offset - value, piece.line, piece.column, piece.source});
  }
  return true;
}

// The last line says that it goes on.
void lost_at_the_end(const Joined& line, const std::string& file, Diagnostics& diagnostics) {
  Diagnostic d = make_error("E081", "this line goes on behind the end of the file, and is passed over", "take away the \\ at its end, or write a line behind it");
  d.gravity = Gravity::warning;
  d.place = {file, line.pieces.front().line, 1};
  d.source = line.pieces.front().source;
  diagnostics.push_back(std::move(d));
}

}  // namespace

std::vector<Group> cut_statements(std::string_view text, const std::string& file, Diagnostics& diagnostics) {
  std::vector<Group> groups;
  Group open;
  Joined line;
  const auto close = [&] {
    if (!open.fields.empty()) groups.push_back(std::move(open));
    open = {};
  };
  Lines lines(text);
  while (lines.next(line)) {
    const std::size_t begin = first_of_text(line.text);
    if (begin == line.text.size() || line.text[begin] == '#') {
      close();
      continue;
    }
    Field field;
    if (!make_field(line, field)) {
      Diagnostic d = make_error("E081", "this line is no keyword=value, and is passed over",
                                "a keyword is letters and digits, and a value is not empty; a comment begins with #");
      d.place = {file, line.pieces.front().line, static_cast<std::uint32_t>(begin) + 1};
      d.source = line.pieces.front().source;
      diagnostics.push_back(std::move(d));
      continue;
    }
    if (open.fields.empty()) open.line = field.line;
    open.fields.push_back(std::move(field));
  }
  if (lines.ends_within()) lost_at_the_end(line, file, diagnostics);
  close();
  return groups;
}

Diagnostic about(const std::string& file, const Field& field, std::size_t offset, std::size_t length, std::string message, std::string hint) {
  Diagnostic d = make_error("E081", std::move(message), std::move(hint));
  const Piece where = piece_at(field.pieces, offset);
  d.place = {file, where.line, where.column};
  d.source = where.source;
  const std::size_t left = where.source.size() >= where.column ? where.source.size() - where.column + 1 : 1;
  d.caret_length = static_cast<std::uint32_t>(std::clamp<std::size_t>(length, 1, std::max<std::size_t>(left, 1)));
  return d;
}

}  // namespace correlator::rules::sec
