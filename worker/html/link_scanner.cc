#include "worker/html/link_scanner.h"

#include <algorithm>

#include "common/text.h"
#include "worker/html/character_references.h"

namespace trawl::html {
namespace {

std::string DecodedValue(const StartTag& tag, Attribute attribute) {
  std::string value;
  if (!tag.IsTooLong(attribute)) {
    AppendDecoded(tag.Value(attribute), ReferencePlace::kAttribute, value);
  }
  return value;
}

/// Whether a list of tokens between blanks has this one, which is in lower case.
bool HasToken(std::string_view list, std::string_view lower) {
  while (!list.empty()) {
    const auto end = std::find_if(list.begin(), list.end(), IsSpace);
    const auto bytes = static_cast<std::size_t>(end - list.begin());
    if (bytes == lower.size() && LowerCase(list.substr(0, bytes)) == lower) return true;
    list.remove_prefix(std::min(bytes + 1, list.size()));
  }
  return false;
}

}  // namespace

LinkScanner::LinkScanner() : order_(kUsualFound), tree_(order_), tokenizer_(*this) {
  found_.reserve(kUsualFound);
  text_.reserve(kUsualTextBytes);
}

Reaction LinkScanner::OnStartTag(const StartTag& tag) {
  const Reaction reaction = tree_.OnStartTag(tag);
  if (tag.type->wanted == 0 && reaction.content == ContentModel::kData) return reaction;
  const DocumentOrder::Content place = tree_.place();
  if (place == DocumentOrder::kNowhere) {
    // Nobody asks for a title that is not in the document.
    const bool rcdata = reaction.content == ContentModel::kRcdata;
    return {rcdata ? ContentModel::kRawText : reaction.content, reaction.watches_characters};
  }
  switch (tag.type->tag) {
    case Tag::kA:
    case Tag::kArea: {
      if (!tag.Has(Attribute::kHref)) break;
      const bool nofollow =
          tag.Has(Attribute::kRel) && HasToken(DecodedValue(tag, Attribute::kRel), "nofollow");
      AddValue(nofollow ? Kind::kNofollowLink : Kind::kLink, tag, Attribute::kHref, place);
      break;
    }
    case Tag::kFrame:
    case Tag::kIframe:
      AddValue(Kind::kLink, tag, Attribute::kSrc, place);
      break;
    case Tag::kBase:
      AddValue(Kind::kBase, tag, Attribute::kHref, place);
      has_base_ |= tag.Has(Attribute::kHref);
      break;
    case Tag::kMeta:
      AddMeta(tag);
      break;
    case Tag::kTitle:
      title_.clear();
      if (!Add(Kind::kTitle, place)) return {ContentModel::kRawText, reaction.watches_characters};
      break;
    default:
      break;
  }
  return reaction;
}

/// The last thing found, whose text is then what is added to text_; false beyond the limits.
bool LinkScanner::Add(Kind kind, DocumentOrder::Content place) {
  if (found_.size() >= kMaxFound || text_.size() >= kMaxTextBytes) return false;
  order_.Add(place);
  found_.push_back({kind, static_cast<std::uint32_t>(text_.size()), 0});
  return true;
}

void LinkScanner::AddValue(Kind kind, const StartTag& tag, Attribute attribute,
                           DocumentOrder::Content place) {
  if (!tag.Has(attribute)) return;
  // A base too long to be read is the document's base all the same; it leads nowhere.
  if (tag.IsTooLong(attribute) && kind != Kind::kBase) return;
  if (!Add(kind, place)) return;
  AppendDecoded(tag.Value(attribute), ReferencePlace::kAttribute, text_);
  found_.back().bytes = static_cast<std::uint32_t>(text_.size()) - found_.back().begin;
}

void LinkScanner::AddMeta(const StartTag& tag) {
  if (!tag.Has(Attribute::kContent) || metas_.size() >= kMaxMetas) return;
  Meta meta;
  meta.refreshes = LowerCase(DecodedValue(tag, Attribute::kHttpEquiv)) == "refresh";
  meta.follows_base = has_base_;
  meta.name = DecodedValue(tag, Attribute::kName);
  if (!meta.refreshes && meta.name.empty()) return;
  meta.content = DecodedValue(tag, Attribute::kContent);
  metas_.push_back(std::move(meta));
}

void LinkScanner::OnRcdata(std::string_view text) {
  title_ += text.substr(0, kMaxTitleBytes - title_.size());
}

void LinkScanner::OnRcdataEnd() {
  // The title is the last thing found: nothing is found in its text.
  found_.back().begin = static_cast<std::uint32_t>(text_.size());
  AppendDecoded(title_, ReferencePlace::kText, text_);
  found_.back().bytes = static_cast<std::uint32_t>(text_.size()) - found_.back().begin;
  title_.clear();
}

void LinkScanner::Finish() {
  tokenizer_.Finish();
  if (!title_.empty()) OnRcdataEnd();
}

}  // namespace trawl::html
