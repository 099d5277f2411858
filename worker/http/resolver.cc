#include "worker/http/resolver.h"

#include <list>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "worker/http/dns_channel.h"
#include "worker/http/hosts_file.h"

namespace trawl {
namespace {

using boost::system::error_code;
using std::chrono::steady_clock;

std::shared_ptr<const Resolution> Known(std::vector<asio::ip::address> addresses) {
  auto resolution = std::make_shared<Resolution>();
  resolution->addresses = std::move(addresses);
  return resolution;
}

/// The answer to an address literal; none for a name.
std::shared_ptr<const Resolution> Literal(const std::string& host) {
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  error_code ec;
  const auto address =
      asio::ip::make_address(bracketed ? host.substr(1, host.size() - 2) : host, ec);
  return ec ? nullptr : Known({address});
}

bool IsLocalhost(std::string_view name) {
  return name == "localhost" || name.ends_with(".localhost");
}

}  // namespace

class Resolver::Impl : public std::enable_shared_from_this<Resolver::Impl> {
 public:
  Impl(asio::io_context& io, Options options)
      : io_(io),
        options_(std::move(options)),
        hosts_(options_.hosts_file),
        cache_(options_.cached_names),
        channel_(std::in_place, io,
                 DnsChannel::Options{options_.servers, options_.query_timeout, options_.tries}) {}

  void Stop() {
    stopped_ = true;
    channel_.reset();
    const auto waiting = std::exchange(queue_, {});
    for (const LookupPtr& lookup : waiting) {
      auto answer = std::make_shared<Resolution>();
      answer->error = Error::kDns;
      answer->detail = lookup->host + ": cancelled";
      Answer(*lookup, std::move(answer));
    }
  }

  static Task<std::shared_ptr<const Resolution>> Resolve(std::shared_ptr<Impl> self,
                                                         std::string host, Timer* wakeup) {
    if (auto known = self->FindKnown(host)) co_return known;
    if (auto cached = self->cache_.Find(host, steady_clock::now())) co_return cached;
    const LookupPtr lookup = self->Join(host);
    if (!lookup->answer) {
      const Waiting waiting(self.get(), lookup, wakeup);
      co_await wakeup->async_wait(kTuple);
    }
    co_return lookup->answer;
  }

  std::size_t lookup_count() const { return lookup_count_; }
  std::size_t cached_count() const { return cache_.size(); }

 private:
  struct Lookup;
  // Shared by the questions and by whoever waits for it, in whatever order they go.
  using LookupPtr = std::shared_ptr<Lookup>;

  struct Lookup {
    Lookup(asio::io_context& io, std::string name) : host(std::move(name)), timer(io) {}

    const std::string host;
    std::shared_ptr<const Resolution> answer;
    std::vector<Timer*> waiters;  // cancelled when the answer is there
    std::optional<std::list<LookupPtr>::iterator> queued;
    std::optional<AddressLookup> state;  // from when the questions are asked
    Timer timer;                         // until state->due()
  };

  /// Keeps a waiter on a lookup's list while its coroutine waits, and no longer: the coroutine may
  /// be destroyed before the answer comes.
  class Waiting {
   public:
    Waiting(Impl* resolver, LookupPtr lookup, Timer* wakeup)
        : resolver_(resolver), lookup_(std::move(lookup)), wakeup_(wakeup) {
      lookup_->waiters.push_back(wakeup_);
    }
    ~Waiting() {
      std::erase(lookup_->waiters, wakeup_);
      if (lookup_->waiters.empty()) resolver_->Abandon(*lookup_);
    }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

   private:
    Impl* const resolver_;  // the coroutine keeps it
    const LookupPtr lookup_;
    Timer* const wakeup_;
  };

  std::shared_ptr<const Resolution> FindKnown(const std::string& host) const {
    if (auto literal = Literal(host)) return literal;
    const std::string name = host.ends_with('.') ? host.substr(0, host.size() - 1) : host;
    if (const auto* addresses = hosts_.Find(name)) return Known(*addresses);
    if (!IsLocalhost(name)) return nullptr;
    return Known({asio::ip::address_v6::loopback(), asio::ip::address_v4::loopback()});
  }

