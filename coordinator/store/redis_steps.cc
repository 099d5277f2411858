#include "coordinator/store/redis_steps.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace trawl {
namespace {

using Arguments = RedisArguments;
using Kind = RedisReply::Kind;

// ---- Steps to arguments: the order is told at each function in store.lua ----

void AddCandidates(const std::vector<Candidate>& candidates, Arguments& arguments) {
  for (const auto& [fingerprint, url] : candidates) {
    arguments.push_back(std::to_string(fingerprint));
    arguments.push_back(url);
  }
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

FunctionCall CallFor(const LeaseStep& step) {
  return {"lease",
          {std::to_string(step.id), step.worker, step.host, std::to_string(step.depth),
           std::to_string(step.count), std::to_string(step.connections)}};
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

FunctionCall CallFor(const AcceptStep& step) {
  FunctionCall call{"accept", {}};
  Arguments& arguments = call.arguments;
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
  return call;
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

Result<Reply> ReplyTo(const LeaseStep&, const RedisReply& reply) {
  LeaseReply lease;
  lease.left = static_cast<int>(ElementOf(reply, 0).integer);
  for (const RedisReply& text : ElementOf(reply, 1).elements) {
    Result<FrontierEntry> entry = FrontierEntry::Parse(text.text);
    if (!entry) return Error::kStore;
    lease.entries.push_back(*std::move(entry));
  }
  return Reply(std::move(lease));
}

Result<Reply> ReplyTo(const AcceptStep&, const RedisReply& reply) {
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

}  // namespace

RedisArguments PairsOf(const std::map<std::string, std::string>& fields) {
  RedisArguments arguments;
  for (const auto& [name, value] : fields) arguments.insert(arguments.end(), {name, value});
  return arguments;
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

WallTime ToTime(std::string_view text) {
  return WallTime(milliseconds(ToNumber<std::int64_t>(text)));
}

FunctionCall CallFor(const Step& step) {
  return std::visit(
      [](const auto& taken) {
        FunctionCall call = CallFor(taken);
        call.reply_to = [](const RedisReply& reply) {
          return ReplyTo(std::decay_t<decltype(taken)>(), reply);
        };
        return call;
      },
      step);
}

}  // namespace trawl
