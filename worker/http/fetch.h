// One Fetcher::Start() until its OnDone(): what its coroutine, the sweep over the deadlines and
// Cancel() share. Whoever ends a fetch from outside calls Abort(); the coroutine finds out when the
// operation that it waits for returns. Lives on the fetcher's thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "worker/http/connection.h"
#include "worker/http/fetcher.h"
#include "worker/http/task.h"

namespace trawl {

struct Fetch {
  enum class Stage { kLookup, kConnect, kTunnel, kHandshake, kExchange, kDrain };

  // A body that nobody wants is read to its end for the sake of the connection, but not for longer.
  static constexpr milliseconds kDrainTime{1'000};

  Fetch(FetchRequest r, std::unique_ptr<FetchObserver> o, TimePoint now)
      : request(std::move(r)), observer(std::move(o)), started(now), opening_since(now) {}

  void EnterLookup(std::string host, TimePoint now);
  void EnterConnect(std::string remote);
  void EnterTunnel(std::string target);
  void EnterHandshake() { stage = Stage::kHandshake; }
  void EnterExchange(bool reused, TimePoint now);
  void EnterDrain(TimePoint now);

  /// Puts an error into the outcome, if it has none yet.
  void Fail(boost::system::error_code error, std::string detail);
  void Abort(boost::system::error_code error, std::string detail);
  /// Aborts the fetch when a deadline has passed.
  void CheckDeadlines(TimePoint now);

  /// What is being done with whom, for people: "connect to 192.0.2.1:80".
  std::string StageText() const;
  TimePoint connect_deadline() const { return opening_since + request.limits.connect; }

  const FetchRequest request;
  std::unique_ptr<FetchObserver> observer;  // none after OnDone()
  FetchOutcome outcome;
  std::size_t index = 0;  // in the fetcher's list of fetches in flight

  Stage stage = Stage::kLookup;
  bool aborted = false;
  std::string looked_up;      // the URL's host, or a proxy's
  std::string tunnel_to;      // "a.test:443", of a proxy
  std::string connecting_to;  // "192.0.2.1:80"; empty before the first attempt
  const TimePoint started;
  TimePoint opening_since;          // the way to a new connection: lookup to handshake
  TimePoint idle_since;             // no byte has come since, as far as CheckDeadlines() has seen
  std::uint64_t checked_bytes = 0;  // outcome.wire_bytes at the last CheckDeadlines()
  TimePoint drain_until;

  // What an abort has to end. An operation on the connection may be under way until the coroutine
  // returns from it, so only the coroutine destroys it.
  std::unique_ptr<Connection> connection;
  Timer* wakeup = nullptr;  // borrowed from the coroutine while it waits for names and connections

 private:
  void AbortLate(std::string_view what, milliseconds limit);
};

}  // namespace trawl