  LookupPtr Join(const std::string& host) {
    if (const auto found = lookups_.find(host); found != lookups_.end()) return found->second;
    auto lookup = std::make_shared<Lookup>(io_, host);
    lookups_.emplace(host, lookup);
    lookup->queued = queue_.insert(queue_.end(), lookup);
    StartQueued();
    return lookup;
  }

  /// Nobody waits for it any more: it need not be begun.
  void Abandon(Lookup& lookup) {
    if (!lookup.queued) return;
    lookups_.erase(lookup.host);
    queue_.erase(*std::exchange(lookup.queued, std::nullopt));
  }

  void StartQueued() {
    // A question may be answered at once, which comes back to here.
    if (std::exchange(starting_, true)) return;
    while (!stopped_ && under_way_ < options_.max_lookups && !queue_.empty()) {
      const LookupPtr lookup = std::move(queue_.front());
      queue_.pop_front();
      lookup->queued.reset();
      Start(lookup);
    }
    starting_ = false;
  }

  void Start(const LookupPtr& lookup) {
    ++lookup_count_;
    ++under_way_;
    lookup->state.emplace(lookup->host, steady_clock::now() + options_.give_up);
    for (const AddressType type : {AddressType::kIpv6, AddressType::kIpv4}) {
      // The channel ends before the resolver does, and with it the questions.
      channel_->Ask(lookup->host, type, [this, lookup, type](DnsAnswer answer) {
        OnAnswer(lookup, type, std::move(answer));
      });
    }
    ScheduleConclusion(lookup);
  }

  void OnAnswer(const LookupPtr& lookup, AddressType type, DnsAnswer answer) {
    lookup->state->Put(type, std::move(answer), steady_clock::now());
    if (!lookup->state->complete()) return ScheduleConclusion(lookup);
    lookup->timer.cancel();
    Conclude(*lookup);
    --under_way_;
    StartQueued();
  }

  void ScheduleConclusion(const LookupPtr& lookup) {
    if (lookup->answer || lookup->state->complete()) return;
    lookup->timer.expires_at(lookup->state->due());
    lookup->timer.async_wait(
        [weak_self = weak_from_this(), weak_lookup = std::weak_ptr(lookup)](const error_code& ec) {
          const auto self = weak_self.lock();
          const auto lookup = weak_lookup.lock();
          if (!ec && self && lookup && !lookup->answer) self->Conclude(*lookup);
        });
  }

  /// With one answer or two; again when the second comes late.
  void Conclude(Lookup& lookup) {
    auto [resolution, ttl] = lookup.state->Conclude(options_.ttls);
    cache_.Insert(lookup.host, resolution, steady_clock::now() + ttl);
    if (!lookup.answer) Answer(lookup, std::move(resolution));
  }

  void Answer(Lookup& lookup, std::shared_ptr<const Resolution> answer) {
    lookup.queued.reset();
    lookup.answer = std::move(answer);
    for (Timer* waiter : lookup.waiters) waiter->cancel();
    lookups_.erase(lookup.host);
  }

  asio::io_context& io_;
  const Options options_;
  const HostsFile hosts_;
  AddressCache cache_;
  std::unordered_map<std::string, LookupPtr> lookups_;  // without an answer
  std::list<LookupPtr> queue_;                          // those of them that wait for their turn
  std::size_t under_way_ = 0;                           // with a question that is not answered
  std::size_t lookup_count_ = 0;
  bool starting_ = false;
  bool stopped_ = false;
  std::optional<DnsChannel> channel_;  // none after Stop()
};

Resolver::Resolver(asio::io_context& io, Options options)
    : impl_(std::make_shared<Impl>(io, std::move(options))) {}

Resolver::~Resolver() { impl_->Stop(); }

Task<std::shared_ptr<const Resolution>> Resolver::Resolve(std::string host, Timer* wakeup) {
  return Impl::Resolve(impl_, std::move(host), wakeup);
}

std::size_t Resolver::lookup_count() const { return impl_->lookup_count(); }
std::size_t Resolver::cached_count() const { return impl_->cached_count(); }

}  // namespace trawl
