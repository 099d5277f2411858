#include "worker/http/tls.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <boost/asio/ip/address.hpp>

namespace trawl {
namespace {

std::string WithoutBrackets(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return std::string(host);
}

}  // namespace

TlsContext::TlsContext(const std::string& ca_file, bool insecure)
    : insecure_(insecure), context_(asio::ssl::context::tls_client) {
  if (ca_file.empty()) {
    context_.set_default_verify_paths();
  } else {
    context_.load_verify_file(ca_file);
  }
  context_.set_verify_mode(insecure ? asio::ssl::verify_none : asio::ssl::verify_peer);
  SSL_CTX* const native = context_.native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);  // less memory for idle connections
}

std::unique_ptr<TlsStream> TlsContext::Wrap(Socket& socket, std::string_view host) {
  auto stream = std::make_unique<TlsStream>(socket, context_);
  SSL* const ssl = stream->native_handle();
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

std::string ExplainHandshake(TlsStream& stream, const boost::system::error_code& error) {
  const long verified = SSL_get_verify_result(stream.native_handle());
  return verified == X509_V_OK ? error.message() : X509_verify_cert_error_string(verified);
}

}  // namespace trawl
