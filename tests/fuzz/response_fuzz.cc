// The bytes of an HTTP/1.1 response, all the way from the connection to the page's links: what is
// read of it is the same however they arrive.
#include <optional>
#include <string>
#include <string_view>

#include "tests/fuzz/fuzz.h"
#include "worker/charset.h"
#include "worker/http/content_decoder.h"
#include "worker/http/response_reader.h"
#include "worker/link_extractor.h"

namespace trawl {
namespace {

constexpr FetchLimits kLimits = {.head_bytes = 2000, .body_bytes = 100'000};

struct Body : FetchObserver {
  BodyWish OnHead(const ResponseHead& head) override {
    extractor.emplace(Url::Parse("http://a.test/").value(), CharsetLabelOf(head.content_type),
                      "trawl/1.0", FallbackEncodingOf(head.content_type));
    return BodyWish::kRead;
  }
  boost::system::error_code OnBody(std::string_view bytes) override {
    text += bytes;
    extractor->Feed(bytes);
    return {};
  }
  void OnDone(FetchOutcome) override {}

  std::string text;
  std::optional<LinkExtractor> extractor;
};

/// All that is told of a response that is read to its end. When and why another one is refused, for
/// its bytes or for their end, may depend on the pieces.
std::string Read(std::string_view response, const Cuts& cuts) {
  Body body;
  ContentDecoder decoder;
  ResponseReader reader(kLimits, body, decoder);
  std::string pending;
  FeedPieces(response, cuts, [&](std::string_view piece) {
    if (piece.empty()) return;  // no read from a connection
    pending += piece;
    if (!reader.done()) pending.erase(0, reader.Put(pending));
    Check(reader.done() || pending.size() <= ResponseReader::kMaxPendingBytes,
          "little is left pending", {response});
  });
  const bool alone = pending.empty();
  reader.PutEnd(true);
  Check(reader.done(), "the end of the connection ends the response", {response});
  Check(reader.body_bytes() == body.text.size() && body.text.size() <= kLimits.body_bytes,
        "a body is counted and bounded", {response});
  if (reader.error()) return "refused";
  const ResponseHead& head = reader.head();
  std::string links;
  for (const std::string& link : body.extractor->Finish().links) links += link + '\n';
  return std::to_string(head.status) + '\n' + head.content_type + '\n' + head.location + '\n' +
         head.robots_tag + '\n' + head.retry_after + '\n' +
         (alone && reader.keeps_alive() ? "kept\n" : "closed\n") + links + body.text;
}

}  // namespace

void FuzzOne(std::string_view input) {
  const std::string whole = Read(input, {});
  for (const Cuts& cuts : WaysToCut(input)) {
    Check(Read(input, cuts) == whole, "a response is the same however it arrives", {input, whole});
  }
}

}  // namespace trawl
