#include "common/utf8.h"

#include <unicode/unistr.h>

#include <algorithm>

namespace trawl {

std::string ValidUtf8(std::string_view bytes) {
  const bool ascii =
      std::none_of(bytes.begin(), bytes.end(), [](unsigned char byte) { return byte >= 0x80; });
  if (ascii) return std::string(bytes);
  std::string text;
  icu::UnicodeString::fromUTF8(icu::StringPiece(bytes.data(), static_cast<int>(bytes.size())))
      .toUTF8String(text);
  return text;
}

std::string_view CutUtf8(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
  return text.substr(0, limit);
}

}  // namespace trawl
