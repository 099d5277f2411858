#include "worker/http/connector.h"

#include <utility>

#include "common/address.h"
#include "worker/http/connection.h"

namespace trawl {
namespace {

using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;

bool IsPublic(const asio::ip::address& address) {
  if (address.is_v4()) return IsPublicAddress(address.to_v4().to_bytes());
  return IsPublicAddress(address.to_v6().to_bytes());
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
  fetch->lookup = &wakeup;
  auto resolution = co_await resolver_.Resolve(std::string(fetch->request.url.host()), &wakeup);
  fetch->lookup = nullptr;
  if (fetch->aborted || !resolution) co_return nullptr;
  if (resolution->error) {
    fetch->Fail(resolution->error, resolution->detail);
    fetch->outcome.permanent = resolution->permanent;
    co_return nullptr;
  }
  co_return resolution;
}

/// Tries the addresses in turn. Each may use up its share of the time that is left.
Task<bool> Connector::Connect(std::shared_ptr<Fetch> fetch,
                              std::shared_ptr<const Resolution> resolution) {
  auto left = static_cast<int>(resolution->addresses.size());
  error_code last_error;
  for (const asio::ip::address& address : resolution->addresses) {
    const int share = left--;
    if (!MayReach(fetch->request, address)) continue;
    const tcp::endpoint endpoint(address, fetch->request.url.port());
    const TimePoint now = steady_clock::now();
    fetch->EnterConnect(ToString(endpoint), now + (fetch->connect_deadline() - now) / share);
    fetch->connection = std::make_unique<Connection>(io_);
    last_error = co_await fetch->connection->Connect(endpoint);
    if (fetch->aborted) co_return false;
    if (!last_error) co_return true;
    if (last_error == asio::error::operation_aborted) last_error = asio::error::timed_out;
  }
  if (fetch->connecting_to.empty()) {
    fetch->Fail(Error::kAddress,
                resolution->addresses.front().to_string() + " is not a public address");
    fetch->outcome.permanent = true;
  } else {
    fetch->Fail(Error::kConnect, fetch->StageText() + ": " + last_error.message());
  }
  co_return false;
}

bool MayReach(const FetchRequest& request, const asio::ip::address& address) {
  return request.private_allowed || IsPublic(address);
}

}  // namespace trawl
