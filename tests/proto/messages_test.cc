#include "proto/messages.h"

#include <gtest/gtest.h>

#include <google/protobuf/stubs/logging.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "proto/crawl.pb.h"

namespace trawl {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
const FrontierEntry kEntry{"http://a.test/\xC3\xA4", "http://b.test/", 1, 2, 3, 4};

Report ReportOf(std::optional<Outcome> outcome) {
  Report report;
  report.sequence = kMost;
  report.lease_id = kMost - 1;
  report.index = 999;
  report.entry = kEntry;
  report.links = {"http://c.test/", "http://d.test/"};
  report.sitemaps = {"http://e.test/"};
  report.outcome = std::move(outcome);
  report.elapsed = milliseconds(12);
  report.crawl_delay = milliseconds(13);
  report.body_digest = 0xFFFF'FFFF'FFFF'FFFE;
  report.latency = milliseconds(14);
  return report;
}

CrawlSettings Settings() {
  CrawlSettings settings;
  settings.user_agent = "bot/1";
  settings.private_hosts = {"[::1]", "localhost"};
  settings.content_types = {"*/*", "text/html"};
  settings.own_headers = {"X-Key: 1", "Authorization: Basic eA=="};
  settings.own_origins = {"http://a.test", "https://a.test"};
  settings.proxy = "http://u:p@p.test:1";
  settings.max_body_bytes = kMost;
  settings.max_links_per_page = kMost - 1;
  settings.fetch_timeout = milliseconds(9);
  return settings;
}

/// One of each kind, with a value in every field.
std::vector<ToCoordinator> MessagesOfWorkers() {
  Reports reports;
  reports.reports = {ReportOf(std::nullopt),
                     ReportOf(Fetched{kMost, 7, 8}),
                     ReportOf(Redirected{302, "http://e.test/", true}),
                     ReportOf(Redirected{308, "mailto:x", false}),
                     ReportOf(Failed{Error::kTls, "bad certificate", 0}),
                     ReportOf(Failed{Error::kHttpStatus, "", 503, true, milliseconds(9)}),
                     ReportOf(Returned{})};
  return {Hello{kProtocolVersion, "w", "machine", -5, kMaxCapacity, {1, kMost}, 9, kMost},
          WorkerHeartbeat{{3, kMost}, 4, 5, kMost, kMost},
          reports,
          Reports{},
          WorkerGoodbye{"told to"},
          RobotsQuery{kMost, "https://a.test:81"},
          RobotsReport{kMost, "http://a.test", kMaxRobotsFailures, 203,
                       RobotsFile{std::string("Disallow: /\xFF\0x", 14)}},
          RobotsReport{1, "http://a.test", 0, 404, RobotsAllowAll{}},
          RobotsReport{1, "http://a.test", 2, 0, RobotsFailure{Error::kDns, "no such name", true}}};
}

std::vector<ToWorker> MessagesOfCoordinators() {
  return {
      Welcome{kProtocolVersion, "job", Settings(), milliseconds(3), milliseconds(4)},
      Refused{Refused::Why::kUnknown, "hello?"},
      Refused{Refused::Why::kVersion, "2"},
      Refused{Refused::Why::kMalformed, ""},
      Lease{
          kMost, "a.test:81", 5, 6, milliseconds(7), milliseconds(8), {kEntry, {"u", "", 0, 0, 0}}},
      Acks{{{kMost, Ack::Verdict::kDone, true},
            {2, Ack::Verdict::kRetry},
            {3, Ack::Verdict::kNeverRetry}}},
      CoordinatorHeartbeat{{kMost, 0}, kMost},
      Recall{"a.test:81"},
      Drain{},
      CoordinatorGoodbye{"finished"},
      RobotsAnswer{"http://a.test", RobotsVerdict::Rules{std::string("\xFF\0x", 3), kMaxTime}},
      RobotsAnswer{"http://a.test", RobotsVerdict::AllowAll{milliseconds(5)}},
      RobotsAnswer{"http://a.test", RobotsVerdict::Fetch{kMaxRobotsFailures}},
      RobotsAnswer{"http://a.test", RobotsVerdict::Defer{}},
      RobotsAnswer{"http://a.test",
                   RobotsVerdict::GivenUp{Error::kTls, "bad certificate", milliseconds(6)}}};
}

// ---- All that a message says, for comparisons ----

template <class... Parts>
std::string Join(const Parts&... parts) {
  std::ostringstream text;
  ((text << parts << '|'), ...);
  return text.str();
}

std::string Text(const std::vector<std::uint64_t>& ids) {
  std::string text;
  for (const std::uint64_t id : ids) text += Join(id);
  return text;
}
std::string Text(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += Join(text);
  return all;
}
std::string Text(const Fetched& m) {
  return Join("fetched", m.body_bytes, m.links, m.links_left_out);
}
std::string Text(const Redirected& m) { return Join("redirected", m.status, m.to, m.crawlable); }
std::string Text(const Failed& m) {
  return Join("failed", ReasonWord(m.reason), m.detail, m.status);
}
std::string Text(const Returned&) { return "returned"; }
std::string Text(const Report& m) {
  const auto text = [](const auto& outcome) { return Text(outcome); };
  return Join(m.sequence, m.lease_id, m.index, m.entry.Text(), Text(m.links), Text(m.sitemaps),
              m.outcome ? std::visit(text, *m.outcome) : "none", m.elapsed.count(),
              m.crawl_delay.count());
}
std::string Text(const Hello& m) {
  return Join("hello", m.protocol_version, m.name, m.host, m.pid, m.capacity, Text(m.lease_ids),
              m.sent_ms, m.process);
}
std::string Text(const WorkerHeartbeat& m) {
  return Join("beat", Text(m.lease_ids), m.capacity, m.in_flight, m.pages, m.sent_ms);
}
std::string Text(const Reports& m) {
  std::string text = "reports";
  for (const Report& report : m.reports) text += Text(report);
  return text;
}
std::string Text(const WorkerGoodbye& m) { return Join("bye", m.reason); }
std::string Text(const RobotsFile& m) { return Join("rules", m.body); }
std::string Text(const RobotsAllowAll&) { return "all"; }
std::string Text(const RobotsFailure& m) { return Join("failure", ReasonWord(m.reason), m.detail); }
std::string Text(const RobotsQuery& m) { return Join("robots?", m.lease_id, m.origin); }
std::string Text(const RobotsReport& m) {
  const auto text = [](const auto& result) { return Text(result); };
  return Join("robots", m.lease_id, m.origin, m.failures, m.status, std::visit(text, m.result));
}
std::string Text(const RobotsVerdict::Rules& m) { return Join("rules", m.body, m.life.count()); }
std::string Text(const RobotsVerdict::AllowAll& m) { return Join("all", m.life.count()); }
std::string Text(const RobotsVerdict::Fetch& m) { return Join("fetch", m.failures); }
std::string Text(const RobotsVerdict::Defer&) { return "defer"; }
std::string Text(const RobotsVerdict::GivenUp& m) {
  return Join("given up", ReasonWord(m.reason), m.detail, m.life.count());
}
std::string Text(const RobotsAnswer& m) {
  const auto text = [](const auto& verdict) { return Text(verdict); };
  return Join("robots!", m.origin, std::visit(text, m.verdict));
}
std::string Text(const Welcome& m) {
  const CrawlSettings& s = m.settings;
  return Join("welcome", m.protocol_version, m.job, m.heartbeat_interval.count(),
              m.lease_timeout.count(), s.user_agent, s.ignore_robots, s.ignore_robots_tag,
              s.ignore_meta_robots, s.ignore_rel_nofollow, s.allow_private, Text(s.private_hosts),
              Text(s.content_types), Text(s.own_headers), Text(s.own_origins), s.proxy, s.insecure,
              s.cookies, s.max_body_bytes, s.max_links_per_page, s.fetch_timeout.count());
}
std::string Text(const Refused& m) { return Join("refused", static_cast<int>(m.why), m.detail); }
std::string Text(const Lease& m) {
  std::string text = Join("lease", m.lease_id, m.host, m.depth, m.connections, m.delay.count(),
                          m.start_after.count());
  for (const FrontierEntry& entry : m.entries) text += Join(entry.Text());
  return text;
}
std::string Text(const Acks& m) {
  std::string text = "acks";
  for (const Ack& ack : m.acks) {
    text += Join(ack.sequence, static_cast<int>(ack.verdict), ack.links_settled);
  }
  return text;
}
std::string Text(const CoordinatorHeartbeat& m) {
  return Join("beat", Text(m.ended_lease_ids), m.sent_ms);
}
std::string Text(const Recall& m) { return Join("recall", m.host); }
std::string Text(const Drain&) { return "drain"; }
std::string Text(const CoordinatorGoodbye& m) { return Join("bye", m.reason); }

template <class Message>
std::string TextOf(const Message& message) {
  return std::visit([](const auto& body) { return Text(body); }, message);
}

TEST(Messages, SayTheSameAfterTheWay) {
  for (const ToCoordinator& message : MessagesOfWorkers()) {
    const Result<ToCoordinator> decoded = DecodeToCoordinator(Encode(message));
    ASSERT_TRUE(decoded) << TextOf(message);
    EXPECT_EQ(TextOf(*decoded), TextOf(message));
  }
  for (const ToWorker& message : MessagesOfCoordinators()) {
    const Result<ToWorker> decoded = DecodeToWorker(Encode(message));
    ASSERT_TRUE(decoded) << TextOf(message);
    EXPECT_EQ(TextOf(*decoded), TextOf(message));
  }
}

TEST(Messages, EachSwitchTravelsByItself) {
  for (bool CrawlSettings::*const on :
       {&CrawlSettings::ignore_robots, &CrawlSettings::ignore_robots_tag,
        &CrawlSettings::ignore_meta_robots, &CrawlSettings::ignore_rel_nofollow,
        &CrawlSettings::allow_private, &CrawlSettings::insecure, &CrawlSettings::cookies}) {
    Welcome welcome{kProtocolVersion, "job", Settings(), milliseconds(3), milliseconds(4)};
    welcome.settings.*on = true;
    const ToWorker message = welcome;
    const Result<ToWorker> decoded = DecodeToWorker(Encode(message));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(TextOf(*decoded), TextOf(message));
  }
}

// They go into requests as they are.
TEST(Messages, HeadersAndProxyAreSound) {
  const auto decoded = [](const std::string& header, const std::string& proxy) {
    Welcome welcome{kProtocolVersion, "job", Settings(), milliseconds(3), milliseconds(4)};
    welcome.settings.own_headers = {header};
    welcome.settings.proxy = proxy;
    return DecodeToWorker(Encode(ToWorker(welcome))).has_value();
  };
  EXPECT_TRUE(decoded("X-Key: 1", ""));
  EXPECT_FALSE(decoded("X-Key: 1\r\nHost: b", ""));
  EXPECT_FALSE(decoded("X-Key: 1", "socks://p.test"));
}

TEST(Messages, EveryReasonHasAWordOnTheWire) {
  for (int value = 1; value <= static_cast<int>(Error::kUsage); ++value) {
    const auto reason = static_cast<Error>(value);
    const auto decoded = DecodeToCoordinator(Encode(Reports{{ReportOf(Failed{reason, "", 0})}}));
    EXPECT_EQ(std::get<Failed>(*std::get<Reports>(*decoded).reports[0].outcome).reason, reason);
  }
}

TEST(Messages, AHelloOfAnotherVersionIsDecodedAsFarAsItIsUnderstood) {
  for (const std::uint32_t version : {0u, kProtocolVersion + 1, 0xFFFFFFFFu}) {
    const Hello hello{version, "w", "", 0, kMaxCapacity + 1, {}};
    const auto decoded = DecodeToCoordinator(Encode(hello));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(std::get<Hello>(*decoded).protocol_version, version);
    EXPECT_EQ(std::get<Hello>(*decoded).name, "w");
  }
  wire::ToCoordinator future;
  future.mutable_hello()->set_protocol_version(kProtocolVersion + 1);
  future.mutable_hello()
      ->GetReflection()
      ->MutableUnknownFields(future.mutable_hello())
      ->AddLengthDelimited(99, "something new");
  EXPECT_TRUE(DecodeToCoordinator(future.SerializeAsString()));
}

// ---- Limits ----

/// A limit is kept by the greatest value and broken by the next one.
template <class Message>
struct Limit {
  const char* what;
  std::function<Message(std::size_t)> with;
  std::size_t greatest;
};

std::string TextOfBytes(std::size_t bytes) { return std::string(bytes, 'x'); }

Report With(const std::function<void(Report&)>& change) {
  Report report = ReportOf(Fetched{});
  change(report);
  return report;
}

ToCoordinator Reporting(const std::function<void(Report&)>& change) {
  return Reports{{With(change)}};
}

TEST(Messages, AWorkersMessageKeepsEveryLimit) {
  using Ids = std::vector<std::uint64_t>;
  const std::vector<Limit<ToCoordinator>> limits = {
      {"hello.name",
       [](std::size_t n) { return Hello{kProtocolVersion, TextOfBytes(n), "", 0, 1, {}}; },
       kMaxTextBytes},
      {"hello.name of another version",
       [](std::size_t n) { return Hello{kProtocolVersion + 1, TextOfBytes(n), "", 0, 1, {}}; },
       kMaxTextBytes},
      {"hello.host",
       [](std::size_t n) { return Hello{kProtocolVersion, "w", TextOfBytes(n), 0, 1, {}}; },
       kMaxTextBytes},
      {"hello.capacity",
       [](std::size_t n) {
         return Hello{kProtocolVersion, "w", "", 0, static_cast<std::uint32_t>(n), {}};
       },
       kMaxCapacity},
      {"hello.lease_ids",
       [](std::size_t n) { return Hello{kProtocolVersion, "w", "", 0, 1, Ids(n, 1)}; },
       kMaxHeldLeases},
      {"heartbeat.capacity",
       [](std::size_t n) {
         return WorkerHeartbeat{{}, static_cast<std::uint32_t>(n), 0, 0, 0};
       },
       kMaxCapacity},
      {"heartbeat.lease_ids",
       [](std::size_t n) {
         return WorkerHeartbeat{Ids(n, 1), 0, 0, 0, 0};
       },
       kMaxHeldLeases},
      {"report.index",
       [](std::size_t n) { return Reporting([n](Report& r) { r.index = static_cast<int>(n); }); },
       kMaxLeaseEntries - 1},
      {"report.links",
       [](std::size_t n) {
         return Reporting([n](Report& r) {
           r.links.assign(n, "u");
           r.sitemaps.clear();
         });
       },
       kMaxReportLinks},
      {"report.links and report.sitemaps",
       [](std::size_t n) {
         return Reporting([n](Report& r) {
           r.links.assign(n / 2, "u");
           r.sitemaps.assign(n - n / 2, "u");
         });
       },
       kMaxReportLinks},
      {"report.sitemaps[0]",
       [](std::size_t n) { return Reporting([n](Report& r) { r.sitemaps = {TextOfBytes(n)}; }); },
       kMaxUrlTextBytes},
      {"report.links[0]",
       [](std::size_t n) { return Reporting([n](Report& r) { r.links = {TextOfBytes(n)}; }); },
       kMaxUrlTextBytes},
      {"entry.url",
       [](std::size_t n) { return Reporting([n](Report& r) { r.entry.url = TextOfBytes(n); }); },
       kMaxUrlTextBytes},
      {"entry.referrer",
       [](std::size_t n) {
         return Reporting([n](Report& r) { r.entry.referrer = TextOfBytes(n); });
       },
       kMaxUrlTextBytes},
      {"redirected.to",
       [](std::size_t n) {
         return Reporting([n](Report& r) { r.outcome = Redirected{301, TextOfBytes(n), false}; });
       },
       kMaxUrlTextBytes},
      {"failed.detail",
       [](std::size_t n) {
         return Reporting([n](Report& r) { r.outcome = Failed{Error::kDns, TextOfBytes(n), 0}; });
       },
       kMaxTextBytes},
      {"goodbye.reason", [](std::size_t n) { return WorkerGoodbye{TextOfBytes(n)}; },
       kMaxTextBytes},
      {"robots_query.origin",
       [](std::size_t n) {
         return RobotsQuery{1, TextOfBytes(n)};
       },
       kMaxTextBytes},
      {"robots_report.origin",
       [](std::size_t n) {
         return RobotsReport{1, TextOfBytes(n), 0, 0, RobotsAllowAll{}};
       },
       kMaxTextBytes},
      {"robots_report.failures",
       [](std::size_t n) {
         return RobotsReport{1, "o", static_cast<int>(n), 0, RobotsAllowAll{}};
       },
       kMaxRobotsFailures},
      {"robots_report.status",
       [](std::size_t n) {
         return RobotsReport{1, "o", 0, static_cast<int>(n), RobotsAllowAll{}};
       },
       999},
      {"robots_report.rules",
       [](std::size_t n) {
         return RobotsReport{1, "o", 0, 0, RobotsFile{TextOfBytes(n)}};
       },
       Robots::kMaxBytes},
      {"robots_report.detail",
       [](std::size_t n) {
         return RobotsReport{1, "o", 0, 0, RobotsFailure{Error::kDns, TextOfBytes(n)}};
       },
       kMaxTextBytes},
  };
  for (const auto& limit : limits) {
    EXPECT_TRUE(DecodeToCoordinator(Encode(limit.with(limit.greatest)))) << limit.what;
    const auto broken = DecodeToCoordinator(Encode(limit.with(limit.greatest + 1)));
    ASSERT_FALSE(broken) << limit.what;
    EXPECT_EQ(broken.error(), Error::kBadMessage) << limit.what;
  }
}

TEST(Messages, ACoordinatorsMessageKeepsEveryLimit) {
  const auto welcome = [](std::string job, std::string agent, std::string host) {
    CrawlSettings settings = Settings();
    settings.user_agent = std::move(agent);
    settings.private_hosts = {std::move(host)};
    return Welcome{kProtocolVersion, std::move(job), settings, milliseconds(1), milliseconds(1)};
  };
  const std::vector<Limit<ToWorker>> limits = {
      {"lease.entries",
       [](std::size_t n) {
         return Lease{1, "a", 0, 1, {}, {}, std::vector<FrontierEntry>(n, kEntry)};
       },
       kMaxLeaseEntries},
      {"lease.host", [](std::size_t n) { return Lease{1, TextOfBytes(n), 0, 1, {}, {}, {kEntry}}; },
       kMaxTextBytes},
      {"heartbeat.ended_lease_ids",
       [](std::size_t n) {
         return CoordinatorHeartbeat{std::vector<std::uint64_t>(n, 1), 0};
       },
       kMaxHeldLeases},
      {"goodbye.reason", [](std::size_t n) { return CoordinatorGoodbye{TextOfBytes(n)}; },
       kMaxTextBytes},
      {"refused.detail",
       [](std::size_t n) {
         return Refused{Refused::Why::kUnknown, TextOfBytes(n)};
       },
       kMaxTextBytes},
      {"robots_answer.origin",
       [](std::size_t n) {
         return RobotsAnswer{TextOfBytes(n), RobotsVerdict::Defer{}};
       },
       kMaxTextBytes},
      {"robots_answer.body",
       [](std::size_t n) {
         return RobotsAnswer{"o", RobotsVerdict::Rules{TextOfBytes(n), {}}};
       },
       Robots::kMaxBytes},
      {"robots_answer.failures",
       [](std::size_t n) {
         return RobotsAnswer{"o", RobotsVerdict::Fetch{static_cast<int>(n)}};
       },
       kMaxRobotsFailures},
      {"robots_answer.detail",
       [](std::size_t n) {
         return RobotsAnswer{"o", RobotsVerdict::GivenUp{Error::kDns, TextOfBytes(n), {}}};
       },
       kMaxTextBytes},
      {"robots_answer.rules.life",
       [](std::size_t n) {
         return RobotsAnswer{"o", RobotsVerdict::Rules{"", milliseconds(n)}};
       },
       kMaxTime.count()},
      {"robots_answer.allow_all.life",
       [](std::size_t n) {
         return RobotsAnswer{"o", RobotsVerdict::AllowAll{milliseconds(n)}};
       },
       kMaxTime.count()},
      {"robots_answer.given_up.life",
       [](std::size_t n) {
         return RobotsAnswer{"o", RobotsVerdict::GivenUp{Error::kDns, "", milliseconds(n)}};
       },
       kMaxTime.count()},
      {"welcome.job", [&](std::size_t n) { return welcome(TextOfBytes(n), "", ""); },
       kMaxTextBytes},
  };
  for (const auto& limit : limits) {
    EXPECT_TRUE(DecodeToWorker(Encode(limit.with(limit.greatest)))) << limit.what;
    EXPECT_FALSE(DecodeToWorker(Encode(limit.with(limit.greatest + 1)))) << limit.what;
  }
}

TEST(Messages, WhatCannotBeIsRefused) {
  using To = wire::ToCoordinator;
  const auto report = [](To& m) -> wire::Report& {
    return *m.mutable_reports()->mutable_reports(0);
  };
  const std::vector<std::pair<const char*, std::function<void(To&)>>> changes = {
      {"no entry", [&](To& m) { report(m).clear_entry(); }},
      {"no URL", [&](To& m) { report(m).mutable_entry()->clear_url(); }},
      {"attempt", [&](To& m) { report(m).mutable_entry()->set_attempt(0xFFFFFFFF); }},
      {"hops", [&](To& m) { report(m).mutable_entry()->set_hops(0x80000000); }},
      {"losses", [&](To& m) { report(m).mutable_entry()->set_losses(2'000'000); }},
      {"sitemap", [&](To& m) { report(m).mutable_entry()->set_sitemap(2'000'000); }},
      {"index", [&](To& m) { report(m).set_index(0xFFFFFFFF); }},
      {"elapsed before", [&](To& m) { report(m).set_elapsed_ms(-1); }},
      {"delay before", [&](To& m) { report(m).set_crawl_delay_ms(-1); }},
      // Nanoseconds, in which deciding code reckons, end after 292 years.
      {"elapsed for ever", [&](To& m) { report(m).set_elapsed_ms(INT64_MAX); }},
      {"delay for ever", [&](To& m) { report(m).set_crawl_delay_ms(INT64_MAX); }},
      {"status", [&](To& m) { report(m).mutable_redirected()->set_status(0xFFFFFFFF); }},
      {"status", [&](To& m) { report(m).mutable_failed()->set_status(0x80000000); }},
      {"no name", [](To& m) { m.mutable_hello()->set_protocol_version(kProtocolVersion); }},
      {"no body", [](To& m) { m.Clear(); }},
      {"no origin", [](To& m) { m.mutable_robots_query()->set_lease_id(1); }},
      {"no origin", [](To& m) { m.mutable_robots_report()->set_rules("x"); }},
      {"no result", [](To& m) { m.mutable_robots_report()->set_origin("http://a.test"); }},
  };
  for (const auto& [what, change] : changes) {
    To message;
    ASSERT_TRUE(message.ParseFromString(Encode(Reporting([](Report&) {}))));
    change(message);
    EXPECT_FALSE(DecodeToCoordinator(message.SerializeAsString())) << what;
  }
}

TEST(Messages, ALeaseThatCannotBeIsRefused) {
  const std::vector<std::pair<const char*, std::function<void(wire::Lease&)>>> changes = {
      {"connections", [](wire::Lease& m) { m.set_connections(0); }},
      {"connections", [](wire::Lease& m) { m.set_connections(0xFFFFFFFF); }},
      {"depth", [](wire::Lease& m) { m.set_depth(0xFFFFFFFF); }},
      {"delay before", [](wire::Lease& m) { m.set_delay_ms(-1); }},
      {"start before", [](wire::Lease& m) { m.set_start_after_ms(-1); }},
      {"delay for ever", [](wire::Lease& m) { m.set_delay_ms(INT64_MAX); }},
      {"start never", [](wire::Lease& m) { m.set_start_after_ms(INT64_MAX); }},
      {"an entry without URL", [](wire::Lease& m) { m.add_entries(); }},
  };
  for (const auto& [what, change] : changes) {
    wire::ToWorker message;
    ASSERT_TRUE(message.ParseFromString(Encode(Lease{1, "a", 0, 1, {}, {}, {kEntry}})));
    change(*message.mutable_lease());
    EXPECT_FALSE(DecodeToWorker(message.SerializeAsString())) << what;
  }
}

TEST(Messages, AWelcomeWithoutTimesAndAnUnknownWordAreRefused) {
  const std::vector<std::function<void(wire::ToWorker&)>> changes = {
      [](wire::ToWorker& m) { m.mutable_welcome()->set_heartbeat_interval_ms(0); },
      [](wire::ToWorker& m) { m.mutable_welcome()->set_lease_timeout_ms(-1); },
      [](wire::ToWorker& m) { m.mutable_welcome()->clear_settings(); },
      [](wire::ToWorker& m) { m.mutable_welcome()->mutable_settings()->set_max_links_per_page(0); },
      [](wire::ToWorker& m) { m.mutable_refused()->set_why(static_cast<wire::Refused::Why>(9)); },
      [](wire::ToWorker& m) {
        m.mutable_acks()->add_acks()->set_verdict(static_cast<wire::Ack::Verdict>(9));
      },
      [](wire::ToWorker& m) { m.mutable_robots_answer()->set_origin("http://a.test"); },
      [](wire::ToWorker& m) { m.mutable_robots_answer()->mutable_defer(); },
      [](wire::ToWorker& m) {
        m.mutable_robots_answer()->set_origin("http://a.test");
        m.mutable_robots_answer()->mutable_allow_all()->set_life_ms(-1);
      },
  };
  for (const auto& change : changes) {
    wire::ToWorker message;
    ASSERT_TRUE(message.ParseFromString(Encode(MessagesOfCoordinators()[0])));
    change(message);
    EXPECT_FALSE(DecodeToWorker(message.SerializeAsString())) << message.ShortDebugString();
  }
}

TEST(Messages, AFrameIsNoLongerThanAllowed) {
  Reports reports;
  while (Encode(ToCoordinator(reports)).size() <= kMaxMessageBytes) {
    reports.reports.resize(reports.reports.size() + 100,
                           With([](Report& r) { r.links.assign(10, TextOfBytes(16'000)); }));
  }
  EXPECT_FALSE(DecodeToCoordinator(Encode(ToCoordinator(reports))));
}

// ---- Rubbish ----

TEST(Messages, RandomBytesHarmNobody) {
  const google::protobuf::LogSilencer silencer;
  std::mt19937_64 random(1);
  for (int run = 0; run < 20'000; ++run) {
    std::string bytes(random() % 64, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    (void)DecodeToCoordinator(bytes);
    (void)DecodeToWorker(bytes);
  }
}

TEST(Messages, TornAndTwistedMessagesHarmNobody) {
  const google::protobuf::LogSilencer silencer;
  std::vector<std::string> originals;
  for (const ToCoordinator& message : MessagesOfWorkers()) originals.push_back(Encode(message));
  for (const ToWorker& message : MessagesOfCoordinators()) originals.push_back(Encode(message));
  std::mt19937_64 random(2);
  for (const std::string& original : originals) {
    for (std::size_t size = 0; size < original.size(); ++size) {
      (void)DecodeToCoordinator(std::string_view(original).substr(0, size));
      (void)DecodeToWorker(std::string_view(original).substr(0, size));
    }
    for (int run = 0; run < 500 && !original.empty(); ++run) {
      std::string twisted = original;
      for (int change = 0; change < 3; ++change) {
        twisted[random() % twisted.size()] = static_cast<char>(random());
      }
      (void)DecodeToCoordinator(twisted);
      (void)DecodeToWorker(twisted);
    }
  }
}

}  // namespace
}  // namespace trawl
