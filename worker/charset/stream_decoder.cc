#include "worker/charset/stream_decoder.h"

#include <array>

#include "common/utf8.h"
#include "worker/charset/character_index.h"

namespace trawl {
namespace {

/// Section 9.1: each byte is a character of its own, or none.
class SingleByteDecoder : public StreamDecoder {
 public:
  explicit SingleByteDecoder(const CharacterIndex& index) {
    for (std::size_t pointer = 0; pointer < texts_.size(); ++pointer) {
      const char32_t code_point = index.CodePoint(pointer);
      AppendCodePoint(code_point == 0 ? 0xFFFD : code_point, texts_[pointer]);
    }
  }

  void Decode(std::string_view bytes, std::string& out) override {
    const char* const end = bytes.data() + bytes.size();
    for (const char* next = bytes.data();;) {
      const char* const ascii_end = EndOfAscii(next, end);
      out.append(next, ascii_end);
      if (ascii_end == end) return;
      out += texts_[static_cast<unsigned char>(*ascii_end) - 0x80];
      next = ascii_end + 1;
    }
  }
  void Finish(std::string& /*out*/) override {}

 private:
  std::array<std::string, 128> texts_;  // in UTF-8
};

/// Section 14.1: for encodings that are ways to smuggle script past a filter.
class ReplacementDecoder : public StreamDecoder {
 public:
  void Decode(std::string_view bytes, std::string& out) override {
    if (!bytes.empty() && !told_) out += kReplacementCharacter;
    told_ = told_ || !bytes.empty();
  }
  void Finish(std::string& /*out*/) override {}

 private:
  bool told_ = false;
};

CharacterIndex UserDefinedIndex() {
  std::vector<char32_t> code_points(128);
  for (char32_t i = 0; i < 128; ++i) code_points[i] = 0xF780 + i;
  return CharacterIndex(std::move(code_points));
}

}  // namespace

std::unique_ptr<StreamDecoder> MakeStreamDecoder(const EncodingInfo& encoding) {
  switch (encoding.decoding) {
    case Decoding::kUtf8:
    case Decoding::kUtf16Be:
    case Decoding::kUtf16Le:
      return MakeUnicodeDecoder(encoding.decoding);
    case Decoding::kSingleByte:
      return std::make_unique<SingleByteDecoder>(SingleByteIndex(encoding));
    case Decoding::kUserDefined:
      return std::make_unique<SingleByteDecoder>(UserDefinedIndex());
    case Decoding::kReplacement:
      return std::make_unique<ReplacementDecoder>();
    case Decoding::kIso2022Jp:
      return MakeIso2022JpDecoder();
    default:
      return MakeMultiByteDecoder(encoding.decoding);
  }
}

}  // namespace trawl
