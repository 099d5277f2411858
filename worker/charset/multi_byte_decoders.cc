#include <cstddef>
#include <cstdint>

#include "common/utf8.h"
#include "worker/charset/character_index.h"
#include "worker/charset/stream_decoder.h"

namespace trawl {
namespace {

constexpr std::size_t kNoPointer = SIZE_MAX;

bool IsIn(unsigned byte, unsigned first, unsigned last) { return byte >= first && byte <= last; }

/// Runs the standard's handler of an encoding, `Rules`, over each byte, and ASCII past it:
/// Take(byte, out) is the handler, IsBetweenCharacters() whether an ASCII byte stands for itself.
/// A handler gives a byte back to the stream by taking it again.
template <class Rules>
class MultiByteDecoder : public StreamDecoder {
 public:
  void Decode(std::string_view bytes, std::string& out) override {
    const char* const end = bytes.data() + bytes.size();
    for (const char* next = bytes.data(); next != end; ++next) {
      if (rules_.IsBetweenCharacters()) {
        const char* const ascii_end = EndOfAscii(next, end);
        out.append(next, ascii_end);
        next = ascii_end;
        if (next == end) return;
      }
      rules_.Take(static_cast<unsigned char>(*next), out);
    }
  }

  void Finish(std::string& out) override {
    if (!rules_.IsBetweenCharacters()) out += kReplacementCharacter;
  }

 private:
  Rules rules_;
};

/// Big5, EUC-KR and Shift_JIS: one byte or two. `Code` says what they mean: IsLead(byte),
/// AppendSingle(byte, out) of a byte that is no lead, AppendPair(lead, trail, out); false: nothing.
template <class Code>
class TwoByteRules {
 public:
  bool IsBetweenCharacters() const { return lead_ == 0; }

  void Take(unsigned byte, std::string& out) {
    if (lead_ == 0) {
      if (byte < 0x80) {
        out += static_cast<char>(byte);
      } else if (code_.IsLead(byte)) {
        lead_ = byte;
      } else if (!code_.AppendSingle(byte, out)) {
        out += kReplacementCharacter;
      }
      return;
    }
    const unsigned lead = lead_;
    lead_ = 0;
    if (code_.AppendPair(lead, byte, out)) return;
    out += kReplacementCharacter;
    if (byte < 0x80) Take(byte, out);
  }

 private:
  Code code_;
  unsigned lead_ = 0;
};

bool AppendPointer(const CharacterIndex& index, std::size_t pointer, std::string& out) {
  const char32_t code_point = index.CodePoint(pointer);
  if (code_point != 0) AppendCodePoint(code_point, out);
  return code_point != 0;
}

/// Section 11.1.1.
class Big5 {
 public:
  static bool IsLead(unsigned byte) { return IsIn(byte, 0x81, 0xFE); }
  static bool AppendSingle(unsigned /*byte*/, std::string& /*out*/) { return false; }
  bool AppendPair(unsigned lead, unsigned trail, std::string& out) const {
    if (!IsIn(trail, 0x40, 0x7E) && !IsIn(trail, 0xA1, 0xFE)) return false;
    const std::size_t pointer = (lead - 0x81) * 157 + trail - (trail < 0x7F ? 0x40 : 0x62);
    switch (pointer) {  // two characters each
      case 1133:
        out += "\u00CA\u0304";
        return true;
      case 1135:
        out += "\u00CA\u030C";
        return true;
      case 1164:
        out += "\u00EA\u0304";
        return true;
      case 1166:
        out += "\u00EA\u030C";
        return true;
      default:
        return AppendPointer(index_, pointer, out);
    }
  }

 private:
  const CharacterIndex& index_ = Big5Index();
};

/// Section 13.1.1.
class EucKr {
 public:
  static bool IsLead(unsigned byte) { return IsIn(byte, 0x81, 0xFE); }
  static bool AppendSingle(unsigned /*byte*/, std::string& /*out*/) { return false; }
  bool AppendPair(unsigned lead, unsigned trail, std::string& out) const {
    if (!IsIn(trail, 0x41, 0xFE)) return false;
    return AppendPointer(index_, (lead - 0x81) * 190 + trail - 0x41, out);
  }

 private:
  const CharacterIndex& index_ = EucKrIndex();
};

/// Section 12.3.1.
class ShiftJis {
 public:
  static bool IsLead(unsigned byte) { return IsIn(byte, 0x81, 0x9F) || IsIn(byte, 0xE0, 0xFC); }
  static bool AppendSingle(unsigned byte, std::string& out) {
    if (byte != 0x80 && !IsIn(byte, 0xA1, 0xDF)) return false;
    AppendCodePoint(byte == 0x80 ? 0x80 : 0xFF61 - 0xA1 + byte, out);
    return true;
  }
  bool AppendPair(unsigned lead, unsigned trail, std::string& out) const {
    if (!IsIn(trail, 0x40, 0x7E) && !IsIn(trail, 0x80, 0xFC)) return false;
    const std::size_t pointer =
        (lead - (lead < 0xA0 ? 0x81 : 0xC1)) * 188 + trail - (trail < 0x7F ? 0x40 : 0x41);
    if (pointer >= 8836 && pointer <= 10715) {  // end-user-defined characters of Windows
      AppendCodePoint(static_cast<char32_t>(0xE000 - 8836 + pointer), out);
      return true;
    }
    return AppendPointer(index_, pointer, out);
  }

