#include "worker/worker.h"

#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <filesystem>
#include <optional>
#include <unordered_map>

#include "common/file_appender.h"
#include "common/utf8.h"
#include "worker/connection_limits.h"
#include "worker/coordinator_client.h"
#include "worker/host_cookies.h"
#include "worker/http/fetcher.h"
#include "worker/page_fetch.h"
#include "worker/robots_cache.h"
#include "worker/robots_fetch.h"
#include "worker/sitemap_fetch.h"
#include "worker/work_queue.h"

namespace trawl {
namespace {

/// URLs held for each request in flight, so that politeness has hosts to choose from.
constexpr std::uint32_t kUrlsPerRequest = 16;
/// Sitemaps fetched at a time: the URLs that one lists, up to 50 MB, are kept until it has ended.
constexpr int kMaxSitemapsInFlight = 4;
/// Nothing new is fetched while so many bytes of reports wait for the coordinator.
constexpr std::size_t kMaxReportBytes = 64 * 1024 * 1024;
/// A longer Crawl-delay counts as this one: nobody waits a day for a page.
constexpr milliseconds kMaxCrawlDelay{120'000};
/// How long a worker that was told to drain waits for its fetches.
constexpr milliseconds kDrainTimeout{5'000};

TimePoint Now() { return std::chrono::steady_clock::now(); }

/// Open files that the system allows.
std::size_t MaxFiles() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

}  // namespace

class Worker::Impl {
 public:
  Impl(boost::asio::io_context& io, WorkerOptions options, PageParser& parser)
      : io_(io),
        options_(std::move(options)),
        client_(io, options_.coordinator, options_.name, Handlers()),
        context_{{}, client_.name(), parser},
        pump_timer_(io),
        drain_timer_(io) {}

  ~Impl() {
    // What is in flight is told of its end now, while all that it touches is still there.
    state_ = State::kEnded;
    fetcher_.reset();
  }

  void Stop() {
    if (state_ == State::kDraining) return End();
    Drain();
  }

  const std::string& failure() const { return failure_; }

 private:
  enum class State {
    kWorking,
    kDraining,  // starts nothing, hands back what waits
    kEnded,
  };

  void OpenRows(const std::string& job) {
    const std::filesystem::path out = options_.out.empty() ? "crawls/" + job : options_.out;
    const auto parts = out / "parts";
    std::filesystem::create_directories(parts);
    rows_.emplace(
        parts / ("pages-" + client_.name() + ".jsonl"),
        [this](std::function<void()> run) { boost::asio::post(io_, std::move(run)); },
        [parts](boost::system::error_code error) {
          if (error) {
            spdlog::warn("cannot write rows to {}: {}; waiting for room", parts.string(),
                         error.message());
          } else {
            spdlog::warn("rows are written to {} again", parts.string());
          }
        });
  }

  // ---- Coordinator ----

  CoordinatorClient::Handlers Handlers() {
    return {
        .status = [this] { return Status(); },
        .on_welcome = [this](const Welcome& welcome) { OnWelcome(welcome); },
        .due = [this](TimePoint now,
                      TimePoint resend_before) { return robots_.TakeDue(now, resend_before); },
        .on_robots = [this](const RobotsAnswer& answer) { OnRobots(answer); },
        .on_lease =
            [this](const Lease& lease) {
              // While draining it is not touched: it goes back with the goodbye.
              if (state_ != State::kWorking) return;
              Take(lease);
              Pump();
            },
        .on_lease_ended =
            [this](std::uint64_t lease) {
              queue_.DropLease(lease);
              EndQuestion(lease);
              DropCookies();
            },
        .on_confirmed = [this] { Pump(); },
        .on_acknowledged =
            [this] {
              MaybeLeave();
              Pump();
            },
        .on_recall =
            [this](const std::string& host) { host.empty() ? HandBackAll() : HandBack(host); },
        .on_drain = [this] { Drain(); },
        .on_goodbye =
            [this](const std::string& reason) {
              spdlog::info("the coordinator says goodbye: {}", reason);
              Leave(reason);
            },
        .on_refused = [this](const std::string& why) { Fail(why); },
    };
  }

  void Take(const Lease& lease) {
    const TimePoint now = Now();
    // A lease that was long under way may have ended; it is not named, so it runs out.
    if (!fetcher_ || !client_.LeasesAreOurs(now)) return;
    queue_.Add(lease, now);
    if (context_.settings.ignore_robots || lease.entries.empty()) return;
    // A coordinator that was restarted has forgotten what we know of the host.
    const Result<Url> url = Url::Parse(lease.entries[0].url);
    const RobotsCache::Entry* robots = url ? robots_.Find(*url, now) : nullptr;
    if (robots) queue_.Slow(lease.host, CrawlDelay(*robots));
  }

  WorkerHeartbeat Status() const {
    const auto capacity = static_cast<std::uint32_t>(std::min<std::uint64_t>(
        kMaxCapacity, std::uint64_t{kUrlsPerRequest} * options_.concurrency));
    return {queue_.leases(), state_ == State::kWorking ? capacity : 0,
            static_cast<std::uint32_t>(in_flight_), pages_};
  }

  void OnWelcome(const Welcome& welcome) {
    context_.settings = welcome.settings;
    robots_.ResendAll();
    if (!fetcher_) {
      try {
        OpenRows(welcome.job);
      } catch (const std::exception& error) {
        return Fail(error.what());
      }
      Fetcher::Options options;
      options.user_agent = welcome.settings.user_agent;
      options.ca_file = options_.ca_file;
      options.proxy = ParseProxy(welcome.settings.proxy);
      options.insecure = welcome.settings.insecure;
      if (options.insecure) spdlog::warn("--insecure: certificates are not verified");
      options.dns_servers = options_.dns;
      options.idle_connections =
          IdleConnections(static_cast<std::size_t>(options_.concurrency), MaxFiles());
      fetcher_ = std::make_unique<Fetcher>(io_, options);
    }
  }

  // ---- Fetching ----

  void Pump() {
    const TimePoint now = Now();
    while (state_ == State::kWorking && Load() < static_cast<std::size_t>(options_.concurrency) &&
           rows_in_flight_ < static_cast<std::size_t>(options_.concurrency) &&
           client_.report_bytes() + robots_.report_bytes() < kMaxReportBytes &&
           client_.LeasesAreOurs(now)) {
      if (const auto origin = robots_.TakeFetch()) {
        FetchRobotsOf(*origin, now);
        continue;
      }
      const WorkItem* next = queue_.Next(now);
      if (!next) break;
      StartNext(*next, now);
    }
    SetPumpTimer();
  }

  /// For what starts by time alone.
  void SetPumpTimer() {
    const auto start = queue_.NextStart();
    if (!start || *start <= Now()) return;
    pump_timer_.expires_at(*start);
    pump_timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) Pump();
    });
  }

