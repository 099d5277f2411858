#include "worker/coordinator_client.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <random>

#include "common/process_name.h"
#include "proto/message_socket.h"
#include "worker/report_log.h"

namespace trawl {
namespace {

/// Before the first welcome.
constexpr milliseconds kHelloInterval{1'000};
/// What has no answer is sent again after so long.
constexpr milliseconds kResendAfter{10'000};
/// How often people are told that the coordinator does not answer.
constexpr milliseconds kComplainInterval{30'000};

/// Of the times that a heartbeat carries and its answer brings back.
constexpr TimePoint kClockStart{};
constexpr milliseconds kLongestClock = std::chrono::hours(24 * 365 * 100);

TimePoint Now() { return std::chrono::steady_clock::now(); }

std::uint64_t RandomNumber() {
  std::random_device random;
  return std::uint64_t{random()} << 32 | random();
}

}  // namespace

class CoordinatorClient::Impl {
 public:
  Impl(boost::asio::io_context& io, const std::string& endpoint, std::string name,
       Handlers handlers)
      : io_(io),
        endpoint_(endpoint),
        name_(name.empty() ? NewProcessName() : std::move(name)),
        handlers_(std::move(handlers)),
        socket_(MessageSocket::Dealer(
            io, endpoint, name_,
            [this](const std::string&, std::string_view bytes) { OnBytes(bytes); })),
        beat_timer_(io),
        last_heard_(Now()),
        next_complaint_(last_heard_ + kComplainInterval) {
    boost::asio::post(io_, [this] { Beat(); });
  }

  const std::string& name() const { return name_; }
  bool welcome() const { return welcome_; }
  bool settled() const { return reports_.empty(); }
  std::size_t report_bytes() const { return reports_.bytes(); }
  bool LeasesAreOurs(TimePoint now) const {
    return welcome_ && now - last_confirmed_ < lease_timeout_;
  }

  void Report(trawl::Report report, int depth) {
    reports_.Add(std::move(report), depth);
    ScheduleDue();
  }

  /// What becomes due in one turn of the loop travels together.
  void ScheduleDue() {
    if (sending_scheduled_) return;
    sending_scheduled_ = true;
    boost::asio::post(io_, [this] { SendDue(); });
  }

  void Beat() {
    if (left_) return;
    if (welcome_) {
      Send(Status());
      SendDue();
    } else {
      SayHello();
    }
    ComplainOfSilence();
    beat_timer_.expires_after(heartbeat_interval_);
    beat_timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) Beat();
    });
  }

  void Leave(const std::string& reason) {
    if (left_) return;
    Send(WorkerGoodbye{reason});
    left_ = true;
    beat_timer_.cancel();
  }

 private:
  void Send(const ToCoordinator& message) {
    if (!socket_.Send({}, Encode(message))) spdlog::debug("{} does not take messages", endpoint_);
  }

  /// A lease is held as long as one of its URLs is not done with, and that is when it is
  /// acknowledged.
  WorkerHeartbeat Status() const {
    WorkerHeartbeat status = handlers_.status();
    status.sent_ms = static_cast<std::uint64_t>(
        std::chrono::duration_cast<milliseconds>(Now() - kClockStart).count());
    const std::vector<std::uint64_t> reported = reports_.leases();
    std::vector<std::uint64_t>& held = status.lease_ids;
    held.insert(held.end(), reported.begin(), reported.end());
    std::sort(held.begin(), held.end());
    held.erase(std::unique(held.begin(), held.end()), held.end());
    return status;
  }

  void SayHello() {
    WorkerHeartbeat status = Status();
    Hello hello;
    hello.name = name_;
    hello.host = HostName();
    hello.pid = ::getpid();
    hello.process = process_;
    hello.capacity = status.capacity;
    hello.lease_ids = std::move(status.lease_ids);
    hello.sent_ms = status.sent_ms;
    Send(hello);
  }

  void SendDue() {
    sending_scheduled_ = false;
    if (left_ || !welcome_) return;
    // What was sent after the last heartbeat that was answered may still wait in a queue.
    const TimePoint now = Now();
    const TimePoint resend_before = std::min(now - kResendAfter, last_confirmed_);
    for (Reports& reports : reports_.TakeDue(now, resend_before)) Send(std::move(reports));
    for (const ToCoordinator& message : handlers_.due(now, resend_before)) Send(message);
  }

