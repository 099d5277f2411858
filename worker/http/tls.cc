#include "worker/http/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>
#include <cerrno>
#include <chrono>
#include <climits>
#include <ctime>
#include <new>
#include <utility>

namespace trawl {
namespace {

std::string WithoutBrackets(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return std::string(host);
}

using SessionPtr = std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)>;

/// A server that sends records without data faster than they are looked at would never let a call
/// of OpenSSL end.
constexpr std::size_t kBytesPerCall = 64 * 1024;

/// After a full handshake: when the certificates that it has verified are to be verified again.
WallTime VerifiedUntil(const SSL* ssl, WallTime now) {
  WallTime until = now + TlsSessions::kMaxAge;
  if (SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE) return until;
  const STACK_OF(X509)* const chain = SSL_get0_verified_chain(ssl);
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    std::tm expiry{};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(sk_X509_value(chain, i)), &expiry) != 1) return now;
    until = std::min(until, WallTime(std::chrono::seconds(::timegm(&expiry))));
  }
  return until;
}

int Length(std::size_t bytes) { return static_cast<int>(std::min<std::size_t>(bytes, INT_MAX)); }

}  // namespace

TlsContext::TlsContext(const std::string& ca_file, bool insecure, std::size_t max_sessions)
    : insecure_(insecure),
      awaits_system_(ca_file.empty()),
      context_(asio::ssl::context::tls_client),
      sessions_(max_sessions) {
  if (!ca_file.empty()) context_.load_verify_file(ca_file);
  context_.set_verify_mode(insecure ? asio::ssl::verify_none : asio::ssl::verify_peer);
  SSL_CTX* const native = context_.native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  // Less memory for connections that wait; what is sent need not stay where it is.
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                               SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(native, 1);  // a record's head and body with one call
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
}

std::unique_ptr<TlsStream> TlsContext::Wrap(Socket& socket, std::string_view host,
                                            std::uint16_t port, WallTime now) {
  if (!insecure_ && std::exchange(awaits_system_, false)) context_.set_default_verify_paths();
  auto stream = std::make_unique<TlsStream>(
      *this, socket, std::string(host).append(":") + std::to_string(port), now);
  SSL* const ssl = stream->ssl_.get();
  std::string name = WithoutBrackets(host);
  boost::system::error_code not_an_address;
  asio::ip::make_address(name, not_an_address);
  bool set = false;
  if (not_an_address) {
    // The dot of an absolute name is in no certificate, nor in SNI (RFC 6066, section 3).
    if (name.ends_with('.')) name.pop_back();
    set = SSL_set_tlsext_host_name(ssl, name.c_str()) == 1 && SSL_set1_host(ssl, name.c_str()) == 1;
  } else {
    set = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str()) == 1;
  }
  // Without a name to check the stream would accept anyone's certificate.
  if (!set && !insecure_) return nullptr;
  return stream;
}

/// OpenSSL's way to the socket. Unlike its own, it raises no SIGPIPE, and notices that the socket
/// was closed on this side.
struct TlsStream::Bio {
  static TlsStream& Of(BIO* bio) { return *static_cast<TlsStream*>(BIO_get_data(bio)); }

  static BIO* New(TlsStream* stream) {
    static BIO_METHOD* const kMethod = Method();
    BIO* const bio = BIO_new(kMethod);
    if (bio == nullptr) throw std::bad_alloc();
    BIO_set_data(bio, stream);
    BIO_set_init(bio, 1);
    return bio;
  }

  static BIO_METHOD* Method() {
    BIO_METHOD* const method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    BIO_meth_set_read(method, &Read);
    BIO_meth_set_write(method, &Write);
    BIO_meth_set_ctrl(method, &Control);
    return method;
  }

  static int Read(BIO* bio, char* into, int size) {
    TlsStream& stream = Of(bio);
    BIO_clear_retry_flags(bio);
    if (stream.budget_ == 0) {  // as if no more had come yet
      BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY);
      return -1;
    }
    const std::size_t most = std::min(stream.budget_, static_cast<std::size_t>(size));
    const ssize_t n = ::recv(stream.socket_.native_handle(), into, most, MSG_DONTWAIT);
    if (n > 0) stream.budget_ -= static_cast<std::size_t>(n);
    if (n == 0) stream.ended_ = true;
    if (n < 0) stream.OnSocketError(bio, BIO_FLAGS_READ);
    return static_cast<int>(n);
  }

  static int Write(BIO* bio, const char* bytes, int size) {
    TlsStream& stream = Of(bio);
    const ssize_t n = ::send(stream.socket_.native_handle(), bytes, static_cast<std::size_t>(size),
                             MSG_DONTWAIT | MSG_NOSIGNAL);
    BIO_clear_retry_flags(bio);
    if (n < 0) stream.OnSocketError(bio, BIO_FLAGS_WRITE);
    return static_cast<int>(n);
  }

  static long Control(BIO* bio, int command, long, void*) {
    if (command == BIO_CTRL_EOF) return Of(bio).ended_ ? 1 : 0;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
  }
};

void TlsStream::Free::operator()(ssl_st* ssl) const { SSL_free(ssl); }

