#include "tests/bench/synthetic_web/page_server.h"

#include <openssl/ssl.h>

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "tests/support/certificates.h"
#include "tests/support/openssl_ptr.h"

namespace trawl {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr auto kTuple = asio::experimental::as_tuple(asio::use_awaitable);

constexpr milliseconds kTick{5};
/// Of this server, which may be later than that when much comes at once.
constexpr milliseconds kTolerance{50};

constexpr std::string_view kRobots = "User-agent: *\nDisallow: /private/\n";

struct Identity {
  CertificatePtr certificate;
  KeyPtr key;
};

/// What the server knows of a host.
struct Host {
  std::optional<Identity> identity;  // made when it is first asked for
  int under_way = 0;                 // requests that wait for their answer
  bool requested = false;
  steady_clock::time_point last_request;  // no sooner than this the last request came
};

}  // namespace

class SyntheticPages::Impl {
 public:
  Impl(asio::io_context& io, const SyntheticWeb& web, Counts& counts, Options options)
      : io_(io),
        web_(web),
        counts_(counts),
        options_(options),
        hosts_(web.hosts() + 1),
        context_(asio::ssl::context::tls_server),
        acceptor_(io, tcp::endpoint(tcp::v4(), options.tls ? 443 : 80)),
        ticker_(io) {
    SSL_CTX* const native = context_.native_handle();
    SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
    SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_cert_cb(native, &Impl::OnCertificate, this);
    ticks_.fill(steady_clock::now());
    Tick();
    asio::co_spawn(io_, Accept(), [](const std::exception_ptr& failure) {
      if (failure) std::rethrow_exception(failure);
    });
  }

  const std::string& authority() const { return authority_.certificate_pem(); }

 private:
  using TlsStream = asio::ssl::stream<tcp::socket&>;

  // ---- Time ----

  /// A request that is read now may have waited since the tick before the last one, as what comes
  /// before a tick is read before the next.
  void Tick() {
    ticks_ = {ticks_[1], steady_clock::now()};
    ticker_.expires_after(kTick);
    ticker_.async_wait([this](error_code error) {
      if (!error) Tick();
    });
  }

  /// Takes note of a request as it begins, which did not come before `earliest`.
  void Begin(Host& host, steady_clock::time_point earliest) {
    const auto now = steady_clock::now();
    if (host.under_way++ > 0) ++counts_.concurrent_requests;
    if (host.requested) {
      const auto gap = std::chrono::duration_cast<milliseconds>(now - host.last_request);
      if (gap + kTolerance < options_.host_delay) ++counts_.early_requests;
      counts_.least_gap_ms = std::min(counts_.least_gap_ms, static_cast<std::int64_t>(gap.count()));
    }
    host.requested = true;
    host.last_request = std::min(earliest, ticks_[0]);
    ++counts_.requests;
    counts_.peak_requests = std::max(counts_.peak_requests, ++under_way_);
  }

  void End(Host& host) {
    --host.under_way;
    --under_way_;
  }

  // ---- Connections ----

  asio::awaitable<void> Accept() {
    for (;;) {
      auto [error, socket] = co_await acceptor_.async_accept(kTuple);
      if (error) continue;
      socket.set_option(tcp::no_delay(true), error);
      asio::co_spawn(io_, Serve(std::move(socket)), [](const std::exception_ptr& failure) {
        if (failure) std::rethrow_exception(failure);
      });
    }
  }

  asio::awaitable<void> Serve(tcp::socket socket) {
    ++counts_.connections;
    counts_.peak_connections = std::max(counts_.peak_connections, ++counts_.open_connections);
    error_code error;
    const tcp::endpoint local = socket.local_endpoint(error);
    const std::uint32_t host =
        error ? web_.hosts() + 1
              : local.address().to_v4().to_uint() - SyntheticWeb::AddressOf(0).to_uint();
    if (host <= web_.hosts()) {
      if (options_.tls) {
        co_await ServeTls(socket, host);
      } else {
        co_await Answer(socket, host, steady_clock::now());
      }
    }
    --counts_.open_connections;
  }

