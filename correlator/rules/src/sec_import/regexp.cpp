// SPDX-License-Identifier: Apache-2.0
#include "regexp.h"

#include <cctype>

#include "pattern/regex.h"

namespace correlator::rules::sec {
namespace {

// A piece of a pattern: an atom with its quantifier, or a sign.
struct Piece {
  enum class Kind : std::uint8_t { atom, open, close, either, begin, end, other } kind = Kind::atom;
  std::size_t at = 0, length = 0;  // without the quantifier
  char quantifier = 0;             // + * ? {
  std::size_t behind = 0;          // the first byte after it
};

std::size_t class_end(const std::string& text, std::size_t at) {
  std::size_t i = at + 1;
  if (i < text.size() && text[i] == '^') ++i;
  if (i < text.size() && text[i] == ']') ++i;
  while (i < text.size() && text[i] != ']') {
    const std::size_t named = text.compare(i, 2, "[:") == 0 ? text.find(":]", i) : std::string::npos;
    if (named != std::string::npos) i = named + 2;
    else i += text[i] == '\\' ? 2 : 1;
  }
  return std::min(i + 1, text.size());
}

std::size_t escape_end(const std::string& text, std::size_t at) {
  if (at + 1 >= text.size()) return text.size();
  if (text[at + 1] != 'x') return at + 2;
  if (at + 2 < text.size() && text[at + 2] == '{') return std::min(text.find('}', at), text.size() - 1) + 1;
  return std::min(at + 4, text.size());
}

std::size_t open_end(const std::string& text, std::size_t at) {
  if (at + 1 >= text.size() || text[at + 1] != '?') return at + 1;
  const std::size_t angle = text.find('<', at) < text.find_first_of(":)", at) ? text.find('>', at) : std::string::npos;
  if (angle != std::string::npos) return angle + 1;
  const std::size_t end = text.find_first_of(":)", at);
  return std::min(end == std::string::npos ? end : end + 1, text.size());
}

bool takes_quantifier(const std::string& text, std::size_t at) {
  const char c = at < text.size() ? text[at] : '\0';
  return c == '+' || c == '*' || c == '?' || (c == '{' && at + 1 < text.size() && std::isdigit(static_cast<unsigned char>(text[at + 1])));
}

Piece next_piece(const std::string& text, std::size_t at) {
  Piece out;
  out.at = at;
  std::size_t end = at + 1;
  using Kind = Piece::Kind;
  switch (text[at]) {
    case '\\':
      end = escape_end(text, at);
      if (text.compare(at, 2, "\\A") == 0) out.kind = Kind::begin;
      else if (text.compare(at, 2, "\\z") == 0) out.kind = Kind::end;
      else if (text.compare(at, 2, "\\b") == 0 || text.compare(at, 2, "\\B") == 0 || text.compare(at, 2, "\\Q") == 0) out.kind = Kind::other;
      break;
    case '[': end = class_end(text, at); break;
    case '(':
      end = open_end(text, at);
      out.kind = text[end - 1] == ')' ? Kind::other : Kind::open;  // (?i)
      break;
    case ')': out.kind = Kind::close; break;
    case '|': out.kind = Kind::either; break;
    case '^': out.kind = Kind::begin; break;
    case '$': out.kind = Kind::end; break;
    default: break;
  }
  out.length = end - at;
  if (takes_quantifier(text, end)) {
    out.quantifier = text[end];
    end = text[end] == '{' ? std::min(text.find('}', end), text.size() - 1) + 1 : end + 1;
    if (end < text.size() && text[end] == '?') ++end;
  }
  out.behind = end;
  return out;
}

std::vector<Piece> pieces_of(const std::string& text) {
  std::vector<Piece> out;
  for (std::size_t at = 0; at < text.size(); at = out.back().behind) out.push_back(next_piece(text, at));
  return out;
}

bool captures(const std::string& text, const Piece& piece) {
  if (piece.kind != Piece::Kind::open) return false;
  return piece.length == 1 || text[piece.at + piece.length - 1] == '>';
}

// What one atom matches.
Bytes bytes_of(const std::string& text, const Piece& piece) {
  Bytes out;
  const auto one = pattern::Regex::compile("\\A(?:" + text.substr(piece.at, piece.length) + ")\\z");
  for (int c = 0; one && c < 256; ++c) {
    const char byte = static_cast<char>(c);
    out[static_cast<std::size_t>(c)] = one->matches({&byte, 1});
  }
  return out;
}

bool may_be_none(const std::string& text, const Piece& piece) {
  return piece.quantifier == '?' || piece.quantifier == '*' || (piece.quantifier == '{' && text[piece.at + piece.length + 1] == '0');
}

void learn_content(const std::string& text, GroupFacts& group) {
  const std::string inner = text.substr(group.inner, group.close - group.inner);
  const std::vector<Piece> pieces = pieces_of(inner);
  if (pieces.size() != 1 || pieces.front().kind != Piece::Kind::atom) return;
  group.bytes = bytes_of(inner, pieces.front());
  group.may_be_empty = may_be_none(inner, pieces.front());
}

// The letters behind ^, as far as they stand for themselves.
std::string beginning(const std::string& text) {
  std::string out;
  const std::vector<Piece> pieces = pieces_of(text);
  if (pieces.empty() || pieces.front().kind != Piece::Kind::begin) return out;
  for (const Piece& piece : pieces) {
    if (piece.kind == Piece::Kind::either) return {};  // wherever it stands
  }
  for (std::size_t i = 1; i < pieces.size(); ++i) {
    const Piece& piece = pieces[i];
    const bool escaped = piece.length == 2 && text[piece.at] == '\\' && std::ispunct(static_cast<unsigned char>(text[piece.at + 1]));
    if (piece.kind != Piece::Kind::atom || piece.quantifier != 0 || (piece.length > 1 && !escaped) || text[piece.at] == '.') break;
    out += text[piece.at + piece.length - 1];
  }
  return out;
}

}  // namespace

std::vector<GroupFacts> groups_of(const std::string& regexp) {
  struct Open {
    std::size_t number;  // 0: it captures nothing
    bool alternatives = false;
    std::size_t first;  // groups from here on are inside
  };
  std::vector<GroupFacts> out(1);
  std::vector<Open> stack{{0, false, 1}};
  const auto perhaps = [&](std::size_t from) {
    for (std::size_t i = from; i < out.size(); ++i) out[i].always = false;
  };
  for (const Piece& piece : pieces_of(regexp)) {
    if (piece.kind == Piece::Kind::either) stack.back().alternatives = true;
    if (piece.kind == Piece::Kind::open) {
      stack.push_back({captures(regexp, piece) ? out.size() : 0, false, out.size()});
      if (stack.back().number != 0) {
        out.emplace_back();
        out.back().open = piece.at;
        out.back().inner = piece.at + piece.length;
        ++stack.back().first;
      }
    }
    if (piece.kind != Piece::Kind::close || stack.size() == 1) continue;
    const Open done = stack.back();
    stack.pop_back();
    if (done.alternatives) perhaps(done.first);
    if (may_be_none(regexp, piece)) perhaps(done.number != 0 ? done.number : done.first);
    if (done.number != 0) out[done.number].close = piece.at;
  }
  if (stack.front().alternatives) perhaps(1);
  for (std::size_t i = 1; i < out.size(); ++i) learn_content(regexp, out[i]);
  return out;
}

std::string with_names(const std::string& regexp, const std::vector<GroupFacts>& groups, const std::map<std::size_t, std::string>& names) {
  std::string out;
  std::size_t at = 0;
  for (std::size_t i = 1; i < groups.size(); ++i) {
    out += regexp.substr(at, groups[i].open - at);
    const auto name = names.find(i);
    out += name == names.end() ? "(?:" : "(?<" + name->second + ">";
    at = groups[i].inner;
  }
  return out + regexp.substr(at);
}

std::string as_regexp(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f) {
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      if (std::ispunct(byte) != 0 && c != '_') out += '\\';
      out += c;
    }
  }
  return out;
}

