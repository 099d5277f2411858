// Carries out what the Coordinator decides: steps to Redis, messages to workers, rows to the outbox
// file, progress to the terminal. One thread, one io_context; the coordinator's loop never waits
// for any of them.
#pragma once

#include <memory>

#include "common/options.h"

namespace boost::asio {
class io_context;
}

namespace trawl {

class CrawlServer {
 public:
  /// Binds the endpoint and prepares the folder of the results; throws std::exception when one of
  /// them cannot be had. `io` is borrowed and outlives the server.
  CrawlServer(boost::asio::io_context& io, CoordinatorOptions options);
  ~CrawlServer();

  /// Drain the workers and end; a second call ends at once.
  void Stop();

  /// Why it ended against its will, for people; empty when all is well.
  const std::string& failure() const;
  /// The exit code that goes with it: 0 without a failure, 2 for bad usage, else 1.
  int exit_code() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace trawl
