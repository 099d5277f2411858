// Fetches one URL at a time per call, many calls at once: name to address, pooled connections by
// origin, TLS, HTTP/1.1, content decoding, deadlines and limits. It follows no redirects and knows
// no politeness: whoever starts a fetch has decided that it may start now.
//
// Lives on the thread of its io_context. Every Start() calls its observer's OnDone() exactly once,
// never before Start() returned, and destroys the observer then. Deadlines are kept to within a
// tenth of a second. io_context::run() returns when no fetch and no idle connection is left.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "common/proxy.h"
#include "common/url.h"

namespace boost::asio {
class io_context;
}

namespace trawl {

struct FetchLimits {
  milliseconds connect{10'000};  // name, TCP and TLS together
  milliseconds idle{20'000};     // between two arrivals of bytes
  milliseconds total{120'000};   // the whole fetch
  std::size_t head_bytes = 64 * 1024;
  std::uint64_t body_bytes =
      64 * 1024 * 1024;              // decoded; the encoded body may not be longer either
  std::size_t set_cookie_bytes = 0;  // of ResponseHead::set_cookies together; 0: not wanted
};

struct FetchRequest {
  Url url;
  std::string accept = "*/*";
  std::string headers = {};  // further ones, each with its line end
  FetchLimits limits;
  /// Called when the request has been sent, each time: once more when a pooled connection has died.
  /// As an observer's functions.
  std::function<void()> on_sent = {};
  bool private_allowed = false;  // may connect to an address that is not public
  /// Time until the next request to the origin, if it is known: a connection that cannot be kept so
  /// long is not kept at all, and the server is told so.
  milliseconds next_after{0};
};

/// The parts of a response's head that a crawler needs; names of headers are without case.
struct ResponseHead {
  int status = 0;
  std::string content_type;  // as sent, parameters included
  std::string location;      // of a redirect; as sent
  std::string robots_tag;    // X-Robots-Tag values, one a line (LF)
  std::string retry_after;
  std::vector<std::string> set_cookies;  // Set-Cookie values, up to the limit
};

enum class BodyWish { kRead, kSkip };

struct FetchOutcome {
  boost::system::error_code error;  // none, or an Error of which ReasonWord() is known
  std::string detail;               // for people: what happened where; empty without error
  bool permanent = false;           // trying again would not help
  ResponseHead head;                // status 0 when none arrived
  std::uint64_t body_bytes = 0;     // decoded bytes that OnBody() got
  std::uint64_t wire_bytes = 0;     // received in all: head and body as sent
  std::string remote_address;       // "192.0.2.1:80"; empty when not connected
  bool reused_connection = false;
  milliseconds elapsed{0};
  milliseconds latency{0};  // from the sent request to the response's head; 0 without a head
};

/// What happens to a response while it arrives. Calls come in the order OnHead, OnBody*, OnDone.
class FetchObserver {
 public:
  virtual ~FetchObserver() = default;
  /// The final response's head (1xx are swallowed). kSkip: OnBody is not called, and the connection
  /// is kept only if little of the body is to come.
  virtual BodyWish OnHead(const ResponseHead& head) = 0;
  /// Decoded bytes; any number of calls. An error ends the fetch with it.
  virtual boost::system::error_code OnBody(std::string_view bytes) = 0;
  virtual void OnDone(FetchOutcome outcome) = 0;
};

class Fetcher {
 public:
  struct Options {
    std::string user_agent = {};
    std::size_t idle_connections = 512;  // kept in the pool, over all origins
    milliseconds idle_connection_age{15'000};
    std::size_t tls_sessions = 10'000;  // kept for further connections, over all origins
    std::string dns_servers = {};       // of ParseDnsServers(); empty: the system's
    std::string ca_file = {};           // PEM; empty: the system's certificates
    bool insecure = false;              // certificates are not verified
    // http requests are sent to it, https goes through its tunnels. It looks the names up then, so
    // only what a URL says by itself is held against the rule on addresses (IsPrivateHost()).
    std::optional<Proxy> proxy = {};
  };

  /// `io` outlives the fetcher. Throws when `ca_file` cannot be read, and when
  /// `dns_servers` is no list of them.
  Fetcher(boost::asio::io_context& io, Options options);
  /// Ends every fetch with Error::kReset; their OnDone() comes from here and must not Start().
  ~Fetcher();

  /// May be called from an observer's OnDone(), but not from its other functions.
  void Start(FetchRequest request, std::unique_ptr<FetchObserver> observer);

  /// Ends every fetch soon with Error::kReset; OnDone() is still called for each.
  void Cancel();

  std::size_t in_flight() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // shared with coroutines that unwind after the fetcher's end
};

}  // namespace trawl
