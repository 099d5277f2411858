// Names to addresses by c-ares, without blocking: /etc/hosts, then DNS. Address literals need
// neither. Answers are kept for their TTL within bounds, and lookups of one name that are under way
// at the same time are one query. Lives on the thread of its io_context.
#pragma once

#include <memory>
#include <string>

#include "worker/http/address_cache.h"
#include "worker/http/task.h"

namespace trawl {

class Resolver {
 public:
  struct Options {
    std::size_t cached_names = 10'000;
    // DNS says how long an answer lasts; these keep a crawl from asking for every page and from
    // holding on to a server that has moved.
    milliseconds min_ttl{30'000};
    milliseconds max_ttl{3'600'000};
    milliseconds failure_ttl{10'000};
    milliseconds query_timeout{2'000};  // of the first try; c-ares doubles it with each
    int tries = 3;
    std::string servers = {};  // of ParseDnsServers(); empty: those of the system
  };

  /// `io` outlives the resolver. Throws when c-ares cannot start, and when `servers` is no list of
  /// them.
  Resolver(asio::io_context& io, Options options);
  /// Lookups under way end with Error::kDns.
  ~Resolver();

  /// `host` as in a URL: a name, an IPv4 address, or an IPv6 address in brackets. `wakeup` is a
  /// timer of the caller's that never expires; cancelling it gives the lookup up, which then
  /// returns none (the query itself goes on, and its answer is kept). It outlives the call.
  Task<std::shared_ptr<const Resolution>> Resolve(std::string host, Timer* wakeup);

  /// Queries sent to c-ares so far: what neither the cache nor a lookup under way could answer.
  std::size_t query_count() const;

 private:
  class Impl;
  // Shared with the handlers of c-ares' sockets, which may come after the resolver's end.
  std::shared_ptr<Impl> impl_;
};

}  // namespace trawl
