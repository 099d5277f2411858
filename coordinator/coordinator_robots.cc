// The coordinator's part in robots.txt: who may ask, and what it does of what RobotsTable decides.

#include <algorithm>
#include <utility>

#include "coordinator/coordinator.h"

namespace trawl {

/// The lease bounds what a worker can ask for, and makes sure that it is told when it need not any
/// more.
bool Coordinator::MayAskForRobots(const std::string& peer, LeaseId id,
                                  const std::string& origin) const {
  const LiveLease* lease = leases_.Find(id);
  return lease && !lease->expiring && lease->worker == peer &&
         (origin == "http://" + lease->host || origin == "https://" + lease->host);
}

void Coordinator::OnRobotsQuery(const std::string& peer, const RobotsQuery& query) {
  if (!MayAskForRobots(peer, query.lease_id, query.origin)) return;
  robots_.Query(query.origin, {peer, query.lease_id});
}

void Coordinator::OnRobotsReport(const std::string& peer, const RobotsReport& report,
                                 TimePoint now) {
  if (!MayAskForRobots(peer, report.lease_id, report.origin)) return;
  // The worker may have asked the host until just now.
  frontier_.At(leases_.Find(report.lease_id)->host).Requested(now);
  robots_.Report(report, {peer, report.lease_id});
}

void Coordinator::ObeyRobots(TimePoint now) {
  for (RobotsTable::Action& action : robots_.TakeActions()) {
    if (auto* read = std::get_if<RobotsTable::Read>(&action)) {
      ApplyStep(ReadRobotsStep{std::move(read->origin), WallTimeAt(now)});
    } else if (auto* keep = std::get_if<RobotsTable::Keep>(&action)) {
      ApplyStep(KeepRobotsStep{std::move(keep->origin), std::move(keep->record), WallTimeAt(now)});
    } else if (auto* answer = std::get_if<RobotsTable::Answer>(&action)) {
      AnswerRobots(std::move(*answer));
    } else if (const auto* defer = std::get_if<RobotsTable::Defer>(&action)) {
      frontier_.Defer(AuthorityOf(defer->origin + "/"), now + defer->wait);
    } else if (auto* tell = std::get_if<RobotsTable::Tell>(&action)) {
      Do(Log{std::move(tell->text)});
    }
  }
}

/// The sitemaps of a robots.txt are admitted first, at the depth of a lease whose URLs wait for the
/// answer, so that its round stays open until they are in it. A worker that was not answered asks
/// again, and each answer offers them again, so none is lost with a coordinator.
void Coordinator::AnswerRobots(RobotsTable::Answer answer) {
  const auto* rules = std::get_if<RobotsVerdict::Rules>(&answer.answer.verdict);
  const auto live = std::find_if(
      answer.to.begin(), answer.to.end(),
      [this](const RobotsTable::Asker& asker) { return leases_.Find(asker.lease) != nullptr; });
  if (rules && live != answer.to.end()) {
    // One leased ahead is of before the job was resumed with --sitemaps.
    const int depth = std::min(leases_.Find(live->lease)->depth, frontier_.GreatestDepth());
    AdmitStep step = rules_.StepForRobots(answer.answer.origin, rules->body, depth);
    if (!step.sitemaps.empty()) {
      answers_.push_back(std::move(answer));
      return ApplyStep(std::move(step));
    }
  }
  SendRobots(answer);
}

void Coordinator::OnSitemapsAdmitted() {
  SendRobots(answers_.front());
  answers_.pop_front();
}

void Coordinator::SendRobots(const RobotsTable::Answer& answer) {
  for (const RobotsTable::Asker& asker : answer.to) SendTo(asker.worker, answer.answer);
}

}  // namespace trawl
