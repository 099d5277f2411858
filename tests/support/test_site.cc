#include "tests/support/test_site.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio.hpp>
#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <ctime>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

namespace trawl {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using Fault = TestPage::Fault;
using Framing = TestPage::Framing;

constexpr auto kTuple = asio::experimental::as_tuple(asio::use_awaitable);
TestPage NotFound() {
  TestPage page;
  page.status = 404;
  page.content_type = "text/plain";
  page.body = "not found";
  return page;
}

/// One accepted connection, with TLS or without.
class Wire {
  using Clock = std::chrono::steady_clock;

 public:
  Wire(tcp::socket socket, asio::ssl::context* tls) : socket_(std::move(socket)) {
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    if (tls != nullptr) tls_.emplace(socket_, *tls);
  }

  asio::awaitable<error_code> Handshake() {
    if (!tls_) co_return error_code{};
    auto [ec] = co_await tls_->async_handshake(asio::ssl::stream_base::server, kTuple);
    co_return ec;
  }

  /// Reads until a whole request head is in `input`; returns its length, or 0 at the end.
  asio::awaitable<std::size_t> ReadHead(std::string& input) {
    if (!tls_) arrival_ = co_await Arrival(input);
    auto buffer = asio::dynamic_buffer(input, 64 * 1024);
    if (tls_) {
      // The request may have come with the handshake, so that there is nothing to wait for.
      auto [ec, n] = co_await asio::async_read_until(*tls_, buffer, "\r\n\r\n", kTuple);
      arrival_ = Clock::now();
      co_return ec ? 0 : n;
    }
    auto [ec, n] = co_await asio::async_read_until(socket_, buffer, "\r\n\r\n", kTuple);
    co_return ec ? 0 : n;
  }

  /// After a handshake: whether it went on with an earlier session.
  bool resumed() { return SSL_session_reused(tls_->native_handle()) == 1; }

  /// When the kernel got the head that was read last, or its first bytes.
  Clock::time_point arrival() const { return arrival_; }

  /// True when all was sent.
  asio::awaitable<bool> Write(std::string_view first, std::string_view second = {}) {
    const std::array<asio::const_buffer, 2> data = {asio::buffer(first), asio::buffer(second)};
    if (tls_) {
      auto [ec, n] = co_await asio::async_write(*tls_, data, kTuple);
      co_return !ec;
    }
    auto [ec, n] = co_await asio::async_write(socket_, data, kTuple);
    co_return !ec;
  }

  /// Ends the connection in good order; TLS says so first and waits for the client to go.
  asio::awaitable<void> Finish() {
    if (tls_) co_await tls_->async_shutdown(kTuple);
  }

  /// Returns when the client has closed the connection. Bytes that it still sends are lost.
  asio::awaitable<void> WaitForClose() {
    std::array<char, 1024> scratch;
    for (;;) {
      auto [ec, n] = co_await socket_.async_read_some(asio::buffer(scratch), kTuple);
      if (ec) co_return;
    }
  }

  void Reset() {
    error_code ignored;
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    socket_.close(ignored);
  }

 private:
  /// The time does not depend on when this thread gets to read.
  asio::awaitable<Clock::time_point> Arrival(const std::string& input) {
    if (input.empty()) co_await socket_.async_wait(tcp::socket::wait_read, kTuple);
    const auto now = Clock::now();
    char byte = 0;
    iovec bytes{&byte, 1};
    alignas(cmsghdr) std::array<char, 128> control{};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    if (recvmsg(socket_.native_handle(), &message, MSG_PEEK | MSG_DONTWAIT) <= 0) co_return now;
    timespec real{};
    clock_gettime(CLOCK_REALTIME, &real);
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
      if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SO_TIMESTAMPNS) continue;
      timespec arrived{};
      std::memcpy(&arrived, CMSG_DATA(part), sizeof arrived);
      co_return now - std::chrono::seconds(real.tv_sec - arrived.tv_sec) -
          std::chrono::nanoseconds(real.tv_nsec - arrived.tv_nsec);
    }
    co_return now;
  }

  tcp::socket socket_;
  std::optional<asio::ssl::stream<tcp::socket&>> tls_;
  Clock::time_point arrival_;
};

/// Counts something for as long as it lives.
class Gauge {
 public:
  struct Level {
    std::size_t now = 0;
    std::size_t peak = 0;
    std::size_t total = 0;
  };

  Gauge(std::mutex& mutex, std::condition_variable& changed, Level& level)
      : mutex_(mutex), changed_(changed), level_(level) {
    const std::lock_guard lock(mutex_);
    ++level_.total;
    level_.peak = std::max(level_.peak, ++level_.now);
  }
  ~Gauge() {
    const std::lock_guard lock(mutex_);
    --level_.now;
    changed_.notify_all();
  }
  Gauge(const Gauge&) = delete;
  Gauge& operator=(const Gauge&) = delete;

 private:
  std::mutex& mutex_;
  std::condition_variable& changed_;
  Level& level_;
};

}  // namespace

