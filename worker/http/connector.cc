#include "worker/http/connector.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <utility>
#include <vector>

#include "common/address.h"
#include "common/text.h"
#include "worker/http/connection.h"
#include "worker/http/connection_race.h"

namespace trawl {
namespace {

using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;

bool IsPublic(const asio::ip::address& address) {
  if (address.is_v4()) return IsPublicAddress(address.to_v4().to_bytes());
  return IsPublicAddress(address.to_v6().to_bytes());
}

// Of a proxy's answer to CONNECT.
constexpr std::size_t kMaxTunnelHeadBytes = 16 * 1024;
constexpr std::size_t kTunnelReadBytes = 1024;

/// Why what a proxy has answered is no tunnel; empty when it is one. `end`: where the empty line of
/// the head begins, if there is one.
std::string TunnelProblem(std::string_view head, std::size_t end) {
  const bool http = head.starts_with("HTTP/1.") && head.size() > 12 && head[8] == ' ';
  if (!http || end == head.npos) return "not an answer to CONNECT";
  if (head[9] != '2') {
    constexpr std::size_t kMaxLine = 100;
    const std::string_view line = head.substr(9, head.find('\r') - 9);
    return "refused with " + Printable(line.substr(0, kMaxLine));
  }
  // In TLS it is the client that begins.
  return end + 4 == head.size() ? "" : "bytes after the answer to CONNECT";
}

/// The attempts to connect of one fetch. Shared by its coroutine and by those of the attempts,
/// which end a little later when they have lost.
struct Attempts {
  Attempts(const std::vector<asio::ip::address>& addresses, Timer* to_wake)
      : race(addresses), wakeup(to_wake) {}

  /// Ends those that are under way; no other begins.
  void End() {
    wakeup = nullptr;
    for (Connection* connection : under_way) connection->Close();
  }

