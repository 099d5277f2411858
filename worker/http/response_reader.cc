#include "worker/http/response_reader.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <limits>
#include <optional>

#include "worker/http/response_head.h"

namespace trawl {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr std::uint64_t kUnknown = std::numeric_limits<std::uint64_t>::max();

void Append(std::string& list, std::string_view separator, std::string_view value) {
  if (!list.empty()) list += separator;
  list += value;
}

bool HasBareLineFeed(std::string_view text) {
  for (std::size_t at = text.find('\n'); at != text.npos; at = text.find('\n', at + 1)) {
    if (at == 0 || text[at - 1] != '\r') return true;
  }
  return false;
}

}  // namespace

struct ResponseReader::State {
  State(const FetchLimits& l, FetchObserver& o, ContentDecoder& d)
      : limits(l), observer(o), decoder(d) {}

  void Fail(error_code ec, std::string what) {
    if (error) return;
    error = ec;
    detail = std::move(what);
  }

  const FetchLimits limits;
  FetchObserver& observer;
  ContentDecoder& decoder;
  ContentDecoder::Sink sink;

  ResponseHead head;
  std::string content_encoding;      // lines joined by commas
  std::string transfer_encoding;     // likewise
  std::size_t set_cookie_bytes = 0;  // of head.set_cookies
  std::uint64_t head_bytes = 0;      // of all whole heads so far
  std::size_t searched_bytes = 0;    // of the head that is not whole yet
  std::string mended_head;
  std::uint64_t length = kUnknown;  // of the body as sent, when announced
  std::uint64_t encoded_bytes = 0;
  std::uint64_t body_bytes = 0;
  BodyWish wish = BodyWish::kRead;
  bool finished = false;
  bool excess = false;  // bytes came after the end of the response
  error_code error;
  std::string detail;
};

/// Beast's parser, with its events bound to the state. An error that a handler returns to Beast
/// only stops it; what went wrong is in the state.
class ResponseReader::Parser : public http::basic_parser<false> {
 public:
  explicit Parser(State& state) : state_(state) {
    body_limit(boost::none);  // counted by the state, and only for a body that is read
  }

  bool interim() const { return interim_; }

 private:
  void on_request_impl(http::verb, beast::string_view, beast::string_view, int,
                       error_code&) override {}

  void on_response_impl(int status, beast::string_view, int, error_code&) override {
    state_.head.status = status;
  }

  void on_field_impl(http::field field, beast::string_view name, beast::string_view value,
                     error_code&) override {
    if (is_header_done()) return;  // a trailer
    switch (field) {
      case http::field::content_type:
        if (state_.head.content_type.empty()) state_.head.content_type = value;
        break;
      case http::field::location:
        if (state_.head.location.empty()) state_.head.location = value;
        break;
      case http::field::retry_after:
        if (state_.head.retry_after.empty()) state_.head.retry_after = value;
        break;
      case http::field::set_cookie:
        TakeCookie(value);
        break;
      case http::field::content_encoding:
        Append(state_.content_encoding, ", ", value);
        break;
      case http::field::transfer_encoding:
        Append(state_.transfer_encoding, ", ", value);
        break;
      default:
        if (beast::iequals(name, "X-Robots-Tag")) Append(state_.head.robots_tag, "\n", value);
    }
  }

  void TakeCookie(std::string_view value) {
    if (value.size() > state_.limits.set_cookie_bytes - state_.set_cookie_bytes) return;
    state_.set_cookie_bytes += value.size();
    state_.head.set_cookies.emplace_back(value);
  }

  void on_header_impl(error_code& ec) override {
    const int status = state_.head.status;
    // 101 answers only an Upgrade, which was not asked for (RFC 9110, section 15.2.2).
    if (status < 100 || status == 101) {
      state_.Fail(Error::kMalformed, "status " + std::to_string(status));
    } else if (status < 200) {
      interim_ = true;
    } else {
      TakeHead();
    }
    if (state_.error) ec = state_.error;
  }

  void TakeHead() {
    if (const auto length = content_length()) state_.length = *length;
    state_.wish = state_.observer.OnHead(state_.head);
    if (state_.wish == BodyWish::kSkip) return;
    // Framing by another transfer coding was not asked for (RFC 9112, section 6.1).
    if (!state_.transfer_encoding.empty() && !beast::iequals(state_.transfer_encoding, "chunked")) {
      return state_.Fail(Error::kMalformed, "transfer coding " + state_.transfer_encoding);
    }
    const std::uint64_t limit = state_.limits.body_bytes;
    if (state_.length != kUnknown && state_.length > limit) {
      return state_.Fail(Error::kTooLarge, "a body of " + std::to_string(state_.length) +
                                               " bytes; the limit is " + std::to_string(limit));
    }
    const error_code ec = state_.decoder.Start(state_.content_encoding, limit);
    if (ec) state_.Fail(ec, state_.decoder.detail());
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}

  std::size_t on_body_impl(beast::string_view bytes, error_code& ec) override {
    state_.encoded_bytes += bytes.size();
    if (state_.wish == BodyWish::kSkip) return bytes.size();
    if (state_.encoded_bytes > state_.limits.body_bytes) {
      state_.Fail(Error::kTooLarge,
                  "more than " + std::to_string(state_.limits.body_bytes) + " body bytes");
    } else if (const error_code failed = state_.decoder.Write(bytes, state_.sink); failed) {
      state_.Fail(failed, state_.decoder.detail());
    }
    if (state_.error) ec = state_.error;
    return bytes.size();
  }

