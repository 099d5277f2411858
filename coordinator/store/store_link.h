// Keeps a job open in Redis: connects, opens the job, and does both again when Redis was lost or
// takes no steps for now (it is loading, its disk is full, ...), after pauses that grow to some
// seconds, for as long as it takes. Each opening gives the job a new epoch, so that a step from
// before that comes late is refused, and a snapshot, which tells whether it came: whoever starts
// from that neither loses a step nor takes one twice.
//
// One thread, the io_context's. The handlers may not destroy the link.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <map>
#include <string>

#include "common/clock.h"
#include "coordinator/store/redis_client.h"
#include "coordinator/store/redis_store.h"

namespace trawl {

class StoreLink {
 public:
  struct Handlers {
    /// The job is open, at first or again.
    std::function<void(const Snapshot&)> on_open;
    /// Redis was lost or takes no steps, as told for people, once until it is open again; no step
    /// applied until then is answered any more.
    std::function<void(const std::string& why)> on_lost;
    /// For good, as told for people. `error`: kUsage when the job is there already, or is not there
    /// to be resumed; kRulesChanged, with the job's own rules as `why`; kStepRefused when another
    /// coordinator has taken it over; kStore when Redis could not be reached the first time.
    std::function<void(Error error, const std::string& why)> on_failed;
  };

  /// `io` is borrowed and outlives the link.
  StoreLink(boost::asio::io_context& io, std::string job, Handlers handlers);

  /// The first opening, with the fields of a new job; to be called once. It has failed when Redis
  /// cannot be reached for so long.
  void Open(RedisAddress address, Store::OpenMode mode, std::map<std::string, std::string> fields,
            milliseconds patience);

  bool is_open() const { return open_; }

  /// `then` gets the reply that belongs to the step; it is not called when Redis is lost first.
  /// Requires is_open().
  void Apply(const Step& step, std::function<void(Reply)> then);
  /// Steps that have no reply yet; one with many candidates counts as several.
  std::size_t outstanding() const { return outstanding_; }
  /// For how long the oldest of them waits.
  milliseconds Waiting(TimePoint now) const;

 private:
  void Connect();
  void OpenJob();
  void Forget();
  void Lose(const std::string& why);
  void TryLater(const std::string& why);
  void FailRefused();
  void Fail(Error error, const std::string& why);

  const std::string job_;
  const Handlers handlers_;
  RedisClient client_;
  RedisStore store_;
  boost::asio::steady_timer retry_timer_;

  RedisAddress address_;
  Store::OpenMode mode_ = Store::OpenMode::kCreate;
  std::map<std::string, std::string> fields_;
  TimePoint give_up_{};  // on the first opening
  bool opened_before_ = false;
  bool open_ = false;
  bool lost_ = false;       // and told so
  milliseconds pause_{0};   // before the last attempt
  std::uint64_t life_ = 0;  // replies of an earlier one are void
  struct Applied {
    TimePoint when;
    std::size_t weight;
  };
  std::deque<Applied> applied_;  // the steps without a reply, in order
  std::size_t outstanding_ = 0;  // their weights
};

}  // namespace trawl
