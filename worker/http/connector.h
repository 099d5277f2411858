// The way to a new connection: name to addresses, the rule on addresses that are not public, TCP,
// TLS. Lives on the thread of its io_context.
#pragma once

#include <memory>
#include <string>

#include "worker/http/fetch.h"
#include "worker/http/resolver.h"
#include "worker/http/task.h"
#include "worker/http/tls.h"

namespace trawl {

class Connector {
 public:
  /// `io` outlives the connector. `ca_file`: PEM; empty for the system's certificates. Throws when
  /// it cannot be read, and when `dns` cannot be used.
  Connector(asio::io_context& io, Resolver::Options dns, const std::string& ca_file);

  /// Makes fetch->connection to the origin of the request's URL; false with an error in the outcome
  /// or when the fetch was aborted. The connector outlives the call.
  Task<bool> Open(std::shared_ptr<Fetch> fetch);

 private:
  Task<std::shared_ptr<const Resolution>> Lookup(std::shared_ptr<Fetch> fetch);
  Task<bool> Connect(std::shared_ptr<Fetch> fetch, std::shared_ptr<const Resolution> resolution);

  asio::io_context& io_;
  Resolver resolver_;
  TlsContext tls_;
};

/// The rule on addresses, for the one that is really connected to.
bool MayReach(const FetchRequest& request, const asio::ip::address& address);

}  // namespace trawl
