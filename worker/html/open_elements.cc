#include "worker/html/open_elements.h"

#include <algorithm>

namespace trawl::html {

void OpenElements::NoteClosed(const Element& element) {
  switch (element.tag) {
    case Tag::kP:
      --ps_;
      return;
    case Tag::kTable:
      order_.End(element.content);
      return;
    case Tag::kTemplate:
      --templates_;
      return;
    default:
      formatting_.NoteClosed(element.id);
      return;
  }
}

void OpenElements::Remove(std::size_t depth) {
  Element* const begin = elements_.get();
  std::copy(begin + depth + 1, begin + size_, begin + depth);
  --size_;
}

void OpenElements::Insert(std::size_t depth, const Element& element) {
  if (size_ + 1 >= kCapacity) return;
  Element* const begin = elements_.get();
  std::copy_backward(begin + depth, begin + size_, begin + size_ + 1);
  elements_[depth] = element;
  ++size_;
}

void OpenElements::PopThrough(std::uint64_t html_name) {
  while (size_ > 1) {
    const bool last = current().IsHtml(html_name);
    Pop();
    if (last) return;
  }
}

void OpenElements::PopThrough(Tag tag) {
  while (size_ > 1) {
    const bool last = current().Is(tag);
    Pop();
    if (last) return;
  }
}

std::size_t OpenElements::Find(std::uint32_t id) const {
  for (std::size_t depth = size_; depth-- > 0;) {
    if (elements_[depth].id == id) return depth;
  }
  return npos;
}

std::size_t OpenElements::FindLast(Tag tag) const {
  for (std::size_t depth = size_; depth-- > 0;) {
    if (elements_[depth].Is(tag)) return depth;
  }
  return npos;
}

bool OpenElements::HasInScope(std::uint64_t html_name, std::uint16_t scope) const {
  return HasInScopeIf(scope, [&](const Element& element) { return element.IsHtml(html_name); });
}

bool OpenElements::HasInScope(Tag tag, std::uint16_t scope) const {
  return HasInScopeIf(scope, [&](const Element& element) { return element.Is(tag); });
}

bool OpenElements::HasFlagInScope(std::uint16_t flag, std::uint16_t scope) const {
  return HasInScopeIf(scope, [&](const Element& element) { return (element.flags & flag) != 0; });
}

bool OpenElements::HasIdInScope(std::uint32_t id) const {
  return HasInScopeIf(kScope, [&](const Element& element) { return element.id == id; });
}

void OpenElements::GenerateImpliedEndTags(std::uint16_t flag, std::uint64_t except) {
  while (size_ > 1 && (current().flags & flag) != 0 && current().key != except) Pop();
}

void OpenElements::ClearBackTo(Tag a, Tag b) {
  while (size_ > 1 && !current().Is(a) && !current().Is(b) &&
         (current().flags & kTableScope) == 0) {
    Pop();
  }
}

void ActiveFormatting::Push(const Element& element) {
  if (entries_.size() == kMaxEntries) return;
  std::size_t alike = 0;
  for (std::size_t index = entries_.size(); index-- > 0 && !IsMarker(entries_[index]);) {
    if (entries_[index].key == element.key && ++alike == kMaxAlike) {
      Remove(index);
      break;
    }
  }
  entries_.push_back(element);
}

void ActiveFormatting::PushMarker() {
  if (entries_.size() < kMaxEntries) entries_.push_back(Element{});
}

void ActiveFormatting::ClearToMarker() {
  while (!entries_.empty()) {
    const bool last = IsMarker(entries_.back());
    entries_.pop_back();
    if (last) return;
  }
}

void ActiveFormatting::NoteClosed(std::uint32_t id) {
  if (const std::size_t index = Find(id); index != npos) entries_[index].open = false;
}

std::size_t ActiveFormatting::FindLast(std::uint64_t name) const {
  for (std::size_t index = entries_.size(); index-- > 0 && !IsMarker(entries_[index]);) {
    if (entries_[index].key == name) return index;
  }
  return npos;
}

std::size_t ActiveFormatting::Find(std::uint32_t id) const {
  for (std::size_t index = entries_.size(); index-- > 0;) {
    if (entries_[index].id == id) return index;
  }
  return npos;
}

}  // namespace trawl::html
