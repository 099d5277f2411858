// Tree construction's formatting elements (HTML Standard 13.2.4.3), and the adoption agency
// algorithm for their end tags where they are nested badly (13.2.6.4.7).
#include "worker/html/tree_construction.h"

namespace trawl::html {

void TreeConstruction::PushFormatting(const StartTag& tag) { formatting_.Push(Insert(tag)); }

void TreeConstruction::StartAnchor(const StartTag& tag) {
  const std::size_t index = formatting_.FindLast(tag.key);
  if (index != ActiveFormatting::npos) {
    const std::uint32_t id = formatting_[index].id;
    RunAdoptionAgency(tag.key);
    if (const std::size_t listed = formatting_.Find(id); listed != ActiveFormatting::npos) {
      formatting_.Remove(listed);
    }
    if (const std::size_t depth = open_.Find(id); depth != OpenElements::npos) {
      open_.Remove(depth);
    }
  }
  ReconstructFormatting();
  PushFormatting(tag);
}

/// 13.2.4.3, "reconstruct the active formatting elements", of which the last is closed.
void TreeConstruction::ReopenFormatting() {
  std::size_t first = formatting_.size();
  while (first > 0 && !ActiveFormatting::IsMarker(formatting_[first - 1]) &&
         !formatting_[first - 1].open) {
    --first;
  }
  for (; !open_.full() && first < formatting_.size(); ++first) {
    const Element entry = formatting_[first];
    formatting_[first] = InsertElement(entry.key, ElementTypeOf(entry.key));
  }
}

bool TreeConstruction::RunAdoptionAgency(std::uint64_t key) {
  constexpr int kMaxTurns = 8;
  const Element* const last = formatting_.last();
  if (last && open_.current().IsHtml(key) && last->id == open_.current().id) {
    formatting_.RemoveLast();  // what comes of the algorithm where tags are nested well
    open_.PopUnlisted();
    return true;
  }
  if (open_.current().IsHtml(key) && formatting_.Find(open_.current().id) == formatting_.npos) {
    open_.Pop();
    return true;
  }
  for (int turn = 0; turn < kMaxTurns; ++turn) {
    const std::size_t index = formatting_.FindLast(key);
    if (index == ActiveFormatting::npos) return false;
    if (!AdoptOnce(index)) return true;
  }
  return true;
}

bool TreeConstruction::AdoptOnce(std::size_t index) {
  constexpr int kMaxKept = 3;
  const Element formatting = formatting_[index];
  const std::size_t depth = formatting.open ? open_.Find(formatting.id) : OpenElements::npos;
  if (depth == OpenElements::npos) {
    formatting_.Remove(index);
    return false;
  }
  if (!open_.HasIdInScope(formatting.id)) return false;
  std::size_t block = depth + 1;
  while (block < open_.size() && (open_[block].flags & kSpecial) == 0) ++block;
  if (block == open_.size()) {
    open_.PopTo(depth);
    formatting_.Remove(index);
    return false;
  }
  // The elements between get clones in their place, which are as good as they.
  std::size_t bookmark = index;
  bool moved = false;
  int counter = 0;
  for (std::size_t node = block; --node > depth;) {
    std::size_t listed = formatting_.Find(open_[node].id);
    if (++counter > kMaxKept && listed != ActiveFormatting::npos) {
      formatting_.Remove(listed);
      if (listed < bookmark) --bookmark;
      listed = ActiveFormatting::npos;
    }
    if (listed == ActiveFormatting::npos) {
      open_.Remove(node);
      --block;
    } else if (!moved) {
      bookmark = listed + 1;
      moved = true;
    }
  }
  Element clone = formatting;
  clone.id = ++last_id_;
  clone.content = open_[block].content;
  const std::size_t old = formatting_.Find(formatting.id);
  formatting_.Remove(old);
  formatting_.Insert(old < bookmark ? bookmark - 1 : bookmark, clone);
  open_.Remove(depth);
  open_.Insert(block, clone);
  return true;
}

}  // namespace trawl::html
