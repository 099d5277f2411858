#include "tests/coordinator/store/store_fixture.h"

#include <chrono>
#include <set>
#include <sstream>
#include <stdexcept>

#include "coordinator/store/redis_store.h"

namespace trawl {

RedisServer& SharedServer() {
  static RedisServer server;
  return server;
}

void MemoryBackend::Turn() { throw std::logic_error("a MemoryStore answers at once"); }

RedisBackend::RedisBackend(RedisServer& server) : server_(server) {
  server_.Run({"FLUSHALL"});
  Connect();
}

std::unique_ptr<Store> RedisBackend::NewStore() {
  return std::make_unique<RedisStore>(client_, "j");
}

void RedisBackend::SetControl(const std::string& control) {
  server_.Run({"SET", "trawl:{j}:control", control});
}

void RedisBackend::Turn() {
  io_.restart();
  if (io_.run_one_for(std::chrono::seconds(20)) == 0) throw std::runtime_error("no reply");
}

void RedisBackend::Connect() {
  std::string why;
  std::optional<Result<void>> connected;
  client_.Connect(ParseRedisUrl(server_.url(), why).value(),
                  [&](Result<void> result, const std::string&) { connected = result; });
  while (!connected) Turn();
  connected->value();
}

std::unique_ptr<Backend> NewBackend(const std::string& name) {
  if (name == "Memory") return std::make_unique<MemoryBackend>();
  return std::make_unique<RedisBackend>();
}

Candidate Offer(const std::string& url) { return {FingerprintOf(url), url}; }

std::vector<Candidate> Offers(const Strings& urls) {
  std::vector<Candidate> offers;
  for (const std::string& url : urls) offers.push_back(Offer(url));
  return offers;
}

std::vector<Admission> StoreUser::Admit(int depth, const Strings& urls) {
  return Do<AdmitReply>(AdmitStep{depth, Offers(urls)}).admissions;
}

Strings StoreUser::Lease(LeaseId id, const std::string& host, int depth, int count) {
  Strings texts;
  for (const auto& entry : Do<LeaseReply>(LeaseStep{id, "w", host, depth, count, 2}).entries) {
    texts.push_back(entry.Text());
  }
  return texts;
}

AcceptReply StoreUser::Accept(LeaseId id, int index, std::optional<Ending> ending,
                              const Strings& links) {
  return Do<AcceptReply>(AcceptStep{id, index, Offers(links), std::move(ending)});
}

Ending Ended(Ending::Kind kind, const std::string& row) {
  Ending ending;
  ending.kind = kind;
  ending.row = row;
  return ending;
}

Ending Fetched() { return Ended(Ending::Kind::kFetched); }
Ending Returned() { return Ended(Ending::Kind::kReturned); }

Ending RedirectedTo(const std::string& url, int hops) {
  Ending ending = Ended(Ending::Kind::kRedirected, "row");
  ending.target = Offer(url);
  ending.target_hops = hops;
  return ending;
}

std::vector<RobotsRecord> RobotsRecords() {
  std::vector<RobotsRecord> records(4);
  records[0].state = RobotsRecord::State::kRules;
  records[0].body = std::string("User-agent: *\r\nDisallow: /\xFF\0\n", 29);
  records[0].status = 200;
  records[1].state = RobotsRecord::State::kAllowAll;
  records[1].status = 404;
  records[2].state = RobotsRecord::State::kFailing;
  records[2].failures = 2;
  records[2].status = 503;
  records[2].detail = "HTTP status 503";
  records[2].next_try = kNoon + milliseconds(20'001);
  records[3].state = RobotsRecord::State::kGivenUp;
  records[3].failures = 4;
  records[3].reason = Error::kConnect;
  records[3].detail = "connect to 192.0.2.1:80: Connection refused";
  for (RobotsRecord& record : records) {
    record.fetched = kNoon + milliseconds(1);
    record.expires = kNoon + std::chrono::hours(24);
  }
  return records;
}

std::string Text(const Admission& admission) {
  if (admission.kind == Admitted::kMoved) {
    std::string text = std::to_string(admission.moved_from);
    switch (admission.was) {
      case Admission::Was::kWaiting:
        return text;
      case Admission::Was::kLeased:
        return text + ":leased";
      case Admission::Was::kDelayed:
        return text + ":delayed";
      case Admission::Was::kFetched:
        return text + ":fetched:" + std::to_string(admission.body_bytes);
      case Admission::Was::kRedirected:
        return text + ":redirected";
      case Admission::Was::kFailed:
        return text + ":failed:" + std::string(ReasonWord(admission.reason));
    }
  }
  if (const auto drop = DropWord(admission.kind); !drop.empty()) return std::string(drop);
  return admission.kind == Admitted::kAdmitted ? "+" : "=";
}

std::string Text(const std::vector<Admission>& admissions) {
  std::string text;
  for (const Admission& admission : admissions) text += Text(admission) + ' ';
  return text;
}

std::string Text(const AdmitReply& reply) {
  return Text(reply.sitemaps) + "/ " + Text(reply.admissions);
}
std::string Text(const LeaseReply& reply) {
  std::string text = "lease";
  for (const FrontierEntry& entry : reply.entries) text += ", " + entry.Text();
  if (reply.left > 0) text += ", " + std::to_string(reply.left) + " left";
  return text;
}
std::string Text(const AcceptReply& reply) {
  if (reply.moved_to) return "moved to " + std::to_string(*reply.moved_to);
  return std::string(reply.accepted ? "accepted " : "refused ") + Text(reply.links) +
         (reply.sitemaps.empty() ? "" : "/ " + Text(reply.sitemaps)) + "-> " +
         (reply.target ? Text(*reply.target) : "none");
}
std::string Text(const WakeReply& reply) {
  std::set<std::string> queues;  // their order does not matter
  for (const auto& [host, depth, woken] : reply.queues) {
    queues.insert(host + ':' + std::to_string(depth) + ' ' + std::to_string(woken) + ", ");
  }
  std::string text;
  for (const std::string& queue : queues) text += queue;
  return text + "next " +
         (reply.next ? std::to_string(reply.next->time_since_epoch().count()) : "none");
}
std::string Text(const ExpireReply& reply) {
  std::string text =
      std::to_string(reply.returned) + " returned, " + std::to_string(reply.given_up) + " lost";
  for (const auto& [depth, given_up] : reply.moved) {
    text += (given_up ? ", lost at " : ", moved to ") + std::to_string(depth);
  }
  return text;
}
std::string Text(const GiveUpReply& reply) { return std::to_string(reply.given_up) + " given up"; }
std::string Text(const RobotsRecord& record) {
  std::string text;
  for (const auto& [name, value] : record.ToFields()) text += name + '=' + value + '\n';
  return text;
}
std::string Text(const ReadRobotsReply& reply) {
  return reply.record ? Text(*reply.record) : "nothing";
}
std::string Text(const ReadControlReply& reply) { return reply.control; }
std::string Text(const ReadOutboxReply& reply) {
  std::string text = std::to_string(reply.first);
  for (const std::string& item : reply.items) text += '\n' + item;
  return text;
}
template <class Empty>
std::string Text(const Empty&) {
  return "done";
}

std::string Text(const Result<Reply>& reply) {
  if (!reply) return reply.error().message();
  return std::visit([](const auto& taken) { return Text(taken); }, *reply);
}

std::string Text(const Snapshot& snapshot) {
  std::ostringstream out;
  for (const auto& [name, value] : snapshot.job) out << name << '=' << value << '\n';
  for (const auto& [name, value] : snapshot.stats) out << name << '=' << value << '\n';
  out << "open " << snapshot.open_depth << '\n';
  for (const RoundCounts& round : snapshot.rounds) {
    out << "round " << round.admitted << ' ' << round.leased << ' ' << round.fetched << ' '
        << round.redirected << ' ' << round.failed << ' ' << round.delayed << '\n';
  }
  for (const auto& [host, until] : snapshot.paused) {
    out << "paused " << host << ' ' << until.time_since_epoch().count() << '\n';
  }
  for (const auto& queue : snapshot.queues) {
    out << "queue " << queue.depth << ' ' << queue.host << ' ' << queue.waiting << '\n';
  }
  for (const auto& lease : snapshot.leases) {
    out << "lease " << lease.id << ' ' << lease.worker << ' ' << lease.host << ' ' << lease.depth
        << ' ' << lease.connections << ':';
    for (int index : lease.indexes) out << ' ' << index;
    out << '\n';
  }
  return out.str();
}

void ExpectBalance(const Snapshot& snapshot) {
  SCOPED_TRACE(Text(snapshot));
  std::vector<std::uint64_t> waiting(snapshot.rounds.size());
  std::vector<std::uint64_t> leased(snapshot.rounds.size());
  std::uint64_t all_leased = 0;
  for (const auto& queue : snapshot.queues) {
    EXPECT_GT(queue.waiting, 0u);
    waiting.at(queue.depth) += queue.waiting;
  }
  for (const auto& lease : snapshot.leases) {
    EXPECT_FALSE(lease.indexes.empty());
    leased.at(lease.depth) += lease.indexes.size();
    all_leased += lease.indexes.size();
  }
  RoundCounts sum;
  for (std::size_t depth = 0; depth < snapshot.rounds.size(); ++depth) {
    const RoundCounts& round = snapshot.rounds[depth];
    if (snapshot.stats.at("moved") == 0) {
      EXPECT_EQ(round.leased, leased[depth]);
    }
    EXPECT_EQ(round.admitted, waiting[depth] + round.delayed + round.leased + round.fetched +
                                  round.redirected + round.failed);
    sum.delayed += round.delayed;
    sum.admitted += round.admitted;
    sum.leased += round.leased;
    sum.fetched += round.fetched;
    sum.redirected += round.redirected;
    sum.failed += round.failed;
  }
  EXPECT_EQ(snapshot.stats.at("admitted"), sum.admitted);
  EXPECT_EQ(snapshot.stats.at("leased"), sum.leased);
  EXPECT_EQ(snapshot.stats.at("leased"), all_leased);
  EXPECT_EQ(snapshot.stats.at("fetched"), sum.fetched);
  EXPECT_EQ(snapshot.stats.at("redirected"), sum.redirected);
  EXPECT_EQ(snapshot.stats.at("failed"), sum.failed);
  EXPECT_EQ(snapshot.stats.at("delayed"), sum.delayed);
}

}  // namespace trawl