  /// Requests in flight. A sitemap counts as several, so that kMaxSitemapsInFlight of them leave no
  /// room for another request.
  std::size_t Load() const {
    const auto weight = static_cast<std::size_t>((options_.concurrency + kMaxSitemapsInFlight - 1) /
                                                 kMaxSitemapsInFlight);
    return in_flight_ + sitemaps_in_flight_ * (weight - 1);
  }

  void StartNext(const WorkItem& next, TimePoint now) {
    Result<Url> url = Url::Parse(next.entry.url);
    if (!url) {
      WorkItem item = queue_.Take();
      Ended(item);
      return Report(std::move(item), {Failed{Error::kMalformed, "not a canonical URL", 0}},
                    milliseconds(0));
    }
    if (context_.settings.ignore_robots) return StartFetch(std::move(*url), now);
    const RobotsCache::Entry* robots = robots_.Find(*url, now);
    if (!robots) return AskForRobots(*url, next);
    if (robots->Allows(*url)) return StartFetch(std::move(*url), now);
    WorkItem item = queue_.Take();
    const milliseconds since_request = queue_.SinceRequest(item.host, now);
    Ended(item);
    Report(std::move(item), {Failed{robots->reason, robots->detail, 0, true}}, since_request);
  }

  // ---- robots.txt ----

  /// The coordinator knows it, lets us fetch it, or makes us wait for who does.
  void AskForRobots(const Url& url, const WorkItem& next) {
    robots_.Ask(url, next.lease);
    queue_.Hold(std::string(next.host));  // a copy, as `next` is the queue's own
    client_.SendDue();
  }

  void OnRobots(const RobotsAnswer& answer) {
    const TimePoint now = Now();
    const auto [verdict, host] = robots_.OnAnswer(answer, context_.settings.user_agent, now);
    switch (verdict) {
      case RobotsCache::Verdict::kNone:
        break;
      case RobotsCache::Verdict::kKnown: {
        const Result<Url> url = Url::Parse(answer.origin + "/");
        const RobotsCache::Entry* entry = url ? robots_.Find(*url, now) : nullptr;
        queue_.Unhold(host, entry ? CrawlDelay(*entry) : milliseconds(0));
        break;
      }
      case RobotsCache::Verdict::kDeferred:
        HandBack(host);
        queue_.Unhold(host, milliseconds(0));
        break;
    }
    Pump();
  }

