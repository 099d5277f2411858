// Undoes the content codings of one body while it arrives (RFC 9110, section 8.4.1): gzip of any
// number of members, deflate with its zlib wrapper or, as some servers send it, without, br, zstd,
// and identity. Memory is bounded whatever comes in; so is the work, since what each coding gives
// counts against the limits. No I/O, no thread of its own.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/error.h"

namespace trawl {

class Decompressor;

class ContentDecoder {
 public:
  /// Takes decoded bytes, at most kPieceBytes at once. An error ends the decoding with it.
  using Sink = std::function<boost::system::error_code(std::string_view decoded)>;

  static constexpr std::size_t kPieceBytes = 64 * 1024;
  static constexpr std::size_t kMaxCodings = 2;
  /// A body that becomes larger than this when decoded is a bomb if it becomes more than kMaxRatio
  /// times as large as it was sent. Of what people write, hardly any page gets smaller than to a
  /// fiftieth.
  static constexpr std::uint64_t kRatioFromBytes = 1024 * 1024;
  static constexpr std::uint64_t kMaxRatio = 200;
  /// Value of Accept-Encoding.
  static constexpr std::string_view kAccepted = "gzip, deflate, br, zstd";

  ContentDecoder();
  ~ContentDecoder();
  ContentDecoder(const ContentDecoder&) = delete;
  ContentDecoder& operator=(const ContentDecoder&) = delete;

  /// Makes ready for a new body; what Release() has left is used again. `content_encoding`
  /// is the header's value, all its lines joined by commas; `max_bytes` limits the output of every
  /// coding. Error::kMalformed: a coding that is not known, or more than kMaxCodings.
  boost::system::error_code Start(std::string_view content_encoding, std::uint64_t max_bytes);

  /// Error::kTooLarge: more than `max_bytes`, or a bomb; Error::kMalformed: not the declared
  /// coding; or the sink's own error. After an error only Start() may be called.
  boost::system::error_code Write(std::string_view encoded, const Sink& sink);

  /// The body is over. Error::kTruncated when a coding was not. A body without bytes is well in
  /// any.
  boost::system::error_code Finish() const;

  /// Gives back what is large: a body in br or zstd takes up to 16 or 8 MiB while it is decoded.
  void Release();

  /// What the last error was about, for people.
  const std::string& detail() const { return detail_; }

 private:
  boost::system::error_code WriteTo(std::size_t stage, std::string_view encoded, const Sink& sink);
  boost::system::error_code Deliver(std::string_view decoded, const Sink& sink);

  struct Stage;

  /// Nullptr: a coding that is not known.
  static Decompressor* StartStage(Stage& stage, std::string_view coding);
  /// Whether a coding has given too much.
  bool GoesTooFar(std::uint64_t output_bytes);

  std::unique_ptr<std::array<Stage, kMaxCodings>> stages_;  // in the order of decoding
  std::size_t codings_ = 0;                                 // how many of them are in use
  std::uint64_t max_bytes_ = 0;
  std::uint64_t encoded_bytes_ = 0;
  std::uint64_t delivered_bytes_ = 0;
  std::string detail_;
};

}  // namespace trawl
