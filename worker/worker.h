// One worker: takes leases from the coordinator, fetches their URLs as politeness allows, writes
// rows, reports. One thread, one io_context; whatever waits, waits in the loop.
//
// A row is with the kernel before its report is sent, so an accepted report always has its row.
#pragma once

#include <memory>

#include "common/options.h"
#include "worker/page_parser.h"

namespace boost::asio {
class io_context;
}

namespace trawl {

class Worker {
 public:
  /// Throws std::exception when the coordinator's endpoint is none.
  /// `io` and `parser` are borrowed and outlive the worker.
  Worker(boost::asio::io_context& io, WorkerOptions options, PageParser& parser);
  ~Worker();

  /// Finish what is under way, hand back the rest, and end. A second call ends at once.
  void Stop();

  /// Why it ended against its will, for people; empty while all is well.
  const std::string& failure() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// The main program of a worker with this parser; see README.md.
int WorkerMain(int argc, char** argv, PageParser& parser);

}  // namespace trawl
