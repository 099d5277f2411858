// Questions to DNS servers by c-ares, without blocking: over UDP, or TCP where an answer is cut
// off, to each server a few times. What is no answer to the question that was asked, or comes from
// somewhere else, is ignored. Lives on the thread of its io_context.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/clock.h"
#include "worker/http/dns_answer.h"
#include "worker/http/task.h"

namespace trawl {

class DnsChannel {
 public:
  struct Options {
    std::string servers;         // of ParseDnsServers(); empty: those of the system
    milliseconds query_timeout;  // of the first try; c-ares doubles it with each
    int tries;                   // of each server
  };

  /// `io` outlives the channel. Throws when c-ares cannot start, and when `servers` is no list of
  /// them.
  DnsChannel(asio::io_context& io, const Options& options);
  /// Questions that have no answer get a failure.
  ~DnsChannel();

  using Answered = std::function<void(DnsAnswer)>;
  /// Calls `answered` once, maybe before it returns.
  void Ask(const std::string& name, AddressType type, Answered answered);

 private:
  class Impl;
  // Shared with the handlers of c-ares' sockets, which may come after the channel's end.
  std::shared_ptr<Impl> impl_;
};

}  // namespace trawl
