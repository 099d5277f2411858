#include "worker/http/fetcher.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <cassert>
#include <utility>
#include <vector>

#include "worker/http/connection.h"
#include "worker/http/connection_pool.h"
#include "worker/http/connector.h"
#include "worker/http/content_decoder.h"
#include "worker/http/fetch.h"
#include "worker/http/response_reader.h"
#include "worker/http/task.h"

namespace trawl {
namespace {

using boost::system::error_code;
using std::chrono::steady_clock;

// Deadlines are looked at this often, for all fetches at once: a fetch costs no timer of its own.
constexpr milliseconds kSweepInterval{50};

// Twice what the reader may leave, so that a read always has room to be large.
constexpr std::size_t kReadBufferBytes = 2 * ResponseReader::kMaxPendingBytes;

// A body that nobody wants is read to its end for the sake of the connection when no more of it is
// left than this.
constexpr std::uint64_t kDrainBytes = 64 * 1024;

/// What a fetch needs from the first bytes of a response to the last. Large, so lent to one fetch
/// after the other.
struct Workspace {
  ContentDecoder decoder;
  std::string pending;  // bytes that the reader has left, while others are waited for
};

}  // namespace

/// Shared with its coroutines and handlers: after the fetcher's end they still have to unwind.
class Fetcher::Impl : public std::enable_shared_from_this<Fetcher::Impl> {
 public:
  Impl(asio::io_context& io, Options options)
      : io_(io),
        options_(std::move(options)),
        connector_(io, {.servers = options_.dns_servers},
                   TlsContext(options_.ca_file, options_.insecure, options_.tls_sessions),
                   options_.proxy),
        pool_(options_.idle_connections, options_.idle_connection_age),
        sweep_timer_(io) {}

  void Start(FetchRequest request, std::unique_ptr<FetchObserver> observer) {
    assert(!stopped_);
    auto fetch =
        std::make_shared<Fetch>(std::move(request), std::move(observer), steady_clock::now());
    fetch->index = in_flight_.size();
    in_flight_.push_back(fetch);
    asio::co_spawn(io_, Run(shared_from_this(), std::move(fetch)),
                   [](const std::exception_ptr& failure) {
                     if (failure) std::rethrow_exception(failure);
                   });
    ScheduleSweep();
  }

  void Cancel() {
    for (const FetchPtr& fetch : in_flight_) fetch->Abort(Error::kReset, "cancelled");
  }

  /// Ends everything now. The coroutines unwind later and take the connections that they wait for
  /// with them, but touch no observer any more.
  void Stop() {
    stopped_ = true;
    Cancel();
    while (!in_flight_.empty()) Finish(*FetchPtr(in_flight_.back()));
    pool_.Clear();
    sweep_timer_.cancel();
  }

  std::size_t in_flight() const { return in_flight_.size(); }

 private:
  // Shared by the list of fetches in flight and the coroutine, which may outlive the list.
  using FetchPtr = std::shared_ptr<Fetch>;

  /// How an exchange on a connection ended.
  enum class Exchanged {
    kDone,   // with a response or with an error in the outcome
    kStale,  // a reused connection that gave no answer to this request: nothing has happened yet
  };

  // Coroutines take `self` so that the fetcher's parts live as long as they do.

  static Task<void> Run(std::shared_ptr<Impl> self, FetchPtr started) {
    // Goes before `self`, whose parts its connection uses; in which order parameters go is not
    // said.
    const FetchPtr fetch = std::move(started);
    bool reused = self->TakePooled(*fetch);
    // OnDone() never comes before Start() has returned, and neither do its errors.
    if (!reused) co_await asio::post(self->io_, kTuple);
    while (!fetch->aborted) {
      if (!reused) {
        const bool opened = co_await self->connector_.Open(fetch);
        if (!opened) break;
      }
      const Exchanged end = co_await self->Exchange(fetch, reused);
      if (end == Exchanged::kDone) break;
      reused = false;
    }
    fetch->connection.reset();  // unless it went to the pool
    self->Finish(*fetch);
  }