  asio::awaitable<void> ServeTls(tcp::socket& socket, std::uint32_t host) {
    co_await Wait(host);
    // The request comes right after the handshake, but is read only some steps later.
    const auto begun = steady_clock::now();
    TlsStream stream(socket, context_);
    const auto [error] = co_await stream.async_handshake(TlsStream::server, kTuple);
    if (error) {
      ++counts_.failed_handshakes;
    } else {
      ++(SSL_session_reused(stream.native_handle()) == 1 ? counts_.resumed_handshakes
                                                         : counts_.full_handshakes);
      co_await Answer(stream, host, begun);
    }
  }

  asio::awaitable<void> Wait(std::uint32_t host) {
    asio::steady_timer timer(io_, SyntheticWeb::LatencyOf(host));
    co_await timer.async_wait(kTuple);
  }

  template <class Stream>
  asio::awaitable<void> Answer(Stream& stream, std::uint32_t number,
                               steady_clock::time_point earliest) {
    Host& host = hosts_[number];
    boost::beast::flat_buffer input;
    for (;;) {
      http::request<http::empty_body> request;
      const auto [read_error, read] = co_await http::async_read(stream, input, request, kTuple);
      if (read_error) co_return;
      Begin(host, earliest);
      earliest = steady_clock::time_point::max();
      co_await Wait(number);
      const bool right_host = request[http::field::host] == SyntheticWeb::NameOf(number);
      const std::string_view path(request.target().data(), request.target().size());
      std::string head;
      std::string_view filler;
      std::optional<SyntheticWeb::Page> page;
      if (right_host) page = web_.PageAt(number, path);
      if (page) {
        ++counts_.pages;
        counts_.bytes += page->head.size() + page->filler.size();
        head = Head("200 OK", "text/html", page->head.size() + page->filler.size()) + page->head;
        filler = page->filler;
      } else if (path == "/robots.txt" && right_host) {
        ++counts_.robots;
        head = SyntheticWeb::HasRobots(number)
                   ? Head("200 OK", "text/plain", kRobots.size()) + std::string(kRobots)
                   : Head("404 Not Found", "text/html", 0);
      } else {
        ++counts_.missing;
        head = Head("404 Not Found", "text/html", 0);
      }
      const std::array<asio::const_buffer, 2> output = {asio::buffer(head), asio::buffer(filler)};
      // The client may ask again as soon as it has the answer.
      End(host);
      const auto [write_error, written] = co_await asio::async_write(stream, output, kTuple);
      if (write_error) co_return;
    }
  }

  static std::string Head(const char* status, const char* type, std::size_t bytes) {
    return std::string("HTTP/1.1 ") + status + "\r\nServer: synthetic\r\nContent-Type: " + type +
           "\r\nCache-Control: max-age=3600\r\nVary: Accept-Encoding\r\nContent-Length: " +
           std::to_string(bytes) + "\r\n\r\n";
  }

  // ---- TLS ----

  /// Gives a handshake the certificate of the host that it names.
  static int OnCertificate(SSL* ssl, void* self) {
    const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    return name != nullptr && static_cast<Impl*>(self)->Identify(ssl, name) ? 1 : 0;
  }

  bool Identify(SSL* ssl, const std::string& name) {
    const auto number = web_.HostOf(name);
    if (!number) return false;
    std::optional<Identity>& identity = hosts_[*number].identity;
    if (!identity) {
      const TestCertificate issued = authority_.Issue("DNS:" + name);
      identity.emplace(CertificateFrom(issued.certificate_pem), KeyFrom(issued.key_pem));
    }
    return SSL_use_cert_and_key(ssl, identity->certificate.get(), identity->key.get(), nullptr,
                                1) == 1;
  }

  asio::io_context& io_;
  const SyntheticWeb& web_;
  Counts& counts_;
  const Options options_;
  const TestAuthority authority_;
  std::vector<Host> hosts_;  // by number
  asio::ssl::context context_;
  tcp::acceptor acceptor_;
  asio::steady_timer ticker_;
  std::array<steady_clock::time_point, 2> ticks_;  // the last two
  std::uint64_t under_way_ = 0;                    // requests of all hosts
};

SyntheticPages::SyntheticPages(asio::io_context& io, const SyntheticWeb& web, Counts& counts,
                               Options options)
    : impl_(std::make_unique<Impl>(io, web, counts, options)) {}

SyntheticPages::~SyntheticPages() = default;

const std::string& SyntheticPages::authority() const { return impl_->authority(); }

}  // namespace trawl
