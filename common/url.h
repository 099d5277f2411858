// Canonical URLs. A Url is the WHATWG URL Standard's parse and serialisation of an http or https
// URL, and then: no fragment, no user:password, percent-escapes in upper case, escaped unreserved
// characters (A-Z a-z 0-9 - . _ ~) unescaped in path and query where that changes no dot segment,
// and no empty query. What unescaping completes is unescaped in turn ("%%34%31" is "%41" is "A"),
// so that no two texts differ by escapes of unreserved characters only. Its text has the shape
//
//     scheme "://" host [":" port] path ["?" query]
//
// with a port only when it is not the scheme's default, and a path that begins with "/".
// Immutable value; two URLs are the same resource to the crawler exactly when their texts are
// equal. Parsing the text of a Url gives that Url.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "common/error.h"

namespace trawl {

/// Turns a query in UTF-8 into bytes of a page's encoding, in which an ASCII byte stands for itself
/// and a character that the encoding lacks is written "%26%23NNN%3B" (URL Standard, section 1.3,
/// "percent-encode after encoding"). Called for queries with non-ASCII characters only.
using QueryEncoder = std::function<std::string(std::string_view query)>;

class Url {
 public:
  /// Longest URL: of a reference without the blanks around it, its tabs and newlines and its
  /// fragment, and of a canonical text. The standard has no limit; servers answer 414 long before
  /// this one.
  static constexpr std::size_t kMaxUrlBytes = 16 * 1024;

  /// Parses an absolute URL. Error::kNotCrawlable when it is not valid, not http(s), or longer than
  /// kMaxUrlBytes. Bytes that are not UTF-8 count as U+FFFD.
  static Result<Url> Parse(std::string_view text);

  /// Resolves a reference as found in a page (any string, leading and trailing blanks included)
  /// against this URL as its base; a default-constructed Url is no base. Same errors as Parse().
  /// `query_encoder` is for pages that are not in UTF-8; without one queries are in UTF-8.
  Result<Url> Resolve(std::string_view reference,
                      const QueryEncoder& query_encoder = nullptr) const;

  const std::string& text() const& { return text_; }
  std::string text() && { return std::move(text_); }
  bool is_https() const { return scheme_end_ == 5; }
  std::string_view scheme() const { return view(0, scheme_end_); }
  /// Host and, when it is not the default, port: names the host queue. `http` and `https` on their
  /// default ports share it.
  std::string_view authority() const { return view(scheme_end_ + 3, path_begin_); }
  /// Without port; an IPv6 address in brackets.
  std::string_view host() const { return view(scheme_end_ + 3, host_end_); }
  std::uint16_t port() const;
  /// Scheme, host and port: what a connection and a robots.txt belong to.
  std::string_view origin() const { return view(0, path_begin_); }
  std::string_view path() const { return view(path_begin_, query_begin_); }
  /// Path and query, as in a request line.
  std::string_view target() const { return view(path_begin_, text_.size()); }

  friend bool operator==(const Url& a, const Url& b) { return a.text_ == b.text_; }
  friend auto operator<=>(const Url& a, const Url& b) { return a.text_ <=> b.text_; }

 private:
  friend class UrlParser;

  std::string_view view(std::size_t begin, std::size_t end) const {
    return std::string_view(text_).substr(begin, end - begin);
  }

  std::string text_;
  // Offsets into text_.
  std::uint32_t scheme_end_ = 0;
  std::uint32_t host_end_ = 0;
  std::uint32_t path_begin_ = 0;
  std::uint32_t query_begin_ = 0;  // of the "?"; text_.size() without a query
};

/// The scheme, in lower case, of an absolute URL that is not http(s); empty for all other texts.
/// Nothing relative to such a URL is crawled, but absolute references are what they are.
std::string ForeignSchemeOf(std::string_view text);

/// The authority() of a text that is known to be a canonical URL, without parsing it.
std::string_view AuthorityOf(std::string_view canonical_url);

}  // namespace trawl
