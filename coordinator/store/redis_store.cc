#include "coordinator/store/redis_store.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <utility>

namespace trawl {
namespace {

using namespace std::string_view_literals;

using Arguments = RedisArguments;
using Kind = RedisReply::Kind;

/// Of one call, so that none takes the server for long; some more with the last step. A URL that is
/// to be leased counts as two arguments.
constexpr std::size_t kMaxArguments = 4'000;

// A bucket of the seen set holds up to about twice its mean of 450 entries (see store.lua).
constexpr int kMinIntsetEntries = 1024;

/// What the server says of itself, not of the step, may change.
Error ErrorOf(std::string_view text) {
  static constexpr std::array kForNow = {
      "LOADING"sv,     "MISCONF"sv,  "OOM"sv,        "READONLY"sv, "MASTERDOWN"sv,
      "CLUSTERDOWN"sv, "TRYAGAIN"sv, "NOREPLICAS"sv, "BUSY"sv,     "UNKILLABLE"sv};
  if (text.starts_with("USAGE")) return Error::kUsage;
  if (text.starts_with("RULES")) return Error::kRulesChanged;
  const std::string_view word = text.substr(0, text.find(' '));
  const bool for_now = std::find(kForNow.begin(), kForNow.end(), word) != kForNow.end();
  return for_now ? Error::kStore : Error::kStepRefused;
}

/// What an error says, without where in the function it was raised.
std::string WordsOf(const std::string& text) { return text.substr(0, text.rfind(" script: ")); }

std::string NameOf(Store::OpenMode mode) {
  switch (mode) {
    case Store::OpenMode::kCreate:
      return "create";
    case Store::OpenMode::kResume:
      return "resume";
    case Store::OpenMode::kReopen:
      break;
  }
  return "reopen";
}

std::string Take(std::map<std::string, std::string>& fields, const std::string& name) {
  const auto node = fields.extract(name);
  return node ? std::move(node.mapped()) : "";
}

}  // namespace

// ---- Opening ----

// Reads the job in pages, so that no call holds up the server. Owned by its pending commands.
class RedisStore::Opening : public std::enable_shared_from_this<Opening> {
 public:
  Opening(RedisStore& store, OpenMode mode, std::map<std::string, std::string> job, OnOpen then)
      : store_(store), mode_(mode), job_(std::move(job)), then_(std::move(then)) {}

  void Start();

 private:
  using Next = void (Opening::*)(const RedisReply&);

  void SendThen(const Arguments& command, Next next);
  void CallThen(std::string_view function, Arguments arguments, Next next);

  void RaiseIntsetLimit(const RedisReply& reply);
  void LoadFunctions(const RedisReply& reply);
  void TakeOver(const RedisReply& reply);
  void ReadJob(const RedisReply& reply);
  void ReadFirstQueues(const RedisReply& reply);
  void ReadQueues(const RedisReply& reply);
  void AskForQueues(const std::string& cursor);
  void AskForLeases(const std::string& cursor);
  void ReadLeases(const RedisReply& reply);
  void Finish();

