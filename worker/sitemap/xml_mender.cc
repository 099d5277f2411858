#include "worker/sitemap/xml_mender.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <system_error>

namespace trawl {
namespace {

constexpr std::string_view kComment = "<!--";
constexpr std::string_view kCData = "<![CDATA[";
constexpr std::string_view kBlanks = " \t\r\n";
/// The longest reference that is one: "&#x10FFFF;" and names of a document's own.
constexpr std::size_t kMaxReferenceBytes = 32;

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsHexDigit(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool IsNameStart(char c) { return IsLetter(c) || c == '_'; }
bool IsNameCharacter(char c) {
  return IsNameStart(c) || IsDigit(c) || c == '-' || c == '.' || c == ':';
}
bool IsControl(char c) { return c >= 0 && c < ' ' && kBlanks.find(c) == kBlanks.npos; }

std::size_t CountOf(std::string_view text, bool (*is_one)(char)) {
  return std::find_if_not(text.begin(), text.end(), is_one) - text.begin();
}

void AppendCharacter(char c, std::string& xml) {
  switch (c) {
    case '&':
      xml += "&amp;";
      break;
    case '<':
      xml += "&lt;";
      break;
    case '>':
      xml += "&gt;";
      break;
    default:
      xml += IsControl(c) ? ' ' : c;
  }
}

/// The length of the reference that a text begins with; 0 when its "&" stands for itself.
std::size_t ReferenceBytes(std::string_view text) {
  const bool number = text.starts_with("&#");
  const bool hex = text.starts_with("&#x");
  const std::size_t prefix = hex ? 3 : number ? 2 : 1;
  const std::string_view body = text.substr(prefix, kMaxReferenceBytes - prefix);
  if (!number && (body.empty() || !IsNameStart(body.front()))) return 0;
  const std::size_t bytes = CountOf(body, hex ? IsHexDigit : number ? IsDigit : IsNameCharacter);
  return bytes > 0 && bytes < body.size() && body[bytes] == ';' ? prefix + bytes + 1 : 0;
}

/// The code point of a numeric reference; 0 when it is not a character of XML (section 2.2).
std::uint32_t CodePointOf(std::string_view reference) {
  const bool hex = reference.starts_with("&#x");
  const std::string_view digits = reference.substr(hex ? 3 : 2);
  std::uint32_t code = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), code, hex ? 16 : 10);
  const bool character = code == '\t' || code == '\n' || code == '\r' ||
                         (code >= 0x20 && code < 0xd800) || (code >= 0xe000 && code < 0xfffe) ||
                         (code >= 0x10000 && code <= 0x10ffff);
  return error == std::errc() && character ? code : 0;
}

/// A whole reference, if it is to a character. One to an entity that the document may declare means
/// nothing here; without declarations it is text.
void AppendReference(std::string_view reference, bool declares, std::string& xml) {
  constexpr std::array<std::string_view, 5> kPredefined = {"&amp;", "&lt;", "&gt;", "&quot;",
                                                           "&apos;"};
  const bool number = reference.starts_with("&#");
  const bool means_one =
      number ? CodePointOf(reference) != 0
             : std::find(kPredefined.begin(), kPredefined.end(), reference) != kPredefined.end();
  if (means_one) {
    xml += reference;
  } else if (!number && !declares) {
    xml += "&amp;";
    xml += reference.substr(1);
  }
}

/// Whether more text could still make a reference of the "&" that the text begins with.
bool MayBecomeReference(std::string_view text) {
  if (text.size() >= kMaxReferenceBytes) return false;
  const std::string_view body = text.substr(std::min<std::size_t>(text.starts_with("&#x")  ? 3
                                                                  : text.starts_with("&#") ? 2
                                                                                           : 1,
                                                                  text.size()));
  return CountOf(body, IsNameCharacter) == body.size();
}

/// A whole text: nothing follows that could complete a reference.
void AppendText(std::string_view text, bool declares, std::string& xml) {
  while (!text.empty()) {
    const std::size_t reference = text.front() == '&' ? ReferenceBytes(text) : 0;
    if (reference > 0) {
      AppendReference(text.substr(0, reference), declares, xml);
    } else {
      AppendCharacter(text.front(), xml);
    }
    text.remove_prefix(std::max<std::size_t>(reference, 1));
  }
}

/// Where the tag at the front of a text ends (its ">") or breaks off (another "<"); npos: not yet.
std::size_t EndOfTag(std::string_view text) {
  char quote = 0;
  for (std::size_t i = 1; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '>' || c == '<') {
      return i;
    } else if (c == '"' || c == '\'') {
      quote = c;
    }
  }
  return text.npos;
}

}  // namespace

void XmlMender::Feed(std::string_view text, std::string& xml) {
  if (!begun_) xml += "<r>";
  begun_ = true;
  rest_ += text;
  std::string_view left = rest_;
  while (!left.empty() && Take(left, xml)) {
  }
  rest_.erase(0, rest_.size() - left.size());
}

void XmlMender::Finish(std::string& xml) {
  Feed({}, xml);
  if (state_ == State::kText && rest_.starts_with('<')) CloseDownTo(0, xml);
}

