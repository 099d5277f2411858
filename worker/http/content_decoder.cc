#include "worker/http/content_decoder.h"

#include <algorithm>
#include <boost/beast/core/string.hpp>

#include "worker/http/inflater.h"

namespace trawl {
namespace {

using boost::beast::iequals;
using boost::system::error_code;

constexpr std::string_view kBlanks = " \t";

std::string_view Trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

}  // namespace

ContentDecoder::ContentDecoder() = default;
ContentDecoder::~ContentDecoder() = default;

error_code ContentDecoder::Start(std::string_view content_encoding, std::uint64_t max_bytes) {
  codings_ = 0;
  max_bytes_ = max_bytes;
  delivered_bytes_ = 0;
  detail_.clear();
  // Listed in the order in which they were applied, so undone from the last to the first.
  while (!content_encoding.empty()) {
    const std::size_t comma = content_encoding.rfind(',');
    const bool last = comma == std::string_view::npos;
    const std::string_view name =
        Trimmed(last ? content_encoding : content_encoding.substr(comma + 1));
    content_encoding = last ? std::string_view() : content_encoding.substr(0, comma);
    if (name.empty() || iequals(name, "identity")) continue;

    const bool gzip = iequals(name, "gzip") || iequals(name, "x-gzip");
    if (!gzip && !iequals(name, "deflate")) {
      detail_ = "unknown content coding " + std::string(name);
      return Error::kMalformed;
    }
    if (codings_ == kMaxCodings) {
      detail_ = "more than " + std::to_string(kMaxCodings) + " content codings";
      return Error::kMalformed;
    }
    std::unique_ptr<Inflater>& inflater = inflaters_[codings_++];
    if (!inflater) inflater = std::make_unique<Inflater>();
    inflater->Start(gzip ? Inflater::Format::kGzip : Inflater::Format::kDeflate);
  }
  return {};
}

error_code ContentDecoder::Write(std::string_view encoded, const Sink& sink) {
  return WriteTo(0, encoded, sink);
}

error_code ContentDecoder::WriteTo(std::size_t stage, std::string_view encoded, const Sink& sink) {
  if (stage == codings_) return Deliver(encoded, sink);
  Inflater& inflater = *inflaters_[stage];
  for (;;) {
    const Inflater::Piece piece = inflater.Next(encoded);
    if (inflater.output_bytes() > max_bytes_) {
      detail_ = "more than " + std::to_string(max_bytes_) + " bytes when decoded";
      return Error::kTooLarge;
    }
    if (!piece.decoded.empty()) {
      const error_code ec = WriteTo(stage + 1, piece.decoded, sink);
      if (ec) return ec;
    }
    if (piece.status == Inflater::Status::kBroken) {
      detail_ = "broken content coding";
      return Error::kMalformed;
    }
    if (encoded.empty() && piece.decoded.size() < Inflater::kPieceBytes) return {};
  }
}

error_code ContentDecoder::Deliver(std::string_view decoded, const Sink& sink) {
  while (!decoded.empty()) {
    const std::string_view piece = decoded.substr(0, kPieceBytes);
    decoded.remove_prefix(piece.size());
    delivered_bytes_ += piece.size();
    if (delivered_bytes_ > max_bytes_) {
      detail_ = "more than " + std::to_string(max_bytes_) + " body bytes";
      return Error::kTooLarge;
    }
    const error_code ec = sink(piece);
    if (ec) return ec;
  }
  return {};
}

error_code ContentDecoder::Finish() const {
  const bool whole = std::all_of(inflaters_.begin(), inflaters_.begin() + codings_,
                                 [](const auto& inflater) { return inflater->whole(); });
  return whole ? error_code() : error_code(Error::kReset);
}

}  // namespace trawl