  RedisStore& store_;
  const OpenMode mode_;
  const std::map<std::string, std::string> job_;
  const OnOpen then_;
  Snapshot snapshot_;
  int depth_ = 0;  // of the queues being read
  // By key, for a scan may tell a member twice.
  std::map<std::pair<int, std::string>, std::uint64_t> queues_;
  std::map<LeaseId, Snapshot::Lease> leases_;
};

void RedisStore::Opening::SendThen(const Arguments& command, Next next) {
  store_.Send(command, [self = shared_from_this(), next](const Result<RedisReply>& reply) {
    if (!reply) return self->then_(reply.error());
    ((*self).*next)(*reply);
  });
}

void RedisStore::Opening::CallThen(std::string_view function, Arguments arguments, Next next) {
  store_.Call(function, std::move(arguments),
              [self = shared_from_this(), next](const Result<RedisReply>& reply) {
                if (!reply) return self->then_(reply.error());
                ((*self).*next)(*reply);
              });
}

/// CONFIG may be forbidden, which is no reason to stop: its errors are not looked at.
void RedisStore::Opening::Start() {
  store_.client_.Command({"CONFIG", "GET", "set-max-intset-entries"},
                         [self = shared_from_this()](const Result<RedisReply>& reply) {
                           if (!reply) return self->then_(reply.error());
                           self->RaiseIntsetLimit(*reply);
                         });
}

void RedisStore::Opening::RaiseIntsetLimit(const RedisReply& reply) {
  const std::string& limit = ElementOf(reply, 1).text;
  if (limit.empty() || ToNumber<int>(limit) >= kMinIntsetEntries) return LoadFunctions(reply);
  store_.client_.Command(
      {"CONFIG", "SET", "set-max-intset-entries", std::to_string(kMinIntsetEntries)},
      [self = shared_from_this()](const Result<RedisReply>& reply) {
        if (!reply) return self->then_(reply.error());
        self->LoadFunctions(*reply);
      });
}

void RedisStore::Opening::LoadFunctions(const RedisReply&) {
  SendThen({"FUNCTION", "LOAD", "REPLACE", std::string(kStoreLua)}, &Opening::TakeOver);
}

void RedisStore::Opening::TakeOver(const RedisReply&) {
  Arguments arguments = PairsOf(job_);
  arguments.insert(arguments.begin(), {NameOf(mode_), std::to_string(store_.epoch_)});
  CallThen("open", std::move(arguments), &Opening::ReadJob);
}

void RedisStore::Opening::ReadJob(const RedisReply& reply) {
  snapshot_.job = ToFields(ElementOf(reply, 0));
  snapshot_.epoch = ToNumber<std::uint64_t>(Take(snapshot_.job, "epoch"));
  snapshot_.open_depth = ToNumber<int>(Take(snapshot_.job, "round"));
  Take(snapshot_.job, "deepest");
  Take(snapshot_.job, "pages_per_host");
  Take(snapshot_.job, "hosts_per_domain");
  Take(snapshot_.job, "outbox_first");
  for (const auto& [name, count] : ToFields(ElementOf(reply, 1))) {
    snapshot_.stats[name] = ToNumber<std::uint64_t>(count);
  }
  const std::vector<RedisReply>& counts = ElementOf(reply, 2).elements;
  const auto count = [&](std::size_t at) { return static_cast<std::uint64_t>(counts[at].integer); };
  for (std::size_t i = 0; i + 5 < counts.size(); i += 6) {
    snapshot_.rounds.push_back(
        {count(i), count(i + 1), count(i + 2), count(i + 3), count(i + 4), count(i + 5)});
  }
  for (const auto& [host, until] : ToFields(ElementOf(reply, 3))) {
    snapshot_.paused[host] = ToTime(until);
  }
  store_.epoch_ = snapshot_.epoch;
  SendThen({"SADD", "trawl:jobs", store_.job_}, &Opening::ReadFirstQueues);
}

void RedisStore::Opening::ReadFirstQueues(const RedisReply&) { AskForQueues("0"); }

void RedisStore::Opening::AskForQueues(const std::string& cursor) {
  CallThen("snapshot_queues", {std::to_string(depth_), cursor}, &Opening::ReadQueues);
}

void RedisStore::Opening::ReadQueues(const RedisReply& reply) {
  for (std::size_t i = 1; i + 1 < reply.elements.size(); i += 2) {
    queues_[{depth_, reply.elements[i].text}] =
        static_cast<std::uint64_t>(reply.elements[i + 1].integer);
  }
  const std::string& cursor = ElementOf(reply, 0).text;
  if (cursor != "0") return AskForQueues(cursor);
  if (++depth_ < static_cast<int>(snapshot_.rounds.size())) return AskForQueues("0");
  AskForLeases("0");
}

void RedisStore::Opening::AskForLeases(const std::string& cursor) {
  CallThen("snapshot_leases", {cursor}, &Opening::ReadLeases);
}

void RedisStore::Opening::ReadLeases(const RedisReply& reply) {
  for (std::size_t i = 1; i + 5 < reply.elements.size(); i += 6) {
    const auto text = [&](std::size_t at) -> const std::string& {
      return reply.elements[i + at].text;
    };
    Snapshot::Lease lease{ToNumber<LeaseId>(text(0)), text(1), text(2), ToNumber<int>(text(3)),
                          ToNumber<int>(text(4)),     {}};
    for (std::string_view index : SplitAtBlanks(text(5))) {
      lease.indexes.push_back(ToNumber<int>(index));
    }
    leases_[lease.id] = std::move(lease);
  }
  const std::string& cursor = ElementOf(reply, 0).text;
  if (cursor != "0") return AskForLeases(cursor);
  Finish();
}

void RedisStore::Opening::Finish() {
  for (const auto& [place, waiting] : queues_) {
    snapshot_.queues.push_back({place.second, place.first, waiting});
  }
  for (auto& [id, lease] : leases_) snapshot_.leases.push_back(std::move(lease));
  then_(std::move(snapshot_));
}

// ---- The store ----

RedisStore::RedisStore(RedisClient& client, std::string job)
    : client_(client), job_(std::move(job)) {}

void RedisStore::Open(OpenMode mode, std::map<std::string, std::string> job, OnOpen then) {
  ++life_;
  batch_ = {};  // of the epoch before
  batches_under_way_ = 0;
  std::make_shared<Opening>(*this, mode, std::move(job), std::move(then))->Start();
}

void RedisStore::Apply(const Step& step, OnReply then) {
  FunctionCall call = CallFor(step);
  const auto* lease = std::get_if<LeaseStep>(&step);
  if (lease || std::holds_alternative<AcceptStep>(step)) {
    const int urls = lease ? lease->count : 0;
    return Gather(std::move(call), static_cast<std::size_t>(urls), std::move(then));
  }
  SendBatch();  // steps keep their order
  Call(call.name, std::move(call.arguments),
       [reply_to = call.reply_to, then = std::move(then)](const Result<RedisReply>& reply) {
         then(reply ? reply_to(*reply) : Result<Reply>(reply.error()));
       });
}

/// Steps of a kind that follow one another travel together while another call is under way.
void RedisStore::Gather(FunctionCall call, std::size_t urls, OnReply then) {
  if (batch_.function != call.name) SendBatch();
  batch_.function = call.name;
  batch_.reply_to = call.reply_to;
  batch_.then.push_back(std::move(then));
  batch_.urls += urls;
  std::move(call.arguments.begin(), call.arguments.end(), std::back_inserter(batch_.arguments));
  const bool is_full = batch_.arguments.size() + 2 * batch_.urls >= kMaxArguments;
  if (batches_under_way_ == 0 || is_full) SendBatch();
}

void RedisStore::SendBatch() {
  if (batch_.then.empty()) return;
  ++batches_under_way_;
  Batch batch = std::exchange(batch_, {});
  Call(batch.function, std::move(batch.arguments),
       [this, reply_to = batch.reply_to, then = std::move(batch.then),
        life = life_](const Result<RedisReply>& reply) {
         for (std::size_t i = 0; i < then.size(); ++i) {
           if (!reply) {
             then[i](reply.error());
           } else if (const RedisReply& one = ElementOf(*reply, i); one.kind == Kind::kError) {
             error_text_ = WordsOf(one.text);
             then[i](ErrorOf(error_text_));
           } else {
             then[i](reply_to(one));
           }
         }
         if (life == life_ && --batches_under_way_ == 0) SendBatch();
       });
}

void RedisStore::Call(std::string_view function, Arguments arguments, RedisClient::OnReply then) {
  Arguments command{"FCALL", "trawl_1_" + std::string(function), "1", "trawl:{" + job_ + "}:"};
  command.reserve(command.size() + 1 + arguments.size());
  if (function != "open") command.push_back(std::to_string(epoch_));
  std::move(arguments.begin(), arguments.end(), std::back_inserter(command));
  Send(command, std::move(then));
}

void RedisStore::Send(const Arguments& command, RedisClient::OnReply then) {
  client_.Command(command, [this, then = std::move(then)](Result<RedisReply> reply) {
    if (!reply) error_text_ = "the connection was lost";
    if (reply && reply->kind == Kind::kError) {
      error_text_ = WordsOf(reply->text);
      return then(ErrorOf(error_text_));
    }
    then(std::move(reply));
  });
}

}  // namespace trawl
