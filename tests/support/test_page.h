// A page of a TestSite: what it answers to a request, and how it misbehaves in doing so.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trawl {

enum class Coding { kIdentity, kGzip, kDeflate, kRawDeflate, kBrotli, kZstd };

/// `body` in this content coding, whole. kRawDeflate is deflate without its zlib wrapper, which
/// some servers send under the name "deflate".
std::string Encode(Coding coding, std::string_view body);

struct TestPage {
  enum class Framing { kLength, kChunked, kUntilClose };
  enum class Fault {
    kNone,
    kSilent,           // takes the request and never answers
    kCloseBeforeHead,  // FIN in place of an answer
    kResetBeforeHead,  // RST in place of an answer
    kCloseInBody,      // FIN after half of the body
    kResetInBody,      // RST after half of the body
    kEndlessBody,      // the body over and over, as long as the client takes it
    kSlowDrip,         // the body one byte at a time, `drip` apart
  };

  int status = 200;
  std::string content_type = "text/html; charset=utf-8";  // empty: no such header
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  /// Makes a huge body while it is sent, in place of `body`: called on the site's thread with 0, 1,
  /// 2 ... until it returns an empty piece. Sent as it is, chunked unless framing is kUntilClose.
  std::function<std::string(std::uint64_t piece)> generator = {};
  Framing framing = Framing::kLength;
  Coding coding = Coding::kIdentity;
  std::chrono::milliseconds latency{0};  // from the request to the first byte of the answer
  Fault fault = Fault::kNone;
  std::chrono::milliseconds drip{20};
  /// When not empty, these bytes are the answer, head and all, and the rest of the page counts for
  /// nothing but `latency`. The connection is closed after them.
  std::string raw = {};
};

/// A page with its answer's bytes made once, not for every request. Immutable.
struct TestAnswer {
  explicit TestAnswer(TestPage page);

  TestPage page;
  std::string head;     // without the empty line that ends it
  std::string payload;  // the body, coded and framed
};

/// One chunk of a chunked body, and the one that ends it (RFC 9112, section 7.1).
std::string Chunk(std::string_view data);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace trawl
