#include "worker/html/character_references.h"

#include <algorithm>
#include <cstdint>

#include "common/utf8.h"
#include "worker/html/byte_search.h"
#include "worker/html/name.h"
#include "worker/html/named_references.h"

namespace trawl::html {
namespace {

constexpr std::uint32_t kMaxCodePoint = 0x10FFFF;

/// 13.2.5.80: numbers 0x80 to 0x9F mean windows-1252; 0 is left as it is.
constexpr std::uint16_t kWindows1252[32] = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlphanumeric(char c) { return IsLetter(c) || IsDigit(c); }

/// The value of a digit; -1: none.
int DigitOf(char c, int base) {
  if (IsDigit(c)) return c - '0';
  const char lower = LowerLetter(c);
  return base == 16 && lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string Utf8Of(std::uint32_t code) {
  if (code >= 0x80 && code <= 0x9F && kWindows1252[code - 0x80] != 0) {
    code = kWindows1252[code - 0x80];
  }
  if (code == 0 || code > kMaxCodePoint || (code >= 0xD800 && code <= 0xDFFF)) {
    return std::string(kReplacementCharacter);
  }
  std::string text;
  AppendCodePoint(code, text);
  return text;
}

Reference ReadNumber(std::string_view raw) {
  std::size_t at = 2;  // after "&#"
  const int base = at < raw.size() && LowerLetter(raw[at]) == 'x' ? 16 : 10;
  if (base == 16) ++at;
  const std::size_t begin = at;
  std::uint32_t code = 0;
  for (; at < raw.size(); ++at) {
    const int digit = DigitOf(raw[at], base);
    if (digit < 0) break;
    code = std::min(code * base + static_cast<std::uint32_t>(digit), kMaxCodePoint + 1);
  }
  if (at == begin) return {};
  if (at < raw.size() && raw[at] == ';') ++at;
  return {at, Utf8Of(code)};
}

/// The longest name of the table that `text` begins with.
const NamedReference* LongestName(std::string_view text) {
  const NamedReference* found = nullptr;
  auto low = kNamedReferences.begin();
  auto high = kNamedReferences.end();
  for (std::size_t depth = 0; depth < text.size(); ++depth) {
    // The names from `low` to `high` begin with the first `depth` bytes of the text.
    const char c = text[depth];
    low = std::partition_point(low, high, [&](const NamedReference& reference) {
      return reference.name.size() <= depth || reference.name[depth] < c;
    });
    high = std::partition_point(
        low, high, [&](const NamedReference& reference) { return reference.name[depth] == c; });
    if (low == high) break;
    if (low->name.size() == depth + 1) found = &*low;
  }
  return found;
}

}  // namespace

Reference ReadReference(std::string_view raw, ReferencePlace place) {
  if (raw.size() < 2) return {};
  if (raw[1] == '#') return ReadNumber(raw);
  const NamedReference* named = LongestName(raw.substr(1));
  if (!named) return {};
  const std::size_t bytes = 1 + named->name.size();
  if (place == ReferencePlace::kAttribute && named->name.back() != ';' && bytes < raw.size() &&
      (raw[bytes] == '=' || IsAlphanumeric(raw[bytes]))) {
    return {};
  }
  return {bytes, std::string(named->text)};
}

void AppendDecoded(std::string_view raw, ReferencePlace place, std::string& out) {
  while (!raw.empty()) {
    const char* const special = FindEither(raw.data(), raw.data() + raw.size(), '&', '\0');
    const auto plain = static_cast<std::size_t>(special - raw.data());
    out += raw.substr(0, plain);
    raw.remove_prefix(plain);
    if (raw.empty()) return;
    if (raw.front() == '\0') {
      out += kReplacementCharacter;
      raw.remove_prefix(1);
      continue;
    }
    const Reference reference = ReadReference(raw, place);
    if (reference.bytes == 0) {
      out += '&';
      raw.remove_prefix(1);
    } else {
      out += reference.text;
      raw.remove_prefix(reference.bytes);
    }
  }
}

}  // namespace trawl::html