  /// The host's delay has passed: its question was asked when a URL of it could start, and nothing
  /// of it has been asked for since.
  void FetchRobotsOf(const std::string& origin, TimePoint now) {
    const Url url = Url::Parse(origin + "/").value();  // it is that of a URL
    const std::string host(url.authority());
    queue_.RequestStarted(host, now);
    ++in_flight_;
    const auto sent = std::make_shared<bool>(false);
    const auto done = [this, origin, host, sent](RobotsResponse response) {
      --in_flight_;
      queue_.RequestEnded(host, *sent);
      if (state_ == State::kEnded) return;
      robots_.Fetched(ReportOf(origin, std::move(response)));
      client_.SendDue();
      MaybeLeave();
      Pump();
    };
    FetchRobots(*fetcher_, context_, url, done, SentTo(host, sent));
  }

  /// What a request to the host calls when it is sent.
  std::function<void()> SentTo(const std::string& host, std::shared_ptr<bool> sent) {
    return [this, host, sent = std::move(sent)] {
      queue_.RequestSent(host, Now(), std::exchange(*sent, true));
      SetPumpTimer();
    };
  }

  static milliseconds CrawlDelay(const RobotsCache::Entry& entry) {
    const auto delay = entry.rules.crawl_delay();
    return delay ? std::min(kMaxCrawlDelay, std::chrono::ceil<milliseconds>(*delay))
                 : milliseconds(0);
  }

  void StartFetch(Url url, TimePoint now) {
    WorkItem item = queue_.Take();
    queue_.RequestStarted(item.host, now);
    ++in_flight_;
    const auto sent = std::make_shared<bool>(false);
    const auto done = [this, sent](WorkItem fetched, PageResult result) {
      OnFetched(std::move(fetched), std::move(result), *sent);
    };
    const bool is_sitemap = item.entry.sitemap > 0;
    if (is_sitemap) ++sitemaps_in_flight_;
    FetchRequest request =
        is_sitemap ? SitemapFetch::RequestFor(context_, url) : context_.RequestFor(url);
    request.on_sent = SentTo(item.host, sent);
    request.next_after = queue_.Delay(item.host);
    const std::string host = item.host;
    std::unique_ptr<FetchObserver> observer;
    if (is_sitemap) {
      observer = std::make_unique<SitemapFetch>(context_, std::move(item), std::move(url), done);
    } else {
      observer = std::make_unique<PageFetch>(context_, std::move(item), std::move(url), done);
    }
    if (context_.settings.cookies) observer = cookies_.Carry(host, request, std::move(observer));
    fetcher_->Start(std::move(request), std::move(observer));
  }

  void Ended(const WorkItem& item) {
    queue_.Ended(item);
    if (!queue_.HoldsHost(item.host)) cookies_.Drop(item.host);
  }

  /// Returns what waits, of a host that is to be left alone or of all.
  void HandBack(const std::string& host) {
    for (WorkItem& item : queue_.TakeHost(host)) {
      EndQuestion(item.lease);  // nobody waits for the answer
      Report(std::move(item), {Returned{}}, milliseconds(0));
    }
    DropCookies();
  }

  /// Of what was asked under a lease.
  void EndQuestion(std::uint64_t lease) {
    if (const auto host = robots_.DropLease(lease)) queue_.Unhold(*host, milliseconds(0));
  }

  void HandBackAll() {
    for (const std::string& host : robots_.DropAll()) queue_.Unhold(host, milliseconds(0));
    for (WorkItem& item : queue_.TakeAll()) {
      Report(std::move(item), {Returned{}}, milliseconds(0));
    }
    DropCookies();
  }

  void DropCookies() {
    cookies_.DropUnless([this](const std::string& host) { return queue_.HoldsHost(host); });
  }

  void OnFetched(WorkItem item, PageResult result, bool sent) {
    --in_flight_;
    if (item.entry.sitemap > 0) --sitemaps_in_flight_;
    const milliseconds since_request = queue_.SinceRequest(item.host, Now());
    queue_.RequestEnded(item.host, sent);
    Ended(item);
    if (state_ == State::kEnded) return;
    if (cancelled_) {
      // Its failure is our own doing.
      Report(std::move(item), {Returned{}}, milliseconds(0));
    } else if (std::holds_alternative<Fetched>(result.outcome)) {
      WriteRow(std::move(item), std::move(result), since_request);
    } else {
      const auto* failed = std::get_if<Failed>(&result.outcome);
      const bool overloaded = failed && AsksForFewerRequests(*failed);
      const std::string host = item.host;
      Report(std::move(item), std::move(result), since_request);
      // The coordinator hears of it first, and leases the host no more until its time.
      if (overloaded) HandBack(host);
    }
    Pump();
  }

