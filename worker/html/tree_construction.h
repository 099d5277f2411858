// The HTML Standard's tree construction (13.2.6) without a tree: which tags become elements of the
// document, in which namespace and where, and how the tokenizer reads what follows them. Scripts do
// not run, so the content of noscript counts.
//
// Left out, as it says nothing of these: the quirks mode, the mode "after body" (what follows it
// is treated as if it stood in the body), ignored line feeds, clones' attributes.
#pragma once

#include <cstdint>
#include <vector>

#include "worker/html/document_order.h"
#include "worker/html/element_types.h"
#include "worker/html/open_elements.h"
#include "worker/html/tokenizer.h"

namespace trawl::html {

class TreeConstruction {
 public:
  /// The order outlives this. What is found goes there by the caller; when a frameset takes the
  /// place of the body, what was found in the body is taken out.
  explicit TreeConstruction(DocumentOrder& order) : order_(order), open_(order, formatting_) {}

  Reaction OnStartTag(const StartTag& tag);
  /// Where the last start tag's HTML element came into the document; kNowhere when it did not:
  /// ignored, foreign, or in a template.
  DocumentOrder::Content place() const { return place_; }
  Reaction OnEndTag(std::uint64_t key, const ElementType& type);
  Reaction OnCharacter(Character character);
  /// Whether the current node is foreign.
  bool InForeignContent() const {
    return !open_.empty() && open_.current().space != Namespace::kHtml;
  }

 private:
  enum class Mode : std::uint8_t {
    kBeforeHtml,  // also "initial"
    kBeforeHead,
    kInHead,
    kInHeadNoscript,
    kAfterHead,
    kInBody,
    kInTable,
    kInCaption,
    kInColumnGroup,
    kInTableBody,
    kInRow,
    kInCell,
    kInTemplate,
    kInFrameset,
    kAfterFrameset,
  };

  struct EndTag {
    std::uint64_t key;
    const ElementType& type;
  };

  // One token by the rules of a mode; false: the mode has changed, and its rules are to be used.
  bool Start(const StartTag& tag);
  bool StartBeforeHead(const StartTag& tag);
  bool StartInHead(const StartTag& tag);
  bool StartInHeadNoscript(const StartTag& tag);
  bool StartAfterHead(const StartTag& tag);
  bool StartInTable(const StartTag& tag);
  bool StartInCaptionOrCell(const StartTag& tag);
  bool StartInColumnGroup(const StartTag& tag);
  bool StartInTableBody(const StartTag& tag);
  bool StartInRow(const StartTag& tag);
  bool StartInTemplate(const StartTag& tag);
  bool End(const EndTag& tag);
  bool EndInTable(const EndTag& tag);
  bool EndInCaption(const EndTag& tag);
  bool EndInCell(const EndTag& tag);
  bool EndInTableBody(const EndTag& tag);
  bool EndInRow(const EndTag& tag);
  /// Before "in body" most tags and all characters bring about the elements that are missing. False
  /// in these modes after going to the next one.
  bool OpenWhatIsMissing();

  void StartInBody(const StartTag& tag);
  void StartFrameset(const StartTag& tag);
  void StartListItem(const StartTag& tag);
  void StartAnchor(const StartTag& tag);
  void StartSelect(const StartTag& tag);
  void EndInBody(const EndTag& tag);
  void EndForm();
  void EndOrdinary(std::uint64_t key);
  void EndTemplate();
  void StartInFrameset(const StartTag& tag);

  bool UsesHtmlRules(const StartTag& tag) const;
  /// False when the tag is to be treated by the rules of the mode after all.
  bool StartForeign(const StartTag& tag);
  bool EndForeign(const EndTag& tag);
  void LeaveForeignContent();
  void InsertForeign(const StartTag& tag, Namespace space);

  /// Where an element inserted now comes to be (13.2.6.1, with foster parenting).
  DocumentOrder::Content Place() const {
    return fosters_ ? FosterPlace() : open_.current().content;
  }
  DocumentOrder::Content FosterPlace() const;
  // What these return is good until the next element.
  const Element& InsertElement(std::uint64_t key, const ElementType& type);
  const Element& InsertRareElement(std::uint64_t key, const ElementType& type);
  const Element& Insert(const StartTag& tag);
  void InsertVoid();
  void InsertImplied(std::uint64_t key);
  void InsertText(ContentModel content);

  void CloseP();
  void PopThrough(std::uint64_t key);  // after implied end tags
  bool CloseCaption();
  void CloseCell();
  bool CloseRow();
  bool CloseTableBody();
  void CloseTable();
  void ReconstructFormatting() {
    const Element* const last = formatting_.last();
    if (last && !last->open && !ActiveFormatting::IsMarker(*last)) ReopenFormatting();
  }
  void ReopenFormatting();
  void PushFormatting(const StartTag& tag);
  /// False: the tag is to be treated as any other end tag.
  bool RunAdoptionAgency(std::uint64_t key);
  /// One turn of its outer loop, for the entry of the list; false when it was the last.
  bool AdoptOnce(std::size_t index);
  void ResetMode();

  Reaction CurrentReaction() const;

  DocumentOrder& order_;
  ActiveFormatting formatting_;
  OpenElements open_;
  Element unopened_{};  // the last one that the stack had no room for
  std::vector<Mode> template_modes_;
  Mode mode_ = Mode::kBeforeHtml;
  ContentModel content_ = ContentModel::kData;
  DocumentOrder::Content place_ = DocumentOrder::kNowhere;
  bool frameset_ok_ = true;
  bool fosters_ = false;  // foster parenting is enabled
  std::uint32_t last_id_ = 0;
  std::uint32_t form_id_ = 0;  // the form element pointer
  std::uint32_t found_before_body_ = 0;
};

}  // namespace trawl::html
