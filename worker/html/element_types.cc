#include "worker/html/element_types.h"

#include <array>

namespace trawl::html {
namespace {

constexpr ElementType kTypes[] = {
    {KeyOf("a"), kNoted, SetOf(Attribute::kHref) | SetOf(Attribute::kRel), Tag::kA, StartRule::kA,
     EndRule::kFormatting},
    {KeyOf("address"), kSpecial, 0, Tag::kOther, StartRule::kBlock, EndRule::kBlock},
    {KeyOf("annotation-xml"), 0, SetOf(Attribute::kEncoding), Tag::kAnnotationXml,
     StartRule::kOrdinary, EndRule::kOrdinary},
    {KeyOf("applet"), kSpecial | kScope, 0, Tag::kOther, StartRule::kMarker, EndRule::kMarker},
    {KeyOf("area"), kSpecial, SetOf(Attribute::kHref) | SetOf(Attribute::kRel), Tag::kArea,
     StartRule::kVoid, EndRule::kOrdinary},
    {KeyOf("article"), kSpecial, 0, Tag::kOther, StartRule::kBlock, EndRule::kBlock},
    {KeyOf("aside"), kSpecial, 0, Tag::kOther, StartRule::kBlock, EndRule::kBlock},
    {KeyOf("b"), kNoted | kBreakout, 0, Tag::kOther, StartRule::kFormatting, EndRule::kFormatting},
    {KeyOf("base"), kSpecial, SetOf(Attribute::kHref), Tag::kBase, StartRule::kHead,
     EndRule::kOrdinary},
    {KeyOf("basefont"), kSpecial, 0, Tag::kHeadMetadata, StartRule::kHead, EndRule::kOrdinary},
    {KeyOf("bgsound"), kSpecial, 0, Tag::kHeadMetadata, StartRule::kHead, EndRule::kOrdinary},
    {KeyOf("big"), kNoted | kBreakout, 0, Tag::kOther, StartRule::kFormatting,
     EndRule::kFormatting},
    {KeyOf("blockquote"), kSpecial | kBreakout, 0, Tag::kOther, StartRule::kBlock, EndRule::kBlock},
    {KeyOf("body"), kSpecial | kBreakout, 0, Tag::kBody, StartRule::kBody, EndRule::kIgnored},
    {KeyOf("br"), kSpecial | kBreakout, 0, Tag::kOther, StartRule::kVoid, EndRule::kBr},
    {KeyOf("button"), kSpecial | kButtonScope, 0, Tag::kButton, StartRule::kButton,
     EndRule::kBlock},
    {KeyOf("caption"), kSpecial | kScope | kImpliedThoroughly, 0, Tag::kCaption,
     StartRule::kIgnored, EndRule::kOrdinary},
    {KeyOf("center"), kSpecial | kBreakout, 0, Tag::kOther, StartRule::kBlock, EndRule::kBlock},
    {KeyOf("code"), kNoted | kBreakout, 0, Tag::kOther, StartRule::kFormatting,
     EndRule::kFormatting},
    {KeyOf("col"), kSpecial, 0, Tag::kCol, StartRule::kIgnored, EndRule::kOrdinary},
    {KeyOf("colgroup"), kSpecial | kImpliedThoroughly, 0, Tag::kColgroup, StartRule::kIgnored,
     EndRule::kOrdinary},
    {KeyOf("dd"), kSpecial | kImplied | kImpliedThoroughly | kBreakout, 0, Tag::kDescriptionItem,
     StartRule::kDescription, EndRule::kDescription},
    {KeyOf("desc"), 0, 0, Tag::kDescription, StartRule::kOrdinary, EndRule::kOrdinary},
    {KeyOf("details"), kSpecial, 0, Tag::kOther, StartRule::kBlock, EndRule::kBlock},
    {KeyOf("dialog"), 0, 0, Tag::kOther, StartRule::kBlock, EndRule::kBlock},
    {KeyOf("dir"), kSpecial, 0, Tag::kOther, StartRule::kBlock, EndRule::kBlock},
    {KeyOf("div"), kSpecial | kBreakout, 0, Tag::kOther, StartRule::kBlock, EndRule::kBlock},
    {KeyOf("dl"), kSpecial | kBreakout, 0, Tag::kOther, StartRule::kBlock, EndRule::kBlock},
    {KeyOf("dt"), kSpecial | kImplied | kImpliedThoroughly | kBreakout, 0, Tag::kDescriptionItem,
     StartRule::kDescription, EndRule::kDescription},
    {KeyOf("em"), kNoted | kBreakout, 0, Tag::kOther, StartRule::kFormatting, EndRule::kFormatting},
    {KeyOf("embed"), kSpecial | kBreakout, 0, Tag::kOther, StartRule::kVoid, EndRule::kOrdinary},
    {KeyOf("fieldset"), kSpecial, 0, Tag::kOther, StartRule::kBlock, EndRule::kBlock},
    {KeyOf("figcaption"), kSpecial, 0, Tag::kOther, StartRule::kBlock, EndRule::kBlock},
    {KeyOf("figure"), kSpecial, 0, Tag::kOther, StartRule::kBlock, EndRule::kBlock},
    {KeyOf("font"), kNoted, SetOf(Attribute::kFontStyle), Tag::kFont, StartRule::kFormatting,
     EndRule::kFormatting},
    {KeyOf("footer"), kSpecial, 0, Tag::kOther, StartRule::kBlock, EndRule::kBlock},
    {KeyOf("foreignobject"), 0, 0, Tag::kForeignObject, StartRule::kOrdinary, EndRule::kOrdinary},
    {KeyOf("form"), kSpecial, 0, Tag::kForm, StartRule::kForm, EndRule::kForm},
    {KeyOf("frame"), kSpecial, SetOf(Attribute::kSrc), Tag::kFrame, StartRule::kIgnored,
     EndRule::kOrdinary},
    {KeyOf("frameset"), kSpecial, 0, Tag::kFrameset, StartRule::kFrameset, EndRule::kOrdinary},
    {KeyOf("h1"), kSpecial | kBreakout | kHeading, 0, Tag::kOther, StartRule::kHeading,
     EndRule::kHeading},
    {KeyOf("h2"), kSpecial | kBreakout | kHeading, 0, Tag::kOther, StartRule::kHeading,
     EndRule::kHeading},
    {KeyOf("h3"), kSpecial | kBreakout | kHeading, 0, Tag::kOther, StartRule::kHeading,
     EndRule::kHeading},
    {KeyOf("h4"), kSpecial | kBreakout | kHeading, 0, Tag::kOther, StartRule::kHeading,
     EndRule::kHeading},
    {KeyOf("h5"), kSpecial | kBreakout | kHeading, 0, Tag::kOther, StartRule::kHeading,
     EndRule::kHeading},
    {KeyOf("h6"), kSpecial | kBreakout | kHeading, 0, Tag::kOther, StartRule::kHeading,
     EndRule::kHeading},
    {KeyOf("head"), kSpecial | kBreakout, 0, Tag::kHead, StartRule::kIgnored, EndRule::kOrdinary},
    {KeyOf("header"), kSpecial, 0, Tag::kOther, StartRule::kBlock, EndRule::kBlock},
    {KeyOf("hgroup"), kSpecial, 0, Tag::kOther, StartRule::kBlock, EndRule::kBlock},
    {KeyOf("hr"), kSpecial | kBreakout, 0, Tag::kOther, StartRule::kHr, EndRule::kOrdinary},
    {KeyOf("html"), kSpecial | kScope | kTableScope, 0, Tag::kHtml, StartRule::kHtml,
     EndRule::kIgnored},
    {KeyOf("i"), kNoted | kBreakout, 0, Tag::kOther, StartRule::kFormatting, EndRule::kFormatting},
    {KeyOf("iframe"), kSpecial, SetOf(Attribute::kSrc), Tag::kIframe, StartRule::kIframe,
     EndRule::kOrdinary},
    {KeyOf("image"), 0, 0, Tag::kOther, StartRule::kVoid, EndRule::kOrdinary},
    {KeyOf("img"), kSpecial | kBreakout, 0, Tag::kOther, StartRule::kVoid, EndRule::kOrdinary},
    {KeyOf("input"), kSpecial, SetOf(Attribute::kType), Tag::kInput, StartRule::kInput,
     EndRule::kOrdinary},
    {KeyOf("keygen"), kSpecial, 0, Tag::kOther, StartRule::kVoid, EndRule::kOrdinary},
    {KeyOf("li"), kSpecial | kImplied | kImpliedThoroughly | kBreakout, 0, Tag::kListItem,
     StartRule::kListItem, EndRule::kListItem},
    {KeyOf("link"), kSpecial, 0, Tag::kHeadMetadata, StartRule::kHead, EndRule::kOrdinary},
    {KeyOf("listing"), kSpecial | kBreakout, 0, Tag::kOther, StartRule::kPreformatted,
     EndRule::kBlock},
    {KeyOf("main"), kSpecial, 0, Tag::kOther, StartRule::kBlock, EndRule::kBlock},
    {KeyOf("malignmark"), 0, 0, Tag::kMathGlyph, StartRule::kOrdinary, EndRule::kOrdinary},
    {KeyOf("marquee"), kSpecial | kScope, 0, Tag::kOther, StartRule::kMarker, EndRule::kMarker},
    {KeyOf("math"), 0, 0, Tag::kMath, StartRule::kMath, EndRule::kOrdinary},
    {KeyOf("menu"), kSpecial | kBreakout, 0, Tag::kOther, StartRule::kBlock, EndRule::kBlock},
    {KeyOf("meta"), kSpecial | kBreakout,
     SetOf(Attribute::kContent) | SetOf(Attribute::kHttpEquiv) | SetOf(Attribute::kName),
     Tag::kMeta, StartRule::kHead, EndRule::kOrdinary},
    {KeyOf("mglyph"), 0, 0, Tag::kMathGlyph, StartRule::kOrdinary, EndRule::kOrdinary},
    {KeyOf("mi"), 0, 0, Tag::kMathText, StartRule::kOrdinary, EndRule::kOrdinary},
    {KeyOf("mn"), 0, 0, Tag::kMathText, StartRule::kOrdinary, EndRule::kOrdinary},
    {KeyOf("mo"), 0, 0, Tag::kMathText, StartRule::kOrdinary, EndRule::kOrdinary},
    {KeyOf("ms"), 0, 0, Tag::kMathText, StartRule::kOrdinary, EndRule::kOrdinary},
    {KeyOf("mtext"), 0, 0, Tag::kMathText, StartRule::kOrdinary, EndRule::kOrdinary},
    {KeyOf("nav"), kSpecial, 0, Tag::kOther, StartRule::kBlock, EndRule::kBlock},
    {KeyOf("nobr"), kNoted | kBreakout, 0, Tag::kOther, StartRule::kNobr, EndRule::kFormatting},
    {KeyOf("noembed"), kSpecial, 0, Tag::kOther, StartRule::kNoembed, EndRule::kOrdinary},
    {KeyOf("noframes"), kSpecial, 0, Tag::kNoframes, StartRule::kHead, EndRule::kOrdinary},
    {KeyOf("noscript"), kSpecial, 0, Tag::kNoscript, StartRule::kOrdinary, EndRule::kOrdinary},
    {KeyOf("object"), kSpecial | kScope, 0, Tag::kOther, StartRule::kMarker, EndRule::kMarker},
    {KeyOf("ol"), kSpecial | kListItemScope | kBreakout, 0, Tag::kOther, StartRule::kBlock,
     EndRule::kBlock},
    {KeyOf("optgroup"), kImplied | kImpliedThoroughly, 0, Tag::kOptgroup, StartRule::kOptgroup,
     EndRule::kOrdinary},
    {KeyOf("option"), kImplied | kImpliedThoroughly, 0, Tag::kOption, StartRule::kOption,
     EndRule::kOrdinary},
    {KeyOf("p"), kNoted | kSpecial | kImplied | kImpliedThoroughly | kBreakout, 0, Tag::kP,
     StartRule::kBlock, EndRule::kP},
    {KeyOf("param"), kSpecial, 0, Tag::kOther, StartRule::kVoidUnrendered, EndRule::kOrdinary},
    {KeyOf("plaintext"), kSpecial, 0, Tag::kOther, StartRule::kPlaintext, EndRule::kOrdinary},
    {KeyOf("pre"), kSpecial | kBreakout, 0, Tag::kOther, StartRule::kPreformatted, EndRule::kBlock},
    {KeyOf("rb"), kImplied | kImpliedThoroughly, 0, Tag::kOther, StartRule::kRuby,
     EndRule::kOrdinary},
    {KeyOf("rp"), kImplied | kImpliedThoroughly, 0, Tag::kOther, StartRule::kRubyText,
     EndRule::kOrdinary},
    {KeyOf("rt"), kImplied | kImpliedThoroughly, 0, Tag::kOther, StartRule::kRubyText,
     EndRule::kOrdinary},
    {KeyOf("rtc"), kImplied | kImpliedThoroughly, 0, Tag::kRtc, StartRule::kRuby,
     EndRule::kOrdinary},
    {KeyOf("ruby"), kBreakout, 0, Tag::kOther, StartRule::kOrdinary, EndRule::kOrdinary},
    {KeyOf("s"), kNoted | kBreakout, 0, Tag::kOther, StartRule::kFormatting, EndRule::kFormatting},
    {KeyOf("script"), kSpecial, 0, Tag::kScript, StartRule::kHead, EndRule::kOrdinary},
    {KeyOf("search"), kSpecial, 0, Tag::kOther, StartRule::kBlock, EndRule::kBlock},
    {KeyOf("section"), kSpecial, 0, Tag::kOther, StartRule::kBlock, EndRule::kBlock},
    {KeyOf("select"), kSpecial | kScope, 0, Tag::kOther, StartRule::kSelect, EndRule::kBlock},
    {KeyOf("small"), kNoted | kBreakout, 0, Tag::kOther, StartRule::kFormatting,
     EndRule::kFormatting},
    {KeyOf("source"), kSpecial, 0, Tag::kOther, StartRule::kVoidUnrendered, EndRule::kOrdinary},
    {KeyOf("span"), kBreakout, 0, Tag::kOther, StartRule::kOrdinary, EndRule::kOrdinary},
    {KeyOf("strike"), kNoted | kBreakout, 0, Tag::kOther, StartRule::kFormatting,
     EndRule::kFormatting},
    {KeyOf("strong"), kNoted | kBreakout, 0, Tag::kOther, StartRule::kFormatting,
     EndRule::kFormatting},
    {KeyOf("style"), kSpecial, 0, Tag::kStyle, StartRule::kHead, EndRule::kOrdinary},
    {KeyOf("sub"), kBreakout, 0, Tag::kOther, StartRule::kOrdinary, EndRule::kOrdinary},
    {KeyOf("summary"), kSpecial, 0, Tag::kOther, StartRule::kBlock, EndRule::kBlock},
    {KeyOf("sup"), kBreakout, 0, Tag::kOther, StartRule::kOrdinary, EndRule::kOrdinary},
    {KeyOf("svg"), 0, 0, Tag::kSvg, StartRule::kSvg, EndRule::kOrdinary},
    {KeyOf("table"), kNoted | kSpecial | kScope | kTableScope | kBreakout, 0, Tag::kTable,
     StartRule::kTable, EndRule::kOrdinary},
    {KeyOf("tbody"), kSpecial | kImpliedThoroughly, 0, Tag::kTableSection, StartRule::kIgnored,
     EndRule::kOrdinary},
    {KeyOf("td"), kSpecial | kScope | kImpliedThoroughly, 0, Tag::kCell, StartRule::kIgnored,
     EndRule::kOrdinary},
    {KeyOf("template"), kNoted | kSpecial | kScope | kTableScope, 0, Tag::kTemplate,
     StartRule::kHead, EndRule::kTemplate},
    {KeyOf("textarea"), kSpecial, 0, Tag::kOther, StartRule::kTextarea, EndRule::kOrdinary},
    {KeyOf("tfoot"), kSpecial | kImpliedThoroughly, 0, Tag::kTableSection, StartRule::kIgnored,
     EndRule::kOrdinary},
    {KeyOf("th"), kSpecial | kScope | kImpliedThoroughly, 0, Tag::kCell, StartRule::kIgnored,
     EndRule::kOrdinary},
    {KeyOf("thead"), kSpecial | kImpliedThoroughly, 0, Tag::kTableSection, StartRule::kIgnored,
     EndRule::kOrdinary},
    {KeyOf("title"), kSpecial, 0, Tag::kTitle, StartRule::kHead, EndRule::kOrdinary},
    {KeyOf("tr"), kSpecial | kImpliedThoroughly, 0, Tag::kTr, StartRule::kIgnored,
     EndRule::kOrdinary},
    {KeyOf("track"), kSpecial, 0, Tag::kOther, StartRule::kVoidUnrendered, EndRule::kOrdinary},
    {KeyOf("tt"), kNoted | kBreakout, 0, Tag::kOther, StartRule::kFormatting, EndRule::kFormatting},
    {KeyOf("u"), kNoted | kBreakout, 0, Tag::kOther, StartRule::kFormatting, EndRule::kFormatting},
    {KeyOf("ul"), kSpecial | kListItemScope | kBreakout, 0, Tag::kOther, StartRule::kBlock,
     EndRule::kBlock},
    {KeyOf("var"), kBreakout, 0, Tag::kOther, StartRule::kOrdinary, EndRule::kOrdinary},
    {KeyOf("wbr"), kSpecial, 0, Tag::kOther, StartRule::kVoid, EndRule::kOrdinary},
    {KeyOf("xmp"), kSpecial, 0, Tag::kOther, StartRule::kXmp, EndRule::kOrdinary},
};

constexpr std::size_t kSlotBits = 10;

// The factor is one of those by which all names get slots of their own.
constexpr std::size_t SlotOf(std::uint64_t key) {
  return key * 0xD136'1F64'1336'2771 >> (64 - kSlotBits);
}

/// kTypes where SlotOf() says: a tag waits for one load.
constexpr auto kBySlot = [] {
  std::array<ElementType, std::size_t{1} << kSlotBits> slots{};
  for (const ElementType& type : kTypes) {
    ElementType& slot = slots[SlotOf(type.key)];
    if (slot.key != 0) throw "two names have one slot";
    slot = type;
  }
  return slots;
}();

constexpr ElementType kUnknown{};

}  // namespace

const ElementType& ElementTypeOf(std::uint64_t key) {
  const ElementType& type = kBySlot[SlotOf(key)];
  return type.key == key ? type : kUnknown;
}

bool FindAttribute(std::uint64_t key, Attribute& attribute) {
  switch (key) {
    case KeyOf("content"):
      attribute = Attribute::kContent;
      return true;
    case KeyOf("encoding"):
      attribute = Attribute::kEncoding;
      return true;
    case KeyOf("color"):
    case KeyOf("face"):
    case KeyOf("size"):
      attribute = Attribute::kFontStyle;
      return true;
    case KeyOf("href"):
      attribute = Attribute::kHref;
      return true;
    case KeyOf("http-equiv"):
      attribute = Attribute::kHttpEquiv;
      return true;
    case KeyOf("name"):
      attribute = Attribute::kName;
      return true;
    case KeyOf("rel"):
      attribute = Attribute::kRel;
      return true;
    case KeyOf("src"):
      attribute = Attribute::kSrc;
      return true;
    case KeyOf("type"):
      attribute = Attribute::kType;
      return true;
    default:
      return false;
  }
}

}  // namespace trawl::html
