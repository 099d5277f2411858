// The order in which a document's tree has what was found in it. It is that of the bytes, except
// that what stands directly in a table is moved before it ("foster parenting", HTML Standard
// 13.2.6.1).
//
// Things found are numbered from 0. They are kept as a linked list, and for each open table where
// in it the content of the table ends: what the table's cells bring is added there, and what is
// moved out of the table is added to the content in which the table stands, and so comes before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace trawl::html {

class DocumentOrder {
 public:
  /// A content that things are added to: that of an open table or, 0, that of the document.
  using Content = std::uint32_t;
  static constexpr Content kNowhere = 0xFFFF'FFFF;

  /// Makes room for so many things.
  explicit DocumentOrder(std::size_t things = 0) {
    next_.reserve(things);
    contents_.push_back({0, kNone});
  }

  /// The content of a table that begins now in `outer`. Contents end in the reverse order.
  Content Begin(Content outer) {
    contents_.push_back({outer, kNone});
    return static_cast<Content>(contents_.size() - 1);
  }

  void End(Content content) {
    const Table ended = contents_[content];
    contents_.resize(content);
    if (ended.last != kNone) contents_[ended.outer].last = ended.last;
  }

  /// What a table's content stands in.
  Content OuterOf(Content content) const { return contents_[content].outer; }

  /// Adds the next thing found at the end of a content.
  void Add(Content content) {
    const auto thing = static_cast<std::uint32_t>(next_.size());
    const std::uint32_t before = LastOf(content);
    std::uint32_t& link = before == kNone ? first_ : next_[before];
    next_.push_back(link);
    (before == kNone ? first_ : next_[before]) = thing;
    contents_[content].last = thing;
  }

  /// Takes back all that comes after the first `things` found; no table may be open. Numbers are
  /// not given anew.
  void CutAfter(std::uint32_t things) {
    contents_.resize(1);
    contents_[0].last = things == 0 ? kNone : things - 1;
    (things == 0 ? first_ : next_[things - 1]) = kNone;
  }

  std::uint32_t size() const { return static_cast<std::uint32_t>(next_.size()); }

  template <class Visitor>
  void ForEach(Visitor visit) const {
    for (std::uint32_t thing = first_; thing != kNone; thing = next_[thing]) visit(thing);
  }

 private:
  static constexpr std::uint32_t kNone = 0xFFFF'FFFF;

  struct Table {
    Content outer;
    std::uint32_t last;  // kNone: empty, it begins where its outer content ends
  };

  std::uint32_t LastOf(Content content) const {
    while (contents_[content].last == kNone && content != 0) content = contents_[content].outer;
    return contents_[content].last;
  }

  std::vector<Table> contents_;
  std::vector<std::uint32_t> next_;
  std::uint32_t first_ = kNone;
};

}  // namespace trawl::html
