#include "worker/http/connection.h"

#include <sys/socket.h>

#include <boost/asio/write.hpp>
#include <cerrno>

namespace trawl {

using boost::system::error_code;

Task<error_code> Connection::Connect(asio::ip::tcp::endpoint remote) {
  remote_ = remote;
  auto [ec] = co_await socket_.async_connect(remote, kTuple);
  if (ec) co_return ec;
  if (!socket_.is_open()) co_return asio::error::operation_aborted;  // Close() came just then
  error_code ignored;                                                // only slower without
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  co_return error_code{};
}

Task<std::optional<Connection::TlsProblem>> Connection::Handshake(TlsContext* tls,
                                                                  std::string host) {
  tls_ = tls->Wrap(socket_, host);
  if (!tls_) co_return TlsProblem{Error::kTls, "not a name for a certificate: " + host};
  auto [ec] = co_await tls_->async_handshake(asio::ssl::stream_base::client, kTuple);
  if (!ec) co_return std::nullopt;
  const bool broken = ec == asio::error::eof || ec == asio::error::connection_reset ||
                      ec == asio::error::broken_pipe || ec == asio::ssl::error::stream_truncated;
  co_return TlsProblem{broken ? Error::kReset : Error::kTls, ExplainHandshake(*tls_, ec)};
}

Task<std::tuple<error_code, std::size_t>> Connection::Write(std::string_view bytes) {
  const asio::const_buffer data = asio::buffer(bytes);
  return tls_ ? asio::async_write(*tls_, data, kTuple) : asio::async_write(socket_, data, kTuple);
}

Task<std::tuple<error_code, std::size_t>> Connection::Read(asio::mutable_buffer into) {
  return tls_ ? tls_->async_read_some(into, kTuple) : socket_.async_read_some(into, kTuple);
}

bool Connection::IsQuiet() {
  if (!socket_.is_open()) return false;
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
