#include "coordinator/crawl_server.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>

#include "common/file_appender.h"
#include "coordinator/coordinator.h"
#include "coordinator/progress_display.h"
#include "coordinator/redis_client.h"
#include "coordinator/redis_store.h"
#include "proto/message_socket.h"

namespace trawl {
namespace {

constexpr char kInsecureText[] = "--insecure: certificates are not verified";

constexpr milliseconds kTick{100};
/// Workers are not listened to while so many steps wait for Redis.
constexpr int kMostSteps = 4'096;
constexpr int kFewSteps = 1'024;

TimePoint Now() { return std::chrono::steady_clock::now(); }

Scope ScopeOf(const CrawlOptions& crawl) {
  std::string complaint;
  std::optional<Scope> scope = Scope::Make(crawl, complaint);
  if (!scope) throw std::invalid_argument(complaint);
  return std::move(*scope);
}

}  // namespace

class CrawlServer::Impl {
 public:
  Impl(boost::asio::io_context& io, CoordinatorOptions options)
      : io_(io),
        options_(std::move(options)),
        started_(Now()),
        parts_(std::filesystem::path(options_.out) / "parts"),
        coordinator_(options_, ScopeOf(options_.crawl), started_, std::chrono::system_clock::now()),
        display_(std::cerr, ::isatty(STDERR_FILENO) != 0, options_.job, started_),
        redis_(io),
        store_(redis_, options_.job),
        tick_timer_(io) {
    std::filesystem::create_directories(parts_);
    CheckWritable();
    socket_.emplace(MessageSocket::Router(
        io, options_.listen,
        [this](const std::string& peer, std::string_view bytes) { OnBytes(peer, bytes); }));
    socket_->Pause();
    ConnectRedis();
  }

  void Stop() {
    if (!running_ || stop_asked_) return io_.stop();
    stop_asked_ = true;
    coordinator_.Stop(Now());
    CarryOut();
  }

  const std::string& failure() const { return failure_; }
  int exit_code() const { return exit_code_; }

 private:
  void CheckWritable() const {
    if (::access(parts_.c_str(), W_OK) != 0) {
      throw std::system_error(errno, std::generic_category(), "cannot write to " + parts_.string());
    }
  }

  // ---- Start ----

  void ConnectRedis() {
    std::string why;
    const Result<RedisAddress> address = ParseRedisUrl(options_.redis, why);
    if (!address) return Fail("--redis: " + why, 2);
    redis_.set_on_lost([this](const std::string& text) { LoseRedis(text); });
    redis_.Connect(*address, [this](Result<void> connected, const std::string& text) {
      if (!connected) return Fail("cannot reach Redis at " + options_.redis + ": " + text, 1);
      Open();
    });
  }

  void Open() {
    const std::map<std::string, std::string> job = {
        {"state", "running"},
        {"seeds", Joined(options_.crawl.seeds)},
        {"sitemaps", Joined(options_.crawl.sitemap_urls)},
        {"options", options_.crawl.Json()},
        {"out", std::filesystem::absolute(options_.out).lexically_normal().string()},
        {"started", Rfc3339(std::chrono::system_clock::now())}};
    store_.Open(options_.resume ? Store::OpenMode::kResume : Store::OpenMode::kCreate, job,
                [this](Result<Snapshot> snapshot) {
                  if (!snapshot) return RefuseJob(snapshot.error());
                  Start(*snapshot);
                });
  }

  static std::string Joined(const std::vector<std::string>& urls) {
    std::string text;
    for (const std::string& url : urls) text += (text.empty() ? "" : " ") + url;
    return text;
  }

  void RefuseJob(const boost::system::error_code& error) {
    if (error != Error::kUsage) return Fail("Redis: " + store_.error_text(), 1);
    if (options_.resume) {
      return Fail("--resume: there is no job '" + options_.job + "' in this Redis to go on with",
                  2);
    }
    Fail("--job: '" + options_.job + "' exists: go on with it by --resume, or choose another name",
         2);
  }

  void Start(const Snapshot& snapshot) {
    char name[64];
    std::snprintf(name, sizeof name, "outbox-%08llu.log",
                  static_cast<unsigned long long>(snapshot.epoch));
    try {
      rows_.emplace(parts_ / name,
                    [this](std::function<void()> run) { boost::asio::post(io_, std::move(run)); });
      WriteEndpoint();
    } catch (const std::exception& error) {
      return Fail(error.what(), 1);
    }
    running_ = true;
    if (options_.crawl.insecure) {
      std::cerr << "trawl-coordinator: warning: " << kInsecureText << "\n";
    }
    coordinator_.Start(snapshot, Now());
    pages_before_ = coordinator_.progress().counts.fetched;
    socket_->Resume();
    CarryOut();
    Tick();
  }