  bool TakePooled(Fetch& fetch) {
    fetch.connection = pool_.Take(fetch.request.url.origin(), fetch.started);
    if (!fetch.connection) return false;
    // It may come from a request that had more freedom.
    if (!connector_.MayReach(fetch.request, fetch.connection->remote().address()))
      fetch.connection.reset();
    return fetch.connection != nullptr;
  }

  Task<Exchanged> Exchange(FetchPtr fetch, bool reused) {
    fetch->EnterExchange(reused, steady_clock::now());
    FetchOutcome& outcome = fetch->outcome;
    error_code error = co_await Send(fetch);
    const TimePoint sent = steady_clock::now();
    // Others have their turn; the answer is often there after it.
    co_await asio::post(io_, kTuple);
    // The host has had it, whatever has come in that turn.
    if (!error && !stopped_ && fetch->request.on_sent) fetch->request.on_sent();
    if (fetch->aborted) co_return Exchanged::kDone;
    if (!error) error = co_await fetch->connection->WaitForBytes();
    if (fetch->aborted) co_return Exchanged::kDone;  // perhaps with its observer gone

    const Lease workspace = Lend();
    ResponseReader reader(fetch->request.limits, *fetch->observer, workspace->decoder);
    while (!error && !fetch->aborted) {
      error = Receive(*fetch, reader, workspace->pending);
      if (outcome.latency == milliseconds(0) && reader.head().status != 0) {
        outcome.latency = std::chrono::ceil<milliseconds>(steady_clock::now() - sent);
      }
      if (error || reader.done()) break;
      if (reader.skipping() && !BeginDrain(*fetch, reader)) break;
      // A server that sends faster than we read would have the loop for itself.
      co_await asio::post(io_, kTuple);
      if (!fetch->aborted) error = co_await fetch->connection->WaitForBytes();
    }
    if (error && !fetch->aborted) {
      if (reused && outcome.wire_bytes == 0) co_return Exchanged::kStale;
      reader.PutEnd(error == asio::error::eof);
    }
    // What the server has sent too much after the last response is no answer to this request.
    if (reused && reader.error() && reader.head().status == 0 && !fetch->aborted) {
      co_return Exchanged::kStale;
    }

    outcome.head = reader.head();
    outcome.body_bytes = reader.body_bytes();
    if (reader.error() && !reader.skipping()) {
      fetch->Fail(reader.error(), FailureText(*fetch, reader, error));
    }
    if (options_.proxy && outcome.head.status == 407) {
      // Of the proxy, not of the site, which has not been asked.
      fetch->Fail(Error::kConnect, "proxy " + outcome.remote_address + " refused with 407");
    }
    if (reader.keeps_alive() && Keeps(fetch->request) && !fetch->aborted) {
      pool_.Put(fetch->request.url.origin(), std::move(fetch->connection), steady_clock::now());
    }
    co_return Exchanged::kDone;
  }

  /// Gives the reader what is there, after what it has left before.
  error_code Receive(Fetch& fetch, ResponseReader& reader, std::string& pending) {
    char* const input = input_.get();
    pending.copy(input, pending.size());
    const auto [error, n] = fetch.connection->Read(
        asio::buffer(input + pending.size(), kReadBufferBytes - pending.size()));
    if (error == asio::error::would_block) return {};
    if (error) return error;
    fetch.outcome.wire_bytes += n;
    const std::size_t bytes = pending.size() + n;
    const std::size_t taken = reader.Put({input, bytes});
    pending.assign(input + taken, bytes - taken);
    return {};
  }

  bool Keeps(const FetchRequest& request) const {
    return request.next_after < options_.idle_connection_age;
  }

  Task<error_code> Send(FetchPtr fetch) {
    const std::string text = RequestText(fetch->request);
    co_return co_await fetch->connection->Write(text);
  }

