// One TCP connection to an address, with TLS or without. One operation at a time; Close() ends the
// one that is under way. Lives on the thread of its io_context.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "common/clock.h"
#include "common/error.h"
#include "worker/http/task.h"
#include "worker/http/tls.h"

namespace trawl {

class Connection {
 public:
  explicit Connection(asio::io_context& io) : socket_(io.get_executor()) {}
  /// Takes over a connected socket.
  explicit Connection(Socket socket) : socket_(std::move(socket)) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Task<boost::system::error_code> Connect(asio::ip::tcp::endpoint remote);

  /// Starts TLS with `host`. When it fails: kReset when the connection broke, else kTls, and why,
  /// for people. `tls` outlives the connection.
  struct TlsProblem {
    Error reason;
    std::string text;
  };
  Task<std::optional<TlsProblem>> Handshake(TlsContext* tls, std::string host, std::uint16_t port,
                                            WallTime now);

  // They do at once what the socket lets them do: no turn of the loop is spent on it.

  /// Sends all of `bytes`, which stay valid until it has.
  Task<boost::system::error_code> Write(std::string_view bytes);

  /// Waits until Read() has bytes or an error. Holds no buffer meanwhile.
  Task<boost::system::error_code> WaitForBytes();
  /// Takes what is there; would_block when that is nothing.
  std::tuple<boost::system::error_code, std::size_t> Read(asio::mutable_buffer into);

  /// Open, and the other side has neither closed it nor sent a byte that nobody asked for.
  bool IsQuiet();

  void Close();

  const asio::ip::tcp::endpoint& remote() const { return remote_; }
  /// "192.0.2.1:80".
  const std::string& remote_text() const { return remote_text_; }

 private:
  std::tuple<boost::system::error_code, std::size_t> Send(std::string_view bytes);
  std::tuple<boost::system::error_code, std::size_t> Receive(asio::mutable_buffer into);

  Socket socket_;
  asio::ip::tcp::endpoint remote_;
  std::string remote_text_;
  std::unique_ptr<TlsStream> tls_;  // over socket_
};

/// "192.0.2.1:80", "[2001:db8::1]:80".
std::string ToString(const asio::ip::tcp::endpoint& endpoint);

}  // namespace trawl
