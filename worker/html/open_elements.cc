#include "worker/html/open_elements.h"

#include <algorithm>

namespace trawl::html {

void OpenElements::Push(const Element& element) {
  elements_.push_back(element);
  if (element.Is(Tag::kTemplate)) ++templates_;
}

void OpenElements::Pop() {
  if (elements_.size() <= 1) return;
  const Element& element = elements_.back();
  if (element.Is(Tag::kTable)) order_.End(element.content);
  if (element.Is(Tag::kTemplate)) --templates_;
  elements_.pop_back();
}

void OpenElements::PopThrough(std::uint64_t html_name) {
  while (elements_.size() > 1) {
    const bool last = current().IsHtml(html_name);
    Pop();
    if (last) return;
  }
}

void OpenElements::PopThrough(Tag tag) {
  while (elements_.size() > 1) {
    const bool last = current().Is(tag);
    Pop();
    if (last) return;
  }
}

std::size_t OpenElements::Find(std::uint32_t id) const {
  for (std::size_t depth = elements_.size(); depth-- > 0;) {
    if (elements_[depth].id == id) return depth;
  }
  return npos;
}

std::size_t OpenElements::FindLast(Tag tag) const {
  for (std::size_t depth = elements_.size(); depth-- > 0;) {
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
  while (elements_.size() > 1 && (current().flags & flag) != 0 && current().key != except) Pop();
}

void OpenElements::ClearBackTo(Tag a, Tag b) {
  while (elements_.size() > 1 && !current().Is(a) && !current().Is(b) &&
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
