// Finds in an HTML document, while its bytes arrive, what says where its links lead: a[href],
// area[href], iframe[src], frame[src], base[href] and meta; and its titles. It sees the elements
// that a browser's document has, in their order there; what is in a template is not in the
// document.
//
// Bytes are UTF-8, valid or not, in pieces of any size. Bounded: of more than kMaxFound things or
// kMaxTextBytes of their text the rest is ignored, and so is a value that the tokenizer had to cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "worker/html/document_order.h"
#include "worker/html/tokenizer.h"
#include "worker/html/tree_construction.h"

namespace trawl::html {

class LinkScanner : private TokenHandler {
 public:
  static constexpr std::size_t kMaxFound = 2'000'000;
  static constexpr std::size_t kMaxTextBytes = 32 * 1024 * 1024;
  static constexpr std::size_t kMaxTitleBytes = 64 * 1024;  // of each, as written
  static constexpr std::size_t kMaxMetas = 1'000;
  // What there is room for at first.
  static constexpr std::size_t kUsualFound = 64;
  static constexpr std::size_t kUsualTextBytes = 2 * 1024;

  enum class Kind : std::uint8_t { kLink, kNofollowLink, kBase, kTitle };

  struct Meta {
    bool refreshes = false;     // http-equiv=refresh
    bool follows_base = false;  // a base[href] came before it
    std::string name;
    std::string content;
  };

  LinkScanner();

  void Feed(std::string_view bytes) { tokenizer_.Feed(bytes); }
  /// The end of the document. Called once, last.
  void Finish();

  /// Calls visit(Kind, std::string_view text) for each thing found, in document order; character
  /// references in the text are replaced.
  template <class Visitor>
  void ForEach(Visitor visit) const {
    order_.ForEach([&](std::uint32_t number) {
      const Found& found = found_[number];
      visit(found.kind, std::string_view(text_).substr(found.begin, found.bytes));
    });
  }

  /// Those with a content and a name or a refresh, as they came.
  const std::vector<Meta>& metas() const { return metas_; }

 private:
  struct Found {
    Kind kind;
    std::uint32_t begin;  // in text_
    std::uint32_t bytes;
  };

  Reaction OnStartTag(const StartTag& tag) override;
  Reaction OnEndTag(std::uint64_t key, const ElementType& type) override {
    return tree_.OnEndTag(key, type);
  }
  Reaction OnCharacter(Character character) override { return tree_.OnCharacter(character); }
  void OnRcdata(std::string_view text) override;
  void OnRcdataEnd() override;
  bool AllowsCdata() const override { return tree_.InForeignContent(); }

  void AddValue(Kind kind, const StartTag& tag, Attribute attribute, DocumentOrder::Content place);
  bool Add(Kind kind, DocumentOrder::Content place);
  void AddMeta(const StartTag& tag);

  DocumentOrder order_;
  TreeConstruction tree_;
  Tokenizer tokenizer_;
  std::vector<Found> found_;
  std::string text_;  // of all that was found
  std::vector<Meta> metas_;
  bool has_base_ = false;
  std::string title_;  // as written, of the title that is being read
};

}  // namespace trawl::html