  void ComplainOfSilence() {
    const TimePoint now = Now();
    if (now < next_complaint_) return;
    next_complaint_ = now + kComplainInterval;
    if (now - last_heard_ < kComplainInterval) return;
    spdlog::warn("no answer from the coordinator at {}; still trying", endpoint_);
  }

  void OnBytes(std::string_view bytes) {
    if (left_) return;
    const Result<ToWorker> message = DecodeToWorker(bytes);
    if (!message) {
      return spdlog::error("dropped what {} sent: not a message of this protocol", endpoint_);
    }
    last_heard_ = Now();
    std::visit([this](const auto& body) { On(body); }, *message);
  }

  void On(const Welcome& welcome) {
    if (welcome.protocol_version != kProtocolVersion) {
      return handlers_.on_refused("the coordinator speaks protocol version " +
                                  std::to_string(welcome.protocol_version) + ", this worker " +
                                  std::to_string(kProtocolVersion));
    }
    welcome_ = true;
    heartbeat_interval_ = welcome.heartbeat_interval;
    lease_timeout_ = welcome.lease_timeout;
    spdlog::info("joined job {}", welcome.job);
    handlers_.on_welcome(welcome);
    reports_.ResendAll();
    Beat();
  }

  void On(const Refused& refused) {
    switch (refused.why) {
      case Refused::Why::kUnknown:
        // Each message that it did not expect is answered so; one hello is enough.
        if (!std::exchange(welcome_, false)) return;
        return SayHello();
      case Refused::Why::kVersion:
        return handlers_.on_refused("the coordinator refused this worker: " + refused.detail);
      case Refused::Why::kMalformed:
        spdlog::error("the coordinator refused a message: {}", refused.detail);
    }
  }

  void On(const Lease& lease) { handlers_.on_lease(lease); }

  void On(const Acks& acks) {
    for (const Ack& ack : acks.acks) reports_.Acknowledge(ack);
    ScheduleDue();  // of a long report the last part may be due now
    handlers_.on_acknowledged();
  }

  void On(const CoordinatorHeartbeat& heartbeat) {
    for (std::uint64_t lease : heartbeat.ended_lease_ids) handlers_.on_lease_ended(lease);
    const TimePoint sent = kClockStart + milliseconds(std::min<std::uint64_t>(
                                             heartbeat.sent_ms, kLongestClock.count()));
    last_confirmed_ = std::clamp(sent, last_confirmed_, last_heard_);
    handlers_.on_confirmed();
  }

  void On(const RobotsAnswer& answer) { handlers_.on_robots(answer); }
  void On(const Recall& recall) { handlers_.on_recall(recall.host); }
  void On(const Drain&) { handlers_.on_drain(); }
  void On(const CoordinatorGoodbye& goodbye) { handlers_.on_goodbye(goodbye.reason); }

  boost::asio::io_context& io_;
  const std::string endpoint_;
  const std::string name_;
  const std::uint64_t process_ = RandomNumber();
  const Handlers handlers_;
  MessageSocket socket_;
  boost::asio::steady_timer beat_timer_;

  ReportLog reports_;
  bool welcome_ = false;
  bool left_ = false;
  bool sending_scheduled_ = false;
  milliseconds heartbeat_interval_ = kHelloInterval;
  milliseconds lease_timeout_{0};
  TimePoint last_heard_;
  /// When the last heartbeat that was answered had been sent: our leases were ours until then.
  TimePoint last_confirmed_{};
  TimePoint next_complaint_;
};

CoordinatorClient::CoordinatorClient(boost::asio::io_context& io, const std::string& endpoint,
                                     std::string name, Handlers handlers)
    : impl_(std::make_unique<Impl>(io, endpoint, std::move(name), std::move(handlers))) {}
CoordinatorClient::~CoordinatorClient() = default;
const std::string& CoordinatorClient::name() const { return impl_->name(); }
bool CoordinatorClient::welcome() const { return impl_->welcome(); }
void CoordinatorClient::Report(trawl::Report report, int depth) {
  impl_->Report(std::move(report), depth);
}
void CoordinatorClient::SendDue() { impl_->ScheduleDue(); }
bool CoordinatorClient::settled() const { return impl_->settled(); }
std::size_t CoordinatorClient::report_bytes() const { return impl_->report_bytes(); }
void CoordinatorClient::Beat() { impl_->Beat(); }
void CoordinatorClient::Leave(const std::string& reason) { impl_->Leave(reason); }
bool CoordinatorClient::LeasesAreOurs(TimePoint now) const { return impl_->LeasesAreOurs(now); }

}  // namespace trawl
