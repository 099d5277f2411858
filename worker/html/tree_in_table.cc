// Tree construction in tables (HTML Standard 13.2.6.4.9 to 13.2.6.4.15).
#include "worker/html/tree_construction.h"

namespace trawl::html {
namespace {

bool IsHtmlOrBody(Tag tag) { return tag == Tag::kHtml || tag == Tag::kBody; }

}  // namespace

bool TreeConstruction::StartInTable(const StartTag& tag) {
  switch (tag.type->tag) {
    case Tag::kCaption:
      open_.ClearBackTo(Tag::kTable, Tag::kTable);
      formatting_.PushMarker();
      Insert(tag);
      mode_ = Mode::kInCaption;
      return true;
    case Tag::kColgroup:
      open_.ClearBackTo(Tag::kTable, Tag::kTable);
      Insert(tag);
      mode_ = Mode::kInColumnGroup;
      return true;
    case Tag::kCol:
      open_.ClearBackTo(Tag::kTable, Tag::kTable);
      InsertImplied(KeyOf("colgroup"));
      mode_ = Mode::kInColumnGroup;
      return false;
    case Tag::kTableSection:
      open_.ClearBackTo(Tag::kTable, Tag::kTable);
      Insert(tag);
      mode_ = Mode::kInTableBody;
      return true;
    case Tag::kCell:
    case Tag::kTr:
      open_.ClearBackTo(Tag::kTable, Tag::kTable);
      InsertImplied(KeyOf("tbody"));
      mode_ = Mode::kInTableBody;
      return false;
    case Tag::kTable:
      if (!open_.HasInScope(Tag::kTable, kTableScope)) return true;
      CloseTable();
      return false;
    case Tag::kStyle:
    case Tag::kScript:
    case Tag::kTemplate:
      return StartInHead(tag);
    case Tag::kForm:
      if (form_id_ != 0 || open_.in_template()) return true;
      form_id_ = Insert(tag).id;
      open_.Pop();
      return true;
    default:
      // A hidden input stays in the table; that makes no difference to links.
      fosters_ = true;
      StartInBody(tag);
      fosters_ = false;
      return true;
  }
}

bool TreeConstruction::EndInTable(const EndTag& tag) {
  if (tag.type.tag == Tag::kTable) {
    if (open_.HasInScope(Tag::kTable, kTableScope)) CloseTable();
  } else if (!IsTablePart(tag.type.tag) && !IsHtmlOrBody(tag.type.tag)) {
    fosters_ = true;
    EndInBody(tag);
    fosters_ = false;
  }
  return true;
}

void TreeConstruction::CloseTable() {
  open_.PopThrough(Tag::kTable);
  ResetMode();
}

bool TreeConstruction::StartInCaptionOrCell(const StartTag& tag) {
  if (!IsTablePart(tag.type->tag)) {
    StartInBody(tag);
    return true;
  }
  if (mode_ == Mode::kInCaption) return !CloseCaption();
  CloseCell();
  return false;
}

bool TreeConstruction::EndInCaption(const EndTag& tag) {
  const Tag name = tag.type.tag;
  if (name == Tag::kCaption) {
    CloseCaption();
  } else if (name == Tag::kTable) {
    return !CloseCaption();
  } else if (!IsTablePart(name) && !IsHtmlOrBody(name)) {
    EndInBody(tag);
  }
  return true;
}

/// False when no caption is open.
bool TreeConstruction::CloseCaption() {
  if (!open_.HasInScope(Tag::kCaption, kTableScope)) return false;
  open_.GenerateImpliedEndTags();
  open_.PopThrough(Tag::kCaption);
  formatting_.ClearToMarker();
  mode_ = Mode::kInTable;
  return true;
}

bool TreeConstruction::EndInCell(const EndTag& tag) {
  switch (tag.type.tag) {
    case Tag::kCell:
      if (!open_.HasInScope(tag.key, kTableScope)) return true;
      open_.GenerateImpliedEndTags();
      open_.PopThrough(tag.key);
      formatting_.ClearToMarker();
      mode_ = Mode::kInRow;
      return true;
    case Tag::kTable:
    case Tag::kTableSection:
    case Tag::kTr:
      if (!open_.HasInScope(tag.key, kTableScope)) return true;
      CloseCell();
      return false;
    case Tag::kBody:
    case Tag::kCaption:
    case Tag::kCol:
    case Tag::kColgroup:
    case Tag::kHtml:
      return true;
    default:
      EndInBody(tag);
      return true;
  }
}

void TreeConstruction::CloseCell() {
  open_.GenerateImpliedEndTags();
  if (open_.HasInScope(Tag::kCell, kTableScope)) open_.PopThrough(Tag::kCell);
  formatting_.ClearToMarker();
  mode_ = Mode::kInRow;
}

bool TreeConstruction::StartInColumnGroup(const StartTag& tag) {
  switch (tag.type->tag) {
    case Tag::kHtml:
      return true;
    case Tag::kCol:
      InsertVoid();
      return true;
    case Tag::kTemplate:
      return StartInHead(tag);
    default:
      if (!open_.current().Is(Tag::kColgroup)) return true;  // in a template
      open_.Pop();
      mode_ = Mode::kInTable;
      return false;
  }
}

bool TreeConstruction::StartInTableBody(const StartTag& tag) {
  switch (tag.type->tag) {
    case Tag::kTr:
      open_.ClearBackTo(Tag::kTableSection, Tag::kTableSection);
      Insert(tag);
      mode_ = Mode::kInRow;
      return true;
    case Tag::kCell:
      open_.ClearBackTo(Tag::kTableSection, Tag::kTableSection);
      InsertImplied(KeyOf("tr"));
      mode_ = Mode::kInRow;
      return false;
    case Tag::kCaption:
    case Tag::kCol:
    case Tag::kColgroup:
    case Tag::kTableSection:
      return !CloseTableBody();
    default:
      return StartInTable(tag);
  }
}

bool TreeConstruction::EndInTableBody(const EndTag& tag) {
  switch (tag.type.tag) {
    case Tag::kTableSection:
      if (open_.HasInScope(tag.key, kTableScope)) CloseTableBody();
      return true;
    case Tag::kTable:
      return !CloseTableBody();
    default:
      return EndInTable(tag);
  }
}

/// False when no tbody, tfoot or thead is open.
bool TreeConstruction::CloseTableBody() {
  if (!open_.HasInScope(Tag::kTableSection, kTableScope)) return false;
  open_.ClearBackTo(Tag::kTableSection, Tag::kTableSection);
  open_.Pop();
  mode_ = Mode::kInTable;
  return true;
}

bool TreeConstruction::StartInRow(const StartTag& tag) {
  switch (tag.type->tag) {
    case Tag::kCell:
      open_.ClearBackTo(Tag::kTr, Tag::kTr);
      Insert(tag);
      mode_ = Mode::kInCell;
      formatting_.PushMarker();
      return true;
    case Tag::kCaption:
    case Tag::kCol:
    case Tag::kColgroup:
    case Tag::kTableSection:
    case Tag::kTr:
      return !CloseRow();
    default:
      return StartInTable(tag);
  }
}

bool TreeConstruction::EndInRow(const EndTag& tag) {
  switch (tag.type.tag) {
    case Tag::kTr:
      CloseRow();
      return true;
    case Tag::kTable:
      return !CloseRow();
    case Tag::kTableSection:
      return !open_.HasInScope(tag.key, kTableScope) || !CloseRow();
    default:
      return EndInTable(tag);
  }
}

/// False when no row is open.
bool TreeConstruction::CloseRow() {
  if (!open_.HasInScope(Tag::kTr, kTableScope)) return false;
  open_.ClearBackTo(Tag::kTr, Tag::kTr);
  open_.Pop();
  mode_ = Mode::kInTableBody;
  return true;
}

}  // namespace trawl::html
