#include "tests/bench/synthetic_web/page_server.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/compose.hpp>
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
#include <cstring>
#include <ctime>
#include <optional>
#include <utility>
#include <vector>

#include "tests/support/certificates.h"

namespace trawl {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;

constexpr auto kTuple = asio::experimental::as_tuple(asio::use_awaitable);

constexpr std::string_view kRobots = "User-agent: *\nDisallow: /private/\n";

template <auto kFree>
struct Free {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using BioPtr = std::unique_ptr<BIO, Free<BIO_free>>;
using CertificatePtr = std::unique_ptr<X509, Free<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;

BioPtr Reader(const std::string& text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

struct Identity {
  CertificatePtr certificate;
  KeyPtr key;
};

/// A connection that knows when the kernel had what was read from it last: this server may be late
/// to read.
class Wire {
 public:
  using executor_type = tcp::socket::executor_type;
  using lowest_layer_type = tcp::socket::lowest_layer_type;

  explicit Wire(tcp::socket socket) : socket_(std::move(socket)) {}

  /// In nanoseconds.
  std::int64_t arrival() const { return arrival_; }

  executor_type get_executor() { return socket_.get_executor(); }
  lowest_layer_type& lowest_layer() { return socket_.lowest_layer(); }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    const auto read = [this, buffers, ready = false](auto& self, error_code error = {},
                                                     std::size_t bytes = 0) mutable {
      if (std::exchange(ready, true)) return self.complete(error, bytes);
      socket_.async_wait(tcp::socket::wait_read,
                         [this, buffers, self = std::move(self)](error_code) mutable {
                           TakeArrival();
                           socket_.async_read_some(buffers, std::move(self));
                         });
    };
    return asio::async_compose<Token, void(error_code, std::size_t)>(read, token, socket_);
  }

  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return socket_.async_write_some(buffers, std::forward<Token>(token));
  }

 private:
  void TakeArrival() {
    char byte = 0;
    iovec bytes{&byte, 1};
    alignas(cmsghdr) std::array<char, 128> control{};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    if (recvmsg(socket_.native_handle(), &message, MSG_PEEK | MSG_DONTWAIT) <= 0) return;
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
      if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SO_TIMESTAMPNS) continue;
      timespec time{};
      std::memcpy(&time, CMSG_DATA(part), sizeof time);
      arrival_ = time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec;
    }
  }

  tcp::socket socket_;
  std::int64_t arrival_ = 0;
};

/// What the server knows of a host.
struct Host {
  std::optional<Identity> identity;  // made when it is first asked for
  int under_way = 0;                 // requests that wait for their answer
  std::int64_t last_request = 0;     // when it arrived; 0: there was none
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
        acceptor_(io, tcp::endpoint(tcp::v4(), options.tls ? 443 : 80)) {
    // Accepted sockets inherit it, so that it holds for their first bytes.
    acceptor_.set_option(asio::detail::socket_option::boolean<SOL_SOCKET, SO_TIMESTAMPNS>(true));
    SSL_CTX* const native = context_.native_handle();
    SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
    SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_cert_cb(native, &Impl::OnCertificate, this);
    asio::co_spawn(io_, Accept(), [](const std::exception_ptr& failure) {
      if (failure) std::rethrow_exception(failure);
    });
  }

  const std::string& authority() const { return authority_.certificate_pem(); }

 private:
  using TlsStream = asio::ssl::stream<Wire&>;

  // ---- Politeness ----

  /// Takes note of a request as it begins.
  void Begin(Host& host, std::int64_t arrival) {
    if (host.under_way++ > 0) ++counts_.concurrent_requests;
    if (host.last_request > 0) {
      const std::int64_t gap_ms = (arrival - host.last_request) / 1'000'000;
      if (gap_ms < options_.host_delay.count()) ++counts_.early_requests;
      counts_.least_gap_ms = std::min(counts_.least_gap_ms, gap_ms);
    }
    host.last_request = arrival;
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
    Wire wire(std::move(socket));
    if (host <= web_.hosts()) {
      if (options_.tls) {
        co_await ServeTls(wire, host);
      } else {
        co_await Answer(wire, wire, host);
      }
    }
    --counts_.open_connections;
  }

  asio::awaitable<void> ServeTls(Wire& wire, std::uint32_t host) {
    co_await Wait(host);
    TlsStream stream(wire, context_);
    const auto [error] = co_await stream.async_handshake(TlsStream::server, kTuple);
    if (error) {
      ++counts_.failed_handshakes;
    } else {
      ++(SSL_session_reused(stream.native_handle()) == 1 ? counts_.resumed_handshakes
                                                         : counts_.full_handshakes);
      co_await Answer(stream, wire, host);
    }
  }

  asio::awaitable<void> Wait(std::uint32_t host) {
    asio::steady_timer timer(io_, SyntheticWeb::LatencyOf(host));
    co_await timer.async_wait(kTuple);
  }

  template <class Stream>
  asio::awaitable<void> Answer(Stream& stream, const Wire& wire, std::uint32_t number) {
    Host& host = hosts_[number];
    boost::beast::flat_buffer input;
    for (;;) {
      http::request<http::empty_body> request;
      const auto [read_error, read] = co_await http::async_read(stream, input, request, kTuple);
      if (read_error) co_return;
      Begin(host, wire.arrival());
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
      identity.emplace(
          CertificatePtr(
              PEM_read_bio_X509(Reader(issued.certificate_pem).get(), nullptr, nullptr, nullptr)),
          KeyPtr(PEM_read_bio_PrivateKey(Reader(issued.key_pem).get(), nullptr, nullptr, nullptr)));
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
  std::uint64_t under_way_ = 0;  // requests of all hosts
};

SyntheticPages::SyntheticPages(asio::io_context& io, const SyntheticWeb& web, Counts& counts,
                               Options options)
    : impl_(std::make_unique<Impl>(io, web, counts, options)) {}

SyntheticPages::~SyntheticPages() = default;

const std::string& SyntheticPages::authority() const { return impl_->authority(); }

}  // namespace trawl