  /// "lease SP index SP row LF": the exporter drops it if the report is refused.
  void WriteRow(WorkItem item, PageResult result, milliseconds since_request) {
    std::string line = std::to_string(item.lease) + ' ' + std::to_string(item.index) + ' ';
    line += std::exchange(result.row, {});
    line += '\n';
    ++rows_in_flight_;
    rows_->Append(std::move(line),
                  [this, item = std::move(item), since_request,
                   result = std::move(result)](boost::system::error_code error) mutable {
                    --rows_in_flight_;
                    if (error) return Fail("cannot write rows: " + error.message());
                    ++pages_;
                    Report(std::move(item), std::move(result), since_request);
                  });
  }

  /// Details quote what a site has sent, which may be no text, or too long for a message.
  static Outcome Sendable(Outcome outcome) {
    if (auto* failed = std::get_if<Failed>(&outcome)) {
      failed->detail = CutUtf8(ValidUtf8(failed->detail), kMaxTextBytes);
    }
    return outcome;
  }

  void Report(WorkItem item, PageResult result, milliseconds since_request) {
    trawl::Report report;
    report.lease_id = item.lease;
    report.index = item.index;
    if (!context_.settings.ignore_robots) report.crawl_delay = CrawlDelayOf(item.entry.url);
    report.entry = std::move(item.entry);
    report.links = std::move(result.links);
    report.sitemaps = std::move(result.sitemaps);
    report.outcome = Sendable(std::move(result.outcome));
    report.elapsed = since_request;
    report.body_digest = result.body_digest;
    report.latency = result.latency;
    client_.Report(std::move(report), item.depth);
  }

  /// As far as its robots.txt is known.
  milliseconds CrawlDelayOf(const std::string& text) {
    const Result<Url> url = Url::Parse(text);
    const RobotsCache::Entry* robots = url ? robots_.Find(*url, Now()) : nullptr;
    return robots ? CrawlDelay(*robots) : milliseconds(0);
  }

  // ---- The end ----

  void Drain() {
    if (state_ != State::kWorking) return;
    if (!client_.welcome()) return End();
    state_ = State::kDraining;
    HandBackAll();
    client_.Beat();  // with no capacity any more
    drain_timer_.expires_after(kDrainTimeout);
    drain_timer_.async_wait([this](const boost::system::error_code& error) {
      if (error || state_ != State::kDraining) return;
      cancelled_ = true;
      if (fetcher_) fetcher_->Cancel();
      // What is not acknowledged by then goes back when its lease runs out.
      drain_timer_.expires_after(kDrainTimeout);
      drain_timer_.async_wait([this](const boost::system::error_code& late) {
        if (!late) Leave("drained, but not all reports were acknowledged");
      });
    });
    MaybeLeave();
  }

  void MaybeLeave() {
    if (state_ != State::kDraining || in_flight_ > 0 || rows_in_flight_ > 0) return;
    if (client_.settled()) Leave("drained");
  }

  void Leave(const std::string& reason) {
    client_.Leave(reason);
    End();
  }

  void Fail(std::string why) {
    if (failure_.empty()) failure_ = std::move(why);
    End();
  }

  void End() {
    state_ = State::kEnded;
    io_.stop();
  }

  boost::asio::io_context& io_;
  const WorkerOptions options_;
  CoordinatorClient client_;
  PageContext context_;
  State state_ = State::kWorking;
  std::string failure_;

  WorkQueue queue_;
  RobotsCache robots_;
  HostCookies cookies_;
  std::uint64_t pages_ = 0;
  std::size_t in_flight_ = 0;  // requests
  std::size_t sitemaps_in_flight_ = 0;
  std::size_t rows_in_flight_ = 0;  // rows that are not with the kernel yet
  bool cancelled_ = false;          // what ends now ends by our own doing

  // After the first welcome, which names the job and the user agent.
  std::optional<FileAppender> rows_;
  std::unique_ptr<Fetcher> fetcher_;
  boost::asio::steady_timer pump_timer_;
  boost::asio::steady_timer drain_timer_;
};

Worker::Worker(boost::asio::io_context& io, WorkerOptions options, PageParser& parser)
    : impl_(std::make_unique<Impl>(io, std::move(options), parser)) {}
Worker::~Worker() = default;
void Worker::Stop() { impl_->Stop(); }
const std::string& Worker::failure() const { return impl_->failure(); }

}  // namespace trawl
