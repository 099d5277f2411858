#include <algorithm>
#include <initializer_list>
#include <string>

#include "common/utf8.h"
#include "worker/charset.h"
#include "worker/charset/character_index.h"

namespace trawl {
namespace {

/// The pointer that stands for a character in `index`, when it has one.
std::optional<std::size_t> FirstPointer(const CharacterIndex& index, char32_t code_point) {
  const auto pointers = index.Pointers(code_point);
  if (pointers.empty()) return std::nullopt;
  return pointers.front().pointer;
}

bool IsHalfwidthKatakana(char32_t code_point) {
  return code_point >= 0xFF61 && code_point <= 0xFF9F;
}

/// Appends what the encoder of an encoding makes of a character that is not ASCII; false: it has
/// none. ISO-2022-JP has states and is encoded apart.
class CharacterEncoder {
 public:
  explicit CharacterEncoder(const EncodingInfo& encoding) : encoding_(encoding) {}

  bool Append(char32_t code_point, std::string& out) const {
    switch (encoding_.decoding) {
      case Decoding::kSingleByte:
        return AppendSingleByte(code_point, out);
      case Decoding::kUserDefined:
        if (code_point < 0xF780 || code_point > 0xF7FF) return false;
        return AppendBytes({code_point - 0xF780 + 0x80}, out);
      case Decoding::kGbk:
      case Decoding::kGb18030:
        return AppendGb18030(code_point, out);
      case Decoding::kBig5:
        return AppendBig5(code_point, out);
      case Decoding::kEucKr:
        return AppendEucKr(code_point, out);
      case Decoding::kShiftJis:
        return AppendShiftJis(code_point, out);
      default:
        return AppendEucJp(code_point, out);
    }
  }

 private:
  static bool AppendBytes(std::initializer_list<std::size_t> bytes, std::string& out) {
    for (const std::size_t byte : bytes) out += static_cast<char>(byte);
    return true;
  }

  bool AppendSingleByte(char32_t code_point, std::string& out) const {
    const auto pointer = FirstPointer(SingleByteIndex(encoding_), code_point);
    return pointer && AppendBytes({0x80 + *pointer}, out);
  }

  /// Section 10.2.2.
  bool AppendGb18030(char32_t code_point, std::string& out) const {
    const bool gbk = encoding_.decoding == Decoding::kGbk;
    if (code_point == 0xE5E5) return false;
    if (gbk && code_point == 0x20AC) return AppendBytes({0x80}, out);
    std::optional<std::size_t> pointer = FirstPointer(Gb18030Index(), FromPrivateUse(code_point));
    if (pointer) {
      const std::size_t trail = *pointer % 190;
      return AppendBytes({0x81 + *pointer / 190, trail + (trail < 0x3F ? 0x40 : 0x41)}, out);
    }
    if (gbk) return false;
    pointer = code_point >= 0x10000 ? 189000 + code_point - 0x10000
                                    : FirstPointer(Gb18030FourByteIndex(), code_point);
    return pointer && AppendBytes({0x81 + *pointer / 12600, 0x30 + *pointer / 1260 % 10,
                                   0x81 + *pointer / 10 % 126, 0x30 + *pointer % 10},
                                  out);
  }

  /// The characters that GB 18030-2022 has at the places of GB 18030-2005's private ones, which
  /// are still encoded there.
  static char32_t FromPrivateUse(char32_t code_point) {
    constexpr char32_t kFormerly[][2] = {
        {0xE78D, 0xFE10}, {0xE78E, 0xFE12}, {0xE78F, 0xFE11}, {0xE790, 0xFE13}, {0xE791, 0xFE14},
        {0xE792, 0xFE15}, {0xE793, 0xFE16}, {0xE794, 0xFE17}, {0xE795, 0xFE18}, {0xE796, 0xFE19},
        {0xE81E, 0x9FB4}, {0xE826, 0x9FB5}, {0xE82B, 0x9FB6}, {0xE82C, 0x9FB7}, {0xE832, 0x9FB8},
        {0xE843, 0x9FB9}, {0xE854, 0x9FBA}, {0xE864, 0x9FBB}};
    for (const auto& [private_use, now] : kFormerly) {
      if (code_point == private_use) return now;
    }
    return code_point;
  }

  /// Section 11.1.2, and 5 ("index Big5 pointer"): no characters of HKSCS, and of those that are
  /// there twice a few as the last.
  static bool AppendBig5(char32_t code_point, std::string& out) {
    constexpr std::size_t kBeforeBig5 = (0xA1 - 0x81) * 157;
    constexpr std::u32string_view kLast = U"\u2550\u255E\u2561\u256A\u5341\u5345";
    auto pointers = Big5Index().Pointers(code_point);
    while (!pointers.empty() && pointers.front().pointer < kBeforeBig5) {
      pointers = pointers.subspan(1);
    }
    if (pointers.empty()) return false;
    const bool last = kLast.find(code_point) != kLast.npos;
    const std::size_t pointer = (last ? pointers.back() : pointers.front()).pointer;
    const std::size_t trail = pointer % 157;
    return AppendBytes({0x81 + pointer / 157, trail + (trail < 0x3F ? 0x40 : 0x62)}, out);
  }

  /// Section 13.1.2.
  static bool AppendEucKr(char32_t code_point, std::string& out) {
    const auto pointer = FirstPointer(EucKrIndex(), code_point);
    return pointer && AppendBytes({0x81 + *pointer / 190, 0x41 + *pointer % 190}, out);
  }

