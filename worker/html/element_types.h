// What the HTML Standard's tree construction (13.2.6) says of each element by its name: its
// category, what its start and end tag do "in body", and which of its attributes a crawler reads.
#pragma once

#include <cstdint>

#include "worker/html/name.h"

namespace trawl::html {

/// Elements that a rule names one by one. Those that share all rules share a value (kCell: td and
/// th); the others are kOther.
enum class Tag : std::uint8_t {
  kOther,
  kA,
  kAnnotationXml,
  kArea,
  kBase,
  kBody,
  kButton,
  kCaption,
  kCell,
  kCol,
  kColgroup,
  kDescription,      // desc
  kDescriptionItem,  // dd, dt
  kFont,
  kForeignObject,
  kForm,
  kFrame,
  kFrameset,
  kHead,
  kHeadMetadata,  // basefont, bgsound, link: metadata without a meaning for links
  kHtml,
  kIframe,
  kInput,
  kListItem,  // li
  kMath,
  kMathGlyph,  // malignmark, mglyph
  kMathText,   // mi, mn, mo, ms, mtext
  kMeta,
  kNoframes,
  kNoscript,
  kOptgroup,
  kOption,
  kP,
  kRtc,
  kScript,
  kStyle,
  kSvg,
  kTable,
  kTableSection,  // tbody, tfoot, thead
  kTemplate,
  kTitle,
  kTr,
};

/// Sets of element types, as bits.
enum : std::uint16_t {
  kSpecial = 1 << 0,            // 13.2.4.2
  kScope = 1 << 1,              // ends "in scope"
  kListItemScope = 1 << 2,      // ends "in list item scope", beside kScope
  kButtonScope = 1 << 3,        // ends "in button scope", beside kScope
  kTableScope = 1 << 4,         // ends "in table scope"
  kImplied = 1 << 5,            // 13.2.6.3, has an end tag that can be implied
  kImpliedThoroughly = 1 << 6,  // the same, thoroughly
  kBreakout = 1 << 7,           // its start tag ends foreign content
  kHeading = 1 << 8,
  kHtmlIntegration = 1 << 9,       // an open HTML integration point
  kMathTextIntegration = 1 << 10,  // an open MathML text integration point
  kNoted = 1 << 11,  // formatting elements, p, table, template: OpenElements notes these
};

/// 13.2.6.4.7, a start tag "in body".
enum class StartRule : std::uint8_t {
  kOrdinary,
  kA,
  kBlock,
  kBody,
  kButton,
  kFormatting,
  kForm,
  kFrameset,
  kHead,  // by the rules of "in head"
  kHeading,
  kHr,
  kHtml,
  kIgnored,
  kIframe,
  kInput,
  kListItem,     // li
  kDescription,  // dd, dt
  kMarker,       // applet, marquee, object
  kMath,
  kNobr,
  kNoembed,
  kOptgroup,
  kOption,
  kPlaintext,
  kPreformatted,  // listing, pre
  kRuby,          // rb, rtc
  kRubyText,      // rp, rt
  kSelect,
  kSvg,
  kTable,
  kTextarea,
  kVoid,            // br, img and their like
  kVoidUnrendered,  // param, source, track
  kXmp,
};

/// 13.2.6.4.7, an end tag "in body".
enum class EndRule : std::uint8_t {
  kOrdinary,
  kBlock,
  kBr,
  kDescription,
  kFormatting,
  kForm,
  kHeading,
  kIgnored,  // body, html: what follows is treated as if it stood before
  kListItem,
  kMarker,
  kP,
  kTemplate,
};

/// Attributes that are read.
enum class Attribute : std::uint8_t {
  kContent,
  kEncoding,
  kFontStyle,  // color, face or size
  kHref,
  kHttpEquiv,
  kName,
  kRel,
  kSrc,
  kType,
};
inline constexpr std::size_t kAttributes = 9;
using AttributeSet = std::uint16_t;

constexpr AttributeSet SetOf(Attribute attribute) {
  return static_cast<AttributeSet>(1u << static_cast<unsigned>(attribute));
}

struct ElementType {
  std::uint64_t key = 0;
  std::uint16_t flags = 0;
  AttributeSet wanted = 0;
  Tag tag = Tag::kOther;
  StartRule start = StartRule::kOrdinary;
  EndRule end = EndRule::kOrdinary;
};

/// Whether it stands in tables only.
constexpr bool IsTablePart(Tag tag) {
  switch (tag) {
    case Tag::kCaption:
    case Tag::kCell:
    case Tag::kCol:
    case Tag::kColgroup:
    case Tag::kTableSection:
    case Tag::kTr:
      return true;
    default:
      return false;
  }
}

/// That of the HTML element of this name; an ordinary one of key 0 for an unknown name.
const ElementType& ElementTypeOf(std::uint64_t key);

/// Whether the attribute of this name is read; then `attribute` is set.
bool FindAttribute(std::uint64_t key, Attribute& attribute);

}  // namespace trawl::html
