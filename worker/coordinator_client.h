// The worker's side of the protocol (see proto/protocol.md): joins the coordinator and joins it
// again when it has been restarted, names the leases that are held in heartbeats, and keeps reports
// until they are acknowledged. Lives on the loop's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/clock.h"
#include "proto/messages.h"

namespace boost::asio {
class io_context;
}

namespace trawl {

class CoordinatorClient {
 public:
  /// What the worker does about it. Never called before the constructor returned.
  struct Handlers {
    /// What the next heartbeat says; of the leases those with URLs that have not ended.
    std::function<WorkerHeartbeat()> status;
    /// Accepted, at first or again; the settings are those of the job.
    std::function<void(const Welcome& welcome)> on_welcome;
    /// What else is to be sent by now: what was never sent, or only before `resend_before`.
    std::function<std::vector<ToCoordinator>(TimePoint now, TimePoint resend_before)> due;
    std::function<void(const RobotsAnswer& answer)> on_robots;
    std::function<void(const Lease& lease)> on_lease;
    std::function<void(std::uint64_t lease_id)> on_lease_ended;
    std::function<void()> on_confirmed;     // the leases that have not ended are still ours
    std::function<void()> on_acknowledged;  // at least one report
    /// Hand back what has not begun, of a host or (empty) of all.
    std::function<void(const std::string& host)> on_recall;
    std::function<void()> on_drain;
    std::function<void(const std::string& reason)> on_goodbye;  // the job has ended
    std::function<void(const std::string& why)> on_refused;     // for good
  };

  /// Connects and says hello until there is an answer. Throws std::runtime_error when the endpoint
  /// is none. `io` is borrowed and outlives the client.
  CoordinatorClient(boost::asio::io_context& io, const std::string& endpoint, std::string name,
                    Handlers handlers);
  ~CoordinatorClient();

  const std::string& name() const;
  bool welcome() const;

  /// Sends it, again and again, until it is acknowledged. `depth` is that of the URL's lease.
  void Report(trawl::Report report, int depth);
  /// No report waits for its acknowledgement.
  bool settled() const;
  /// The size of those that wait.
  std::size_t report_bytes() const;

  /// Something new is due.
  void SendDue();

  /// A heartbeat now, because something has changed that the coordinator should know.
  void Beat();
  /// Says goodbye; nothing is sent or received any more.
  void Leave(const std::string& reason);

  /// False when no heartbeat was answered for so long that our leases may have been given to
  /// others.
  bool LeasesAreOurs(TimePoint now) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace trawl
