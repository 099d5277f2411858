// Names to addresses without blocking: the hosts file, then DNS for IPv6 and IPv4 addresses at
// once. Address literals and localhost (RFC 6761, section 6.3) need neither. Answers are kept for
// their TTL within bounds, and lookups of one name that are under way at the same time are one.
// What is kept and what is under way is bounded; further lookups wait until it is their turn. Lives
// on the thread of its io_context.
#pragma once

#include <memory>
#include <string>

#include "worker/http/address_cache.h"
#include "worker/http/address_lookup.h"
#include "worker/http/task.h"

namespace trawl {

class Resolver {
 public:
  struct Options {
    std::size_t cached_names = 50'000;
    std::size_t max_lookups = 256;  // under way; each is two questions
    AddressTtls ttls = {};
    milliseconds query_timeout{2'000};  // of the first try; c-ares doubles it with each
    int tries = 2;                      // of each server
    // A lookup that has no answer by then has failed: earlier than FetchLimits::connect, so that
    // it is known why. An answer that comes still later is kept.
    milliseconds give_up{8'000};
    std::string servers = {};               // of ParseDnsServers(); empty: those of the system
    std::string hosts_file = "/etc/hosts";  // read once
  };

  /// `io` outlives the resolver. Throws when c-ares cannot start, and when `servers` is no list of
  /// them.
  Resolver(asio::io_context& io, Options options);
  /// Lookups under way end with Error::kDns.
  ~Resolver();

  /// `host` as in a URL: a name, an IPv4 address, or an IPv6 address in brackets. `wakeup` is a
  /// timer of the caller's that never expires; cancelling it gives the lookup up, which then
  /// returns none (the questions themselves go on, and their answers are kept). It outlives the
  /// call.
  Task<std::shared_ptr<const Resolution>> Resolve(std::string host, Timer* wakeup);

  /// Begun so far: what neither the cache nor a lookup under way could answer.
  std::size_t lookup_count() const;
  std::size_t cached_count() const;

 private:
  class Impl;
  // Shared with coroutines and handlers that may come after the resolver's end.
  std::shared_ptr<Impl> impl_;
};

}  // namespace trawl
