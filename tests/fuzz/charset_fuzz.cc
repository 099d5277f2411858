// The charset of a Content-Type, LF, the bytes of a page. Its text is valid UTF-8, the same however
// the bytes arrive, and what an encoding can encode it decodes again.
#include <string>
#include <string_view>

#include "common/utf8.h"
#include "tests/fuzz/fuzz.h"
#include "worker/charset.h"

namespace trawl {
namespace {

std::string Decode(Encoding encoding, std::string_view bytes, const Cuts& cuts) {
  TextDecoder decoder(encoding);
  std::string text;
  FeedPieces(bytes, cuts, [&](std::string_view piece) { decoder.Decode(piece, text); });
  decoder.Finish(text);
  return text;
}

std::string DecodePage(std::string_view label, std::string_view page, const Cuts& cuts) {
  PageDecoder decoder(label);
  std::string text;
  FeedPieces(page, cuts, [&](std::string_view piece) { decoder.Decode(piece, text); });
  decoder.Finish(text);
  Check(decoder.encoding().has_value(), "a page has an encoding", {label, page});
  return std::string(decoder.encoding()->name()) + ' ' + text;
}

/// The query encoder's way to write a character that the encoding lacks.
bool HasReference(std::string_view query) { return query.find("%26%23") != query.npos; }

/// By the standard, the encoder of ISO-2022-JP turns half-width katakana, U+FF61 to U+FF9F, into
/// the full-width one.
bool IsHalfWidth(char32_t c) { return c >= 0xFF61 && c <= 0xFF9F; }

bool DecodesWhatItEncodes(Encoding encoding, std::string_view text) {
  if (encoding.name() != "iso-2022-jp") return true;
  while (!text.empty()) {
    if (IsHalfWidth(TakeCodePoint(text))) return false;
  }
  return true;
}

void CheckQuery(Encoding encoding, std::string_view text) {
  const QueryEncoder encode = QueryEncoderFor(encoding);
  if (!encode) return;
  const std::string query = encode(text);
  if (HasReference(query) || !DecodesWhatItEncodes(encoding, text)) return;
  Check(Decode(encoding, query, {}) == text, "what is encoded can be decoded",
        {encoding.name(), text, query});
}

}  // namespace

void FuzzOne(std::string_view input) {
  const std::string_view label = TakeLine(input);
  const std::string_view page = input;
  const SniffedEncoding sniffed = SniffEncoding(page.substr(0, kSniffBytes), label);
  const Encoding encoding = sniffed.encoding;
  const auto named = Encoding::ForLabel(encoding.name());
  Check(named && *named == encoding, "a name is a label", {encoding.name()});

  const std::string_view bytes = page.substr(sniffed.bom_bytes);
  const std::string text = Decode(encoding, bytes, {});
  Check(ValidUtf8(text) == text, "a text is valid UTF-8", {encoding.name(), bytes, text});
  Check(text.size() <= 3 * (bytes.size() + 1), "a text is bounded", {encoding.name(), bytes});
  const std::string decoded = std::string(encoding.name()) + ' ' + text;
  Check(DecodePage(label, page, {}) == decoded, "a page is decoded as its encoding says",
        {label, page, decoded});
  for (const Cuts& cuts : WaysToCut(page)) {
    Check(DecodePage(label, page, cuts) == decoded, "a page is the same however it arrives",
          {label, page, decoded});
  }
  for (const Cuts& cuts : WaysToCut(bytes)) {
    Check(Decode(encoding, bytes, cuts) == text, "a text is the same however it arrives",
          {encoding.name(), bytes, text});
  }
  CheckQuery(encoding, text);
}

}  // namespace trawl
