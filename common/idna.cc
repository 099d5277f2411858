#include "common/idna.h"

#include <unicode/uidna.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>

namespace trawl {
namespace {

struct IdnaCloser {
  void operator()(UIDNA* idna) const { uidna_close(idna); }
};
using IdnaPtr = std::unique_ptr<UIDNA, IdnaCloser>;

// ICU cannot switch these checks off; they are CheckHyphens and VerifyDnsLength.
constexpr uint32_t kIgnoredErrors = UIDNA_ERROR_EMPTY_LABEL | UIDNA_ERROR_LABEL_TOO_LONG |
                                    UIDNA_ERROR_DOMAIN_NAME_TOO_LONG | UIDNA_ERROR_LEADING_HYPHEN |
                                    UIDNA_ERROR_TRAILING_HYPHEN | UIDNA_ERROR_HYPHEN_3_4;

constexpr UChar32 kNothing = -1;

// Characters from `first` to `last` are mapped to those from `to`, or ignored.
struct Mapping {
  UChar32 first;
  UChar32 last;
  UChar32 to;
};

// What revisions 31 and 33 of UTS #46 (Unicode 15.1 and 16) changed of the characters that Unicode
// 15 has. An ICU that knows them does the same once more.
constexpr std::array<Mapping, 18> kNewMappings = {{
    {0x04C0, 0x04C0, 0x04CF},
    {0x10A0, 0x10C5, 0x2D00},
    {0x115F, 0x1160, kNothing},
    {0x17B4, 0x17B5, kNothing},
    {0x180E, 0x180E, kNothing},
    {0x1E9E, 0x1E9E, 0x00DF},
    {0x2061, 0x2063, kNothing},
    {0x206A, 0x206F, kNothing},
    {0x2132, 0x2132, 0x214E},
    {0x2183, 0x2183, 0x2184},
    {0x3164, 0x3164, kNothing},
    {0xFFA0, 0xFFA0, kNothing},
    {0x1D173, 0x1D17A, kNothing},
    {0x2F868, 0x2F868, 0x36FC},
    {0x2F874, 0x2F874, 0x5F53},
    {0x2F91F, 0x2F91F, 0x243AB},
    {0x2F95F, 0x2F95F, 0x7AEE},
    {0x2F9BF, 0x2F9BF, 0x45D7},
}};

const Mapping* NewMappingOf(UChar32 c) {
  const auto* const found = std::ranges::find_if(kNewMappings, [c](const Mapping& mapping) {
    return c >= mapping.first && c <= mapping.last;
  });
  return found == kNewMappings.end() ? nullptr : found;
}

void AppendUtf8(UChar32 c, std::string& out) {
  std::array<char, U8_MAX_LENGTH> bytes;
  std::size_t size = 0;
  U8_APPEND_UNSAFE(bytes.data(), size, c);
  out.append(bytes.data(), size);
}

// `text` with the new mappings done. Bytes that are not UTF-8 stay, for ICU to find.
std::string MapAnew(std::string_view text) {
  std::string mapped;
  mapped.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    UChar32 c;
    U8_NEXT(text.data(), at, text.size(), c);
    if (const Mapping* mapping = NewMappingOf(c); !mapping) {
      mapped += text.substr(begin, at - begin);
    } else if (mapping->to != kNothing) {
      AppendUtf8(mapping->to + (c - mapping->first), mapped);
    }
  }
  return mapped;
}

IdnaPtr OpenIdna() {
  UErrorCode status = U_ZERO_ERROR;
  IdnaPtr idna(uidna_openUTS46(UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ |
                                   UIDNA_NONTRANSITIONAL_TO_ASCII |
                                   UIDNA_NONTRANSITIONAL_TO_UNICODE,
                               &status));
  if (U_FAILURE(status)) throw std::runtime_error(u_errorName(status));
  return idna;
}

// A label that is "xn--..." once decoded, which revision 31 of UTS #46 made invalid (section 4.1,
// criterion 4) and ICU 72 does not know.
bool IsTwiceEncoded(const UIDNA* idna, std::string_view label) {
  if (!label.starts_with("xn--xn--")) return false;
  std::array<char, 4> decoded = {};  // of what ICU writes, only the begin is asked for
  UIDNAInfo info = UIDNA_INFO_INITIALIZER;
  UErrorCode status = U_ZERO_ERROR;
  uidna_labelToUnicodeUTF8(idna, label.data(), static_cast<int32_t>(label.size()), decoded.data(),
                           static_cast<int32_t>(decoded.size()), &info, &status);
  return std::string_view(decoded.data(), decoded.size()) == "xn--";
}

bool HasTwiceEncodedLabel(const UIDNA* idna, std::string_view ascii) {
  for (std::size_t begin = 0; begin < ascii.size();) {
    const std::size_t end = std::min(ascii.find('.', begin), ascii.size());
    if (IsTwiceEncoded(idna, ascii.substr(begin, end - begin))) return true;
    begin = end + 1;
  }
  return false;
}

}  // namespace

std::optional<std::string> IdnaToAscii(std::string_view domain) {
  static const IdnaPtr idna = OpenIdna();  // Immutable, so that threads may share it.
  if (domain.size() > kMaxIdnaBytes) return std::nullopt;

  const std::string mapped = MapAnew(domain);
  std::string ascii(kMaxIdnaBytes, '\0');
  UIDNAInfo info = UIDNA_INFO_INITIALIZER;
  UErrorCode status = U_ZERO_ERROR;
  const int32_t size =
      uidna_nameToASCII_UTF8(idna.get(), mapped.data(), static_cast<int32_t>(mapped.size()),
                             ascii.data(), static_cast<int32_t>(ascii.size()), &info, &status);
  if (U_FAILURE(status) || (info.errors & ~kIgnoredErrors) != 0) return std::nullopt;
  ascii.resize(static_cast<std::size_t>(size));
  if (HasTwiceEncodedLabel(idna.get(), ascii)) return std::nullopt;
  return ascii;
}

}  // namespace trawl
