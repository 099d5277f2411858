// Tree construction in svg and math (HTML Standard 13.2.6 and 13.2.6.5).
#include <string>

#include "common/text.h"
#include "worker/html/character_references.h"
#include "worker/html/tree_construction.h"

namespace trawl::html {

bool TreeConstruction::UsesHtmlRules(const StartTag& tag) const {
  if (!InForeignContent()) return true;
  const Element& node = open_.current();
  if ((node.flags & kHtmlIntegration) != 0) return true;
  if ((node.flags & kMathTextIntegration) != 0) return tag.type->tag != Tag::kMathGlyph;
  return node.space == Namespace::kMathMl && node.tag == Tag::kAnnotationXml &&
         tag.type->tag == Tag::kSvg;
}

bool TreeConstruction::StartForeign(const StartTag& tag) {
  if ((tag.type->flags & kBreakout) != 0 ||
      (tag.type->tag == Tag::kFont && tag.Has(Attribute::kFontStyle))) {
    LeaveForeignContent();
    return false;
  }
  InsertForeign(tag, open_.current().space);
  return true;
}

bool TreeConstruction::EndForeign(const EndTag& tag) {
  if (tag.type.end == EndRule::kBr || tag.type.end == EndRule::kP) {
    LeaveForeignContent();
    return false;
  }
  for (std::size_t depth = open_.size(); depth-- > 1;) {
    if (open_[depth].space == Namespace::kHtml) return false;
    if (open_[depth].key == tag.key) {
      open_.PopTo(depth);
      return true;
    }
  }
  return true;
}

void TreeConstruction::InsertForeign(const StartTag& tag, Namespace space) {
  if (tag.self_closing || open_.full()) return;
  const Tag name = tag.type->tag;
  std::uint16_t flags = 0;
  if (space == Namespace::kMathMl) {
    if (name == Tag::kMathText) flags = kSpecial | kScope | kMathTextIntegration;
    if (name == Tag::kAnnotationXml) {
      flags = kSpecial | kScope;
      std::string encoding;
      AppendDecoded(tag.Value(Attribute::kEncoding), ReferencePlace::kAttribute, encoding);
      encoding = LowerCase(encoding);
      if (encoding == "text/html" || encoding == "application/xhtml+xml") {
        flags |= kHtmlIntegration;
      }
    }
  } else if (name == Tag::kForeignObject || name == Tag::kDescription || name == Tag::kTitle) {
    flags = kSpecial | kScope | kHtmlIntegration;
  }
  open_.Push(tag.key, ++last_id_, Place(), flags, name, space);
}

void TreeConstruction::LeaveForeignContent() {
  while (InForeignContent() &&
         (open_.current().flags & (kHtmlIntegration | kMathTextIntegration)) == 0) {
    open_.Pop();
  }
}

}  // namespace trawl::html
