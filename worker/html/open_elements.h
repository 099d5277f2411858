// The stack of open elements and the list of active formatting elements (HTML Standard 13.2.4.2 and
// 13.2.4.3), with names in place of nodes.
//
// Bounded: when the stack is full, elements are to be taken for empty ones, except the parts of a
// table that is on it. The root is never removed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "worker/html/document_order.h"
#include "worker/html/element_types.h"

namespace trawl::html {

enum class Namespace : std::uint8_t { kHtml, kMathMl, kSvg };

struct Element {
  std::uint64_t key;
  std::uint32_t id;                // which element this is; never 0
  DocumentOrder::Content content;  // what it is added to, and of a table: what is in it
  std::uint16_t flags;
  Tag tag;
  Namespace space;
  bool open;  // of an active formatting element: it is on the stack, too

  bool Is(Tag wanted) const { return tag == wanted && space == Namespace::kHtml; }
  bool IsHtml(std::uint64_t name) const { return key == name && space == Namespace::kHtml; }
};

class ActiveFormatting {
 public:
  /// Of those between two markers, one name counts kMaxAlike times ("Noah's Ark"; attributes are
  /// not compared).
  static constexpr std::size_t kMaxAlike = 3;

  void Push(const Element& element);
  void PushMarker();
  void ClearToMarker();

  /// The element has left the stack.
  void NoteClosed(std::uint32_t id);

  /// The last of this name after the last marker; npos without one.
  std::size_t FindLast(std::uint64_t name) const;
  std::size_t Find(std::uint32_t id) const;
  void Remove(std::size_t index) { entries_.erase(entries_.begin() + static_cast<long>(index)); }
  void RemoveLast() { entries_.pop_back(); }
  void Insert(std::size_t index, const Element& element) {
    entries_.insert(entries_.begin() + static_cast<long>(index), element);
  }

  std::size_t size() const { return entries_.size(); }
  Element& operator[](std::size_t index) { return entries_[index]; }
  const Element* last() const { return entries_.empty() ? nullptr : &entries_.back(); }
  static bool IsMarker(const Element& entry) { return entry.id == 0; }

  static constexpr std::size_t npos = static_cast<std::size_t>(-1);

 private:
  static constexpr std::size_t kMaxEntries = 256;

  std::vector<Element> entries_;
};

class OpenElements {
 public:
  static constexpr std::size_t kMaxDepth = 512;  // that of browsers' documents

  /// Both outlive this: when an element is closed, its content ends, and the list is told.
  OpenElements(DocumentOrder& order, ActiveFormatting& formatting)
      : order_(order), formatting_(formatting) {}

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  const Element& current() const { return elements_[size_ - 1]; }
  const Element& operator[](std::size_t depth) const { return elements_[depth]; }
  bool full() const { return size_ >= kMaxDepth; }
  bool in_template() const { return templates_ != 0; }
  bool has_p() const { return ps_ != 0; }

  /// Written where it stays: a copy of what has just been written by parts is slow.
  const Element& Push(std::uint64_t key, std::uint32_t id, DocumentOrder::Content content,
                      std::uint16_t flags, Tag tag, Namespace space) {
    Element& element = elements_[size_];
    element.key = key;
    element.id = id;
    element.content = content;
    element.flags = flags;
    element.tag = tag;
    element.space = space;
    element.open = true;
    if (size_ + 1 < kCapacity) {
      ++size_;
      if ((flags & kNoted) != 0) NoteOpened(element);
    }
    return element;
  }
  void Pop() {
    if (size_ <= 1) return;
    if ((current().flags & kNoted) != 0) NoteClosed(current());
    --size_;
  }
  /// Pops a formatting element that has left the list.
  void PopUnlisted() { --size_; }
  void PopTo(std::size_t size) {
    while (size_ > size) Pop();
  }
  void PopThrough(std::uint64_t html_name);
  void PopThrough(Tag tag);
  /// Not a p, a table, a template, or in the list of active formatting elements.
  void Remove(std::size_t depth);
  void Insert(std::size_t depth, const Element& element);

  /// Depth of the element; npos when it is not open.
  std::size_t Find(std::uint32_t id) const;
  std::size_t FindLast(Tag tag) const;

  /// `scope` is the flags that end it.
  bool HasInScope(std::uint64_t html_name, std::uint16_t scope = kScope) const;
  bool HasInScope(Tag tag, std::uint16_t scope = kScope) const;
  bool HasFlagInScope(std::uint16_t flag, std::uint16_t scope = kScope) const;
  bool HasIdInScope(std::uint32_t id) const;

  void GenerateImpliedEndTags(std::uint16_t flag = kImplied, std::uint64_t except = 0);
  /// Pops down to an element that ends table scope or is one of these.
  void ClearBackTo(Tag a, Tag b);

  static constexpr std::size_t npos = static_cast<std::size_t>(-1);

 private:
  template <class Matches>
  bool HasInScopeIf(std::uint16_t scope, Matches matches) const {
    for (std::size_t depth = size_; depth-- > 0;) {
      if (matches(elements_[depth])) return true;
      if ((elements_[depth].flags & scope) != 0) return false;
    }
    return false;
  }

  void NoteOpened(const Element& element) {
    if (element.tag == Tag::kP) ++ps_;
    if (element.tag == Tag::kTemplate) ++templates_;
  }
  void NoteClosed(const Element& element);

  // The parts of one table go beyond kMaxDepth; the last place is for what there is no room for.
  static constexpr std::size_t kCapacity = kMaxDepth + 8;

  DocumentOrder& order_;
  ActiveFormatting& formatting_;
  std::unique_ptr<Element[]> elements_ = std::make_unique_for_overwrite<Element[]>(kCapacity);
  std::size_t size_ = 0;
  std::size_t templates_ = 0;
  std::size_t ps_ = 0;
};

}  // namespace trawl::html
