// How a crawl goes on: which round is open, and when it ends.

#include <algorithm>
#include <limits>

#include "coordinator/coordinator.h"

namespace trawl {

void Coordinator::Advance(TimePoint now) {
  ObeyRobots(now);
  if (phase_ == Phase::kDraining &&
      (leases_.size() == 0 || now >= drain_deadline_ || NobodyIsThere(now))) {
    // Whoever goes on with the job need not wait for those that did not hand back.
    for (const LeaseId id : leases_.TakeAll()) ExpireLease(id, false);
    return Close("stopped");
  }
  if (phase_ != Phase::kRunning) return;
  CloseOverdueRound(now);
  if (MayOpenNextRound()) {
    const int next = LeastDepth();
    if (next < 0) {
      OpenRound(deepest_, now);  // it may have ended ahead
      return Close("finished");
    }
    if (next > options_.crawl.depth) {  // from when the job went deeper
      if (leases_.size() > 0) return;
      stopped_because_ = "--depth " + std::to_string(options_.crawl.depth);
      return Close("stopped");
    }
    OpenRound(next, now);
    if (PagesAllowed() == 0) {
      stopped_because_ = "--max-pages " + std::to_string(options_.crawl.max_pages);
      return Close("stopped");
    }
  }
  Dispatch(now);
}

/// If it is not open yet, and rounds are waited for.
void Coordinator::OpenRound(int depth, TimePoint now) {
  if (options_.crawl.rounds != RoundMode::kExact || depth <= frontier_.open_depth()) return;
  frontier_.OpenRound(depth);
  fetched_again_.clear();
  round_opened_ = now;
  ApplyStep(OpenRoundStep{depth});
}

/// A round that is open for too long is closed by force: what is leased or delayed, ahead of its
/// round too, comes back to its host queue, and then all that waits for the open one is given up.
void Coordinator::CloseOverdueRound(TimePoint now) {
  const milliseconds deadline = options_.crawl.round_deadline;
  if (deadline == milliseconds(0)) return;
  if (!closing_round_ && now - round_opened_ >= deadline && !IsBeyondRound(LeastDepth())) {
    closing_round_ = true;
    for (const LeaseId id : leases_.TakeAll()) ExpireLease(id, false);
    if (work_.delayed() > 0) ApplyStep(WakeStep{.now = WallTimeAt(now), .all = true});
  }
  if (!closing_round_ || !IsBeyondRound(work_.LeastDepth())) return;
  closing_round_ = false;
  for (const std::string& host : frontier_.HostsInRound()) {
    GiveUpHost(host, Error::kRoundDeadline);
  }
}

/// All URLs of the open rounds are terminal, or no more of them may be leased.
bool Coordinator::MayOpenNextRound() const {
  if (giving_up_ > 0) return false;
  if (PagesAllowed() == 0) return leases_.size() == 0;
  return IsBeyondRound(LeastDepth());
}

/// `least`: a depth, or -1 where there are no URLs.
bool Coordinator::IsBeyondRound(int least) const {
  return least < 0 || least > frontier_.GreatestDepth();
}

/// Of the URLs that are not terminal; -1: all are.
int Coordinator::LeastDepth() const {
  const int waiting = frontier_.LeastDepth();
  const int at_work = work_.LeastDepth();
  return waiting < 0 || at_work < 0 ? std::max(waiting, at_work) : std::min(waiting, at_work);
}

/// How many more URLs may be leased so that no more than --max-pages are ever fetched.
std::uint64_t Coordinator::PagesAllowed() const {
  if (options_.crawl.max_pages == 0) return std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t taken = counts_.fetched + leases_.urls();
  return options_.crawl.max_pages > taken ? options_.crawl.max_pages - taken : 0;
}

}  // namespace trawl
