// The tokenizer's states for what is skipped: comments, also bogus ones (HTML Standard 13.2.5.41 to
// 13.2.5.52), and CDATA sections (13.2.5.69 to 13.2.5.71).
#include "worker/html/byte_search.h"
#include "worker/html/tokenizer.h"

namespace trawl::html {

/// 13.2.5.43 to 13.2.5.52 say: it ends at the first ">" after "--" or "--!", or that comes at once
/// or after one "-".
const char* Tokenizer::WholeComment(const char* begin, const char* end) {
  constexpr std::string_view kOpening = "<!--";
  const std::string_view rest(begin, static_cast<std::size_t>(end - begin));
  if (!rest.starts_with(kOpening)) return nullptr;
  const char* const text = begin + kOpening.size();
  for (const char* at = text;; ++at) {
    at = FindByte(at, end, '>');
    if (at == end) return nullptr;
    const std::string_view before(text, static_cast<std::size_t>(at - text));
    if (before.empty() || before == "-" || before.ends_with("--") || before.ends_with("--!")) {
      return at + 1;
    }
  }
}

const char* Tokenizer::InComment(const char* at, const char* end) {
  const char c = *at;
  switch (state_) {
    case State::kBogusComment:
      at = FindByte(at, end, '>');
      if (at == end) return at;
      state_ = State::kData;
      return at + 1;
    case State::kCommentStart:
    case State::kCommentStartDash:
      if (c == '>') {
        state_ = State::kData;
      } else if (c == '-') {
        state_ = state_ == State::kCommentStart ? State::kCommentStartDash : State::kCommentEnd;
      } else {
        state_ = State::kComment;
      }
      return at + 1;
    case State::kComment:
      at = FindByte(at, end, '-');
      if (at == end) return at;
      state_ = State::kCommentEndDash;
      return at + 1;
    case State::kCommentEndDash:
      state_ = c == '-' ? State::kCommentEnd : State::kComment;
      return at + 1;
    case State::kCommentEnd:
      if (c == '>') {
        state_ = State::kData;
      } else if (c == '!') {
        state_ = State::kCommentEndBang;
      } else if (c != '-') {
        state_ = State::kComment;
      }
      return at + 1;
    default:  // kCommentEndBang
      state_ = c == '>' ? State::kData : c == '-' ? State::kCommentEndDash : State::kComment;
      return at + 1;
  }
}

const char* Tokenizer::InCdata(const char* at, const char* end) {
  switch (state_) {
    case State::kCdata:
      for (; at != end && watches_characters_ && *at != ']'; ++at) {
        if (!IsSpace(*at)) Tell(*at == '\0' ? Character::kNul : Character::kOther);
      }
      at = FindByte(at, end, ']');
      if (at == end) return at;
      state_ = State::kCdataBracket;
      return at + 1;
    case State::kCdataBracket:
      if (*at == ']') {
        state_ = State::kCdataEnd;
        return at + 1;
      }
      Tell(Character::kOther);
      state_ = State::kCdata;
      return at;
    default:  // kCdataEnd
      if (*at == '>') {
        state_ = State::kData;
        return at + 1;
      }
      Tell(Character::kOther);
      if (*at == ']') return at + 1;
      state_ = State::kCdata;
      return at;
  }
}

}  // namespace trawl::html