class TestSite::Impl {
 public:
  explicit Impl(Options options) : options_(std::move(options)), acceptor_(io_) {
    if (!options_.certificate_pem.empty()) {
      tls_.emplace(asio::ssl::context::tls_server);
      tls_->use_certificate_chain(asio::buffer(options_.certificate_pem));
      tls_->use_private_key(asio::buffer(options_.key_pem), asio::ssl::context::pem);
      if (options_.tls12) tls_->set_options(asio::ssl::context::no_tlsv1_3);
    }
    const tcp::endpoint wanted(asio::ip::make_address(options_.address), options_.port);
    acceptor_.open(wanted.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    // Accepted sockets inherit it, so that it holds for their first bytes.
    acceptor_.set_option(asio::detail::socket_option::boolean<SOL_SOCKET, SO_TIMESTAMPNS>(true));
    acceptor_.bind(wanted);
    acceptor_.listen();
    endpoint_ = acceptor_.local_endpoint();
    asio::co_spawn(io_, Listen(), Rethrow);
    thread_ = std::thread([this] { io_.run(); });
  }

  ~Impl() {
    io_.stop();
    thread_.join();
  }

  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // Constant after construction.
  const tcp::endpoint& endpoint() const { return endpoint_; }
  bool has_tls() const { return tls_.has_value(); }

  // What follows is guarded by mutex.
  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  std::map<std::string, std::shared_ptr<const TestAnswer>, std::less<>> pages;
  std::function<TestPage(std::string_view)> fallback;
  std::vector<TestRequest> log;
  Gauge::Level connections;
  Gauge::Level answering;
  std::size_t full_handshakes = 0;
  std::size_t resumed_handshakes = 0;

 private:
  /// What becomes of a connection after an answer.
  enum class Then {
    kKeep,
    kClose,  // in good order
    kDrop,   // at once
  };

  static void Rethrow(std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
  }

  asio::awaitable<void> Listen() {
    for (std::uint64_t number = 1;; ++number) {
      auto [ec, socket] = co_await acceptor_.async_accept(kTuple);
      if (ec) continue;  // a client that was gone again
      auto wire = std::make_unique<Wire>(std::move(socket), tls_ ? &*tls_ : nullptr);
      asio::co_spawn(io_, Converse(std::move(wire), number), Rethrow);
    }
  }

  asio::awaitable<void> Converse(std::unique_ptr<Wire> accepted, std::uint64_t number) {
    const Gauge connection(mutex, changed, connections);
    const std::unique_ptr<Wire> wire = std::move(accepted);  // closed before it counts as gone
    const error_code failed = co_await wire->Handshake();
    if (failed) co_return;
    if (tls_) {
      const std::lock_guard lock(mutex);
      ++(wire->resumed() ? resumed_handshakes : full_handshakes);
    }
    std::string input;
    const std::size_t limit = options_.requests_per_connection;
    for (std::size_t answered = 1;; ++answered) {
      const std::size_t head_bytes = co_await wire->ReadHead(input);
      if (head_bytes == 0) co_return;
      const Gauge request(mutex, changed, answering);
      const std::shared_ptr<const TestAnswer> answer =
          Take(input.substr(0, head_bytes), number, wire->arrival());
      input.erase(0, head_bytes);
      if (!answer || (limit != 0 && answered > limit)) co_return;

      const bool last = limit != 0 && answered == limit;
      const bool announce = last && options_.farewell == Farewell::kAnnounced;
      const Then then = co_await Reply(wire.get(), answer, announce);
      if (then == Then::kDrop) co_return;
      if (then == Then::kClose || announce) break;
      if (last && options_.farewell == Farewell::kAbrupt) co_return;
    }
    co_await wire->Finish();
  }

  /// Logs the request and finds its answer; none for what is not HTTP.
  std::shared_ptr<const TestAnswer> Take(std::string head, std::uint64_t connection,
                                         std::chrono::steady_clock::time_point arrival) {
    http::request_parser<http::empty_body> parser;
    error_code ec;
    parser.put(asio::buffer(head), ec);
    if (ec || !parser.is_header_done()) return nullptr;
    const auto& message = parser.get();
    const std::string path(message.target());

    std::function<TestPage(std::string_view)> make;
    {
      const std::lock_guard lock(mutex);
      log.push_back({.path = path,
                     .host = std::string(message[http::field::host]),
                     .user_agent = std::string(message[http::field::user_agent]),
                     .head = std::move(head),
                     .time = arrival,
                     .connection = connection});
      changed.notify_all();
      if (const auto found = pages.find(path); found != pages.end()) return found->second;
      make = fallback;
    }
    return std::make_shared<const TestAnswer>(make ? make(path) : NotFound());
  }

  asio::awaitable<void> Pause(std::chrono::milliseconds duration) {
    asio::steady_timer timer(io_, duration);
    co_await timer.async_wait(kTuple);
  }

  asio::awaitable<Then> Reply(Wire* wire, std::shared_ptr<const TestAnswer> answer, bool announce) {
    const TestPage& page = answer->page;
    if (page.latency.count() > 0) co_await Pause(page.latency);
    if (!page.raw.empty()) {
      const bool sent = co_await wire->Write(page.raw);
      co_return sent ? Then::kClose : Then::kDrop;
    }
    if (page.fault == Fault::kSilent) co_await wire->WaitForClose();
    if (page.fault == Fault::kResetBeforeHead) wire->Reset();
    if (page.fault == Fault::kSilent || page.fault == Fault::kCloseBeforeHead ||
        page.fault == Fault::kResetBeforeHead) {
      co_return Then::kDrop;
    }

    const bool until_close = page.framing == Framing::kUntilClose;
    const Then after = until_close ? Then::kClose : Then::kKeep;
    const std::string head =
        answer->head + (announce || until_close ? "Connection: close\r\n\r\n" : "\r\n");
    const std::string_view payload = answer->payload;
    if (page.generator) {
      const bool sent = co_await Generate(wire, answer, head);
      co_return sent ? after : Then::kDrop;
    }
    switch (page.fault) {
      case Fault::kCloseInBody:
      case Fault::kResetInBody:
        co_await wire->Write(head, payload.substr(0, payload.size() / 2));
        if (page.fault == Fault::kResetInBody) wire->Reset();
        co_return Then::kDrop;
      case Fault::kEndlessBody: {
        bool sent = co_await wire->Write(head);
        while (sent) sent = co_await wire->Write(payload);
        co_return Then::kDrop;
      }
      case Fault::kSlowDrip: {
        bool sent = co_await wire->Write(head);
        for (std::size_t at = 0; sent && at < payload.size(); ++at) {
          co_await Pause(page.drip);
          sent = co_await wire->Write(payload.substr(at, 1));
        }
        co_return sent ? after : Then::kDrop;
      }
      default: {
        const bool sent = co_await wire->Write(head, payload);
        co_return sent ? after : Then::kDrop;
      }
    }
  }

  asio::awaitable<bool> Generate(Wire* wire, std::shared_ptr<const TestAnswer> answer,
                                 std::string head) {
    const bool chunked = answer->page.framing == Framing::kChunked;
    bool sent = co_await wire->Write(head);
    for (std::uint64_t number = 0; sent; ++number) {
      std::string piece = answer->page.generator(number);
      if (piece.empty()) break;
      if (chunked) piece = Chunk(piece);
      sent = co_await wire->Write(piece);
    }
    if (sent && chunked) sent = co_await wire->Write(kLastChunk);
    co_return sent;
  }

  // Destroyed from the last to the first: io_ ends the coroutines, which use all that is above it.
  const Options options_;
  std::optional<asio::ssl::context> tls_;
  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  tcp::endpoint endpoint_;
  std::thread thread_;
};

TestSite::TestSite(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}
TestSite::~TestSite() = default;

std::uint16_t TestSite::port() const { return impl_->endpoint().port(); }

std::string TestSite::origin() const {
  return (impl_->has_tls() ? "https://" : "http://") + impl_->endpoint().address().to_string() +
         ":" + std::to_string(port());
}

void TestSite::Set(std::string path, TestPage page) {
  auto answer = std::make_shared<const TestAnswer>(std::move(page));
  const std::lock_guard lock(impl_->mutex);
  impl_->pages.insert_or_assign(std::move(path), std::move(answer));
}

void TestSite::SetHtml(std::string path, std::string html) {
  Set(std::move(path), {.body = std::move(html)});
}

void TestSite::SetRedirect(std::string path, std::string location, int status) {
  Set(std::move(path), {.status = status, .headers = {{"Location", std::move(location)}}});
}

void TestSite::Remove(std::string_view path) {
  const std::lock_guard lock(impl_->mutex);
  if (const auto found = impl_->pages.find(path); found != impl_->pages.end()) {
    impl_->pages.erase(found);
  }
}

void TestSite::SetFallback(std::function<TestPage(std::string_view path)> fallback) {
  const std::lock_guard lock(impl_->mutex);
  impl_->fallback = std::move(fallback);
}

std::vector<TestRequest> TestSite::requests() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->log;
}

std::size_t TestSite::request_count() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->log.size();
}

std::size_t TestSite::request_count(std::string_view path) const {
  const std::lock_guard lock(impl_->mutex);
  return static_cast<std::size_t>(
      std::ranges::count(impl_->log, path, [](const TestRequest& r) { return r.path; }));
}

bool TestSite::WaitForRequests(std::size_t count, std::chrono::milliseconds patience) const {
  std::unique_lock lock(impl_->mutex);
  return impl_->changed.wait_for(lock, patience, [&] { return impl_->log.size() >= count; });
}

std::size_t TestSite::connection_count() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->connections.total;
}

std::size_t TestSite::open_connections() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->connections.now;
}

std::size_t TestSite::peak_connections() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->connections.peak;
}

std::size_t TestSite::peak_requests() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->answering.peak;
}

std::size_t TestSite::full_handshakes() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->full_handshakes;
}

std::size_t TestSite::resumed_handshakes() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->resumed_handshakes;
}

bool TestSite::WaitUntilIdle(std::chrono::milliseconds patience) const {
  std::unique_lock lock(impl_->mutex);
  return impl_->changed.wait_for(lock, patience, [&] { return impl_->connections.now == 0; });
}

}  // namespace trawl
