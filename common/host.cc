#include "common/host.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "common/idna.h"
#include "common/text.h"

namespace trawl {
namespace {

using Ipv6Pieces = std::array<std::uint16_t, 8>;

// What a byte of a host asks for.
enum : std::uint8_t {
  kForbidden = 1,  // a forbidden domain code point, "%" apart
  kPercent = 2,
  kNonAscii = 4,
  kUpper = 8,
  kHyphen = 16,
};

constexpr std::array<std::uint8_t, 256> kHostClass = [] {
  std::array<std::uint8_t, 256> table{};
  for (std::size_t c = 0; c <= 0x20; ++c) table[c] = kForbidden;
  for (const unsigned char c : std::string_view("#/:<>?@[\\]^|\x7F")) table[c] = kForbidden;
  for (std::size_t c = 'A'; c <= 'Z'; ++c) table[c] = kUpper;
  for (std::size_t c = 0x80; c < table.size(); ++c) table[c] = kNonAscii;
  table['%'] = kPercent;
  table['-'] = kHyphen;
  return table;
}();

// The classes of all bytes of `text`.
unsigned ClassesOf(std::string_view text) {
  unsigned classes = 0;
  for (const unsigned char c : text) classes |= kHostClass[c];
  return classes;
}

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

void AppendNumber(std::uint32_t value, int base, std::string& out) {
  std::array<char, 10> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, base).ptr;
  out.append(digits.data(), end);
}

// IPv4 number parser. Numbers too large for an address come out as some number too large for it.
std::optional<std::uint64_t> ParseIpv4Number(std::string_view text) {
  if (text.empty()) return std::nullopt;
  int radix = 10;
  if (text.size() >= 2 && text[0] == '0') {
    const bool hex = ToLower(text[1]) == 'x';
    radix = hex ? 16 : 8;
    text.remove_prefix(hex ? 2 : 1);
  }
  std::uint64_t value = 0;
  for (const char c : text) {
    const int digit = HexValue(c);
    if (digit < 0 || digit >= radix) return std::nullopt;
    value = std::min<std::uint64_t>(value * radix + digit, std::uint64_t{1} << 32);
  }
  return value;
}

// Ends in a number checker: such a domain is an IPv4 address or invalid.
bool EndsInNumber(std::string_view domain) {
  if (domain.ends_with('.')) domain.remove_suffix(1);
  const std::string_view last = domain.substr(domain.rfind('.') + 1);
  if (last.empty() || !IsDigit(last[0])) return false;
  return std::all_of(last.begin(), last.end(), IsDigit) || ParseIpv4Number(last).has_value();
}

std::optional<std::uint32_t> ParseIpv4(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  std::uint32_t address = 0;
  // The last number fills all the bytes that those before it leave.
  for (std::uint64_t limit = std::uint64_t{1} << 32; limit > 1; limit >>= 8) {
    const bool last = text.find('.') == std::string_view::npos;
    const std::optional<std::uint64_t> number = ParseIpv4Number(TakePart(text, '.'));
    if (!number || *number >= (last ? limit : 256)) return std::nullopt;
    if (last) return address | static_cast<std::uint32_t>(*number);
    address |= static_cast<std::uint32_t>(*number * (limit >> 8));
  }
  return std::nullopt;  // More than four numbers.
}

void AppendIpv4(std::uint32_t address, std::string& out) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    AppendNumber(address >> shift & 0xFF, 10, out);
    if (shift > 0) out += '.';
  }
}

// The dotted end of an IPv6 address: four decimal numbers without leading zeros.
std::optional<std::uint32_t> ParseDottedQuad(std::string_view text) {
  std::uint32_t address = 0;
  for (int i = 0; i < 4; ++i) {
    const bool last = text.find('.') == std::string_view::npos;
    const std::string_view part = TakePart(text, '.');
    if (last != (i == 3) || part.empty() || part.size() > 3) return std::nullopt;
    if (!std::all_of(part.begin(), part.end(), IsDigit)) return std::nullopt;
    if (part.size() > 1 && part[0] == '0') return std::nullopt;
    std::uint32_t number = 0;
    for (const char c : part) number = number * 10 + static_cast<std::uint32_t>(c - '0');
    if (number > 255) return std::nullopt;
    address = address << 8 | number;
  }
  return address;
}

// Reads up to four hexadecimal digits.
std::uint16_t TakeHexPiece(std::string_view& text) {
  unsigned value = 0;
  std::size_t digits = 0;
  for (; digits < std::min<std::size_t>(4, text.size()); ++digits) {
    const int digit = HexValue(text[digits]);
    if (digit < 0) break;
    value = value * 16 + static_cast<unsigned>(digit);
  }
  text.remove_prefix(digits);
  return static_cast<std::uint16_t>(value);
}

