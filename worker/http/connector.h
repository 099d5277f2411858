// The way to a new connection: name to addresses, the rule on addresses that are not public, TCP,
// the tunnel of a proxy, TLS. Lives on the thread of its io_context.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/proxy.h"
#include "worker/http/fetch.h"
#include "worker/http/resolver.h"
#include "worker/http/task.h"
#include "worker/http/tls.h"

namespace trawl {

class Connector {
 public:
  /// `io` outlives the connector. Throws when `dns` cannot be used.
  Connector(asio::io_context& io, Resolver::Options dns, TlsContext tls,
            std::optional<Proxy> proxy);

  /// Makes fetch->connection to the origin of the request's URL; false with an error in the outcome
  /// or when the fetch was aborted. The connector outlives the call.
  Task<bool> Open(std::shared_ptr<Fetch> fetch);

  /// The rule on addresses, for the one that is really connected to. Of a proxy, which a person has
  /// named, the address does not matter, but what the URL's host says by itself does.
  bool MayReach(const FetchRequest& request, const asio::ip::address& address) const;

 private:
  Task<bool> Reach(std::shared_ptr<Fetch> fetch);
  Task<bool> Tunnel(std::shared_ptr<Fetch> fetch);
  Task<std::shared_ptr<const Resolution>> Lookup(std::shared_ptr<Fetch> fetch);
  Task<bool> Connect(std::shared_ptr<Fetch> fetch, std::shared_ptr<const Resolution> resolution);

  asio::io_context& io_;
  Resolver resolver_;
  TlsContext tls_;
  const std::optional<Proxy> proxy_;
};

}  // namespace trawl
