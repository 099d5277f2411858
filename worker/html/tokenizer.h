// The HTML Standard's tokenizer (13.2.5), as far as links need it: start and end tags with the
// attributes that a crawler reads, the text of RCDATA elements, and, where tree construction asks
// for it, what kind of characters a text has. Comments, doctypes and other texts pass unseen.
//
// Bytes come in pieces of any size; where they are cut never changes the tokens. The encoding is
// UTF-8, valid or not. Work is linear in the bytes, and of a tag no more is kept than its wanted
// attributes, kMaxValueBytes of each.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "worker/html/element_types.h"
#include "worker/html/name.h"

namespace trawl::html {

/// 13.2.5.1 to 13.2.5.5: how what follows a start tag is read.
enum class ContentModel : std::uint8_t { kData, kRcdata, kRawText, kScript, kPlaintext };

/// Blank characters are never told: they change nothing.
enum class Character : std::uint8_t { kNul, kOther };

/// How the tokenizer goes on after a token.
struct Reaction {
  ContentModel content = ContentModel::kData;
  bool watches_characters = false;  // the next non-blank character of a text matters
};

struct StartTag {
  std::uint64_t key = 0;
  const ElementType* type = nullptr;  // of the HTML element of this name
  bool self_closing = false;
  AttributeSet present = 0;   // of the wanted ones
  AttributeSet too_long = 0;  // cut at kMaxValueBytes
  /// As written, character references included; only those in `present` mean anything, and only
  /// during the call.
  std::array<std::string_view, kAttributes> values;

  bool Has(Attribute attribute) const { return (present & SetOf(attribute)) != 0; }
  bool IsTooLong(Attribute attribute) const { return (too_long & SetOf(attribute)) != 0; }
  std::string_view Value(Attribute attribute) const {
    return Has(attribute) ? values[static_cast<std::size_t>(attribute)] : std::string_view();
  }
};

class TokenHandler {
 public:
  virtual ~TokenHandler() = default;

  virtual Reaction OnStartTag(const StartTag& tag) = 0;
  /// Not for the end tag of an element whose content is not data.
  virtual Reaction OnEndTag(std::uint64_t key, const ElementType& type) = 0;
  /// While characters are watched. The reaction's content model is not looked at.
  virtual Reaction OnCharacter(Character character) = 0;
  /// A piece of an RCDATA element's text, as written.
  virtual void OnRcdata(std::string_view text) = 0;
  virtual void OnRcdataEnd() = 0;
  /// Whether "<![CDATA[" begins a section here (13.2.5.42).
  virtual bool AllowsCdata() const = 0;
};

class Tokenizer {
 public:
  /// Far above Url::kMaxUrlBytes, so that a value that is cut is no URL.
  static constexpr std::size_t kMaxValueBytes = 64 * 1024;

  /// The handler outlives the tokenizer. Characters are watched from the beginning.
  explicit Tokenizer(TokenHandler& handler) : handler_(handler) {}

  void Feed(std::string_view bytes);
  /// The end of the document. Called once, last.
  void Finish();

 private:
  enum class State : std::uint8_t {
    kData,
    kCharacterReference,
    kTagOpen,
    kEndTagOpen,
    kMarkupDeclaration,
    kTagName,
    kBeforeAttributeName,
    kAttributeName,
    kAfterAttributeName,
    kBeforeAttributeValue,
    kDoubleQuotedValue,
    kSingleQuotedValue,
    kUnquotedValue,
    kSelfClosingStartTag,
    kBogusComment,
    kCommentStart,
    kCommentStartDash,
    kComment,
    kCommentEndDash,
    kCommentEnd,
    kCommentEndBang,
    kCdata,
    kCdataBracket,
    kCdataEnd,
    kPlaintext,
    kRawText,  // also RCDATA
    kRawTextLessThan,
    kRawTextEndTagOpen,  // also of scripts
    kRawTextEndTagName,
    kScript,
    kScriptLessThan,
    kScriptEscapeStart,
    kScriptEscapeStartDash,
    kScriptEscaped,
    kScriptEscapedDash,
    kScriptEscapedDashDash,
    kScriptEscapedLessThan,
    kScriptDoubleEscapeStart,
    kScriptDoubleEscaped,
    kScriptDoubleEscapedDash,
    kScriptDoubleEscapedDashDash,
    kScriptDoubleEscapedLessThan,
    kScriptDoubleEscapeEnd,
  };

  // Each takes bytes from `at` on and returns where it stopped; `end` when it wants more.
  const char* Data(const char* at, const char* end);
  const char* WatchCharacters(const char* at, const char* end);
  const char* InMarkup(const char* at);
  const char* InTag(const char* at, const char* end);
  const char* InComment(const char* at, const char* end);
  const char* InCdata(const char* at, const char* end);
  const char* InRawText(const char* at, const char* end);
  const char* InScript(const char* at, const char* end);

  /// The tag or comment that begins at `begin`, when all of it is there and it is written as most
  /// are; returns its end, or null to have it read state by state.
  const char* TakeWhole(const char* begin, const char* end);
  static const char* WholeComment(const char* begin, const char* end);
  /// The attributes named in [begin, end), where no "=" is; the last is then the one in hand.
  void TakeNames(const char* begin, const char* end);
  void TakeValue(const char* begin, const char* end);

  void BeginTag(bool closing);
  void EndTagName();
  void EndAttributeName();
  void AppendValue(const char* begin, const char* end);
  void EmitTag();
  void EmitBufferedTag();
  void Tell(Character character);
  void EndCharacterReference();
  void LeaveRawTextEndTag();

  TokenHandler& handler_;
  State state_ = State::kData;
  bool watches_characters_ = true;
  bool closing_ = false;        // the tag in hand is an end tag
  bool in_raw_text_ = false;    // the tag in hand would end a raw text
  bool is_rcdata_ = false;      // that raw text is RCDATA
  bool has_attribute_ = false;  // attribute_ is the one in hand
  Attribute attribute_{};
  State raw_text_state_ = State::kRawText;  // where a "</" that ends nothing returns to
  NameKey name_;                            // of the tag or attribute in hand
  std::uint64_t raw_text_key_ = 0;          // the element whose raw text it is
  std::size_t matched_ = 0;                 // bytes of "[CDATA["
  StartTag tag_;
  std::array<std::string, kAttributes> buffers_;  // values of a tag read state by state
  std::string pending_;                           // a reference, or what may be an end tag
};

}  // namespace trawl::html
