#include "coordinator/store/store_link.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <utility>

namespace trawl {
namespace {

constexpr milliseconds kFirstPause{100};
constexpr milliseconds kLongestPause{5'000};

TimePoint Now() { return std::chrono::steady_clock::now(); }

std::size_t WeightOf(const Step& step) {
  constexpr std::size_t kCandidates = 25;
  std::size_t candidates = 0;
  if (const auto* accept = std::get_if<AcceptStep>(&step)) {
    candidates = accept->links.size() + accept->sitemaps.size() + accept->beyond.size();
  } else if (const auto* admit = std::get_if<AdmitStep>(&step)) {
    candidates = admit->candidates.size() + admit->sitemaps.size();
  }
  return 1 + candidates / kCandidates;
}

}  // namespace

StoreLink::StoreLink(boost::asio::io_context& io, std::string job, Handlers handlers)
    : job_(std::move(job)),
      handlers_(std::move(handlers)),
      client_(io),
      store_(client_, job_),
      retry_timer_(io) {
  client_.set_on_lost([this](const std::string& why) { Lose(why); });
}

void StoreLink::Open(RedisAddress address, Store::OpenMode mode,
                     std::map<std::string, std::string> fields, milliseconds patience) {
  give_up_ = Now() + patience;
  address_ = std::move(address);
  mode_ = mode;
  fields_ = std::move(fields);
  Connect();
}

void StoreLink::Connect() {
  client_.Connect(address_, [this](Result<void> connected, const std::string& why) {
    if (connected) return OpenJob();
    if (opened_before_ || Now() < give_up_) return TryLater(why);
    Fail(Error::kStore, "cannot reach Redis: " + why);
  });
}

void StoreLink::OpenJob() {
  store_.Open(mode_, fields_, [this, life = life_](Result<Snapshot> snapshot) {
    if (life != life_) return;
    if (snapshot) {
      open_ = true;
      opened_before_ = true;
      lost_ = false;
      mode_ = Store::OpenMode::kReopen;
      pause_ = milliseconds(0);
      return handlers_.on_open(*snapshot);
    }
    if (snapshot.error() == Error::kStore) return TryLater(store_.error_text());
    if (snapshot.error() == Error::kRulesChanged) {
      const std::string& text = store_.error_text();  // "RULES {...}"
      return Fail(Error::kRulesChanged, text.substr(std::min(text.size(), text.find('{'))));
    }
    if (snapshot.error() != Error::kUsage) return FailRefused();
    if (opened_before_) return Fail(Error::kUsage, "Redis is back, but without the job " + job_);
    Fail(Error::kUsage, "Redis: " + store_.error_text());
  });
}

void StoreLink::Apply(const Step& step, std::function<void(Reply)> then) {
  applied_.push_back({Now(), WeightOf(step)});
  outstanding_ += applied_.back().weight;
  store_.Apply(step, [this, life = life_, then = std::move(then)](Result<Reply> reply) {
    if (life != life_) return;
    outstanding_ -= applied_.front().weight;
    applied_.pop_front();
    if (reply) return then(*std::move(reply));
    if (reply.error() == Error::kStore) return Lose(store_.error_text());
    FailRefused();
  });
}

milliseconds StoreLink::Waiting(TimePoint now) const {
  return applied_.empty() ? milliseconds(0)
                          : std::chrono::duration_cast<milliseconds>(now - applied_.front().when);
}

/// Replies that still come are void.
void StoreLink::Forget() {
  ++life_;
  applied_.clear();
  outstanding_ = 0;
}

void StoreLink::Lose(const std::string& why) {
  if (!std::exchange(open_, false)) return;  // or while opening, which has an error of its own
  Forget();
  TryLater(why);
}

void StoreLink::TryLater(const std::string& why) {
  pause_ = std::clamp(2 * pause_, kFirstPause, kLongestPause);
  retry_timer_.expires_after(pause_);
  retry_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) Connect();
  });
  if (!std::exchange(lost_, true)) handlers_.on_lost(why);
}

void StoreLink::FailRefused() {
  constexpr std::string_view kNotOurs = "STALE ";  // and then for people
  const std::string& text = store_.error_text();
  Fail(Error::kStepRefused, text.starts_with(kNotOurs)
                                ? text.substr(kNotOurs.size())
                                : "Redis: " + text + "; --resume goes on with the job");
}

void StoreLink::Fail(Error error, const std::string& why) {
  open_ = false;
  Forget();
  handlers_.on_failed(error, why);
}

}  // namespace trawl
