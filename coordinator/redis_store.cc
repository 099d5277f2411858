#include "coordinator/redis_store.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <memory>
#include <utility>

namespace trawl {
namespace {

using namespace std::string_view_literals;

using Arguments = std::vector<std::string>;
using Kind = RedisReply::Kind;

/// Of one call, so that none takes the server for long; some more with the last step. A URL that is
/// to be leased counts as two arguments.
constexpr std::size_t kMaxArguments = 4'000;

// A bucket of the seen set holds up to about twice its mean of 450 entries (see store.lua).
constexpr int kMinIntsetEntries = 1024;

// ---- Steps to arguments: the order is told at each function in store.lua ----

struct FunctionCall {
  std::string_view name;
  Arguments arguments;
};

void AddCandidates(const std::vector<Candidate>& candidates, Arguments& arguments) {
  for (const auto& [fingerprint, url] : candidates) {
    arguments.push_back(std::to_string(fingerprint));
    arguments.push_back(url);
  }
}

Arguments PairsOf(const std::map<std::string, std::string>& fields) {
  Arguments arguments;
  for (const auto& [name, value] : fields) arguments.insert(arguments.end(), {name, value});
  return arguments;
}

std::string KindWord(Ending::Kind kind) {
  switch (kind) {
    case Ending::Kind::kFetched:
      return "fetched";
    case Ending::Kind::kRedirected:
      return "redirected";
    case Ending::Kind::kFailed:
      return "failed";
    case Ending::Kind::kRetried:
      return "retried";
    case Ending::Kind::kReturned:
      return "returned";
  }
  return "";
}

const std::string& WordOf(const std::string& word) { return word; }
std::string WordOf(std::uint64_t count) { return std::to_string(count); }

std::string Text(WallTime time) { return std::to_string(time.time_since_epoch().count()); }

/// "KEY VALUE KEY VALUE ..."
std::string TextOf(const auto& words) {
  std::string text;
  for (const auto& [key, value] : words) {
    text += (text.empty() ? "" : " ") + key + ' ' + WordOf(value);
  }
  return text;
}

FunctionCall CallFor(const AdmitStep& step) {
  FunctionCall call{"admit",
                    {std::to_string(step.depth), step.sitemap_referrer, step.referrer,
                     TextOf(step.domains), std::to_string(step.sitemaps.size())}};
  AddCandidates(step.sitemaps, call.arguments);
  AddCandidates(step.candidates, call.arguments);
  return call;
}

void AddStep(const LeaseStep& step, Arguments& arguments) {
  const Arguments lease = {std::to_string(step.id),
                           step.worker,
                           step.host,
                           std::to_string(step.depth),
                           std::to_string(step.count),
                           std::to_string(step.connections)};
  arguments.insert(arguments.end(), lease.begin(), lease.end());
}

/// What is said of a report beside what is said of each.
Arguments DetailsOf(const AcceptStep& step) {
  Arguments details;
  const auto add = [&](std::string_view name, std::string value) {
    details.emplace_back(name);
    details.push_back(std::move(value));
  };
  if (step.ending) {
    const Ending& ending = *step.ending;
    if (ending.kind == Ending::Kind::kFailed) add("word", std::string(ReasonWord(ending.reason)));
    if (ending.kind == Ending::Kind::kRetried) add("not_before", Text(step.now + ending.delay));
    if (!ending.row.empty()) add("row", ending.row);
    if (!ending.refusal.empty()) add("refusal", ending.refusal);
    if (ending.target) {
      add("target_fingerprint", std::to_string(ending.target->fingerprint));
      add("target_url", ending.target->url);
      add("target_hops", std::to_string(ending.target_hops));
    }
  }
  if (step.is_sitemap) add("is_sitemap", "1");
  if (!step.sitemaps.empty()) add("sitemaps", std::to_string(step.sitemaps.size()));
  if (!step.beyond.empty()) add("beyond", std::to_string(step.beyond.size()));
  if (!step.drops.empty()) add("drops", TextOf(step.drops));
  if (!step.domains.empty()) add("domains", TextOf(step.domains));
  if (step.pause > milliseconds(0)) add("paused_until", Text(step.now + step.pause));
  return details;
}

void AddStep(const AcceptStep& step, Arguments& arguments) {
  Arguments details = DetailsOf(step);
  const std::size_t candidates = step.sitemaps.size() + step.links.size() + step.beyond.size();
  arguments.push_back(std::to_string(step.lease));
  arguments.push_back(std::to_string(step.index));
  arguments.push_back(step.ending ? KindWord(step.ending->kind) : "");
  arguments.push_back(std::to_string(step.ending ? step.ending->body_bytes : 0));
  arguments.push_back(std::to_string(step.ending ? step.ending->links : 0));
  arguments.push_back(std::to_string(details.size() / 2));
  arguments.push_back(std::to_string(candidates));
  std::move(details.begin(), details.end(), std::back_inserter(arguments));
  AddCandidates(step.sitemaps, arguments);
  AddCandidates(step.links, arguments);
  AddCandidates(step.beyond, arguments);
}

FunctionCall CallFor(const WakeStep& step) {
  return {"wake", {Text(step.now), std::to_string(step.limit), step.all ? "1" : "0"}};
}

FunctionCall CallFor(const ExpireStep& step) {
  return {"expire", {std::to_string(step.lease), step.blame ? "1" : "0"}};
}

FunctionCall CallFor(const GiveUpStep& step) {
  return {"give_up",
          {step.host, std::to_string(step.depth), std::to_string(step.count),
           std::string(ReasonWord(step.reason))}};
}

FunctionCall CallFor(const SetLimitsStep& step) {
  return {"set_limits",
          {std::to_string(step.pages_per_host), std::to_string(step.hosts_per_domain)}};
}

FunctionCall CallFor(const OpenRoundStep& step) {
  return {"open_round", {std::to_string(step.depth)}};
}

FunctionCall CallFor(const SaveJobStep& step) { return {"save_job", PairsOf(step.fields)}; }

FunctionCall CallFor(const SaveWorkersStep& step) {
  return {"save_workers", PairsOf(step.workers)};
}

FunctionCall CallFor(const ReadControlStep&) { return {"read_control", {}}; }

FunctionCall CallFor(const ReadOutboxStep& step) {
  return {"read_outbox", {std::to_string(step.read), std::to_string(step.limit)}};
}

FunctionCall CallFor(const ReadRobotsStep& step) {
  return {"read_robots", {step.origin, Text(step.now)}};
}

FunctionCall CallFor(const KeepRobotsStep& step) {
  FunctionCall call{"keep_robots", PairsOf(step.record.ToFields())};
  const std::string life_ms = std::to_string((step.record.expires - step.now).count());
  call.arguments.insert(call.arguments.begin(), {step.origin, life_ms});
  return call;
}

// ---- Replies ----

template <class Number>
Number ToNumber(std::string_view text) {
  Number number = 0;
  std::from_chars(text.begin(), text.end(), number);
  return number;
}

WallTime ToTime(std::string_view text) {
  return WallTime(milliseconds(ToNumber<std::int64_t>(text)));
}

std::vector<std::string_view> SplitAtBlanks(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    words.push_back(word);
    text.remove_prefix(std::min(word.size() + 1, text.size()));
  }
  return words;
}

/// "DEPTH", or "DEPTH:WAS" of what was leased ahead.
Admission ToMove(std::string_view word) {
  Admission move;
  move.kind = Admission::Kind::kMoved;
  move.moved_from = ToNumber<int>(word);
  const std::size_t colon = word.find(':');
  if (colon == word.npos || colon + 1 == word.size()) return move;
  const std::string_view value = word.substr(colon + 2);
  switch (word[colon + 1]) {
    case 'L':
      move.was = Admission::Was::kLeased;
      break;
    case 'Y':
      move.was = Admission::Was::kDelayed;
      break;
    case 'F':
      move.was = Admission::Was::kFetched;
      move.body_bytes = ToNumber<std::uint64_t>(value);
      break;
    case 'R':
      move.was = Admission::Was::kRedirected;
      break;
    case 'X':
      move.was = Admission::Was::kFailed;
      move.reason = ReasonFromWord(value);
      break;
  }
  return move;
}

Admission ToAdmission(std::string_view word) {
  Admission admission;
  if (word == "=") return admission;
  if (word == "+") {
    admission.kind = Admission::Kind::kAdmitted;
  } else if (word == "P") {
    admission.kind = Admission::Kind::kHostFull;
  } else if (word == "D") {
    admission.kind = Admission::Kind::kDomainFull;
  } else {
    return ToMove(word);
  }
  return admission;
}

std::vector<Admission> ToAdmissions(std::string_view text) {
  std::vector<Admission> admissions;
  for (std::string_view word : SplitAtBlanks(text)) admissions.push_back(ToAdmission(word));
  return admissions;
}

Result<Reply> ReplyTo(const AdmitStep&, const RedisReply& reply) {
  return Reply(
      AdmitReply{ToAdmissions(ElementOf(reply, 1).text), ToAdmissions(ElementOf(reply, 0).text)});
}

Result<Reply> ReplyToLease(const RedisReply& reply) {
  LeaseReply lease;
  lease.left = static_cast<int>(ElementOf(reply, 0).integer);
  for (const RedisReply& text : ElementOf(reply, 1).elements) {
    Result<FrontierEntry> entry = FrontierEntry::Parse(text.text);
    if (!entry) return Error::kStore;
    lease.entries.push_back(*std::move(entry));
  }
  return Reply(std::move(lease));
}

Result<Reply> ReplyToReport(const RedisReply& reply) {
  AcceptReply accept;
  accept.accepted = reply.kind == Kind::kArray || reply.kind == Kind::kText;
  if (reply.kind == Kind::kInteger) accept.moved_to = static_cast<int>(reply.integer);
  if (reply.kind == Kind::kText) accept.links = ToAdmissions(reply.text);
  if (reply.kind != Kind::kArray) return Reply(std::move(accept));
  accept.sitemaps = ToAdmissions(ElementOf(reply, 0).text);
  accept.links = ToAdmissions(ElementOf(reply, 1).text);
  const std::string& target = ElementOf(reply, 2).text;
  if (!target.empty()) accept.target = ToAdmission(target);
  return Reply(std::move(accept));
}

Result<Reply> ReplyTo(const WakeStep&, const RedisReply& reply) {
  WakeReply wake;
  const std::string& next = ElementOf(reply, 0).text;
  if (!next.empty()) wake.next = ToTime(next);
  for (std::size_t i = 1; i + 2 < reply.elements.size(); i += 3) {
    wake.queues.push_back({reply.elements[i].text, ToNumber<int>(reply.elements[i + 1].text),
                           static_cast<std::uint64_t>(reply.elements[i + 2].integer)});
  }
  return Reply(std::move(wake));
}

Result<Reply> ReplyTo(const ExpireStep&, const RedisReply& reply) {
  ExpireReply expire;
  expire.returned = static_cast<int>(ElementOf(reply, 0).integer);
  expire.given_up = static_cast<int>(ElementOf(reply, 1).integer);
  for (std::size_t i = 2; i + 1 < reply.elements.size(); i += 2) {
    expire.moved.push_back({static_cast<int>(reply.elements[i].integer),
                            static_cast<int>(reply.elements[i + 1].integer) == 1});
  }
  return Reply(std::move(expire));
}

Result<Reply> ReplyTo(const GiveUpStep&, const RedisReply& reply) {
  return Reply(GiveUpReply{static_cast<std::uint64_t>(reply.integer)});
}

Result<Reply> ReplyTo(const SetLimitsStep&, const RedisReply&) { return Reply(SetLimitsReply()); }
Result<Reply> ReplyTo(const OpenRoundStep&, const RedisReply&) { return Reply(OpenRoundReply()); }
Result<Reply> ReplyTo(const SaveJobStep&, const RedisReply&) { return Reply(SaveJobReply()); }
Result<Reply> ReplyTo(const SaveWorkersStep&, const RedisReply&) {
  return Reply(SaveWorkersReply());
}

Result<Reply> ReplyTo(const ReadControlStep&, const RedisReply& reply) {
  return Reply(ReadControlReply{reply.text});
}

Result<Reply> ReplyTo(const ReadOutboxStep&, const RedisReply& reply) {
  ReadOutboxReply outbox;
  outbox.first = static_cast<std::uint64_t>(ElementOf(reply, 0).integer);
  for (const RedisReply& item : ElementOf(reply, 1).elements) outbox.items.push_back(item.text);
  return Reply(std::move(outbox));
}

Result<Reply> ReplyTo(const ReadRobotsStep&, const RedisReply& reply) {
  ReadRobotsReply robots;
  // One that cannot be read, as a person or another version has written it, is asked for again.
  Result<RobotsRecord> record = RobotsRecord::FromFields(ToFields(reply));
  if (record) robots.record = *std::move(record);
  return Reply(std::move(robots));
}

Result<Reply> ReplyTo(const KeepRobotsStep&, const RedisReply&) { return Reply(KeepRobotsReply()); }

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
  arguments.insert(arguments.begin(), mode_ == OpenMode::kCreate ? "create" : "resume");
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
  std::visit(
      [&](const auto& taken) {
        using Taken = std::decay_t<decltype(taken)>;
        if constexpr (std::is_same_v<Taken, AcceptStep> || std::is_same_v<Taken, LeaseStep>) {
          Gather(taken, std::move(then));
        } else {
          SendBatch();  // steps keep their order
          FunctionCall call = CallFor(taken);
          Call(call.name, std::move(call.arguments),
               [then = std::move(then)](const Result<RedisReply>& reply) {
                 then(reply ? ReplyTo(Taken(), *reply) : Result<Reply>(reply.error()));
               });
        }
      },
      step);
}

/// Steps of a kind that follow one another travel together while another call is under way.
template <class Taken>
void RedisStore::Gather(const Taken& step, OnReply then) {
  constexpr bool kIsReport = std::is_same_v<Taken, AcceptStep>;
  constexpr std::string_view kFunction = kIsReport ? "accept" : "lease";
  if (batch_.function != kFunction) SendBatch();
  batch_.function = kFunction;
  batch_.reply_to = kIsReport ? ReplyToReport : ReplyToLease;
  batch_.then.push_back(std::move(then));
  AddStep(step, batch_.arguments);
  if constexpr (!kIsReport) batch_.urls += static_cast<std::size_t>(step.count);
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
             error_text_ = one.text;
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
      error_text_ = reply->text;
      return then(ErrorOf(error_text_));
    }
    then(std::move(reply));
  });
}

}  // namespace trawl
