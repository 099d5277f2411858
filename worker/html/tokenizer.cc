#include "worker/html/tokenizer.h"

#include <algorithm>

#include "worker/html/byte_search.h"
#include "worker/html/character_references.h"

namespace trawl::html {
namespace {

constexpr std::string_view kCdataName = "[CDATA[";
constexpr std::size_t kMaxReferenceBytes = 64;  // longer than all names; what is longer is no blank

bool EndsTagName(char c) { return TagNameByte(c) == 0; }

bool IsReferenceCharacter(char c) { return IsLetter(c) || (c >= '0' && c <= '9') || c == '#'; }

}  // namespace

void Tokenizer::Feed(std::string_view bytes) {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  while (at != end) {
    if (state_ == State::kData) {
      at = Data(at, end);
    } else if (state_ < State::kTagName) {
      at = InMarkup(at);
    } else if (state_ < State::kBogusComment) {
      at = InTag(at, end);
    } else if (state_ < State::kCdata) {
      at = InComment(at, end);
    } else if (state_ < State::kPlaintext) {
      at = InCdata(at, end);
    } else if (state_ == State::kPlaintext) {
      return;
    } else if (state_ < State::kScript) {
      at = InRawText(at, end);
    } else {
      at = InScript(at, end);
    }
  }
}

/// A tag that has not ended is none; what may have become the end tag of an RCDATA element is text.
void Tokenizer::Finish() {
  if (state_ > State::kRawText && state_ < State::kScript) LeaveRawTextEndTag();
}

const char* Tokenizer::Data(const char* at, const char* end) {
  while (at != end && state_ == State::kData) {
    if (watches_characters_) {
      at = WatchCharacters(at, end);
      if (at == end || state_ != State::kData) return at;
    }
    if (*at != '<') at = FindByte(at, end, '<');
    if (at == end) return end;
    const char* const behind = TakeWhole(at, end);
    if (behind) {
      at = behind;
    } else {
      state_ = State::kTagOpen;
      ++at;
    }
  }
  return at;
}

/// Up to a "<", or until no more characters are watched.
const char* Tokenizer::WatchCharacters(const char* at, const char* end) {
  for (; at != end && watches_characters_ && *at != '<'; ++at) {
    if (IsSpace(*at)) continue;
    if (*at == '&') {
      pending_ = '&';
      state_ = State::kCharacterReference;
      return at + 1;
    }
    Tell(*at == '\0' ? Character::kNul : Character::kOther);
  }
  return at;
}

void Tokenizer::Tell(Character character) {
  if (watches_characters_) watches_characters_ = handler_.OnCharacter(character).watches_characters;
}

void Tokenizer::EndCharacterReference() {
  const Reference reference = ReadReference(pending_, ReferencePlace::kText);
  const bool blank = reference.bytes == pending_.size() &&
                     std::all_of(reference.text.begin(), reference.text.end(), IsSpace);
  if (!blank) Tell(Character::kOther);
  state_ = State::kData;
}

const char* Tokenizer::TakeWhole(const char* begin, const char* end) {
  const char* at = begin + 1;
  if (at == end) return nullptr;
  const bool closing = *at == '/';
  if (closing && ++at == end) return nullptr;
  if (!IsLetter(*at)) return closing ? nullptr : WholeComment(begin, end);
  NameKey name;
  for (unsigned char byte = TagNameByte(*at); byte != 0; byte = TagNameByte(*at)) {
    name.AddByte(byte);
    if (++at == end) return nullptr;
  }
  BeginTag(closing);
  name_ = name;
  EndTagName();
  const bool wants_attributes = !closing && tag_.type->wanted != 0;
  while (*at != '>') {
    const char* const stop = FindEither(at, end, '>', '=');
    if (stop == end) return nullptr;
    if (wants_attributes) TakeNames(at, stop);
    if (*stop == '>') {
      tag_.self_closing = stop[-1] == '/';
      at = stop;
      break;
    }
    // Where a name is expected, "=" begins one.
    if (stop == at || IsSpace(stop[-1]) || stop[-1] == '/') return nullptr;
    const char* value = stop + 1;
    if (value == end || IsSpace(*value) || *value == '>') return nullptr;
    if (*value == '"' || *value == '\'') {
      const char quote = *value++;
      at = FindByte(value, end, quote);
      if (at == end) return nullptr;
      TakeValue(value, at++);
    } else {
      at = value;
      while (at != end && !IsSpace(*at) && *at != '>') ++at;
      TakeValue(value, at);
    }
    if (at == end) return nullptr;
  }
  EmitTag();
  return at + 1;
}

void Tokenizer::TakeNames(const char* at, const char* end) {
  has_attribute_ = false;
  while (at != end) {
    if (IsSpace(*at) || *at == '/') {
      ++at;
      continue;
    }
    NameKey name;
    for (; at != end && !EndsTagName(*at); ++at) name.Add(*at);
    name_ = name;
    EndAttributeName();
    if (has_attribute_) tag_.values[static_cast<std::size_t>(attribute_)] = {};
  }
}

void Tokenizer::TakeValue(const char* begin, const char* end) {
  if (!has_attribute_) return;
  const std::string_view value(begin, static_cast<std::size_t>(end - begin));
  if (value.size() > kMaxValueBytes) tag_.too_long |= SetOf(attribute_);
  tag_.values[static_cast<std::size_t>(attribute_)] = value.substr(0, kMaxValueBytes);
  has_attribute_ = false;
}

void Tokenizer::BeginTag(bool closing) {
  closing_ = closing;
  has_attribute_ = false;
  name_ = NameKey();
  tag_.self_closing = false;
  tag_.present = 0;
  tag_.too_long = 0;
}

void Tokenizer::EndTagName() {
  tag_.key = name_.value();
  tag_.type = &ElementTypeOf(tag_.key);
}

/// Of an attribute's name; of two with the same one the first counts.
void Tokenizer::EndAttributeName() {
  has_attribute_ = !closing_ && tag_.type->wanted != 0 &&
                   FindAttribute(name_.value(), attribute_) &&
                   (tag_.type->wanted & SetOf(attribute_)) != 0 && !tag_.Has(attribute_);
  if (has_attribute_) tag_.present |= SetOf(attribute_);
}

void Tokenizer::EmitTag() {
  const Reaction reaction =
      closing_ ? handler_.OnEndTag(tag_.key, *tag_.type) : handler_.OnStartTag(tag_);
  watches_characters_ = reaction.watches_characters;
  switch (reaction.content) {
    case ContentModel::kData:
      state_ = State::kData;
      return;
    case ContentModel::kPlaintext:
      state_ = State::kPlaintext;
      return;
    case ContentModel::kRcdata:
    case ContentModel::kRawText:
      state_ = State::kRawText;
      break;
    case ContentModel::kScript:
      state_ = State::kScript;
      break;
  }
  is_rcdata_ = reaction.content == ContentModel::kRcdata;
  raw_text_key_ = tag_.key;
}

const char* Tokenizer::InMarkup(const char* at) {
  const char c = *at;
  switch (state_) {
    case State::kCharacterReference:
      if (IsReferenceCharacter(c) && pending_.size() < kMaxReferenceBytes) {
        pending_ += c;
        return at + 1;
      }
      if (c == ';') {
        pending_ += c;
        ++at;
      }
      EndCharacterReference();
      return at;
    case State::kTagOpen:
      if (c == '!') {
        matched_ = 0;
        state_ = State::kMarkupDeclaration;
        return at + 1;
      }
      if (c == '/') {
        state_ = State::kEndTagOpen;
        return at + 1;
      }
      if (c == '?') {
        state_ = State::kBogusComment;
      } else if (IsLetter(c)) {
        BeginTag(false);
        state_ = State::kTagName;
      } else {
        Tell(Character::kOther);  // the "<"
        state_ = State::kData;
      }
      return at;
    case State::kEndTagOpen:
      if (IsLetter(c)) {
        BeginTag(true);
        state_ = State::kTagName;
        return at;
      }
      state_ = c == '>' ? State::kData : State::kBogusComment;
      return c == '>' ? at + 1 : at;
    default:
      break;
  }
  // After "<!": "--", "[CDATA[" where it is allowed, or a bogus comment. A doctype ends where that
  // does, and says nothing of links.
  if (matched_ == 0 && c == '-') {
    matched_ = kCdataName.size();  // stands for the first dash
    return at + 1;
  }
  if (matched_ == kCdataName.size()) {
    state_ = c == '-' ? State::kCommentStart : State::kBogusComment;
    return c == '-' ? at + 1 : at;
  }
  if (c != kCdataName[matched_] || !handler_.AllowsCdata()) {
    state_ = State::kBogusComment;
    return at;
  }
  if (++matched_ == kCdataName.size()) state_ = State::kCdata;
  return at + 1;
}

const char* Tokenizer::InTag(const char* at, const char* end) {
  const char* const begin = at;
  const char c = *at;
  switch (state_) {
    case State::kTagName:
      while (at != end && !EndsTagName(*at)) name_.Add(*at++);
      if (at != end) {
        EndTagName();
        state_ = State::kBeforeAttributeName;
      }
      return at;
    case State::kBeforeAttributeName:
      if (IsSpace(c)) return at + 1;
      if (c == '/') {
        state_ = State::kSelfClosingStartTag;
        return at + 1;
      }
      if (c == '>') {
        EmitBufferedTag();
        return at + 1;
      }
      name_ = NameKey();
      name_.Add(c);  // even "="
      state_ = State::kAttributeName;
      return at + 1;
    case State::kAttributeName:
      while (at != end && !EndsTagName(*at) && *at != '=') name_.Add(*at++);
      if (at == end) return at;
      EndAttributeName();
      if (has_attribute_) buffers_[static_cast<std::size_t>(attribute_)].clear();
      state_ = State::kAfterAttributeName;
      return at;
    case State::kAfterAttributeName:
      if (IsSpace(c)) return at + 1;
      state_ = c == '=' ? State::kBeforeAttributeValue : State::kBeforeAttributeName;
      return c == '=' ? at + 1 : at;
    case State::kBeforeAttributeValue:
      if (IsSpace(c)) return at + 1;
      if (c == '"' || c == '\'') {
        state_ = c == '"' ? State::kDoubleQuotedValue : State::kSingleQuotedValue;
        return at + 1;
      }
      state_ = c == '>' ? State::kBeforeAttributeName : State::kUnquotedValue;
      return at;
    case State::kDoubleQuotedValue:
    case State::kSingleQuotedValue:
      at = FindByte(at, end, state_ == State::kDoubleQuotedValue ? '"' : '\'');
      AppendValue(begin, at);
      if (at == end) return at;
      state_ = State::kBeforeAttributeName;  // 13.2.5.39 comes to the same
      return at + 1;
    case State::kUnquotedValue:
      while (at != end && !IsSpace(*at) && *at != '>') ++at;
      AppendValue(begin, at);
      if (at != end) state_ = State::kBeforeAttributeName;
      return at;
    default:  // kSelfClosingStartTag
      if (c != '>') {
        state_ = State::kBeforeAttributeName;
        return at;
      }
      tag_.self_closing = true;
      EmitBufferedTag();
      return at + 1;
  }
}

void Tokenizer::AppendValue(const char* begin, const char* end) {
  if (!has_attribute_) return;
  std::string& value = buffers_[static_cast<std::size_t>(attribute_)];
  const auto bytes = static_cast<std::size_t>(end - begin);
  const std::size_t room = kMaxValueBytes - value.size();
  if (bytes > room) tag_.too_long |= SetOf(attribute_);
  value.append(begin, std::min(bytes, room));
}

void Tokenizer::EmitBufferedTag() {
  if (in_raw_text_) {
    in_raw_text_ = false;
    state_ = State::kData;
    if (is_rcdata_) handler_.OnRcdataEnd();
    return;
  }
  for (std::size_t i = 0; i < kAttributes; ++i) {
    if ((tag_.present & 1u << i) != 0) tag_.values[i] = buffers_[i];
  }
  EmitTag();
}

}  // namespace trawl::html
