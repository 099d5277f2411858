// What the worker's TLS connections have in common: TLS 1.2 at least, certificates that lead to a
// trusted root, and a name in them that is the URL's host (RFC 9110, section 4.3.4). Or, insecure,
// any certificate. A connection goes on with the session of the last one to the same origin, whose
// certificate was verified when the first of these sessions began: a day ago at most, and not
// beyond the dates in the certificates.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/context.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>

#include "common/clock.h"
#include "common/error.h"
#include "worker/http/task.h"
#include "worker/http/tls_sessions.h"

struct bio_st;
struct ssl_st;

namespace trawl {

class TlsStream;

class TlsContext {
 public:
  /// `ca_file`: PEM; throws when it cannot be read. Empty for the system's certificates, which are
  /// read for the first stream: that takes as long as a thousand pages, and many crawls need none.
  /// `max_sessions`: kept for further connections, over all origins.
  TlsContext(const std::string& ca_file, bool insecure, std::size_t max_sessions);

  /// A stream over a connected socket that accepts only `host`'s certificate; none when no
  /// certificate can have that name. An IPv6 address may be in brackets. Socket and context outlive
  /// the stream.
  std::unique_ptr<TlsStream> Wrap(Socket& socket, std::string_view host, std::uint16_t port,
                                  WallTime now);

 private:
  friend class TlsStream;

  bool insecure_;
  bool awaits_system_;  // the system's certificates are to be read yet
  asio::ssl::context context_;
  TlsSessions sessions_;
};

/// One operation at a time. A closed socket ends the one that is under way. While it waits it holds
/// no buffer, but for a part of a record.
class TlsStream {
 public:
  using error_code = boost::system::error_code;

  TlsStream(TlsContext& context, Socket& socket, std::string origin, WallTime now);
  /// Leaves its session to the next connection. Says no goodbye.
  ~TlsStream();
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  Task<error_code> Handshake();
  /// Why it failed: what is wrong with the certificate, if it is that, or else `error`.
  std::string ExplainHandshake(const error_code& error) const;

  /// Takes what has arrived, as far as there is room; would_block when that is nothing.
  /// asio::error::eof only after the other side's goodbye, otherwise stream_truncated.
  std::tuple<error_code, std::size_t> Read(asio::mutable_buffer into);
  /// Read() has something to tell whatever comes from the socket.
  bool IsReadable();
  /// Sends what goes out at once of `bytes`; would_block when that is nothing.
  std::tuple<error_code, std::size_t> Write(std::string_view bytes);
  /// What the socket has to be ready for after would_block: a new agreement on keys may need it to
  /// be read for Write(), and to be written for Read().
  Socket::wait_type awaited() const;

 private:
  friend class TlsContext;

  struct Free {
    void operator()(ssl_st* ssl) const;
  };
  struct Bio;

  void BeginCall();
  error_code ErrorOf(int result);
  void OnSocketError(bio_st* bio, int direction);
  void Resume();
  void KeepSession();

  TlsContext& context_;
  Socket& socket_;
  const std::string origin_;
  const WallTime begun_;
  WallTime verified_until_;  // of the session; from the handshake on
  std::size_t budget_ = 0;   // bytes that this call may still take from the socket
  bool ended_ = false;       // the other side has closed the socket
  error_code socket_error_;  // that has ended it
  bool drained_ = false;     // nothing was left when Read() last looked
  error_code read_error_;    // that Read() has met after bytes
  std::unique_ptr<ssl_st, Free> ssl_;
};

}  // namespace trawl