  void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code&) override {}

  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view bytes, error_code& ec) override {
    return on_body_impl(bytes, ec);
  }

  void on_finish_impl(error_code& ec) override {
    if (interim_) return;
    state_.finished = true;
    if (state_.wish == BodyWish::kSkip) return;
    if (const error_code failed = state_.decoder.Finish(); failed) {
      state_.Fail(failed, "the body ends within its content coding");
      ec = failed;
    }
  }

  State& state_;
  bool interim_ = false;
};

ResponseReader::ResponseReader(const FetchLimits& limits, FetchObserver& observer,
                               ContentDecoder& decoder)
    : state_(std::make_unique<State>(limits, observer, decoder)) {
  State& state = *state_;
  state.sink = [&state](std::string_view decoded) {
    state.body_bytes += decoded.size();
    const error_code ec = state.observer.OnBody(decoded);
    if (ec) state.Fail(ec, "the body was refused: " + ec.message());
    return ec;
  };
  parser_ = std::make_unique<Parser>(state);
}

ResponseReader::~ResponseReader() = default;

std::size_t ResponseReader::Put(std::string_view bytes) {
  std::size_t taken = 0;
  while (!done() && !parser_->is_header_done()) {
    const std::size_t before = taken;
    taken += PutHead(bytes.substr(taken));
    if (taken == before || taken == bytes.size()) break;
  }
  if (!done() && parser_->is_header_done() && taken < bytes.size()) {
    taken += PutBody(bytes.substr(taken));
  }
  state_->excess = taken < bytes.size();
  return taken;
}

/// Takes a whole head at once, or nothing.
std::size_t ResponseReader::PutHead(std::string_view bytes) {
  State& state = *state_;
  if (!BeginsResponse(bytes)) {
    state.Fail(Error::kMalformed, "not an HTTP response");
    return 0;
  }
  // Of all heads together.
  const std::uint64_t limit = std::min<std::uint64_t>(state.limits.head_bytes, kMaxPendingBytes);
  const std::optional<std::size_t> whole = HeadBytes(bytes, state.searched_bytes);
  if (state.head_bytes + whole.value_or(bytes.size()) > limit) {
    state.Fail(Error::kTooLarge, "more than " + std::to_string(limit) + " head bytes");
    return 0;
  }
  if (!whole) return 0;
  state.head_bytes += *whole;
  state.searched_bytes = 0;
  error_code ec;
  parser_->header_limit(std::numeric_limits<std::uint32_t>::max());
  parser_->put(asio::buffer(MendedHead(bytes.substr(0, *whole), state.mended_head)), ec);
  if (state.error) return *whole;
  if (ec || !parser_->is_header_done()) {
    state.Fail(Error::kMalformed, ec ? ec.message() : "a head that does not end");
  } else if (parser_->interim()) {
    state.head = {};
    state.content_encoding.clear();
    state.transfer_encoding.clear();
    parser_ = std::make_unique<Parser>(state);
  } else {
    parser_->eager(true);
  }
  return *whole;
}

std::size_t ResponseReader::PutBody(std::string_view bytes) {
  // Beast's parser relies on having the shortest end of a chunked body in one piece; between chunks
  // no less than this is still to come.
  constexpr std::size_t kShortestEndBytes = sizeof("0\r\n\r\n") - 1;
  if (parser_->chunked() && bytes.size() < kShortestEndBytes) return 0;
  error_code ec;
  const std::size_t taken = parser_->put(asio::buffer(bytes), ec);
  if (ec && ec != http::error::need_more) state_->Fail(Error::kMalformed, ec.message());
  // What is left is a line between chunks, of which Beast waits for the right end.
  if (!done() && parser_->chunked() && HasBareLineFeed(bytes.substr(taken))) {
    state_->Fail(Error::kMalformed, "a bare line feed between chunks");
  }
  if (!done() && bytes.size() - taken >= kMaxPendingBytes) {
    state_->Fail(Error::kMalformed, "a line between chunks is too long");
  }
  return taken;
}

void ResponseReader::PutEnd(bool in_order) {
  if (done()) return;
  State& state = *state_;
  if (!parser_->is_header_done()) {
    const bool begun = state.head_bytes + state.searched_bytes > 0;
    return state.Fail(Error::kReset, begun ? "the connection ended within the head"
                                           : "the connection ended before the answer");
  }
  error_code ec;
  if (in_order && parser_->need_eof()) parser_->put_eof(ec);
  if (state.finished) return;
  state.Fail(in_order ? Error::kTruncated : Error::kReset, "the connection ended within the body");
}

bool ResponseReader::done() const { return state_->finished || state_->error; }
const error_code& ResponseReader::error() const { return state_->error; }
const std::string& ResponseReader::detail() const { return state_->detail; }
bool ResponseReader::skipping() const { return state_->wish == BodyWish::kSkip; }
const ResponseHead& ResponseReader::head() const { return state_->head; }
std::uint64_t ResponseReader::body_bytes() const { return state_->body_bytes; }

std::uint64_t ResponseReader::remaining_bytes() const {
  return state_->length == kUnknown ? kUnknown : state_->length - state_->encoded_bytes;
}

bool ResponseReader::keeps_alive() const {
  const State& state = *state_;
  // A 204 has no body; that of a server that announces one would come before the next response.
  const bool announces_body =
      (state.length != kUnknown && state.length > 0) || !state.transfer_encoding.empty();
  return state.finished && !state.error && !state.excess && parser_->keep_alive() &&
         !(state.head.status == 204 && announces_body);
}

}  // namespace trawl