bool XmlMender::Take(std::string_view& text, std::string& xml) {
  switch (state_) {
    case State::kText:
      break;
    case State::kCData:
      return TakeCData(text, xml);
    case State::kComment:
      return SkipPast(text, "-->");
    case State::kInstruction:
      // Without its "?": "<?xml version='1.0'>" is seen, a ">" inside is not.
      return SkipPast(text, ">");
    case State::kDeclaration:
    case State::kSubset:
    case State::kSubsetEnd:
      return SkipDeclaration(text);
  }
  if (text.front() == '<') return TakeMarkup(text, xml);
  if (text.front() == '&') {
    const std::size_t reference = ReferenceBytes(text);
    if (reference == 0 && MayBecomeReference(text)) return false;
    if (reference > 0) {
      AppendReference(text.substr(0, reference), declares_, xml);
    } else {
      xml += "&amp;";
    }
    text.remove_prefix(std::max<std::size_t>(reference, 1));
    return true;
  }
  const std::size_t end = std::min(text.find_first_of("<&"), text.size());
  for (char c : text.substr(0, end)) AppendCharacter(c, xml);
  text.remove_prefix(end);
  return true;
}

bool XmlMender::TakeMarkup(std::string_view& text, std::string& xml) {
  if (text.size() == 1 || (text.size() < kComment.size() && kComment.starts_with(text)) ||
      (text.size() < kCData.size() && kCData.starts_with(text))) {
    return false;
  }
  const auto enter = [&](State state, std::size_t prefix) {
    state_ = state;
    text.remove_prefix(prefix);
    return true;
  };
  if (text.starts_with(kComment)) return enter(State::kComment, kComment.size());
  if (text.starts_with(kCData)) return enter(State::kCData, kCData.size());
  if (text[1] == '?') return enter(State::kInstruction, 2);
  if (text[1] == '!' && text.size() == 2) return false;
  if (text[1] == '!' && IsLetter(text[2])) return enter(State::kDeclaration, 2);
  if (text[1] == '/' && text.size() == 2) return false;
  if (IsNameStart(text[text[1] == '/' ? 2 : 1])) return TakeTag(text, xml);
  AppendCharacter('<', xml);
  text.remove_prefix(1);
  return true;
}

bool XmlMender::TakeTag(std::string_view& text, std::string& xml) {
  const std::size_t end = EndOfTag(text.substr(0, kMaxTagBytes));
  if (end == text.npos) {
    if (text.size() < kMaxTagBytes) return false;
    // A quote that is not closed, or too much of a tag: go on after it.
    text.remove_prefix(std::min(text.find('>', 1), kMaxTagBytes - 1) + 1);
    return true;
  }
  const std::string_view tag = text.substr(0, end);
  const bool whole = text[end] == '>';
  text.remove_prefix(whole ? end + 1 : end);
  if (tag.starts_with("</")) {
    Close(tag.substr(2, CountOf(tag.substr(2), IsNameCharacter)), xml);
  } else if (whole) {
    Open(tag, xml);
  }
  return true;
}

void XmlMender::Open(std::string_view tag, std::string& xml) {
  if (open_.size() >= kMaxDepth) CloseDownTo(1, xml);
  xml += '<';
  AppendText(tag.substr(1), declares_, xml);
  xml += '>';
  if (!tag.ends_with('/'))
    open_.emplace_back(tag.substr(1, CountOf(tag.substr(1), IsNameCharacter)));
}

void XmlMender::Close(std::string_view name, std::string& xml) {
  const auto match = std::find(open_.rbegin(), open_.rend(), name);
  if (match != open_.rend()) CloseDownTo(open_.rend() - match - 1, xml);
}

void XmlMender::CloseDownTo(std::size_t depth, std::string& xml) {
  for (; open_.size() > depth; open_.pop_back()) xml += "</" + open_.back() + '>';
}

bool XmlMender::TakeCData(std::string_view& text, std::string& xml) {
  const std::size_t end = text.find("]]>");
  // The last two may begin the end.
  const std::size_t taken =
      end != text.npos ? end : text.size() - std::min<std::size_t>(2, text.size());
  for (char c : text.substr(0, taken)) AppendCharacter(c, xml);
  text.remove_prefix(taken);
  if (end == text.npos) return false;
  text.remove_prefix(3);
  state_ = State::kText;
  return true;
}

bool XmlMender::SkipPast(std::string_view& text, std::string_view end) {
  const std::size_t at = text.find(end);
  if (at == text.npos) {
    text.remove_prefix(text.size() - std::min(end.size() - 1, text.size()));
    return false;
  }
  text.remove_prefix(at + end.size());
  state_ = State::kText;
  return true;
}

/// "<!DOCTYPE" ... ">", with or without a subset in brackets.
bool XmlMender::SkipDeclaration(std::string_view& text) {
  const std::size_t at = state_ == State::kDeclaration ? text.find_first_of("[>")
                         : state_ == State::kSubset    ? text.find(']')
                                                       : text.find_first_not_of(kBlanks);
  if (at == text.npos) {
    text = {};
    return false;
  }
  const char c = text[at];
  declares_ |= c == '[';
  text.remove_prefix(at + (c == '>' || c == '[' || c == ']' ? 1 : 0));
  state_ = state_ == State::kSubset ? State::kSubsetEnd
           : c == '>'               ? State::kText
           : c == ']'               ? State::kSubsetEnd
                                    : State::kSubset;
  return true;
}

}  // namespace trawl