  ConnectionRace race;
  Timer* wakeup;                       // of the fetch's coroutine, none after End()
  std::vector<Connection*> under_way;  // of the attempts' coroutines
  std::unique_ptr<Connection> connected;
  std::string failure;  // of the last attempt that has failed
};

Task<void> Attempt(std::shared_ptr<Attempts> attempts, std::unique_ptr<Connection> connection,
                   tcp::endpoint endpoint) {
  if (attempts->wakeup == nullptr) co_return;
  attempts->under_way.push_back(connection.get());
  const error_code error = co_await connection->Connect(endpoint);
  std::erase(attempts->under_way, connection.get());
  if (attempts->wakeup == nullptr || attempts->connected) co_return;
  if (error) {
    attempts->race.OnFailure();
    attempts->failure = "connect to " + ToString(endpoint) + ": " + error.message();
  } else {
    attempts->connected = std::move(connection);
  }
  attempts->wakeup->cancel();
}

}  // namespace

Connector::Connector(asio::io_context& io, Resolver::Options dns, TlsContext tls,
                     std::optional<Proxy> proxy)
    : io_(io), resolver_(io, std::move(dns)), tls_(std::move(tls)), proxy_(std::move(proxy)) {}

Task<bool> Connector::Open(std::shared_ptr<Fetch> fetch) {
  fetch->connection.reset();
  const bool reached = co_await Reach(fetch);
  if (!reached || !fetch->request.url.is_https()) co_return reached;
  if (proxy_) {
    const bool through = co_await Tunnel(fetch);
    if (!through) co_return false;
  }

  fetch->EnterHandshake();
  const Url& url = fetch->request.url;
  const auto now = std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
  const auto problem =
      co_await fetch->connection->Handshake(&tls_, std::string(url.host()), url.port(), now);
  if (!problem && !fetch->aborted) co_return true;
  fetch->Fail(problem ? problem->reason : Error::kTls,
              fetch->StageText() + ": " + (problem ? problem->text : ""));
  co_return false;
}

/// Connects to the host, or to the proxy.
Task<bool> Connector::Reach(std::shared_ptr<Fetch> fetch) {
  if (proxy_ && !MayReach(fetch->request, {})) {
    fetch->Fail(Error::kAddress,
                std::string(fetch->request.url.host()) + " is not a public address");
    fetch->outcome.permanent = true;
    co_return false;
  }
  fetch->EnterLookup(proxy_ ? proxy_->host : std::string(fetch->request.url.host()),
                     steady_clock::now());
  const auto resolution = co_await Lookup(fetch);
  bool connected = false;
  if (resolution) connected = co_await Connect(fetch, resolution);
  FetchOutcome& outcome = fetch->outcome;
  if (!connected && proxy_) {
    // It says nothing about the URL that its proxy cannot be reached.
    outcome.permanent = false;
    if (outcome.error == Error::kDns) outcome.error = Error::kConnect;
    outcome.detail.insert(0, "proxy: ");
  }
  co_return connected;
}

/// RFC 9110, section 9.3.6.
Task<bool> Connector::Tunnel(std::shared_ptr<Fetch> fetch) {
  const Url& url = fetch->request.url;
  const std::string target = std::string(url.host()) + ':' + std::to_string(url.port());
  fetch->EnterTunnel(target);
  std::string request = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n";
  if (!proxy_->authorization.empty()) {
    request += "Proxy-Authorization: " + proxy_->authorization + "\r\n";
  }
  request += "\r\n";
  error_code error = co_await fetch->connection->Write(request);
  std::string head;
  std::size_t end = head.npos;
  while (!error && !fetch->aborted && end == head.npos && head.size() <= kMaxTunnelHeadBytes) {
    error = co_await fetch->connection->WaitForBytes();
    if (error) break;
    const std::size_t had = head.size();
    head.resize(had + kTunnelReadBytes);
    const auto [read_error, n] =
        fetch->connection->Read(asio::buffer(head.data() + had, kTunnelReadBytes));
    if (read_error != asio::error::would_block) error = read_error;
    head.resize(had + n);
    end = head.find("\r\n\r\n");
  }
  if (fetch->aborted) co_return false;
  const std::string problem =
      end == head.npos && error ? error.message() : TunnelProblem(head, end);
  if (problem.empty()) co_return true;
  fetch->Fail(Error::kConnect, fetch->StageText() + ": " + problem);
  co_return false;
}

Task<std::shared_ptr<const Resolution>> Connector::Lookup(std::shared_ptr<Fetch> fetch) {
  Timer wakeup(io_, TimePoint::max());
  fetch->wakeup = &wakeup;
  auto resolution = co_await resolver_.Resolve(fetch->looked_up, &wakeup);
  fetch->wakeup = nullptr;
  if (fetch->aborted || !resolution) co_return nullptr;
  if (resolution->error) {
    fetch->Fail(resolution->error, resolution->detail);
    fetch->outcome.permanent = resolution->permanent;
    co_return nullptr;
  }
  co_return resolution;
}

Task<bool> Connector::Connect(std::shared_ptr<Fetch> fetch,
                              std::shared_ptr<const Resolution> resolution) {
  std::vector<asio::ip::address> addresses;
  for (const asio::ip::address& address : resolution->addresses) {
    if (MayReach(fetch->request, address)) addresses.push_back(address);
  }
  if (addresses.empty()) {
    fetch->Fail(Error::kAddress,
                resolution->addresses.front().to_string() + " is not a public address");
    fetch->outcome.permanent = true;
    co_return false;
  }

  Timer wakeup(io_);
  const auto attempts = std::make_shared<Attempts>(addresses, &wakeup);
  fetch->wakeup = &wakeup;
  while (!fetch->aborted && !attempts->connected && !attempts->race.lost()) {
    while (const auto address = attempts->race.Next(steady_clock::now())) {
      const tcp::endpoint endpoint(*address, proxy_ ? proxy_->port : fetch->request.url.port());
      fetch->EnterConnect(ToString(endpoint));
      asio::co_spawn(io_, Attempt(attempts, std::make_unique<Connection>(io_), endpoint),
                     [](const std::exception_ptr& failure) {
                       if (failure) std::rethrow_exception(failure);
                     });
    }
    wakeup.expires_at(attempts->race.next_at());
    co_await wakeup.async_wait(kTuple);
  }
  fetch->wakeup = nullptr;
  attempts->End();
  if (fetch->aborted) co_return false;
  if (!attempts->connected) {
    fetch->Fail(Error::kConnect, attempts->failure);
    co_return false;
  }
  fetch->connection = std::move(attempts->connected);
  fetch->EnterConnect(fetch->connection->remote_text());
  co_return true;
}

bool Connector::MayReach(const FetchRequest& request, const asio::ip::address& address) const {
  if (request.private_allowed) return true;
  return proxy_ ? !IsPrivateHost(request.url.host()) : IsPublic(address);
}

}  // namespace trawl
