#include "worker/html/tree_construction.h"

namespace trawl::html {

Reaction TreeConstruction::OnStartTag(const StartTag& tag) {
  content_ = ContentModel::kData;
  place_ = DocumentOrder::kNowhere;
  if (mode_ == Mode::kInBody && !InForeignContent()) {  // most tags
    StartInBody(tag);
  } else if (UsesHtmlRules(tag) || !StartForeign(tag)) {
    while (!Start(tag)) {
    }
  }
  return CurrentReaction();
}

Reaction TreeConstruction::OnEndTag(std::uint64_t key, const ElementType& type) {
  content_ = ContentModel::kData;
  const EndTag tag{key, type};
  if (mode_ == Mode::kInBody && !InForeignContent()) {
    EndInBody(tag);
  } else if (!InForeignContent() || !EndForeign(tag)) {
    while (!End(tag)) {
    }
  }
  return CurrentReaction();
}

Reaction TreeConstruction::OnCharacter(Character character) {
  if (!InForeignContent()) {
    while (!OpenWhatIsMissing()) {
    }
    if (mode_ == Mode::kInColumnGroup && open_.current().Is(Tag::kColgroup)) {
      open_.Pop();
      mode_ = Mode::kInTable;
    }
  }
  if (character != Character::kNul) frameset_ok_ = false;
  return CurrentReaction();
}

Reaction TreeConstruction::CurrentReaction() const {
  const bool watches = mode_ <= Mode::kAfterHead || mode_ == Mode::kInColumnGroup ||
                       (mode_ == Mode::kInBody && frameset_ok_);
  return {content_, watches};
}

bool TreeConstruction::Start(const StartTag& tag) {
  switch (mode_) {
    case Mode::kBeforeHtml:
      if (tag.type->tag != Tag::kHtml) return OpenWhatIsMissing();
      Insert(tag);
      mode_ = Mode::kBeforeHead;
      return true;
    case Mode::kBeforeHead:
      return StartBeforeHead(tag);
    case Mode::kInHead:
      return StartInHead(tag);
    case Mode::kInHeadNoscript:
      return StartInHeadNoscript(tag);
    case Mode::kAfterHead:
      return StartAfterHead(tag);
    case Mode::kInBody:
      StartInBody(tag);
      return true;
    case Mode::kInTable:
      return StartInTable(tag);
    case Mode::kInCaption:
    case Mode::kInCell:
      return StartInCaptionOrCell(tag);
    case Mode::kInColumnGroup:
      return StartInColumnGroup(tag);
    case Mode::kInTableBody:
      return StartInTableBody(tag);
    case Mode::kInRow:
      return StartInRow(tag);
    case Mode::kInTemplate:
      return StartInTemplate(tag);
    case Mode::kInFrameset:
      StartInFrameset(tag);
      return true;
    case Mode::kAfterFrameset:
      if (tag.type->tag == Tag::kNoframes) InsertText(ContentModel::kRawText);
      return true;
  }
  return true;
}

bool TreeConstruction::OpenWhatIsMissing() {
  switch (mode_) {
    case Mode::kBeforeHtml:
      InsertImplied(KeyOf("html"));
      mode_ = Mode::kBeforeHead;
      return false;
    case Mode::kBeforeHead:
      InsertImplied(KeyOf("head"));
      mode_ = Mode::kInHead;
      return false;
    case Mode::kInHead:
      open_.Pop();
      mode_ = Mode::kAfterHead;
      return false;
    case Mode::kInHeadNoscript:
      open_.Pop();
      mode_ = Mode::kInHead;
      return false;
    case Mode::kAfterHead:
      found_before_body_ = order_.size();
      InsertImplied(KeyOf("body"));
      mode_ = Mode::kInBody;
      return false;
    default:
      return true;
  }
}

bool TreeConstruction::StartBeforeHead(const StartTag& tag) {
  if (tag.type->tag == Tag::kHtml) return true;
  if (tag.type->tag != Tag::kHead) return OpenWhatIsMissing();
  Insert(tag);
  mode_ = Mode::kInHead;
  return true;
}

/// 13.2.6.4.4; other modes come here for some of its tags.
bool TreeConstruction::StartInHead(const StartTag& tag) {
  switch (tag.type->tag) {
    case Tag::kHtml:
    case Tag::kHead:
      return true;
    case Tag::kBase:
    case Tag::kHeadMetadata:
    case Tag::kMeta:
      InsertVoid();
      return true;
    case Tag::kTitle:
      InsertText(ContentModel::kRcdata);
      return true;
    case Tag::kNoframes:
    case Tag::kStyle:
      InsertText(ContentModel::kRawText);
      return true;
    case Tag::kScript:
      InsertText(ContentModel::kScript);
      return true;
    case Tag::kNoscript:
      Insert(tag);
      mode_ = Mode::kInHeadNoscript;
      return true;
    case Tag::kTemplate:
      if (open_.full()) return true;
      Insert(tag);
      formatting_.PushMarker();
      frameset_ok_ = false;
      mode_ = Mode::kInTemplate;
      template_modes_.push_back(mode_);
      return true;
    default:
      return OpenWhatIsMissing();
  }
}

bool TreeConstruction::StartInHeadNoscript(const StartTag& tag) {
  switch (tag.type->tag) {
    case Tag::kHtml:
    case Tag::kHead:
    case Tag::kNoscript:
      return true;
    case Tag::kHeadMetadata:
    case Tag::kMeta:
    case Tag::kNoframes:
    case Tag::kStyle:
      return StartInHead(tag);
    default:
      return OpenWhatIsMissing();
  }
}

bool TreeConstruction::StartAfterHead(const StartTag& tag) {
  switch (tag.type->tag) {
    case Tag::kHtml:
    case Tag::kHead:
      return true;
    case Tag::kBody:
      OpenWhatIsMissing();
      frameset_ok_ = false;
      return true;
    case Tag::kFrameset:
      Insert(tag);
      mode_ = Mode::kInFrameset;
      return true;
    default:
      if (tag.type->start == StartRule::kHead) return StartInHead(tag);
      return OpenWhatIsMissing();
  }
}

bool TreeConstruction::StartInTemplate(const StartTag& tag) {
  if (tag.type->start == StartRule::kHead) return StartInHead(tag);
  switch (tag.type->tag) {
    case Tag::kCaption:
    case Tag::kColgroup:
    case Tag::kTableSection:
      mode_ = Mode::kInTable;
      break;
    case Tag::kCol:
      mode_ = Mode::kInColumnGroup;
      break;
    case Tag::kTr:
      mode_ = Mode::kInTableBody;
      break;
    case Tag::kCell:
      mode_ = Mode::kInRow;
      break;
    default:
      mode_ = Mode::kInBody;
      break;
  }
  if (!template_modes_.empty()) template_modes_.back() = mode_;
  return false;
}

void TreeConstruction::StartInFrameset(const StartTag& tag) {
  switch (tag.type->tag) {
    case Tag::kFrameset:
      Insert(tag);
      return;
    case Tag::kFrame:
      InsertVoid();
      return;
    case Tag::kNoframes:
      InsertText(ContentModel::kRawText);
      return;
    default:
      return;
  }
}

bool TreeConstruction::End(const EndTag& tag) {
  switch (mode_) {
    case Mode::kBeforeHtml:
    case Mode::kBeforeHead:
    case Mode::kInHead:
    case Mode::kInHeadNoscript:
    case Mode::kAfterHead:
      if (tag.type.tag == Tag::kTemplate) {
        if (mode_ == Mode::kInHead || mode_ == Mode::kAfterHead) EndTemplate();
        return true;
      }
      if (mode_ == Mode::kInHead && tag.type.tag == Tag::kHead) {
        OpenWhatIsMissing();
        return true;
      }
      if (mode_ == Mode::kInHeadNoscript) {
        if (tag.type.tag == Tag::kNoscript) {
          OpenWhatIsMissing();
          return true;
        }
        return tag.type.end == EndRule::kBr ? OpenWhatIsMissing() : true;
      }
      if (tag.type.end == EndRule::kBr || tag.type.end == EndRule::kIgnored) {
        return OpenWhatIsMissing();
      }
      if (tag.type.tag == Tag::kHead && mode_ != Mode::kAfterHead) return OpenWhatIsMissing();
      return true;
    case Mode::kInBody:
      EndInBody(tag);
      return true;
    case Mode::kInTable:
      return EndInTable(tag);
    case Mode::kInCaption:
      return EndInCaption(tag);
    case Mode::kInColumnGroup:
      if (tag.type.tag == Tag::kTemplate) {
        EndTemplate();
        return true;
      }
      if (tag.type.tag == Tag::kCol || !open_.current().Is(Tag::kColgroup)) return true;
      open_.Pop();
      mode_ = Mode::kInTable;
      return tag.type.tag == Tag::kColgroup;
    case Mode::kInTableBody:
      return EndInTableBody(tag);
    case Mode::kInRow:
      return EndInRow(tag);
    case Mode::kInCell:
      return EndInCell(tag);
    case Mode::kInTemplate:
      if (tag.type.tag == Tag::kTemplate) EndTemplate();
      return true;
    case Mode::kInFrameset:
      if (tag.type.tag != Tag::kFrameset) return true;
      open_.Pop();
      if (!open_.current().Is(Tag::kFrameset)) mode_ = Mode::kAfterFrameset;
      return true;
    case Mode::kAfterFrameset:
      return true;
  }
  return true;
}

void TreeConstruction::EndTemplate() {
  if (!open_.in_template()) return;
  open_.GenerateImpliedEndTags(kImpliedThoroughly);
  open_.PopThrough(Tag::kTemplate);
  formatting_.ClearToMarker();
  if (!template_modes_.empty()) template_modes_.pop_back();
  ResetMode();
}

/// 13.2.4.1.
void TreeConstruction::ResetMode() {
  for (std::size_t depth = open_.size(); depth-- > 1;) {
    const Element& element = open_[depth];
    if (element.space != Namespace::kHtml) continue;
    switch (element.tag) {
      case Tag::kCell:
        mode_ = Mode::kInCell;
        return;
      case Tag::kTr:
        mode_ = Mode::kInRow;
        return;
      case Tag::kTableSection:
        mode_ = Mode::kInTableBody;
        return;
      case Tag::kCaption:
        mode_ = Mode::kInCaption;
        return;
      case Tag::kColgroup:
        mode_ = Mode::kInColumnGroup;
        return;
      case Tag::kTable:
        mode_ = Mode::kInTable;
        return;
      case Tag::kTemplate:
        mode_ = template_modes_.empty() ? Mode::kInTemplate : template_modes_.back();
        return;
      case Tag::kHead:
        mode_ = Mode::kInHead;
        return;
      case Tag::kBody:
        mode_ = Mode::kInBody;
        return;
      case Tag::kFrameset:
        mode_ = Mode::kInFrameset;
        return;
      default:
        break;
    }
  }
  mode_ = Mode::kAfterHead;
}

DocumentOrder::Content TreeConstruction::FosterPlace() const {
  const Element& parent = open_.current();
  if (parent.space != Namespace::kHtml) return parent.content;
  if (parent.tag != Tag::kTable && parent.tag != Tag::kTableSection && parent.tag != Tag::kTr) {
    return parent.content;
  }
  const std::size_t table = open_.FindLast(Tag::kTable);
  return table == OpenElements::npos ? parent.content : order_.OuterOf(open_[table].content);
}

const Element& TreeConstruction::InsertElement(std::uint64_t key, const ElementType& type) {
  if (open_.empty() || open_.full() || type.tag == Tag::kTable) return InsertRareElement(key, type);
  return open_.Push(key, ++last_id_, Place(), type.flags, type.tag, Namespace::kHtml);
}

/// The root, a table, or what there may be no room for.
const Element& TreeConstruction::InsertRareElement(std::uint64_t key, const ElementType& type) {
  DocumentOrder::Content content = open_.empty() ? 0 : Place();
  if (open_.full() && !IsTablePart(type.tag)) {
    unopened_ = {key, ++last_id_, content, type.flags, type.tag, Namespace::kHtml, false};
    return unopened_;
  }
  if (type.tag == Tag::kTable) content = order_.Begin(content);
  return open_.Push(key, ++last_id_, content, type.flags, type.tag, Namespace::kHtml);
}

const Element& TreeConstruction::Insert(const StartTag& tag) {
  const bool in_document = !open_.in_template();
  const Element& element = InsertElement(tag.key, *tag.type);
  if (in_document) place_ = element.content;
  return element;
}

/// Inserts an element and pops it at once.
void TreeConstruction::InsertVoid() {
  if (!open_.in_template()) place_ = Place();
}

void TreeConstruction::InsertImplied(std::uint64_t key) { InsertElement(key, ElementTypeOf(key)); }

/// An element that has only text, and is closed when that ends.
void TreeConstruction::InsertText(ContentModel content) {
  InsertVoid();
  content_ = content;
}

}  // namespace trawl::html
