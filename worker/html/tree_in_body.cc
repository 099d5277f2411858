// Tree construction "in body" (HTML Standard 13.2.6.4.7).
#include <string>

#include "common/text.h"
#include "worker/html/character_references.h"
#include "worker/html/tree_construction.h"

namespace trawl::html {
namespace {

constexpr std::uint64_t kP = KeyOf("p");
constexpr std::uint16_t kInButtonScope = kScope | kButtonScope;

bool IsHidden(const StartTag& input) {
  std::string type;
  AppendDecoded(input.Value(Attribute::kType), ReferencePlace::kAttribute, type);
  return LowerCase(type) == "hidden";
}

}  // namespace

void TreeConstruction::StartInBody(const StartTag& tag) {
  switch (tag.type->start) {
    case StartRule::kOrdinary:
      ReconstructFormatting();
      Insert(tag);
      return;
    case StartRule::kA:
      StartAnchor(tag);
      return;
    case StartRule::kBlock:
      CloseP();
      Insert(tag);
      return;
    case StartRule::kBody:
      if (open_.size() > 1 && open_[1].Is(Tag::kBody) && !open_.in_template()) frameset_ok_ = false;
      return;
    case StartRule::kButton:
      if (open_.HasInScope(Tag::kButton)) PopThrough(tag.key);
      ReconstructFormatting();
      Insert(tag);
      frameset_ok_ = false;
      return;
    case StartRule::kFormatting:
      ReconstructFormatting();
      PushFormatting(tag);
      return;
    case StartRule::kForm:
      if (form_id_ != 0 && !open_.in_template()) return;
      CloseP();
      if (const Element& form = Insert(tag); !open_.in_template()) form_id_ = form.id;
      return;
    case StartRule::kFrameset:
      StartFrameset(tag);
      return;
    case StartRule::kHead:
      StartInHead(tag);
      return;
    case StartRule::kHeading:
      CloseP();
      if (open_.current().space == Namespace::kHtml && (open_.current().flags & kHeading) != 0) {
        open_.Pop();
      }
      Insert(tag);
      return;
    case StartRule::kHr:
      CloseP();
      if (open_.HasInScope(KeyOf("select"))) open_.GenerateImpliedEndTags();
      InsertVoid();
      frameset_ok_ = false;
      return;
    case StartRule::kHtml:
    case StartRule::kIgnored:
      return;
    case StartRule::kIframe:
      frameset_ok_ = false;
      InsertText(ContentModel::kRawText);
      return;
    case StartRule::kInput:
      if (open_.HasInScope(KeyOf("select"))) open_.PopThrough(KeyOf("select"));
      ReconstructFormatting();
      InsertVoid();
      if (!IsHidden(tag)) frameset_ok_ = false;
      return;
    case StartRule::kListItem:
    case StartRule::kDescription:
      StartListItem(tag);
      return;
    case StartRule::kMarker:
      ReconstructFormatting();
      Insert(tag);
      formatting_.PushMarker();
      frameset_ok_ = false;
      return;
    case StartRule::kMath:
      ReconstructFormatting();
      InsertForeign(tag, Namespace::kMathMl);
      return;
    case StartRule::kNobr:
      ReconstructFormatting();
      if (open_.HasInScope(tag.key)) {
        RunAdoptionAgency(tag.key);
        ReconstructFormatting();
      }
      PushFormatting(tag);
      return;
    case StartRule::kNoembed:
      InsertText(ContentModel::kRawText);
      return;
    case StartRule::kOptgroup:
    case StartRule::kOption:
    case StartRule::kSelect:
      StartSelect(tag);
      return;
    case StartRule::kPlaintext:
      CloseP();
      Insert(tag);
      content_ = ContentModel::kPlaintext;
      return;
    case StartRule::kPreformatted:
      CloseP();
      Insert(tag);
      frameset_ok_ = false;
      return;
    case StartRule::kRuby:
    case StartRule::kRubyText:
      if (open_.HasInScope(KeyOf("ruby"))) {
        const bool spares_rtc = tag.type->start == StartRule::kRubyText;
        open_.GenerateImpliedEndTags(kImplied, spares_rtc ? KeyOf("rtc") : 0);
      }
      Insert(tag);
      return;
    case StartRule::kSvg:
      ReconstructFormatting();
      InsertForeign(tag, Namespace::kSvg);
      return;
    case StartRule::kTable:
      CloseP();
      if (open_.full()) return;
      Insert(tag);
      frameset_ok_ = false;
      mode_ = Mode::kInTable;
      return;
    case StartRule::kTextarea:
      InsertText(ContentModel::kRawText);
      frameset_ok_ = false;
      return;
    case StartRule::kVoid:
      ReconstructFormatting();
      InsertVoid();
      frameset_ok_ = false;
      return;
    case StartRule::kVoidUnrendered:
      InsertVoid();
      return;
    case StartRule::kXmp:
      CloseP();
      ReconstructFormatting();
      frameset_ok_ = false;
      InsertText(ContentModel::kRawText);
      return;
  }
}

/// A frameset takes the place of a body in which nothing is to be seen yet.
void TreeConstruction::StartFrameset(const StartTag& tag) {
  if (open_.size() < 2 || !open_[1].Is(Tag::kBody) || !frameset_ok_) return;
  open_.PopTo(1);
  order_.CutAfter(found_before_body_);
  Insert(tag);
  mode_ = Mode::kInFrameset;
}

/// li, or dd and dt: closes the one that is open.
void TreeConstruction::StartListItem(const StartTag& tag) {
  frameset_ok_ = false;
  for (std::size_t depth = open_.size(); depth-- > 1;) {
    const Element& element = open_[depth];
    if (element.Is(tag.type->tag)) {
      PopThrough(element.key);
      break;
    }
    if ((element.flags & kSpecial) != 0 && !element.IsHtml(KeyOf("address")) &&
        !element.IsHtml(KeyOf("div")) && !element.IsHtml(kP)) {
      break;
    }
  }
  CloseP();
  Insert(tag);
}

/// select, optgroup, option. The standard has had no mode "in select" since 2025: other elements
/// are let in, links too.
void TreeConstruction::StartSelect(const StartTag& tag) {
  const bool in_select = open_.HasInScope(KeyOf("select"));
  if (tag.type->start == StartRule::kSelect) {
    if (in_select) {
      open_.PopThrough(tag.key);
      return;
    }
    frameset_ok_ = false;
  } else if (in_select) {
    const bool is_option = tag.type->start == StartRule::kOption;
    open_.GenerateImpliedEndTags(kImplied, is_option ? KeyOf("optgroup") : 0);
  } else if (open_.current().Is(Tag::kOption)) {
    open_.Pop();
  }
  ReconstructFormatting();
  Insert(tag);
}

void TreeConstruction::EndInBody(const EndTag& tag) {
  switch (tag.type.end) {
    case EndRule::kOrdinary:
      EndOrdinary(tag.key);
      return;
    case EndRule::kBlock:
      if (open_.HasInScope(tag.key)) PopThrough(tag.key);
      return;
    case EndRule::kBr:
      ReconstructFormatting();
      frameset_ok_ = false;
      return;
    case EndRule::kDescription:
      if (open_.HasInScope(tag.key)) PopThrough(tag.key);
      return;
    case EndRule::kFormatting:
      if (!RunAdoptionAgency(tag.key)) EndOrdinary(tag.key);
      return;
    case EndRule::kForm:
      EndForm();
      return;
    case EndRule::kHeading:
      if (!open_.HasFlagInScope(kHeading)) return;
      open_.GenerateImpliedEndTags();
      while (open_.size() > 1) {
        const bool last = (open_.current().flags & kHeading) != 0;
        open_.Pop();
        if (last) return;
      }
      return;
    case EndRule::kIgnored:
      return;
    case EndRule::kListItem:
      if (open_.HasInScope(tag.key, kScope | kListItemScope)) PopThrough(tag.key);
      return;
    case EndRule::kMarker:
      if (!open_.HasInScope(tag.key)) return;
      PopThrough(tag.key);
      formatting_.ClearToMarker();
      return;
    case EndRule::kP:
      CloseP();
      return;
    case EndRule::kTemplate:
      EndTemplate();
      return;
  }
}

/// "Any other end tag".
void TreeConstruction::EndOrdinary(std::uint64_t key) {
  for (std::size_t depth = open_.size(); depth-- > 1;) {
    if (open_[depth].IsHtml(key)) {
      open_.PopTo(depth);
      return;
    }
    if ((open_[depth].flags & kSpecial) != 0) return;
  }
}

void TreeConstruction::EndForm() {
  if (open_.in_template()) {
    if (open_.HasInScope(Tag::kForm)) PopThrough(KeyOf("form"));
    return;
  }
  const std::uint32_t form = form_id_;
  form_id_ = 0;
  if (form == 0 || !open_.HasIdInScope(form)) return;
  open_.GenerateImpliedEndTags();
  open_.Remove(open_.Find(form));
}

void TreeConstruction::CloseP() {
  if (open_.has_p() && open_.HasInScope(Tag::kP, kInButtonScope)) PopThrough(kP);
}

/// Closes the innermost open element of this name, which is in scope.
void TreeConstruction::PopThrough(std::uint64_t key) {
  open_.GenerateImpliedEndTags(kImplied, key);
  open_.PopThrough(key);
}

}  // namespace trawl::html
