// Takes the bytes of one HTTP/1.1 response as they arrive and gives its observer the head and the
// decoded body (RFC 9112, RFC 9110). It decides everything that depends on the bytes alone: limits,
// framing, codings, whether the response is whole and whether the connection may be used again. No
// I/O: whoever reads from the connection calls Put() and, at its end, PutEnd().
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/error.h"
#include "worker/http/content_decoder.h"
#include "worker/http/fetcher.h"

namespace trawl {

class ResponseReader {
 public:
  /// Longest heads, together, and longest line between chunks that can be read, whatever the limits
  /// say. Put() never leaves more than this many bytes.
  static constexpr std::size_t kMaxPendingBytes = 64 * 1024;

  /// `observer` and `decoder` outlive the reader.
  ResponseReader(const FetchLimits& limits, FetchObserver& observer, ContentDecoder& decoder);
  ~ResponseReader();
  ResponseReader(const ResponseReader&) = delete;
  ResponseReader& operator=(const ResponseReader&) = delete;

  /// Takes from the front of `bytes`; returns how many. The rest belongs in front of the bytes that
  /// arrive next. Not to be called once it is done().
  std::size_t Put(std::string_view bytes);

  /// The connection has ended, in order or not. Without order, a body that lasts until the end is
  /// not whole.
  void PutEnd(bool in_order);

  /// The response is whole, or there was an error.
  bool done() const;
  const boost::system::error_code& error() const;
  const std::string& detail() const;

  /// The observer does not want the body, whose bytes are dropped.
  bool skipping() const;
  /// Body bytes still to come; the greatest number when that is not known.
  std::uint64_t remaining_bytes() const;
  /// After a whole response: another request may follow on the connection (RFC 9112, section 9.3).
  bool keeps_alive() const;

  const ResponseHead& head() const;
  std::uint64_t body_bytes() const;  // decoded bytes that the observer got

 private:
  class Parser;
  struct State;

  std::size_t PutHead(std::string_view bytes);
  std::size_t PutBody(std::string_view bytes);

  std::unique_ptr<State> state_;
  // Of the head that arrives: a response may have several, of which all but the last are interim
  // (RFC 9110, section 15.2).
  std::unique_ptr<Parser> parser_;
};

}  // namespace trawl
