// Turns text that was meant to be XML into XML that a strict parser reads to its end, as much of it
// at once as has come. Sitemaps are written by all kinds of programs; one bare "&" or one missing
// end tag must not cost the rest of 50,000 URLs. What comes out is one element `r` that holds:
//
//   - text, in which references are to predefined entities or characters, and any other "&" is
//     "&amp;"; left out are references to what is no character, and to other entities when the
//     document type has declarations. CDATA sections are written as plain text, and control
//     characters as blanks;
//   - start tags, whose quoted values are mended like text;
//   - end tags that match: one that is missing comes before the next that matches an outer element,
//     one that matches nothing is left out.
//
// Comments, processing instructions and the document type are left out; so are a tag that does not
// end within kMaxTagBytes and a start tag that another "<" breaks off. An element below kMaxDepth
// others closes them all first, but the outermost. The same text gives the same XML however it is
// cut into pieces. Memory is bounded by kMaxTagBytes and the largest piece; time is linear but for
// tags that arrive in many pieces.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace trawl {

class XmlMender {
 public:
  static constexpr std::size_t kMaxTagBytes = 4 * 1024;
  static constexpr std::size_t kMaxDepth = 64;

  /// Takes the next piece of a valid UTF-8 text and appends what can be told of it.
  void Feed(std::string_view text, std::string& xml);
  /// The end of the text; a tag that it cuts off still ends the text before it.
  void Finish(std::string& xml);

 private:
  enum class State { kText, kCData, kComment, kInstruction, kDeclaration, kSubset, kSubsetEnd };

  /// Takes one construct off the front of `text`; false: it needs more text to tell what that is.
  bool Take(std::string_view& text, std::string& xml);
  bool TakeMarkup(std::string_view& text, std::string& xml);
  bool TakeTag(std::string_view& text, std::string& xml);
  bool TakeCData(std::string_view& text, std::string& xml);
  bool SkipPast(std::string_view& text, std::string_view end);
  bool SkipDeclaration(std::string_view& text);
  void Open(std::string_view tag, std::string& xml);
  void Close(std::string_view name, std::string& xml);
  void CloseDownTo(std::size_t depth, std::string& xml);

  State state_ = State::kText;
  bool begun_ = false;
  bool declares_ = false;          // the document type has a subset, which may declare entities
  std::string rest_;               // not taken yet: the begin of a construct
  std::vector<std::string> open_;  // names of the open elements, without `r`
};

}  // namespace trawl