// IPv6 parser; `text` is without the brackets.
std::optional<Ipv6Pieces> ParseIpv6(std::string_view text) {
  Ipv6Pieces pieces{};
  std::size_t count = 0;
  std::optional<std::size_t> compress;  // where the zeros of "::" end, as far as counted
  if (text.starts_with(':')) {
    if (!text.starts_with("::")) return std::nullopt;
    text.remove_prefix(1);
  }
  while (!text.empty()) {
    if (count == pieces.size()) return std::nullopt;
    if (text[0] == ':') {
      if (compress) return std::nullopt;
      compress = ++count;  // "::" stands for one zero piece at least
      text.remove_prefix(1);
      continue;
    }
    const std::string_view from_piece = text;
    const std::uint16_t piece = TakeHexPiece(text);
    if (text.starts_with('.')) {
      const std::optional<std::uint32_t> quad = ParseDottedQuad(from_piece);
      if (!quad || count > pieces.size() - 2) return std::nullopt;
      pieces[count++] = static_cast<std::uint16_t>(*quad >> 16);
      pieces[count++] = static_cast<std::uint16_t>(*quad & 0xFFFF);
      break;
    }
    if (text.starts_with(':')) {
      text.remove_prefix(1);
      if (text.empty()) return std::nullopt;
    } else if (!text.empty()) {
      return std::nullopt;
    }
    pieces[count++] = piece;
  }
  if (!compress) return count == pieces.size() ? std::optional(pieces) : std::nullopt;
  const auto begin = pieces.begin() + static_cast<std::ptrdiff_t>(*compress);
  std::rotate(begin, pieces.begin() + static_cast<std::ptrdiff_t>(count), pieces.end());
  return pieces;
}

struct Run {
  std::size_t begin = 0;
  std::size_t size = 0;
};

// The first longest run of zero pieces; one zero alone is not compressed.
Run LongestZeroRun(const Ipv6Pieces& pieces) {
  Run longest{0, 1};
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    std::size_t end = i;
    while (end < pieces.size() && pieces[end] == 0) ++end;
    if (end - i > longest.size) longest = {i, end - i};
    i = end;
  }
  return longest.size > 1 ? longest : Run{};
}

// IPv6 serializer, in brackets.
void AppendIpv6(const Ipv6Pieces& pieces, std::string& out) {
  const Run zeros = LongestZeroRun(pieces);
  out += '[';
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (zeros.size > 0 && i == zeros.begin) {
      out += i == 0 ? "::" : ":";
      i += zeros.size - 1;
      continue;
    }
    AppendNumber(pieces[i], 16, out);
    if (i + 1 < pieces.size()) out += ':';
  }
  out += ']';
}

bool AppendBracketed(std::string_view host, std::string& out) {
  if (!host.ends_with(']')) return false;
  const std::optional<Ipv6Pieces> pieces = ParseIpv6(host.substr(1, host.size() - 2));
  if (pieces) AppendIpv6(*pieces, out);
  return pieces.has_value();
}

std::string PercentDecode(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  while (!text.empty()) {
    const int byte = EscapedByte(text);
    bytes += byte < 0 ? text[0] : static_cast<char>(byte);
    text.remove_prefix(byte < 0 ? 1 : 3);
  }
  return bytes;
}

// True when a label of `domain` begins with "xn--", in any case.
bool HasAceLabel(std::string_view domain) {
  for (std::size_t at = domain.find("--", 2); at != std::string_view::npos;
       at = domain.find("--", at + 1)) {
    if ((at == 2 || domain[at - 3] == '.') && ToLower(domain[at - 2]) == 'x' &&
        ToLower(domain[at - 1]) == 'n') {
      return true;
    }
  }
  return false;
}

void AppendLowerCase(std::string_view text, std::string& out) {
  for (const char c : text) out += ToLower(c);
}

// Domain to ASCII of a domain without escapes. An ASCII domain without ACE labels only needs lower
// case, as the standard itself notes.
bool AppendDomain(std::string_view domain, unsigned classes, std::string& out) {
  const bool needs_idna =
      (classes & kNonAscii) != 0 || ((classes & kHyphen) != 0 && HasAceLabel(domain));
  if (!needs_idna && (classes & kUpper) == 0) {
    out += domain;
  } else if (!needs_idna) {
    AppendLowerCase(domain, out);
  } else {
    const std::optional<std::string> ascii = IdnaToAscii(domain);
    if (!ascii) return false;
    classes = ClassesOf(*ascii);
    out += *ascii;
  }
  return (classes & (kForbidden | kPercent)) == 0;
}

}  // namespace

bool AppendHost(std::string_view host, std::string& out) {
  if (host.starts_with('[')) return AppendBracketed(host, out);

  const std::size_t begin = out.size();
  const unsigned classes = ClassesOf(host);
  if ((classes & kPercent) != 0) {
    const std::string decoded = PercentDecode(host);
    if (!AppendDomain(decoded, ClassesOf(decoded), out)) return false;
  } else if (!AppendDomain(host, classes, out)) {
    return false;
  }
  const std::string_view domain = std::string_view(out).substr(begin);
  if (domain.empty()) return false;
  if (!EndsInNumber(domain)) return true;
  const std::optional<std::uint32_t> address = ParseIpv4(domain);
  if (!address) return false;
  out.resize(begin);
  AppendIpv4(*address, out);
  return true;
}

}  // namespace trawl