  /// Section 12.3.2, and 5 ("index Shift_JIS pointer"): NEC's copies of IBM's characters are not
  /// used.
  static bool AppendShiftJis(char32_t code_point, std::string& out) {
    if (code_point == 0x80) return AppendBytes({0x80}, out);
    if (code_point == 0xA5) return AppendBytes({0x5C}, out);
    if (code_point == 0x203E) return AppendBytes({0x7E}, out);
    if (IsHalfwidthKatakana(code_point)) return AppendBytes({code_point - 0xFF61 + 0xA1}, out);
    const auto pointers = Jis0208Index().Pointers(code_point == 0x2212 ? 0xFF0D : code_point);
    const auto found = std::find_if(pointers.begin(), pointers.end(), [](const auto& entry) {
      return entry.pointer < 8272 || entry.pointer > 8835;
    });
    if (found == pointers.end()) return false;
    const std::size_t lead = found->pointer / 188;
    const std::size_t trail = found->pointer % 188;
    return AppendBytes({lead + (lead < 0x1F ? 0x81 : 0xC1), trail + (trail < 0x3F ? 0x40 : 0x41)},
                       out);
  }

  /// Section 12.1.2.
  static bool AppendEucJp(char32_t code_point, std::string& out) {
    if (code_point == 0xA5) return AppendBytes({0x5C}, out);
    if (code_point == 0x203E) return AppendBytes({0x7E}, out);
    if (IsHalfwidthKatakana(code_point)) {
      return AppendBytes({0x8E, code_point - 0xFF61 + 0xA1}, out);
    }
    const auto pointer = FirstPointer(Jis0208Index(), code_point == 0x2212 ? 0xFF0D : code_point);
    return pointer && AppendBytes({0xA1 + *pointer / 94, 0xA1 + *pointer % 94}, out);
  }

  const EncodingInfo& encoding_;
};

/// How a query names a character that the encoding lacks: "&#NNN;" percent-encoded.
void AppendReference(char32_t code_point, std::string& out) {
  out += "%26%23" + std::to_string(static_cast<std::uint32_t>(code_point)) + "%3B";
}

/// Section 12.2.2, "ISO-2022-JP encoder".
class Iso2022JpEncoder {
 public:
  explicit Iso2022JpEncoder(std::string& out) : out_(out) {}

  void Append(char32_t code_point) {
    if (code_point == 0x0E || code_point == 0x0F || code_point == 0x1B) {
      // Could be read as an escape sequence: the standard reports U+FFFD in place of it.
      if (state_ == State::kJis0208) SwitchTo(State::kAscii);
      AppendReference(0xFFFD, out_);
    } else if (code_point < 0x80) {
      const bool roman = state_ == State::kRoman && code_point != '\\' && code_point != '~';
      if (!roman) SwitchTo(State::kAscii);
      out_ += static_cast<char>(code_point);
    } else if (code_point == 0xA5 || code_point == 0x203E) {
      SwitchTo(State::kRoman);
      out_ += code_point == 0xA5 ? '\\' : '~';
    } else {
      AppendJis0208(code_point);
    }
  }

  void Finish() { SwitchTo(State::kAscii); }

 private:
  enum class State { kAscii, kRoman, kJis0208 };

  void AppendJis0208(char32_t code_point) {
    const auto pointer = FirstPointer(Jis0208Index(), Fullwidth(code_point));
    if (!pointer) {
      if (state_ == State::kJis0208) SwitchTo(State::kAscii);
      AppendReference(code_point, out_);
      return;
    }
    SwitchTo(State::kJis0208);
    out_ += static_cast<char>(0x21 + *pointer / 94);
    out_ += static_cast<char>(0x21 + *pointer % 94);
  }

  static char32_t Fullwidth(char32_t code_point) {
    // Index ISO-2022-JP katakana, from U+FF61 on.
    constexpr std::u32string_view kKatakana =
        U"。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフ"
        U"ヘホマミムメモ"
        U"ヤユヨラリルレロワン゛゜";
    if (code_point == 0x2212) return 0xFF0D;
    return IsHalfwidthKatakana(code_point) ? kKatakana[code_point - 0xFF61] : code_point;
  }

  void SwitchTo(State state) {
    if (state == state_) return;
    state_ = state;
    out_ += state == State::kAscii ? "\x1B(B" : state == State::kRoman ? "\x1B(J" : "\x1B$B";
  }

  std::string& out_;
  State state_ = State::kAscii;
};

}  // namespace

QueryEncoder QueryEncoderFor(Encoding encoding) {
  switch (encoding.info().decoding) {
    case Decoding::kUtf8:
    case Decoding::kUtf16Be:
    case Decoding::kUtf16Le:
    case Decoding::kReplacement:
      return nullptr;
    case Decoding::kIso2022Jp:
      return [](std::string_view query) {
        std::string bytes;
        Iso2022JpEncoder encoder(bytes);
        while (!query.empty()) encoder.Append(TakeCodePoint(query));
        encoder.Finish();
        return bytes;
      };
    default:
      return [encoder = CharacterEncoder(encoding.info())](std::string_view query) {
        std::string bytes;
        while (!query.empty()) {
          const char32_t code_point = TakeCodePoint(query);
          if (code_point < 0x80) {
            bytes += static_cast<char>(code_point);
          } else if (!encoder.Append(code_point, bytes)) {
            AppendReference(code_point, bytes);
          }
        }
        return bytes;
      };
  }
}

}  // namespace trawl
