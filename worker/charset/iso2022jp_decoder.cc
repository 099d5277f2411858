#include "common/utf8.h"
#include "worker/charset/character_index.h"
#include "worker/charset/stream_decoder.h"

namespace trawl {
namespace {

/// Section 12.2.1. Its escape sequences switch what the ASCII bytes mean.
class Iso2022JpDecoder : public StreamDecoder {
 public:
  void Decode(std::string_view bytes, std::string& out) override {
    for (const char c : bytes) Take(static_cast<unsigned char>(c), out);
  }

  void Finish(std::string& out) override {
    if (state_ == State::kEscape) {
      // The escape is an error, and its second byte goes back to the stream.
      const unsigned second = lead_;
      LeaveEscape(out);
      Take(second, out);
    } else if (state_ == State::kEscapeStart) {
      LeaveEscape(out);
    }
    if (state_ == State::kTrail) out += kReplacementCharacter;
  }

 private:
  enum class State { kAscii, kRoman, kKatakana, kLead, kTrail, kEscapeStart, kEscape };

  void Take(unsigned byte, std::string& out) {
    switch (state_) {
      case State::kEscapeStart:
        if (byte == '$' || byte == '(') {
          lead_ = byte;
          state_ = State::kEscape;
        } else {
          LeaveEscape(out);
          Take(byte, out);
        }
        return;
      case State::kEscape:
        TakeEscape(byte, out);
        return;
      case State::kTrail:
        TakeTrail(byte, out);
        return;
      default:
        break;
    }
    if (byte == 0x1B) {
      state_ = State::kEscapeStart;
      return;
    }
    has_switched_ = false;
    if (state_ == State::kLead) {
      if (byte >= 0x21 && byte <= 0x7E) {
        lead_ = byte;
        state_ = State::kTrail;
        return;
      }
    } else if (state_ == State::kKatakana) {
      if (byte >= 0x21 && byte <= 0x5F) {
        AppendCodePoint(0xFF61 - 0x21 + byte, out);
        return;
      }
    } else if (byte < 0x80 && byte != 0x0E && byte != 0x0F) {
      const bool roman = state_ == State::kRoman;
      AppendCodePoint(roman && byte == 0x5C ? 0xA5 : roman && byte == 0x7E ? 0x203E : byte, out);
      return;
    }
    out += kReplacementCharacter;
  }

  void TakeTrail(unsigned byte, std::string& out) {
    state_ = byte == 0x1B ? State::kEscapeStart : State::kLead;
    char32_t code_point = 0;
    if (byte >= 0x21 && byte <= 0x7E) {
      code_point = jis0208_.CodePoint((lead_ - 0x21) * 94 + byte - 0x21);
    }
    AppendCodePoint(code_point == 0 ? 0xFFFD : code_point, out);
  }

  void TakeEscape(unsigned byte, std::string& out) {
    if (lead_ == '(' && byte == 'B') {
      SwitchTo(State::kAscii, out);
    } else if (lead_ == '(' && byte == 'J') {
      SwitchTo(State::kRoman, out);
    } else if (lead_ == '(' && byte == 'I') {
      SwitchTo(State::kKatakana, out);
    } else if (lead_ == '$' && (byte == '@' || byte == 'B')) {
      SwitchTo(State::kLead, out);
    } else {
      const unsigned second = lead_;
      LeaveEscape(out);
      Take(second, out);
      Take(byte, out);
    }
  }

  /// Two escape sequences with nothing between them are an error: they can hide text from a filter.
  void SwitchTo(State state, std::string& out) {
    state_ = output_state_ = state;
    if (has_switched_) out += kReplacementCharacter;
    has_switched_ = true;
  }

  /// An escape sequence that is none.
  void LeaveEscape(std::string& out) {
    has_switched_ = false;
    state_ = output_state_;
    out += kReplacementCharacter;
  }

  const CharacterIndex& jis0208_ = Jis0208Index();
  State state_ = State::kAscii;
  State output_state_ = State::kAscii;  // what to go back to from an escape sequence
  unsigned lead_ = 0;                   // of a character or of an escape sequence
  bool has_switched_ = false;           // with the last bytes
};

}  // namespace

std::unique_ptr<StreamDecoder> MakeIso2022JpDecoder() {
  return std::make_unique<Iso2022JpDecoder>();
}

}  // namespace trawl
