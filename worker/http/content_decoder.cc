#include "worker/http/content_decoder.h"

#include <algorithm>
#include <optional>

#include "common/text.h"
#include "worker/http/brotli_decompressor.h"
#include "worker/http/inflater.h"
#include "worker/http/zstd_decompressor.h"

namespace trawl {

using boost::system::error_code;

/// Each decompressor once it was needed: their memory is used again.
struct ContentDecoder::Stage {
  std::optional<Inflater> inflater;
  std::optional<BrotliDecompressor> brotli;
  std::optional<ZstdDecompressor> zstd;
  Decompressor* active = nullptr;
};

ContentDecoder::ContentDecoder() : stages_(std::make_unique<std::array<Stage, kMaxCodings>>()) {}
ContentDecoder::~ContentDecoder() = default;

error_code ContentDecoder::Start(std::string_view content_encoding, std::uint64_t max_bytes) {
  codings_ = 0;
  max_bytes_ = max_bytes;
  encoded_bytes_ = 0;
  delivered_bytes_ = 0;
  detail_.clear();
  // Listed in the order in which they were applied, so undone from the last to the first.
  while (!content_encoding.empty()) {
    const std::size_t comma = content_encoding.rfind(',');
    const bool last = comma == content_encoding.npos;
    const std::string_view name =
        Trimmed(last ? content_encoding : content_encoding.substr(comma + 1), " \t");
    content_encoding = last ? std::string_view() : content_encoding.substr(0, comma);
    if (name.empty() || EqualsIgnoringCase(name, "identity")) continue;
    if (codings_ == kMaxCodings) {
      detail_ = "more than " + std::to_string(kMaxCodings) + " content codings";
      return Error::kMalformed;
    }
    Stage& stage = (*stages_)[codings_];
    stage.active = StartStage(stage, name);
    if (stage.active == nullptr) {
      detail_ = "unknown content coding " + std::string(name);
      return Error::kMalformed;
    }
    ++codings_;
  }
  return {};
}

Decompressor* ContentDecoder::StartStage(Stage& stage, std::string_view coding) {
  const bool gzip = EqualsIgnoringCase(coding, "gzip") || EqualsIgnoringCase(coding, "x-gzip");
  if (gzip || EqualsIgnoringCase(coding, "deflate")) {
    if (!stage.inflater) stage.inflater.emplace();
    stage.inflater->Start(gzip ? Inflater::Format::kGzip : Inflater::Format::kDeflate);
    return &*stage.inflater;
  }
  if (EqualsIgnoringCase(coding, "br")) {
    return &stage.brotli.emplace();
  }
  if (EqualsIgnoringCase(coding, "zstd")) {
    return &stage.zstd.emplace();
  }
  return nullptr;
}

void ContentDecoder::Release() {
  if (!stages_) return;
  for (std::size_t i = 0; i < codings_; ++i) {
    (*stages_)[i].brotli.reset();
    (*stages_)[i].zstd.reset();
  }
}

error_code ContentDecoder::Write(std::string_view encoded, const Sink& sink) {
  encoded_bytes_ += encoded.size();
  return WriteTo(0, encoded, sink);
}

error_code ContentDecoder::WriteTo(std::size_t stage, std::string_view encoded, const Sink& sink) {
  if (stage == codings_) return Deliver(encoded, sink);
  Decompressor& decompressor = *(*stages_)[stage].active;
  for (;;) {
    const Decompressor::Piece piece = decompressor.Next(encoded);
    if (GoesTooFar(decompressor.output_bytes())) return Error::kTooLarge;
    if (!piece.decoded.empty()) {
      const error_code ec = WriteTo(stage + 1, piece.decoded, sink);
      if (ec) return ec;
    }
    if (piece.status == Decompressor::Status::kBroken) {
      detail_ = "broken content coding";
      return Error::kMalformed;
    }
    if (encoded.empty() && piece.decoded.size() < Decompressor::kPieceBytes) return {};
  }
}

bool ContentDecoder::GoesTooFar(std::uint64_t output_bytes) {
  if (output_bytes > max_bytes_) {
    detail_ = "more than " + std::to_string(max_bytes_) + " bytes when decoded";
    return true;
  }
  if (output_bytes > kRatioFromBytes && output_bytes / kMaxRatio > encoded_bytes_) {
    detail_ = "more than " + std::to_string(kMaxRatio) + " times as large when decoded";
    return true;
  }
  return false;
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
  const bool whole = std::all_of(stages_->begin(), stages_->begin() + codings_,
                                 [](const Stage& stage) { return stage.active->whole(); });
  return whole ? error_code() : error_code(Error::kTruncated);
}

}  // namespace trawl
