// What turns a page into data: the class that users of Trawl write.
#pragma once

#include <boost/json/object.hpp>
#include <string_view>
#include <vector>

#include "common/url.h"
#include "worker/http/fetcher.h"

namespace trawl {

/// A fetched page; everything is borrowed for the time of one Parse() call.
struct Page {
  const Url& url;
  const ResponseHead& head;
  int depth = 0;
  std::string_view charset;  // the Encoding Standard's name, lower case; empty when there is none
  std::string_view title;    // valid UTF-8
  /// Of an HTML page its text in valid UTF-8, without a byte order mark, whatever its charset; of
  /// another type its bytes. Content codings are undone. Empty unless the parser wants bodies.
  std::string_view body;
  const std::vector<std::string>& links;
};

class PageParser {
 public:
  virtual ~PageParser() = default;
  /// Whether Parse() looks at `Page::body`; bodies are not kept in memory otherwise.
  virtual bool WantsBody() const = 0;
  /// The fields of the page's row. May throw: `fields` is then {"parser_error": what()}, and the
  /// crawl goes on. Runs on the worker's only thread, so it should not wait for anything.
  virtual boost::json::object Parse(const Page& page) = 0;
};

/// The parser of the worker as it comes: takes the title.
class TitleParser : public PageParser {
 public:
  bool WantsBody() const override { return false; }
  boost::json::object Parse(const Page& page) override { return {{"title", page.title}}; }
};

}  // namespace trawl
