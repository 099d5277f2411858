#include "worker/http/fetch.h"

#include <utility>

namespace trawl {

using boost::system::error_code;

void Fetch::EnterLookup(std::string host, TimePoint now) {
  stage = Stage::kLookup;
  looked_up = std::move(host);
  opening_since = now;
}

void Fetch::EnterConnect(std::string remote) {
  stage = Stage::kConnect;
  connecting_to = std::move(remote);
}

void Fetch::EnterTunnel(std::string target) {
  stage = Stage::kTunnel;
  tunnel_to = std::move(target);
}

void Fetch::EnterExchange(bool reused, TimePoint now) {
  stage = Stage::kExchange;
  outcome.remote_address = connection->remote_text();
  outcome.reused_connection = reused;
  idle_since = now;
}

void Fetch::EnterDrain(TimePoint now) {
  if (stage != Stage::kDrain) drain_until = now + kDrainTime;
  stage = Stage::kDrain;
}

void Fetch::Fail(error_code error, std::string detail) {
  if (outcome.error) return;
  outcome.error = error;
  outcome.detail = std::move(detail);
}

void Fetch::Abort(error_code error, std::string detail) {
  if (aborted) return;
  aborted = true;
  // Draining only serves the connection; all that was wanted has come.
  if (stage != Stage::kDrain) Fail(error, std::move(detail));
  if (connection) connection->Close();
  if (wakeup != nullptr) wakeup->cancel();
}

void Fetch::AbortLate(std::string_view what, milliseconds limit) {
  Abort(Error::kTimeout,
        StageText().append(": ").append(what).append(" ") + std::to_string(limit.count()) + " ms");
}

void Fetch::CheckDeadlines(TimePoint now) {
  if (aborted) return;
  const FetchLimits& limits = request.limits;
  if (now - started >= limits.total) return AbortLate("not done within", limits.total);
  switch (stage) {
    case Stage::kLookup:
    case Stage::kConnect:
    case Stage::kTunnel:
    case Stage::kHandshake:
      if (now >= connect_deadline()) AbortLate("no connection within", limits.connect);
      break;
    case Stage::kExchange:
      if (checked_bytes != outcome.wire_bytes) {
        checked_bytes = outcome.wire_bytes;
        idle_since = now;
      } else if (now - idle_since >= limits.idle) {
        AbortLate("nothing for", limits.idle);
      }
      break;
    case Stage::kDrain:
      if (now >= drain_until) AbortLate("not drained within", kDrainTime);
      break;
  }
}

std::string Fetch::StageText() const {
  switch (stage) {
    case Stage::kLookup:
      return "lookup of " + looked_up;
    case Stage::kConnect:
      return "connect to " + connecting_to;
    case Stage::kTunnel:
      return "CONNECT " + tunnel_to + " by proxy " + connecting_to;
    case Stage::kHandshake:
      return "TLS handshake with " + connecting_to;
    case Stage::kExchange:
    case Stage::kDrain:
      break;
  }
  return "response of " + outcome.remote_address;
}

}  // namespace trawl
