// What the worker's TLS connections have in common: TLS 1.2 at least, certificates that lead to a
// trusted root, and a name in them that is the URL's host (RFC 9110, section 4.3.4). Or, insecure,
// any certificate.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "worker/http/task.h"

namespace trawl {

using TlsStream = asio::ssl::stream<Socket&>;

class TlsContext {
 public:
  /// `ca_file`: PEM; empty for the system's certificates. Throws when it cannot be read.
  TlsContext(const std::string& ca_file, bool insecure);

  /// A stream over a connected socket, which outlives it, that accepts only `host`'s certificate.
  /// An IPv6 address may be in brackets.
  std::unique_ptr<TlsStream> Wrap(Socket& socket, std::string_view host);

 private:
  bool insecure_;
  asio::ssl::context context_;
};

/// Why a handshake failed: what is wrong with the certificate, if it is that, or else `error`.
std::string ExplainHandshake(TlsStream& stream, const boost::system::error_code& error);

}  // namespace trawl