bool apart(const std::string& one, const std::string& other) {
  const std::string a = beginning(one), b = beginning(other);
  const std::size_t n = std::min(a.size(), b.size());
  return a.compare(0, n, b, 0, n) != 0;
}

bool fits_in_one_way(const std::string& regexp, std::size_t until) {
  using Kind = Piece::Kind;
  const std::vector<Piece> all = pieces_of(regexp);
  if (all.empty() || all.front().kind != Kind::begin) return false;
  std::vector<Piece> pieces;  // parentheses hide nothing here
  for (const Piece& piece : all) {
    if (piece.at < until && (piece.kind == Kind::either || piece.kind == Kind::other)) return false;
    if (piece.kind == Kind::open) continue;
    if (piece.kind == Kind::close && piece.quantifier == 0) continue;
    pieces.push_back(piece);
  }
  for (std::size_t i = 1; i < pieces.size() && pieces[i].at < until; ++i) {
    const Piece& piece = pieces[i];
    if (piece.kind == Kind::end) return true;
    if (piece.kind != Kind::atom) return false;
    if (piece.quantifier == 0) continue;
    if (piece.quantifier != '+' && piece.quantifier != '*') return false;
    if (i + 1 == pieces.size()) return false;
    const Piece& next = pieces[i + 1];
    if (next.kind == Kind::end) continue;
    if (next.kind != Kind::atom || may_be_none(regexp, next)) return false;
    if ((bytes_of(regexp, piece) & bytes_of(regexp, next)).any()) return false;
  }
  return true;
}

}  // namespace correlator::rules::sec
