// The tokenizer's states for text in which only one end tag counts: RCDATA, raw text (13.2.5.9 to
// 13.2.5.14) and scripts (13.2.5.4, 13.2.5.15 to 13.2.5.31).
#include "worker/html/byte_search.h"
#include "worker/html/tokenizer.h"

namespace trawl::html {
namespace {

constexpr std::size_t kMaxEndTagBytes = 16;  // longer than "</textarea" and all others

bool EndsName(char c) { return IsSpace(c) || c == '/' || c == '>'; }

}  // namespace

const char* Tokenizer::InRawText(const char* at, const char* end) {
  const char* const begin = at;
  const char c = *at;
  switch (state_) {
    case State::kRawText:
      at = FindByte(at, end, '<');
      if (is_rcdata_ && at != begin) {
        handler_.OnRcdata({begin, static_cast<std::size_t>(at - begin)});
      }
      if (at == end) return at;
      pending_ = '<';
      state_ = State::kRawTextLessThan;
      return at + 1;
    case State::kRawTextLessThan:
      raw_text_state_ = State::kRawText;
      if (c != '/') {
        LeaveRawTextEndTag();
        return at;
      }
      pending_ += c;
      state_ = State::kRawTextEndTagOpen;
      return at + 1;
    case State::kRawTextEndTagOpen:
      if (!IsLetter(c)) {
        LeaveRawTextEndTag();
        return at;
      }
      BeginTag(true);
      state_ = State::kRawTextEndTagName;
      return at;
    default:  // kRawTextEndTagName
      if (IsLetter(c) && pending_.size() < kMaxEndTagBytes) {
        name_.Add(c);
        pending_ += c;
        return at + 1;
      }
      if (!EndsName(c) || name_.value() != raw_text_key_) {
        LeaveRawTextEndTag();
        return at;
      }
      EndTagName();
      in_raw_text_ = true;
      state_ = State::kBeforeAttributeName;
      return at;
  }
}

/// What looked like an end tag is text.
void Tokenizer::LeaveRawTextEndTag() {
  state_ = raw_text_state_;
  if (is_rcdata_ && state_ == State::kRawText) handler_.OnRcdata(pending_);
}

const char* Tokenizer::InScript(const char* at, const char* end) {
  const char c = *at;
  // Most states go on to `next` by taking the byte; those that look at it again return `at`.
  State next = state_;
  switch (state_) {
    case State::kScript:
      at = FindByte(at, end, '<');
      if (at == end) return at;
      next = State::kScriptLessThan;
      break;
    case State::kScriptLessThan:
      if (c == '/') {
        raw_text_state_ = State::kScript;
        pending_ = "</";
        next = State::kRawTextEndTagOpen;
      } else if (c == '!') {
        next = State::kScriptEscapeStart;
      } else {
        state_ = State::kScript;
        return at;
      }
      break;
    case State::kScriptEscapeStart:
    case State::kScriptEscapeStartDash:
      if (c != '-') {
        state_ = State::kScript;
        return at;
      }
      next = state_ == State::kScriptEscapeStart ? State::kScriptEscapeStartDash
                                                 : State::kScriptEscapedDashDash;
      break;
    case State::kScriptEscaped:
    case State::kScriptDoubleEscaped:
      at = FindEither(at, end, '-', '<');
      if (at == end) return at;
      if (state_ == State::kScriptEscaped) {
        next = *at == '-' ? State::kScriptEscapedDash : State::kScriptEscapedLessThan;
      } else {
        next = *at == '-' ? State::kScriptDoubleEscapedDash : State::kScriptDoubleEscapedLessThan;
      }
      break;
    case State::kScriptEscapedDash:
    case State::kScriptEscapedDashDash:
      if (c == '-') {
        next = State::kScriptEscapedDashDash;
      } else if (c == '<') {
        next = State::kScriptEscapedLessThan;
      } else if (c == '>' && state_ == State::kScriptEscapedDashDash) {
        next = State::kScript;
      } else {
        next = State::kScriptEscaped;
      }
      break;
    case State::kScriptEscapedLessThan:
      if (c == '/') {
        raw_text_state_ = State::kScriptEscaped;
        pending_ = "</";
        next = State::kRawTextEndTagOpen;
        break;
      }
      name_ = NameKey();
      state_ = IsLetter(c) ? State::kScriptDoubleEscapeStart : State::kScriptEscaped;
      return at;
    case State::kScriptDoubleEscapeStart:
    case State::kScriptDoubleEscapeEnd: {
      const bool starts = state_ == State::kScriptDoubleEscapeStart;
      if (IsLetter(c)) {
        name_.Add(c);
        break;
      }
      const bool is_script = EndsName(c) && name_.value() == KeyOf("script");
      next = is_script == starts ? State::kScriptDoubleEscaped : State::kScriptEscaped;
      if (!EndsName(c)) {
        state_ = next;
        return at;
      }
      break;
    }
    case State::kScriptDoubleEscapedDash:
    case State::kScriptDoubleEscapedDashDash:
      if (c == '-') {
        next = State::kScriptDoubleEscapedDashDash;
      } else if (c == '<') {
        next = State::kScriptDoubleEscapedLessThan;
      } else if (c == '>' && state_ == State::kScriptDoubleEscapedDashDash) {
        next = State::kScript;
      } else {
        next = State::kScriptDoubleEscaped;
      }
      break;
    default:  // kScriptDoubleEscapedLessThan
      if (c != '/') {
        state_ = State::kScriptDoubleEscaped;
        return at;
      }
      name_ = NameKey();
      next = State::kScriptDoubleEscapeEnd;
      break;
  }
  state_ = next;
  return at + 1;
}

}  // namespace trawl::html