  std::string RequestText(const FetchRequest& request) const {
    const bool by_proxy = options_.proxy && !request.url.is_https();
    std::string text = "GET ";
    text.append(by_proxy ? request.url.text() : request.url.target());
    text.append(" HTTP/1.1\r\nHost: ");
    text.append(request.url.authority()).append("\r\nUser-Agent: ").append(options_.user_agent);
    text.append("\r\nAccept: ").append(request.accept);
    text.append("\r\nAccept-Encoding: ").append(ContentDecoder::kAccepted);
    text.append("\r\nConnection: ").append(Keeps(request) ? "keep-alive\r\n" : "close\r\n");
    if (by_proxy && !options_.proxy->authorization.empty()) {
      text.append("Proxy-Authorization: ").append(options_.proxy->authorization).append("\r\n");
    }
    text.append(request.headers).append("\r\n");
    return text;
  }

  static std::string FailureText(const Fetch& fetch, const ResponseReader& reader,
                                 error_code error) {
    std::string text = fetch.StageText() + ": " + reader.detail();
    if (error && error != asio::error::eof) text += " (" + error.message() + ")";
    return text;
  }

  /// True when the rest of a body that is not wanted is worth reading.
  static bool BeginDrain(Fetch& fetch, const ResponseReader& reader) {
    if (reader.remaining_bytes() > kDrainBytes) return false;
    fetch.EnterDrain(steady_clock::now());
    return true;
  }

  struct Return {
    Impl* impl;
    void operator()(Workspace* workspace) const {
      workspace->decoder.Release();
      workspace->pending.clear();
      impl->workspaces_.emplace_back(workspace);
    }
  };
  using Lease = std::unique_ptr<Workspace, Return>;

  Lease Lend() {
    if (workspaces_.empty()) return Lease(new Workspace, Return{this});
    Workspace* const workspace = workspaces_.back().release();
    workspaces_.pop_back();
    return Lease(workspace, Return{this});
  }

  /// Calls OnDone() unless Stop() has done so.
  void Finish(Fetch& fetch) {
    if (!fetch.observer) return;
    in_flight_.back()->index = fetch.index;
    std::swap(in_flight_[fetch.index], in_flight_.back());
    const FetchPtr kept = std::move(in_flight_.back());
    in_flight_.pop_back();
    fetch.outcome.elapsed =
        std::chrono::duration_cast<milliseconds>(steady_clock::now() - fetch.started);
    const std::unique_ptr<FetchObserver> observer = std::move(fetch.observer);
    observer->OnDone(std::move(fetch.outcome));
  }

  void ScheduleSweep() {
    if (sweeping_) return;
    sweeping_ = true;
    sweep_timer_.expires_after(kSweepInterval);
    sweep_timer_.async_wait([weak_self = weak_from_this()](const error_code& ec) {
      const auto self = weak_self.lock();
      if (ec || !self) return;
      self->Sweep(steady_clock::now());
    });
  }

  void Sweep(TimePoint now) {
    sweeping_ = false;
    for (const FetchPtr& fetch : in_flight_) fetch->CheckDeadlines(now);
    pool_.Expire(now);
    if (!in_flight_.empty() || !pool_.empty()) ScheduleSweep();
  }

  asio::io_context& io_;
  const Options options_;
  Connector connector_;
  ConnectionPool pool_;
  // Of whoever reads: what a fetch has to keep while it waits is in its workspace.
  const std::unique_ptr<char[]> input_ = std::make_unique_for_overwrite<char[]>(kReadBufferBytes);
  std::vector<std::unique_ptr<Workspace>> workspaces_;
  std::vector<FetchPtr> in_flight_;
  Timer sweep_timer_;
  bool sweeping_ = false;
  bool stopped_ = false;
};

Fetcher::Fetcher(asio::io_context& io, Options options)
    : impl_(std::make_shared<Impl>(io, std::move(options))) {}

Fetcher::~Fetcher() { impl_->Stop(); }

void Fetcher::Start(FetchRequest request, std::unique_ptr<FetchObserver> observer) {
  impl_->Start(std::move(request), std::move(observer));
}

void Fetcher::Cancel() { impl_->Cancel(); }

std::size_t Fetcher::in_flight() const { return impl_->in_flight(); }

}  // namespace trawl
