#include "tests/support/test_proxy.h"

#include <array>
#include <boost/asio.hpp>
#include <boost/asio/experimental/as_tuple.hpp>
#include <mutex>
#include <thread>

namespace trawl {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr auto kTuple = asio::experimental::as_tuple(asio::use_awaitable);

// The two sides of a tunnel share both sockets.
using SocketPtr = std::shared_ptr<tcp::socket>;

asio::awaitable<void> Pump(SocketPtr from, SocketPtr to) {
  std::array<char, 8192> bytes{};
  for (;;) {
    auto [read_error, n] = co_await from->async_read_some(asio::buffer(bytes), kTuple);
    if (read_error) break;
    auto [error, written] = co_await asio::async_write(*to, asio::buffer(bytes, n), kTuple);
    if (error) break;
  }
  boost::system::error_code ignored;
  to->shutdown(tcp::socket::shutdown_send, ignored);
}

}  // namespace

class TestProxy::Impl {
 public:
  explicit Impl(Options options)
      : options_(std::move(options)),
        acceptor_(io_, {asio::ip::address_v4::loopback(), 0}),
        port_(acceptor_.local_endpoint().port()) {
    asio::co_spawn(io_, Listen(), asio::detached);
    thread_ = std::thread([this] { io_.run(); });
  }
  ~Impl() {
    io_.stop();
    thread_.join();
  }

  std::uint16_t port() const { return port_; }
  std::vector<std::string> heads() const {
    const std::lock_guard lock(mutex_);
    return heads_;
  }

 private:
  asio::awaitable<void> Listen() {
    for (;;) {
      auto [error, socket] = co_await acceptor_.async_accept(kTuple);
      if (error) co_return;
      asio::co_spawn(io_, Serve(std::make_shared<tcp::socket>(std::move(socket))), asio::detached);
    }
  }

  asio::awaitable<void> Serve(SocketPtr client) {
    std::string input;
    for (;;) {
      auto [error, n] =
          co_await asio::async_read_until(*client, asio::dynamic_buffer(input), "\r\n\r\n", kTuple);
      if (error) co_return;
      const std::string head = input.substr(0, n);
      input.erase(0, n);
      {
        const std::lock_guard lock(mutex_);
        heads_.push_back(head);
      }
      const bool tunnel = head.starts_with("CONNECT ");
      const std::string answer = tunnel ? options_.answer : options_.page;
      auto [write_error, written] =
          co_await asio::async_write(*client, asio::buffer(answer), kTuple);
      if (write_error) co_return;
      if (!tunnel) continue;
      if (!answer.starts_with("HTTP/1.1 200")) co_return;
      const auto server = std::make_shared<tcp::socket>(io_);
      const tcp::endpoint endpoint(asio::ip::address_v4::loopback(), options_.tunnel_port);
      auto [connect_error] = co_await server->async_connect(endpoint, kTuple);
      if (connect_error) co_return;
      asio::co_spawn(io_, Pump(server, client), asio::detached);
      co_return co_await Pump(client, server);
    }
  }

  const Options options_;
  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  const std::uint16_t port_;
  mutable std::mutex mutex_;
  std::vector<std::string> heads_;  // under mutex_
  std::thread thread_;
};

TestProxy::TestProxy(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}
TestProxy::~TestProxy() = default;
std::uint16_t TestProxy::port() const { return impl_->port(); }
std::vector<std::string> TestProxy::heads() const { return impl_->heads(); }

}  // namespace trawl
