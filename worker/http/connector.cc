#include "worker/http/connector.h"

#include <boost/asio/co_spawn.hpp>
#include <utility>
#include <vector>

#include "common/address.h"
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

Connector::Connector(asio::io_context& io, Resolver::Options dns, const std::string& ca_file)
    : io_(io), resolver_(io, std::move(dns)), tls_(ca_file) {}

Task<bool> Connector::Open(std::shared_ptr<Fetch> fetch) {
  fetch->connection.reset();
  fetch->EnterLookup(steady_clock::now());
  const auto resolution = co_await Lookup(fetch);
  if (!resolution) co_return false;
  const bool connected = co_await Connect(fetch, resolution);
  if (!connected || !fetch->request.url.is_https()) co_return connected;

  fetch->EnterHandshake();
  const std::string problem =
      co_await fetch->connection->Handshake(&tls_, std::string(fetch->request.url.host()));
  if (problem.empty() && !fetch->aborted) co_return true;
  fetch->Fail(Error::kTls, fetch->StageText() + ": " + problem);
  co_return false;
}

Task<std::shared_ptr<const Resolution>> Connector::Lookup(std::shared_ptr<Fetch> fetch) {
  Timer wakeup(io_, TimePoint::max());
  fetch->wakeup = &wakeup;
  auto resolution = co_await resolver_.Resolve(std::string(fetch->request.url.host()), &wakeup);
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
      const tcp::endpoint endpoint(*address, fetch->request.url.port());
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
  fetch->EnterConnect(ToString(fetch->connection->remote()));
  co_return true;
}

bool MayReach(const FetchRequest& request, const asio::ip::address& address) {
  return request.private_allowed || IsPublic(address);
}

}  // namespace trawl
