#include "worker/http/connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <cerrno>

namespace trawl {

using boost::system::error_code;

namespace {

error_code LastError() {
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return asio::error::would_block;
  return {errno, boost::system::system_category()};
}

}  // namespace

Task<error_code> Connection::Connect(asio::ip::tcp::endpoint remote) {
  remote_ = remote;
  remote_text_ = ToString(remote);
  auto [ec] = co_await socket_.async_connect(remote, kTuple);
  if (ec) co_return ec;
  if (!socket_.is_open()) co_return asio::error::operation_aborted;  // Close() came just then
  error_code ignored;                                                // only slower without
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  co_return error_code{};
}

Task<std::optional<Connection::TlsProblem>> Connection::Handshake(TlsContext* tls, std::string host,
                                                                  std::uint16_t port,
                                                                  WallTime now) {
  tls_ = tls->Wrap(socket_, host, port, now);
  if (!tls_) co_return TlsProblem{Error::kTls, "not a name for a certificate: " + host};
  const error_code ec = co_await tls_->Handshake();
  if (!ec) co_return std::nullopt;
  const bool broken = ec == asio::error::eof || ec == asio::error::connection_reset ||
                      ec == asio::error::broken_pipe || ec == asio::ssl::error::stream_truncated;
  co_return TlsProblem{broken ? Error::kReset : Error::kTls, tls_->ExplainHandshake(ec)};
}

Task<error_code> Connection::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    auto [error, n] = tls_ ? tls_->Write(bytes) : Send(bytes);
    bytes.remove_prefix(n);
    if (error == asio::error::would_block) {
      std::tie(error) =
          co_await socket_.async_wait(tls_ ? tls_->awaited() : Socket::wait_write, kTuple);
    }
    if (error) co_return error;
  }
  co_return error_code{};
}

Task<error_code> Connection::WaitForBytes() {
  if (tls_ && tls_->IsReadable()) co_return error_code{};
  const auto awaited = tls_ ? tls_->awaited() : Socket::wait_read;
  pollfd ready{socket_.native_handle(), POLLIN, 0};
  if (awaited == Socket::wait_read && poll(&ready, 1, 0) > 0) co_return error_code{};
  const auto [error] = co_await socket_.async_wait(awaited, kTuple);
  co_return error;
}

std::tuple<error_code, std::size_t> Connection::Read(asio::mutable_buffer into) {
  return tls_ ? tls_->Read(into) : Receive(into);
}

std::tuple<error_code, std::size_t> Connection::Send(std::string_view bytes) {
  const ssize_t n =
      send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n < 0) return {LastError(), 0};
  return {error_code{}, static_cast<std::size_t>(n)};
}

std::tuple<error_code, std::size_t> Connection::Receive(asio::mutable_buffer into) {
  const ssize_t n = recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
  if (n < 0) return {LastError(), 0};
  if (n == 0) return {asio::error::eof, 0};
  return {error_code{}, static_cast<std::size_t>(n)};
}

bool Connection::IsQuiet() {
  if (!socket_.is_open() || (tls_ && tls_->IsReadable())) return false;
  char byte = 0;
  const ssize_t n = recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void Connection::Close() {
  error_code ignored;
  socket_.close(ignored);
}

std::string ToString(const asio::ip::tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? '[' + address + ']' : address) + ':' +
         std::to_string(endpoint.port());
}

}  // namespace trawl