TlsStream::TlsStream(TlsContext& context, Socket& socket, std::string origin, WallTime now)
    : context_(context),
      socket_(socket),
      origin_(std::move(origin)),
      begun_(now),
      ssl_(SSL_new(context.context_.native_handle())) {
  if (!ssl_) throw std::bad_alloc();
  BIO* const bio = Bio::New(this);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_connect_state(ssl_.get());
  Resume();
}

TlsStream::~TlsStream() { KeepSession(); }

void TlsStream::Resume() {
  const auto kept = context_.sessions_.Take(origin_, begun_);
  if (!kept) return;
  verified_until_ = kept->until;
  const auto* begin = reinterpret_cast<const unsigned char*>(kept->der.data());
  const SessionPtr session(d2i_SSL_SESSION(nullptr, &begin, Length(kept->der.size())),
                           &SSL_SESSION_free);
  if (session) SSL_set_session(ssl_.get(), session.get());
  ERR_clear_error();
}

/// The last one that the server has sent a ticket for.
void TlsStream::KeepSession() {
  SSL_SESSION* const session = SSL_get0_session(ssl_.get());
  if (!SSL_is_init_finished(ssl_.get()) || session == nullptr ||
      SSL_SESSION_is_resumable(session) != 1) {
    return;
  }
  const int size = i2d_SSL_SESSION(session, nullptr);
  if (size <= 0) return;
  std::string der(static_cast<std::size_t>(size), '\0');
  auto* begin = reinterpret_cast<unsigned char*>(der.data());
  i2d_SSL_SESSION(session, &begin);
  context_.sessions_.Put(origin_, {std::move(der), verified_until_});
}

void TlsStream::BeginCall() {
  ERR_clear_error();
  budget_ = kBytesPerCall;
}

void TlsStream::OnSocketError(BIO* bio, int direction) {
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
    BIO_set_flags(bio, direction | BIO_FLAGS_SHOULD_RETRY);
  } else {
    socket_error_ = error_code(errno, boost::system::system_category());
  }
}

/// Of a call that has failed. would_block: to be repeated when the socket is ready.
TlsStream::error_code TlsStream::ErrorOf(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return asio::error::would_block;
    case SSL_ERROR_ZERO_RETURN:
      return asio::error::eof;
    case SSL_ERROR_SSL:
      if (ended_) return asio::ssl::error::stream_truncated;
      return {static_cast<int>(ERR_get_error()), asio::error::get_ssl_category()};
    default:
      return socket_error_ ? socket_error_ : error_code(asio::ssl::error::stream_truncated);
  }
}

Task<TlsStream::error_code> TlsStream::Handshake() {
  for (;;) {
    BeginCall();
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) {
      if (SSL_session_reused(ssl_.get()) == 0) verified_until_ = VerifiedUntil(ssl_.get(), begun_);
      co_return error_code{};
    }
    const error_code error = ErrorOf(result);
    if (error != asio::error::would_block) co_return error;
    const auto [closed] = co_await socket_.async_wait(awaited(), kTuple);
    if (closed) co_return closed;
  }
}

Socket::wait_type TlsStream::awaited() const {
  return SSL_want_write(ssl_.get()) ? Socket::wait_write : Socket::wait_read;
}

std::string TlsStream::ExplainHandshake(const error_code& error) const {
  const long verified = SSL_get_verify_result(ssl_.get());
  return verified == X509_V_OK ? error.message() : X509_verify_cert_error_string(verified);
}

std::tuple<TlsStream::error_code, std::size_t> TlsStream::Read(asio::mutable_buffer into) {
  std::size_t total = 0;
  drained_ = false;
  BeginCall();
  while (!read_error_ && total < into.size()) {
    ERR_clear_error();
    const int n =
        SSL_read(ssl_.get(), static_cast<char*>(into.data()) + total, Length(into.size() - total));
    if (n > 0) {
      total += static_cast<std::size_t>(n);
    } else if (const error_code error = ErrorOf(n); error == asio::error::would_block) {
      drained_ = true;
      SSL_free_buffers(ssl_.get());  // also that for writing, which a ticket's arrival takes anew
      break;
    } else {
      read_error_ = error;
    }
  }
  if (total > 0) return {error_code{}, total};
  return {drained_ ? asio::error::would_block : read_error_, 0};
}

bool TlsStream::IsReadable() {
  if (drained_) return false;
  if (read_error_) return true;
  // Bytes may have come together with the handshake.
  BeginCall();
  char byte = 0;
  const int n = SSL_peek(ssl_.get(), &byte, 1);
  drained_ = n <= 0 && ErrorOf(n) == asio::error::would_block;
  return !drained_;
}

std::tuple<TlsStream::error_code, std::size_t> TlsStream::Write(std::string_view bytes) {
  if (bytes.empty()) return {error_code{}, 0};
  BeginCall();
  const int n = SSL_write(ssl_.get(), bytes.data(), Length(bytes.size()));
  if (n <= 0) return {ErrorOf(n), 0};
  return {error_code{}, static_cast<std::size_t>(n)};
}

}  // namespace trawl
