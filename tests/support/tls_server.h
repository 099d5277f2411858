// A TLS server that does on a connection what a test says, with OpenSSL itself at hand. Serves one
// connection after the other, on a thread of its own, at 127.0.0.1; the destructor ends the one
// that is under way.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "tests/support/certificates.h"

struct ssl_ctx_st;
struct ssl_st;

namespace trawl {

/// The server's end of one connection. Its functions wait until they are done, and return early,
/// false or empty, when the client has gone or the server ends.
class TlsWire {
 public:
  TlsWire(ssl_ctx_st* context, int socket);
  ~TlsWire();
  TlsWire(const TlsWire&) = delete;
  TlsWire& operator=(const TlsWire&) = delete;

  ssl_st* ssl() { return ssl_; }

  bool Handshake();
  /// Sends the first half of what a server answers to the client's first message.
  bool HalfOfHandshake();
  /// Takes so many bytes from beneath TLS.
  bool Skip(std::size_t bytes);

  /// Up to the empty line.
  std::string ReadRequest();
  bool Send(std::string_view bytes);
  /// New keys: of TLS 1.3 for what is sent from here on and, if asked, for what is received.
  bool UpdateKeys(bool both_ways);
  /// From the next handshake on.
  void Present(const TestCertificate& certificate);
  /// Of TLS 1.2: another handshake, to its end.
  bool Renegotiate();
  /// TLS's own end.
  void SayGoodbye();
  void WaitForEnd();

 private:
  const int socket_;
  ssl_st* const ssl_;
};

class TlsServer {
 public:
  /// `number`: of the connection, from 1 on. The connection is closed when it returns.
  using Script = std::function<void(TlsWire&, int number)>;

  struct Options {
    bool tls12 = false;
    int buffer_bytes = 0;  // of the socket, each way; 0: the system's choice
  };

  TlsServer(const TestCertificate& certificate, Options options, Script script);
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string Url() const { return "https://127.0.0.1:" + std::to_string(port_) + "/"; }
  /// Connections that have been served.
  int served() const { return served_; }

 private:
  void Serve();

  const std::unique_ptr<ssl_ctx_st, void (*)(ssl_ctx_st*)> context_;
  const Script script_;
  const int listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> served_ = 0;
  std::mutex mutex_;
  bool ending_ = false;  // guarded by mutex_
  int current_ = -1;     // the socket that is served; guarded by mutex_
  std::thread thread_;
};

}  // namespace trawl
