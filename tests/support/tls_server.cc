#include "tests/support/tls_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "tests/support/openssl_ptr.h"

namespace trawl {
namespace {

void Check(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(what);
}

/// What ends the last handshake on this side.
std::string Finished(const SSL* ssl) {
  std::string bytes(EVP_MAX_MD_SIZE, '\0');
  bytes.resize(SSL_get_finished(ssl, bytes.data(), bytes.size()));
  return bytes;
}

}  // namespace

// ---- Wire ----

TlsWire::TlsWire(SSL_CTX* context, int socket) : socket_(socket), ssl_(SSL_new(context)) {
  SSL_set_fd(ssl_, socket);
  SSL_set_accept_state(ssl_);
}

TlsWire::~TlsWire() { SSL_free(ssl_); }

bool TlsWire::Handshake() { return SSL_do_handshake(ssl_) == 1; }

bool TlsWire::HalfOfHandshake() {
  char hello[4096];
  const ssize_t n = recv(socket_, hello, sizeof hello, 0);
  if (n <= 0) return false;
  BIO* const in = BIO_new(BIO_s_mem());
  BIO* const out = BIO_new(BIO_s_mem());
  BIO_write(in, hello, static_cast<int>(n));
  SSL_set_bio(ssl_, in, out);
  SSL_do_handshake(ssl_);
  char* flight = nullptr;
  const auto bytes = static_cast<std::size_t>(BIO_get_mem_data(out, &flight));
  return send(socket_, flight, bytes / 2, MSG_NOSIGNAL) > 0;
}

bool TlsWire::Skip(std::size_t bytes) {
  char taken[4096];
  while (bytes > 0) {
    const ssize_t n = recv(socket_, taken, std::min(bytes, sizeof taken), 0);
    if (n <= 0) return false;
    bytes -= static_cast<std::size_t>(n);
  }
  return true;
}

std::string TlsWire::ReadRequest() {
  std::string head;
  while (!head.ends_with("\r\n\r\n")) {
    char bytes[1000];
    const int n = SSL_read(ssl_, bytes, sizeof bytes);
    if (n <= 0) return {};
    head.append(bytes, static_cast<std::size_t>(n));
  }
  return head;
}

bool TlsWire::Send(std::string_view bytes) {
  return SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) > 0;
}

bool TlsWire::UpdateKeys(bool both_ways) {
  SSL_key_update(ssl_, both_ways ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED);
  return SSL_do_handshake(ssl_) == 1;
}

bool TlsWire::Renegotiate() {
  SSL_set_options(ssl_, SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION);
  SSL_clear_mode(ssl_, SSL_MODE_AUTO_RETRY);  // a call of SSL_peek() ends with the handshake
  if (SSL_renegotiate(ssl_) != 1 || SSL_do_handshake(ssl_) != 1) return false;
  char byte = 0;
  const std::string before = Finished(ssl_);
  while (Finished(ssl_) == before) {
    const int n = SSL_peek(ssl_, &byte, 1);
    if (n <= 0 && SSL_get_error(ssl_, n) != SSL_ERROR_WANT_READ) return false;
  }
  return true;
}

void TlsWire::Present(const TestCertificate& certificate) {
  SSL_use_certificate(ssl_, CertificateFrom(certificate.certificate_pem).get());
  SSL_use_PrivateKey(ssl_, KeyFrom(certificate.key_pem).get());
}

void TlsWire::SayGoodbye() { SSL_shutdown(ssl_); }

void TlsWire::WaitForEnd() {
  char rest[4096];
  while (recv(socket_, rest, sizeof rest, 0) > 0) {
  }
}

// ---- Server ----

TlsServer::TlsServer(const TestCertificate& certificate, Options options, Script script)
    : context_(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free),
      script_(std::move(script)),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  SSL_CTX* const context = context_.get();
  Check(SSL_CTX_use_certificate(context, CertificateFrom(certificate.certificate_pem).get()) == 1 &&
            SSL_CTX_use_PrivateKey(context, KeyFrom(certificate.key_pem).get()) == 1,
        "not a certificate with its key");
  if (options.tls12) SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
  if (const int bytes = options.buffer_bytes; bytes > 0) {  // accepted sockets inherit it
    setsockopt(listener_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    setsockopt(listener_, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  Check(bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
            listen(listener_, 16) == 0 &&
            getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0,
        "cannot listen");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Serve(); });
}

TlsServer::~TlsServer() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    shutdown(listener_, SHUT_RDWR);
    if (current_ >= 0) shutdown(current_, SHUT_RDWR);
  }
  thread_.join();
  close(listener_);
}

void TlsServer::Serve() {
  sigset_t broken_pipe;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  for (int number = 1;; ++number) {
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    {
      const std::lock_guard lock(mutex_);
      current_ = socket;
      if (ending_) shutdown(socket, SHUT_RDWR);
    }
    {
      TlsWire wire(context_.get(), socket);
      script_(wire, number);
    }
    const std::lock_guard lock(mutex_);
    current_ = -1;
    close(socket);
    ++served_;
  }
}

}  // namespace trawl