 private:
  const CharacterIndex& index_ = Jis0208Index();
};

/// Section 12.1.1.
class EucJpRules {
 public:
  bool IsBetweenCharacters() const { return lead_ == 0; }

  void Take(unsigned byte, std::string& out) {
    if (lead_ == 0) {
      if (byte < 0x80) {
        out += static_cast<char>(byte);
      } else if (byte == 0x8E || byte == 0x8F || IsIn(byte, 0xA1, 0xFE)) {
        lead_ = byte;
      } else {
        out += kReplacementCharacter;
      }
      return;
    }
    if (lead_ == 0x8E && IsIn(byte, 0xA1, 0xDF)) {
      AppendCodePoint(0xFF61 - 0xA1 + byte, out);
      lead_ = 0;
      return;
    }
    if (lead_ == 0x8F && IsIn(byte, 0xA1, 0xFE)) {
      is_jis0212_ = true;
      lead_ = byte;
      return;
    }
    std::size_t pointer = kNoPointer;
    if (IsIn(lead_, 0xA1, 0xFE) && IsIn(byte, 0xA1, 0xFE)) {
      pointer = (lead_ - 0xA1) * 94 + byte - 0xA1;
    }
    const bool known = AppendPointer(is_jis0212_ ? Jis0212Index() : jis0208_, pointer, out);
    lead_ = 0;
    is_jis0212_ = false;
    if (known) return;
    out += kReplacementCharacter;
    if (byte < 0x80) Take(byte, out);
  }

 private:
  const CharacterIndex& jis0208_ = Jis0208Index();
  unsigned lead_ = 0;
  bool is_jis0212_ = false;
};

/// Section 10.2.1, for GBK too.
class Gb18030Rules {
 public:
  bool IsBetweenCharacters() const { return first_ == 0; }

  void Take(unsigned byte, std::string& out) {
    if (third_ != 0) {
      TakeFourth(byte, out);
    } else if (second_ != 0) {
      if (IsIn(byte, 0x81, 0xFE)) {
        third_ = byte;
      } else {
        Restore(out, {second_, byte});
      }
    } else if (first_ != 0) {
      TakeSecond(byte, out);
    } else if (byte < 0x80) {
      out += static_cast<char>(byte);
    } else if (byte == 0x80) {
      out += "\u20AC";
    } else if (byte == 0xFF) {
      out += kReplacementCharacter;
    } else {
      first_ = byte;
    }
  }

 private:
  void TakeSecond(unsigned byte, std::string& out) {
    if (IsIn(byte, 0x30, 0x39)) {
      second_ = byte;
      return;
    }
    std::size_t pointer = kNoPointer;
    if (IsIn(byte, 0x40, 0x7E) || IsIn(byte, 0x80, 0xFE)) {
      pointer = (first_ - 0x81) * 190 + byte - (byte < 0x7F ? 0x40 : 0x41);
    }
    first_ = 0;
    if (AppendPointer(index_, pointer, out)) return;
    out += kReplacementCharacter;
    if (byte < 0x80) Take(byte, out);
  }

  void TakeFourth(unsigned byte, std::string& out) {
    if (!IsIn(byte, 0x30, 0x39)) {
      Restore(out, {second_, third_, byte});
      return;
    }
    const std::size_t pointer =
        (first_ - 0x81) * 12600 + (second_ - 0x30) * 1260 + (third_ - 0x81) * 10 + byte - 0x30;
    first_ = second_ = third_ = 0;
    if (pointer >= 189000 && pointer <= 1237575) {
      AppendCodePoint(static_cast<char32_t>(0x10000 - 189000 + pointer), out);
    } else if (!AppendPointer(Gb18030FourByteIndex(), pointer, out)) {
      out += kReplacementCharacter;
    }
  }

  /// An error in which all but the first byte go back to the stream.
  void Restore(std::string& out, std::initializer_list<unsigned> bytes) {
    first_ = second_ = third_ = 0;
    out += kReplacementCharacter;
    for (const unsigned byte : bytes) Take(byte, out);
  }

  const CharacterIndex& index_ = Gb18030Index();
  unsigned first_ = 0;  // 0: none, of all three
  unsigned second_ = 0;
  unsigned third_ = 0;
};

}  // namespace

std::unique_ptr<StreamDecoder> MakeMultiByteDecoder(Decoding decoding) {
  switch (decoding) {
    case Decoding::kBig5:
      return std::make_unique<MultiByteDecoder<TwoByteRules<Big5>>>();
    case Decoding::kEucKr:
      return std::make_unique<MultiByteDecoder<TwoByteRules<EucKr>>>();
    case Decoding::kShiftJis:
      return std::make_unique<MultiByteDecoder<TwoByteRules<ShiftJis>>>();
    case Decoding::kEucJp:
      return std::make_unique<MultiByteDecoder<EucJpRules>>();
    default:
      return std::make_unique<MultiByteDecoder<Gb18030Rules>>();
  }
}

}  // namespace trawl
