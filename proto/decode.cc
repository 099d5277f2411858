#include <google/protobuf/arena.h>
#include <google/protobuf/stubs/logging.h>

#include <algorithm>

#include "common/own_headers.h"
#include "common/proxy.h"
#include "proto/crawl.pb.h"
#include "proto/messages.h"

namespace trawl {
namespace {

// A decoder reads a wire message into a value and says whether it kept the limits.

bool IsText(const std::string& text) { return text.size() <= kMaxTextBytes; }
bool IsTime(std::int64_t ms) { return ms >= 0 && ms <= kMaxTime.count(); }
bool IsStatus(std::uint32_t status) { return status <= 999; }
bool AreTexts(const std::vector<std::string>& texts) {
  return std::all_of(texts.begin(), texts.end(), IsText);
}
bool IsUrlText(const std::string& text) { return text.size() <= kMaxUrlTextBytes; }
bool AreUrlTexts(const std::vector<std::string>& texts) {
  return std::all_of(texts.begin(), texts.end(), IsUrlText);
}

/// They go into requests as they are.
bool AreHeaders(const std::vector<std::string>& headers) {
  return std::all_of(headers.begin(), headers.end(),
                     [](const std::string& header) { return HeaderComplaint(header).empty(); });
}

bool Read(const wire::Entry& from, FrontierEntry& to) {
  constexpr std::uint32_t kMaxCount = 1'000'000;
  to = {from.url(),
        from.referrer(),
        static_cast<int>(from.attempt()),
        static_cast<int>(from.hops()),
        static_cast<int>(from.losses()),
        static_cast<int>(from.sitemap())};
  return !to.url.empty() && IsUrlText(to.url) && IsUrlText(to.referrer) &&
         std::max({from.attempt(), from.hops(), from.losses(), from.sitemap()}) <= kMaxCount;
}

bool ReadLeaseIds(const google::protobuf::RepeatedField<std::uint64_t>& from,
                  std::vector<std::uint64_t>& to) {
  if (static_cast<std::size_t>(from.size()) > kMaxHeldLeases) return false;
  to.assign(from.begin(), from.end());
  return true;
}

bool Read(const wire::Hello& from, Hello& to) {
  to.protocol_version = from.protocol_version();
  to.name = from.name();
  if (to.protocol_version != kProtocolVersion) return IsText(to.name);
  to.host = from.host();
  to.pid = from.pid();
  to.capacity = from.capacity();
  to.sent_ms = from.sent_ms();
  to.process = from.process();
  return !to.name.empty() && IsText(to.name) && IsText(to.host) && to.capacity <= kMaxCapacity &&
         ReadLeaseIds(from.lease_ids(), to.lease_ids);
}

bool Read(const wire::WorkerHeartbeat& from, WorkerHeartbeat& to) {
  to.capacity = from.capacity();
  to.in_flight = from.in_flight();
  to.pages = from.pages();
  to.sent_ms = from.sent_ms();
  return to.capacity <= kMaxCapacity && ReadLeaseIds(from.lease_ids(), to.lease_ids);
}

bool Read(const wire::Redirected& from, Redirected& to) {
  to = {static_cast<int>(from.status()), from.to(), from.crawlable()};
  return IsUrlText(to.to) && IsStatus(from.status());
}

bool Read(const wire::Failed& from, Failed& to) {
  to = {ReasonFromWord(from.reason()), from.detail(), static_cast<int>(from.status()),
        from.permanent(), milliseconds(from.retry_after_ms())};
  return IsText(to.detail) && IsStatus(from.status()) && IsTime(from.retry_after_ms());
}

bool ReadOutcome(const wire::Report& from, std::optional<Outcome>& to) {
  switch (from.outcome_case()) {
    case wire::Report::kFetched:
      to = Fetched{from.fetched().body_bytes(), from.fetched().links(),
                   from.fetched().links_left_out()};
      return true;
    case wire::Report::kRedirected:
      return Read(from.redirected(), std::get<Redirected>(to.emplace(Redirected{})));
    case wire::Report::kFailed:
      return Read(from.failed(), std::get<Failed>(to.emplace(Failed{})));
    case wire::Report::kReturned:
      to = Returned{};
      return true;
    case wire::Report::OUTCOME_NOT_SET:
      return true;
  }
  return false;
}

bool Read(const wire::Report& from, Report& to) {
  to.sequence = from.sequence();
  to.lease_id = from.lease_id();
  to.index = static_cast<int>(from.index());
  to.elapsed = milliseconds(from.elapsed_ms());
  to.crawl_delay = milliseconds(from.crawl_delay_ms());
  to.body_digest = from.body_digest();
  to.latency = milliseconds(from.latency_ms());
  if (from.index() >= kMaxLeaseEntries || !IsTime(from.elapsed_ms()) ||
      !IsTime(from.crawl_delay_ms()) || !IsTime(from.latency_ms())) {
    return false;
  }
  const std::size_t listed = static_cast<std::size_t>(from.links_size()) + from.sitemaps_size();
  if (listed > kMaxReportLinks) return false;
  to.links.assign(from.links().begin(), from.links().end());
  to.sitemaps.assign(from.sitemaps().begin(), from.sitemaps().end());
  return AreUrlTexts(to.links) && AreUrlTexts(to.sitemaps) && Read(from.entry(), to.entry) &&
         ReadOutcome(from, to.outcome);
}

bool Read(const wire::Reports& from, Reports& to) {
  for (const wire::Report& report : from.reports()) {
    if (!Read(report, to.reports.emplace_back())) return false;
  }
  return true;
}

bool Read(const wire::CrawlSettings& from, CrawlSettings& to) {
  to.user_agent = from.user_agent();
  to.ignore_robots = from.ignore_robots();
  to.ignore_robots_tag = from.ignore_robots_tag();
  to.ignore_meta_robots = from.ignore_meta_robots();
  to.ignore_rel_nofollow = from.ignore_rel_nofollow();
  to.allow_private = from.allow_private();
  to.private_hosts.assign(from.private_hosts().begin(), from.private_hosts().end());
  to.content_types.assign(from.content_types().begin(), from.content_types().end());
  to.own_headers.assign(from.own_headers().begin(), from.own_headers().end());
  to.own_origins.assign(from.own_origins().begin(), from.own_origins().end());
  to.proxy = from.proxy();
  to.insecure = from.insecure();
  to.cookies = from.cookies();
  to.max_body_bytes = from.max_body_bytes();
  to.max_links_per_page = from.max_links_per_page();
  to.fetch_timeout = milliseconds(from.fetch_timeout_ms());
  return to.max_links_per_page > 0 && from.fetch_timeout_ms() > 0 &&
         IsTime(from.fetch_timeout_ms()) && IsText(to.user_agent) && IsText(to.proxy) &&
         (to.proxy.empty() || ParseProxy(to.proxy)) && AreHeaders(to.own_headers) &&
         AreUrlTexts(to.own_origins) && AreTexts(to.private_hosts) && AreTexts(to.content_types);
}

bool Read(const wire::Welcome& from, Welcome& to) {
  to.protocol_version = from.protocol_version();
  to.job = from.job();
  to.heartbeat_interval = milliseconds(from.heartbeat_interval_ms());
  to.lease_timeout = milliseconds(from.lease_timeout_ms());
  return IsText(to.job) && from.heartbeat_interval_ms() > 0 &&
         IsTime(from.heartbeat_interval_ms()) && from.lease_timeout_ms() > 0 &&
         IsTime(from.lease_timeout_ms()) && Read(from.settings(), to.settings);
}

bool Read(const wire::Refused& from, Refused& to) {
  to.detail = from.detail();
  if (!IsText(to.detail)) return false;
  switch (from.why()) {
    case wire::Refused::UNKNOWN:
      to.why = Refused::Why::kUnknown;
      return true;
    case wire::Refused::VERSION:
      to.why = Refused::Why::kVersion;
      return true;
    case wire::Refused::MALFORMED:
      to.why = Refused::Why::kMalformed;
      return true;
    default:
      return false;
  }
}

bool Read(const wire::Lease& from, Lease& to) {
  to.lease_id = from.lease_id();
  to.host = from.host();
  to.depth = static_cast<int>(from.depth());
  to.connections = static_cast<int>(from.connections());
  to.delay = milliseconds(from.delay_ms());
  to.start_after = milliseconds(from.start_after_ms());
  const bool sane = to.connections >= 1 && to.depth >= 0 && IsText(to.host) &&
                    IsTime(from.delay_ms()) && IsTime(from.start_after_ms()) &&
                    static_cast<std::size_t>(from.entries_size()) <= kMaxLeaseEntries;
  if (!sane) return false;
  to.entries.resize(from.entries_size());
  for (int i = 0; i < from.entries_size(); ++i) {
    if (!Read(from.entries(i), to.entries[i])) return false;
  }
  return true;
}

bool Read(const wire::WorkerGoodbye& from, WorkerGoodbye& to) {
  to.reason = from.reason();
  return IsText(to.reason);
}

bool Read(const wire::CoordinatorGoodbye& from, CoordinatorGoodbye& to) {
  to.reason = from.reason();
  return IsText(to.reason);
}

bool Read(const wire::Acks& from, Acks& to) {
  for (const wire::Ack& ack : from.acks()) {
    switch (ack.verdict()) {
      case wire::Ack::DONE:
        to.acks.push_back({ack.sequence(), Ack::Verdict::kDone, ack.links_settled()});
        break;
      case wire::Ack::RETRY:
        to.acks.push_back({ack.sequence(), Ack::Verdict::kRetry});
        break;
      case wire::Ack::NEVER_RETRY:
        to.acks.push_back({ack.sequence(), Ack::Verdict::kNeverRetry});
        break;
      default:
        return false;
    }
  }
  return true;
}

bool Read(const wire::Recall& from, Recall& to) {
  to.host = from.host();
  return IsText(to.host);
}

bool Read(const wire::CoordinatorHeartbeat& from, CoordinatorHeartbeat& to) {
  to.sent_ms = from.sent_ms();
  return ReadLeaseIds(from.ended_lease_ids(), to.ended_lease_ids);
}

// ---- robots.txt ----

bool ReadFailures(std::uint32_t from, int& to) {
  if (from > static_cast<std::uint32_t>(kMaxRobotsFailures)) return false;
  to = static_cast<int>(from);
  return true;
}

/// The coordinator compares it with the host of the lease.
bool ReadOrigin(const std::string& from, std::string& to) {
  to = from;
  return !to.empty() && IsText(to);
}

bool Read(const wire::RobotsQuery& from, RobotsQuery& to) {
  to.lease_id = from.lease_id();
  return ReadOrigin(from.origin(), to.origin);
}

bool ReadResult(const wire::RobotsReport& from, RobotsReport& to) {
  switch (from.result_case()) {
    case wire::RobotsReport::kRules:
      if (from.rules().size() > Robots::kMaxBytes) return false;
      to.result = RobotsFile{from.rules()};
      return true;
    case wire::RobotsReport::kAllowAll:
      to.result = RobotsAllowAll{};
      return true;
    case wire::RobotsReport::kFailure:
      to.result = RobotsFailure{ReasonFromWord(from.failure().reason()), from.failure().detail(),
                                from.failure().permanent()};
      return IsText(from.failure().detail());
    case wire::RobotsReport::RESULT_NOT_SET:
      break;
  }
  return false;
}

bool Read(const wire::RobotsReport& from, RobotsReport& to) {
  to.lease_id = from.lease_id();
  to.status = static_cast<int>(from.status());
  return IsStatus(from.status()) && ReadFailures(from.failures(), to.failures) &&
         ReadOrigin(from.origin(), to.origin) && ReadResult(from, to);
}

bool ReadVerdict(const wire::RobotsAnswer& from, RobotsAnswer& to) {
  switch (from.verdict_case()) {
    case wire::RobotsAnswer::kRules:
      to.verdict = RobotsVerdict::Rules{from.rules().body(), milliseconds(from.rules().life_ms())};
      return from.rules().body().size() <= Robots::kMaxBytes && IsTime(from.rules().life_ms());
    case wire::RobotsAnswer::kAllowAll:
      to.verdict = RobotsVerdict::AllowAll{milliseconds(from.allow_all().life_ms())};
      return IsTime(from.allow_all().life_ms());
    case wire::RobotsAnswer::kFetch:
      return ReadFailures(from.fetch().failures(),
                          to.verdict.emplace<RobotsVerdict::Fetch>().failures);
    case wire::RobotsAnswer::kDefer:
      to.verdict = RobotsVerdict::Defer{};
      return true;
    case wire::RobotsAnswer::kGivenUp:
      to.verdict =
          RobotsVerdict::GivenUp{ReasonFromWord(from.given_up().reason()), from.given_up().detail(),
                                 milliseconds(from.given_up().life_ms())};
      return IsText(from.given_up().detail()) && IsTime(from.given_up().life_ms());
    case wire::RobotsAnswer::VERDICT_NOT_SET:
      break;
  }
  return false;
}

bool Read(const wire::RobotsAnswer& from, RobotsAnswer& to) {
  return ReadOrigin(from.origin(), to.origin) && ReadVerdict(from, to);
}

// ---- Messages ----

/// Reads `from` into the alternative `Value` of `Message`.
template <class Message, class Value, class Wire>
Result<Message> Checked(const Wire& from) {
  Value value;
  if (!Read(from, value)) return Error::kBadMessage;
  return Message(std::move(value));
}

template <class Wire>
bool ParseWire(std::string_view bytes, Wire& message) {
  // What is malformed is told by whoever decodes, and not once more on standard error.
  static const auto silenced = google::protobuf::SetLogHandler(nullptr);
  (void)silenced;
  return bytes.size() <= kMaxMessageBytes &&
         message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

}  // namespace

Result<ToCoordinator> DecodeToCoordinator(std::string_view bytes) {
  google::protobuf::Arena arena;
  auto& from = *google::protobuf::Arena::CreateMessage<wire::ToCoordinator>(&arena);
  if (!ParseWire(bytes, from)) return Error::kBadMessage;
  switch (from.body_case()) {
    case wire::ToCoordinator::kHello:
      return Checked<ToCoordinator, Hello>(from.hello());
    case wire::ToCoordinator::kHeartbeat:
      return Checked<ToCoordinator, WorkerHeartbeat>(from.heartbeat());
    case wire::ToCoordinator::kReports:
      return Checked<ToCoordinator, Reports>(from.reports());
    case wire::ToCoordinator::kGoodbye:
      return Checked<ToCoordinator, WorkerGoodbye>(from.goodbye());
    case wire::ToCoordinator::kRobotsQuery:
      return Checked<ToCoordinator, RobotsQuery>(from.robots_query());
    case wire::ToCoordinator::kRobotsReport:
      return Checked<ToCoordinator, RobotsReport>(from.robots_report());
    case wire::ToCoordinator::BODY_NOT_SET:
      break;
  }
  return Error::kBadMessage;
}

Result<ToWorker> DecodeToWorker(std::string_view bytes) {
  google::protobuf::Arena arena;
  auto& from = *google::protobuf::Arena::CreateMessage<wire::ToWorker>(&arena);
  if (!ParseWire(bytes, from)) return Error::kBadMessage;
  switch (from.body_case()) {
    case wire::ToWorker::kWelcome:
      return Checked<ToWorker, Welcome>(from.welcome());
    case wire::ToWorker::kRefused:
      return Checked<ToWorker, Refused>(from.refused());
    case wire::ToWorker::kLease:
      return Checked<ToWorker, Lease>(from.lease());
    case wire::ToWorker::kAcks:
      return Checked<ToWorker, Acks>(from.acks());
    case wire::ToWorker::kHeartbeat:
      return Checked<ToWorker, CoordinatorHeartbeat>(from.heartbeat());
    case wire::ToWorker::kRecall:
      return Checked<ToWorker, Recall>(from.recall());
    case wire::ToWorker::kDrain:
      return ToWorker(Drain{});
    case wire::ToWorker::kGoodbye:
      return Checked<ToWorker, CoordinatorGoodbye>(from.goodbye());
    case wire::ToWorker::kRobotsAnswer:
      return Checked<ToWorker, RobotsAnswer>(from.robots_answer());
    case wire::ToWorker::BODY_NOT_SET:
      break;
  }
  return Error::kBadMessage;
}

}  // namespace trawl
