#include "coordinator/crawl_server.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>

#include "common/file_appender.h"
#include "common/process_name.h"
#include "coordinator/coordinator.h"
#include "coordinator/progress_display.h"
#include "coordinator/results/beyond_reader.h"
#include "coordinator/resume_rules.h"
#include "coordinator/store/store_link.h"
#include "proto/message_socket.h"

namespace trawl {
namespace {

constexpr char kInsecureText[] = "--insecure: certificates are not verified";

constexpr milliseconds kTick{100};
/// Workers are not listened to while so many steps wait for Redis.
constexpr std::size_t kMostSteps = 4'096;
constexpr std::size_t kFewSteps = 1'024;
/// A coordinator that is started again may be there sooner than its Redis.
constexpr milliseconds kResumePatience{60'000};
/// A store that is asked and does not answer for so long is told of.
constexpr milliseconds kSilence{5'000};

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
        coordinator_(MakeCoordinator()),
        display_(std::cerr, ::isatty(STDERR_FILENO) != 0, options_.job, started_),
        store_(io, options_.job,
               {.on_open = [this](const Snapshot& snapshot) { Start(snapshot); },
                .on_lost = [this](const std::string& why) { LoseStore(why); },
                .on_failed = [this](Error error, const std::string& why) { Refuse(error, why); }}),
        tick_timer_(io) {
    std::filesystem::create_directories(parts_);
    CheckWritable();
    socket_.emplace(MessageSocket::Router(
        io, options_.listen,
        [this](const std::string& peer, std::string_view bytes) { OnBytes(peer, bytes); }));
    socket_->Pause();
    OpenStore();
  }

  void Stop() {
    if (!running_ || stop_asked_) return io_.stop();
    if (!store_.is_open()) return FailToStop();
    stop_asked_ = true;
    coordinator_->Stop(Now());
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

  std::unique_ptr<Coordinator> MakeCoordinator() const {
    return std::make_unique<Coordinator>(options_, ScopeOf(options_.crawl), Now(),
                                         std::chrono::system_clock::now());
  }

  void OpenStore() {
    std::string why;
    const Result<RedisAddress> address = ParseRedisUrl(options_.redis, why);
    if (!address) return Fail("--redis: " + why, 2);
    store_.Open(*address, options_.resume ? Store::OpenMode::kResume : Store::OpenMode::kCreate,
                {{"state", "running"},
                 {"seeds", Joined(options_.crawl.seeds)},
                 {"sitemaps", Joined(options_.crawl.sitemap_urls)},
                 {"options", options_.crawl.Json()},
                 {"rules", FixedRules(options_.crawl, ScopeOf(options_.crawl))},
                 {"out", std::filesystem::absolute(options_.out).lexically_normal().string()},
                 {"started", Rfc3339(std::chrono::system_clock::now())},
                 {"coordinator", NewProcessName()}},
                options_.resume ? kResumePatience : milliseconds(0));
  }

  static std::string Joined(const std::vector<std::string>& urls) {
    std::string text;
    for (const std::string& url : urls) text += (text.empty() ? "" : " ") + url;
    return text;
  }

  void Refuse(Error error, const std::string& why) {
    if (coordinator_->is_parting()) return;
    if (error == Error::kStepRefused) return Fail(why, 1);
    if (running_) return Fail(why + "; --resume goes on with the job", 1);
    if (error == Error::kRulesChanged) {
      const std::string changed =
          RulesChanged(why, FixedRules(options_.crawl, ScopeOf(options_.crawl)));
      return Fail("--resume: the job '" + options_.job +
                      "' was begun under other rules: " + changed + "; begin a new job for that",
                  2);
    }
    if (error == Error::kStore) return Fail(options_.redis + ": " + why, 1);
    if (options_.resume) {
      return Fail("--resume: there is no job '" + options_.job + "' in this Redis to go on with",
                  2);
    }
    Fail("--job: '" + options_.job + "' exists: go on with it by --resume, or choose another name",
         2);
  }

  /// At first, and each time that Redis is back: a coordinator that begins with what the store
  /// tells cannot have missed anything.
  void Start(const Snapshot& snapshot) {
    if (coordinator_->is_parting()) return;
    ++life_;
    try {
      OpenRows(snapshot.epoch);
      if (!running_) WriteEndpoint();
    } catch (const std::exception& error) {
      return Fail(error.what(), 1);
    }
    if (running_) {
      Say("Redis is back");
      coordinator_ = MakeCoordinator();
      beyond_.reset();
    }
    coordinator_->Start(snapshot, Now());
    if (!std::exchange(running_, true)) {
      if (options_.crawl.insecure) {
        std::cerr << "trawl-coordinator: warning: " << kInsecureText << "\n";
      }
      pages_before_ = coordinator_->progress().counts.fetched;
      Tick();
    }
    CarryOut();
    listening_paused_ = false;
    socket_->Resume();
  }

  void FailToStop() { Fail("stopped while Redis was away; --resume goes on with the job", 1); }

  void OpenRows(std::uint64_t epoch) {
    char name[64];
    std::snprintf(name, sizeof name, "outbox-%08llu.log", static_cast<unsigned long long>(epoch));
    rows_.emplace(
        parts_ / name,
        [this](std::function<void()> run) { boost::asio::post(io_, std::move(run)); },
        [this, life = life_](boost::system::error_code error) {
          if (life == life_) NoteFullDisk(error);
        });
  }

  void NoteFullDisk(boost::system::error_code error) {
    Say(error ? "cannot write rows to " + parts_.string() + ": " + error.message() +
                    "; waiting for room"
              : "rows are written to " + parts_.string() + " again");
    coordinator_->OnRowsStalled(error.failed(), Now());
    CarryOut();
  }

  /// Workers keep what they have until their messages are read again.
  void LoseStore(const std::string& why) {
    if (ended_ || coordinator_->is_parting()) return;
    if (stop_asked_) return FailToStop();  // it may have been told to end together with us
    Say((running_ ? "lost Redis at " : "no Redis yet at ") + options_.redis + ": " + why +
        "; waiting for it");
    socket_->Pause();
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
      coordinator_->OnMessage(peer, *message, Now());
    } else {
      coordinator_->OnGarbage(peer, Now());
    }
    CarryOut();
  }

  void Tick() {
    if (store_.is_open() || coordinator_->is_parting()) {
      coordinator_->OnTick(Now(), socket_->TakeCaughtUp() && !listening_paused_);
      CarryOut();
    }
    NoteSilence();
    if (!options_.quiet && !ended_) display_.Update(progress(), Now());
    tick_timer_.expires_after(kTick);
    tick_timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) Tick();
    });
  }