  /// Whole or not at all, for scripts that wait for it.
  void WriteEndpoint() const {
    const std::string endpoint = socket_->endpoint();
    spdlog::info("listening on {}", endpoint);
    if (options_.endpoint_file.empty()) return;
    const std::string draft = options_.endpoint_file + ".new";
    std::ofstream file(draft);
    file << endpoint << "\n";
    file.close();
    if (!file) throw std::runtime_error("--endpoint-file: cannot write " + draft);
    std::filesystem::rename(draft, options_.endpoint_file);
  }

  // ---- Events ----

  void OnBytes(const std::string& peer, std::string_view bytes) {
    const Result<ToCoordinator> message = DecodeToCoordinator(bytes);
    if (message) {
      coordinator_.OnMessage(peer, *message, Now());
    } else {
      coordinator_.OnGarbage(peer, Now());
    }
    CarryOut();
  }

  void Tick() {
    coordinator_.OnTick(Now(), !listening_paused_);
    CarryOut();
    if (!options_.quiet && !ended_) display_.Update(coordinator_.progress(), Now());
    tick_timer_.expires_after(kTick);
    tick_timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) Tick();
    });
  }

  void LoseRedis(const std::string& text) {
    if (ended_) return;
    Fail("lost Redis at " + options_.redis + ": " + text + "; --resume goes on with the job", 1);
  }

  // ---- Actions ----

  void CarryOut() {
    for (Coordinator::Action& action : coordinator_.TakeActions()) {
      std::visit([this](auto& body) { Do(body); }, action);
    }
    const bool paused = std::exchange(listening_paused_,
                                      listening_paused_ ? steps_ > kFewSteps : steps_ > kMostSteps);
    if (paused != listening_paused_) listening_paused_ ? socket_->Pause() : socket_->Resume();
  }

  void Do(Coordinator::Send& send) {
    if (!socket_->Send(send.worker, Encode(send.message))) {
      spdlog::debug("worker {} is not reachable", send.worker);
    }
  }

  void Do(Coordinator::Apply& apply) {
    ++steps_;
    // Shared, because the step is read while the callback that needs it again is already made.
    auto shared = std::make_shared<Coordinator::Apply>(std::move(apply));
    store_.Apply(shared->step, [this, shared](Result<Reply> reply) {
      --steps_;
      if (failed()) return;
      if (!reply) {
        return Fail("Redis: " + store_.error_text() + "; --resume goes on with the job", 1);
      }
      coordinator_.OnReply(*shared, *std::move(reply), Now());
      CarryOut();
    });
  }

  void Do(Coordinator::Write& write) {
    std::string lines;
    for (std::size_t i = 0; i < write.items.size(); ++i) {
      lines += std::to_string(write.first + i) + ' ' + write.items[i] + '\n';
    }
    rows_->Append(std::move(lines), [this, write](boost::system::error_code error) {
      if (error) {
        return Fail("cannot write rows to " + parts_.string() + ": " + error.message(), 1);
      }
      coordinator_.OnWritten(write, Now());
      CarryOut();
    });
  }

  void Do(const Coordinator::Log& log) {
    display_.Clear();
    spdlog::warn(log.text);
  }

  void Do(const Coordinator::End&) {
    ended_ = true;
    display_.Clear();
    const auto elapsed = std::chrono::duration_cast<milliseconds>(Now() - started_);
    std::cout << SummaryText(options_.job, coordinator_.progress(), coordinator_.stopped_because(),
                             pages_before_, elapsed)
              << (options_.crawl.insecure ? "  warning    " + std::string(kInsecureText) + "\n"
                                          : "")
              << std::flush;
    io_.stop();
  }

  // ---- The end ----

  bool failed() const { return !failure_.empty(); }

  void Fail(std::string why, int exit_code) {
    if (failed()) return;
    display_.Clear();
    failure_ = std::move(why);
    exit_code_ = exit_code;
    io_.stop();
  }

  boost::asio::io_context& io_;
  const CoordinatorOptions options_;
  const TimePoint started_;
  const std::filesystem::path parts_;
  Coordinator coordinator_;
  ProgressDisplay display_;
  RedisClient redis_;
  RedisStore store_;
  std::optional<MessageSocket> socket_;
  std::optional<FileAppender> rows_;
  boost::asio::steady_timer tick_timer_;

  int steps_ = 0;  // applied, not answered
  bool listening_paused_ = false;
  bool running_ = false;
  bool stop_asked_ = false;
  bool ended_ = false;
  std::uint64_t pages_before_ = 0;
  std::string failure_;
  int exit_code_ = 0;
};

CrawlServer::CrawlServer(boost::asio::io_context& io, CoordinatorOptions options)
    : impl_(std::make_unique<Impl>(io, std::move(options))) {}
CrawlServer::~CrawlServer() = default;
void CrawlServer::Stop() { impl_->Stop(); }
const std::string& CrawlServer::failure() const { return impl_->failure(); }
int CrawlServer::exit_code() const { return impl_->exit_code(); }

}  // namespace trawl
