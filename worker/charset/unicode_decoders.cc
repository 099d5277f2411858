#include "common/utf8.h"
#include "worker/charset/stream_decoder.h"

namespace trawl {
namespace {

/// Section 8.1.1.
class Utf8Decoder : public StreamDecoder {
 public:
  void Decode(std::string_view bytes, std::string& out) override {
    while (!begun_.empty() && !bytes.empty()) {
      begun_ += bytes.front();
      const Utf8Sequence sequence = ReadUtf8(begun_);
      if (sequence.cut) {
        bytes.remove_prefix(1);
      } else if (sequence.valid) {
        out += begun_;
        begun_.clear();
        bytes.remove_prefix(1);
      } else {  // the byte begins something of its own
        out += kReplacementCharacter;
        begun_.clear();
      }
    }
    begun_ += bytes.substr(AppendUtf8(bytes, out));
  }

  void Finish(std::string& out) override {
    if (!begun_.empty()) out += kReplacementCharacter;
  }

 private:
  std::string begun_;  // a character that lacks bytes yet
};

/// Section 14.2.1.
class Utf16Decoder : public StreamDecoder {
 public:
  explicit Utf16Decoder(bool big_endian) : big_endian_(big_endian) {}

  void Decode(std::string_view bytes, std::string& out) override {
    for (const char c : bytes) {
      const auto byte = static_cast<unsigned char>(c);
      if (has_byte_) {
        TakeUnit(big_endian_ ? first_byte_ << 8 | byte : byte << 8 | first_byte_, out);
      } else {
        first_byte_ = byte;
      }
      has_byte_ = !has_byte_;
    }
  }

  void Finish(std::string& out) override {
    if (has_byte_ || high_surrogate_ != 0) out += kReplacementCharacter;
  }

 private:
  void TakeUnit(unsigned unit, std::string& out) {
    const bool low = (unit & 0xFC00) == 0xDC00;
    if (high_surrogate_ != 0) {
      if (low) {
        AppendCodePoint(0x10000 + ((high_surrogate_ & 0x3FF) << 10) + (unit & 0x3FF), out);
      } else {
        out += kReplacementCharacter;
      }
      high_surrogate_ = 0;
      if (low) return;
    }
    if (low) {
      out += kReplacementCharacter;
    } else if ((unit & 0xFC00) == 0xD800) {
      high_surrogate_ = unit;
    } else {
      AppendCodePoint(unit, out);
    }
  }

  const bool big_endian_;
  bool has_byte_ = false;
  unsigned first_byte_ = 0;
  unsigned high_surrogate_ = 0;  // 0: none
};

}  // namespace

std::unique_ptr<StreamDecoder> MakeUnicodeDecoder(Decoding decoding) {
  if (decoding == Decoding::kUtf8) return std::make_unique<Utf8Decoder>();
  return std::make_unique<Utf16Decoder>(decoding == Decoding::kUtf16Be);
}

}  // namespace trawl