  /// A store that is there but does not answer.
  void NoteSilence() {
    const bool silent = store_.Waiting(Now()) > kSilence;
    if (silent == silence_noted_) return;
    silence_noted_ = silent;
    Say(silent ? "Redis does not answer; waiting for it" : "Redis answers again");
  }

  Coordinator::Progress progress() const {
    Coordinator::Progress progress = coordinator_->progress();
    progress.store_lost = !store_.is_open() || silence_noted_;
    return progress;
  }

  void Say(const std::string& text) {
    display_.Clear();
    spdlog::warn(text);
  }

  // ---- Actions ----

  void CarryOut() {
    for (Coordinator::Action& action : coordinator_->TakeActions()) {
      std::visit([this](auto& body) { Do(body); }, action);
    }
    if (!store_.is_open()) return;
    const std::size_t steps = store_.outstanding();
    const bool paused =
        std::exchange(listening_paused_, steps > (listening_paused_ ? kFewSteps : kMostSteps));
    if (paused != listening_paused_) listening_paused_ ? socket_->Pause() : socket_->Resume();
  }

  /// Replies that came together are carried out together: of many acknowledgements a worker gets
  /// one message.
  void CarryOutSoon() {
    if (std::exchange(carry_out_posted_, true)) return;
    boost::asio::post(io_, [this] {
      carry_out_posted_ = false;
      if (!failed() && !ended_) CarryOut();
    });
  }

  void Do(Coordinator::Send& send) {
    if (!socket_->Send(send.worker, Encode(send.message))) {
      spdlog::debug("worker {} is not reachable", send.worker);
    }
  }

  void Do(Coordinator::Apply& apply) {
    if (!store_.is_open()) return;
    // Shared, because the step is read while the callback that needs it again is already made.
    auto shared = std::make_shared<Coordinator::Apply>(std::move(apply));
    store_.Apply(shared->step, [this, shared](Reply reply) {
      if (failed()) return;
      coordinator_->OnReply(*shared, std::move(reply), Now());
      CarryOutSoon();
    });
  }

  void Do(Coordinator::Write& write) {
    std::string lines;
    for (std::size_t i = 0; i < write.items.size(); ++i) {
      lines += std::to_string(write.first + i) + ' ' + write.items[i] + '\n';
    }
    rows_->Append(std::move(lines), [this, write, life = life_](boost::system::error_code error) {
      if (life != life_) return;
      if (error) {
        return Fail("cannot write rows to " + parts_.string() + ": " + error.message(), 1);
      }
      coordinator_->OnWritten(write, Now());
      CarryOut();
    });
  }

  void Do(const Coordinator::ReadBeyond& read) {
    constexpr std::size_t kLines = 500;
    if (!beyond_) beyond_.emplace(options_.out);
    boost::asio::post(io_, [this, read, life = life_] {
      if (life != life_ || failed()) return;
      try {
        const std::vector<FoundBeyond> found = beyond_->Next(read.depth, read.greatest, kLines);
        coordinator_->OnBeyond(found, beyond_->done(), Now());
      } catch (const std::exception& error) {
        return Fail(error.what(), 1);
      }
      CarryOut();
    });
  }

  void Do(const Coordinator::Log& log) { Say(log.text); }

  void Do(const Coordinator::End&) {
    ended_ = true;
    display_.Clear();
    const auto elapsed = std::chrono::duration_cast<milliseconds>(Now() - started_);
    std::cout << SummaryText(options_.job, coordinator_->progress(),
                             coordinator_->stopped_because(), pages_before_, elapsed)
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
  std::unique_ptr<Coordinator> coordinator_;
  ProgressDisplay display_;
  StoreLink store_;
  std::optional<MessageSocket> socket_;
  std::optional<FileAppender> rows_;
  std::optional<BeyondReader> beyond_;
  boost::asio::steady_timer tick_timer_;

  int life_ = 0;  // of the coordinator; what was written for an earlier one does not matter
  bool carry_out_posted_ = false;
  bool listening_paused_ = false;
  bool running_ = false;
  bool stop_asked_ = false;
  bool ended_ = false;
  bool silence_noted_ = false;
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
