#include <google/protobuf/arena.h>

#include "proto/crawl.pb.h"
#include "proto/messages.h"

namespace trawl {
namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
// Of no need by C++20, but for clang up to 16.
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

void Write(const FrontierEntry& from, wire::Entry& to) {
  to.set_url(from.url);
  to.set_referrer(from.referrer);
  to.set_attempt(from.attempt);
  to.set_hops(from.hops);
  to.set_losses(from.losses);
  to.set_sitemap(from.sitemap);
}

void Write(const Report& from, wire::Report& to) {
  to.set_sequence(from.sequence);
  to.set_lease_id(from.lease_id);
  to.set_index(from.index);
  Write(from.entry, *to.mutable_entry());
  for (const std::string& link : from.links) to.add_links(link);
  for (const std::string& sitemap : from.sitemaps) to.add_sitemaps(sitemap);
  to.set_elapsed_ms(from.elapsed.count());
  to.set_crawl_delay_ms(from.crawl_delay.count());
  to.set_body_digest(from.body_digest);
  to.set_latency_ms(from.latency.count());
  if (!from.outcome) return;
  std::visit(Overloaded{
                 [&](const Fetched& fetched) {
                   to.mutable_fetched()->set_body_bytes(fetched.body_bytes);
                   to.mutable_fetched()->set_links(fetched.links);
                   to.mutable_fetched()->set_links_left_out(fetched.links_left_out);
                 },
                 [&](const Redirected& redirected) {
                   to.mutable_redirected()->set_status(redirected.status);
                   to.mutable_redirected()->set_to(redirected.to);
                   to.mutable_redirected()->set_crawlable(redirected.crawlable);
                 },
                 [&](const Failed& failed) {
                   to.mutable_failed()->set_reason(std::string(ReasonWord(failed.reason)));
                   to.mutable_failed()->set_detail(failed.detail);
                   to.mutable_failed()->set_status(failed.status);
                   to.mutable_failed()->set_permanent(failed.permanent);
                   to.mutable_failed()->set_retry_after_ms(failed.retry_after.count());
                 },
                 [&](const Returned&) { to.mutable_returned(); },
             },
             *from.outcome);
}

void Write(const CrawlSettings& from, wire::CrawlSettings& to) {
  to.set_user_agent(from.user_agent);
  to.set_ignore_robots(from.ignore_robots);
  to.set_ignore_robots_tag(from.ignore_robots_tag);
  to.set_ignore_meta_robots(from.ignore_meta_robots);
  to.set_ignore_rel_nofollow(from.ignore_rel_nofollow);
  to.set_allow_private(from.allow_private);
  for (const std::string& host : from.private_hosts) to.add_private_hosts(host);
  for (const std::string& type : from.content_types) to.add_content_types(type);
  for (const std::string& header : from.own_headers) to.add_own_headers(header);
  for (const std::string& origin : from.own_origins) to.add_own_origins(origin);
  to.set_proxy(from.proxy);
  to.set_insecure(from.insecure);
  to.set_cookies(from.cookies);
  to.set_max_body_bytes(from.max_body_bytes);
  to.set_max_links_per_page(from.max_links_per_page);
  to.set_fetch_timeout_ms(from.fetch_timeout.count());
}

wire::Refused::Why WireWhy(Refused::Why why) {
  switch (why) {
    case Refused::Why::kVersion:
      return wire::Refused::VERSION;
    case Refused::Why::kMalformed:
      return wire::Refused::MALFORMED;
    case Refused::Why::kUnknown:
      break;
  }
  return wire::Refused::UNKNOWN;
}

wire::Ack::Verdict WireVerdict(Ack::Verdict verdict) {
  switch (verdict) {
    case Ack::Verdict::kRetry:
      return wire::Ack::RETRY;
    case Ack::Verdict::kNeverRetry:
      return wire::Ack::NEVER_RETRY;
    case Ack::Verdict::kDone:
      break;
  }
  return wire::Ack::DONE;
}

void Write(const RobotsReport& from, wire::RobotsReport& to) {
  to.set_lease_id(from.lease_id);
  to.set_origin(from.origin);
  to.set_failures(from.failures);
  to.set_status(from.status);
  std::visit(Overloaded{
                 [&](const RobotsFile& rules) { to.set_rules(rules.body); },
                 [&](const RobotsAllowAll&) { to.mutable_allow_all(); },
                 [&](const RobotsFailure& failure) {
                   to.mutable_failure()->set_reason(std::string(ReasonWord(failure.reason)));
                   to.mutable_failure()->set_detail(failure.detail);
                   to.mutable_failure()->set_permanent(failure.permanent);
                 },
             },
             from.result);
}

void Write(const RobotsAnswer& from, wire::RobotsAnswer& to) {
  to.set_origin(from.origin);
  std::visit(Overloaded{
                 [&](const RobotsVerdict::Rules& rules) {
                   to.mutable_rules()->set_body(rules.body);
                   to.mutable_rules()->set_life_ms(rules.life.count());
                 },
                 [&](const RobotsVerdict::AllowAll& all) {
                   to.mutable_allow_all()->set_life_ms(all.life.count());
                 },
                 [&](const RobotsVerdict::Fetch& fetch) {
                   to.mutable_fetch()->set_failures(fetch.failures);
                 },
                 [&](const RobotsVerdict::Defer&) { to.mutable_defer(); },
                 [&](const RobotsVerdict::GivenUp& given_up) {
                   to.mutable_given_up()->set_reason(std::string(ReasonWord(given_up.reason)));
                   to.mutable_given_up()->set_detail(given_up.detail);
                   to.mutable_given_up()->set_life_ms(given_up.life.count());
                 },
             },
             from.verdict);
}

}  // namespace

std::string Encode(const ToCoordinator& message) {
  google::protobuf::Arena arena;
  auto& to = *google::protobuf::Arena::CreateMessage<wire::ToCoordinator>(&arena);
  std::visit(
      Overloaded{
          [&](const Hello& hello) {
            wire::Hello& body = *to.mutable_hello();
            body.set_protocol_version(hello.protocol_version);
            body.set_name(hello.name);
            body.set_host(hello.host);
            body.set_pid(hello.pid);
            body.set_capacity(hello.capacity);
            body.mutable_lease_ids()->Assign(hello.lease_ids.begin(), hello.lease_ids.end());
            body.set_sent_ms(hello.sent_ms);
            body.set_process(hello.process);
          },
          [&](const WorkerHeartbeat& heartbeat) {
            wire::WorkerHeartbeat& body = *to.mutable_heartbeat();
            body.mutable_lease_ids()->Assign(heartbeat.lease_ids.begin(),
                                             heartbeat.lease_ids.end());
            body.set_capacity(heartbeat.capacity);
            body.set_in_flight(heartbeat.in_flight);
            body.set_pages(heartbeat.pages);
            body.set_sent_ms(heartbeat.sent_ms);
          },
          [&](const Reports& reports) {
            wire::Reports& body = *to.mutable_reports();
            for (const Report& report : reports.reports) Write(report, *body.add_reports());
          },
          [&](const WorkerGoodbye& goodbye) { to.mutable_goodbye()->set_reason(goodbye.reason); },
          [&](const RobotsQuery& query) {
            to.mutable_robots_query()->set_lease_id(query.lease_id);
            to.mutable_robots_query()->set_origin(query.origin);
          },
          [&](const RobotsReport& report) { Write(report, *to.mutable_robots_report()); },
      },
      message);
  return to.SerializeAsString();
}

std::string Encode(const ToWorker& message) {
  google::protobuf::Arena arena;
  auto& to = *google::protobuf::Arena::CreateMessage<wire::ToWorker>(&arena);
  std::visit(Overloaded{
                 [&](const Welcome& welcome) {
                   wire::Welcome& body = *to.mutable_welcome();
                   body.set_protocol_version(welcome.protocol_version);
                   body.set_job(welcome.job);
                   Write(welcome.settings, *body.mutable_settings());
                   body.set_heartbeat_interval_ms(welcome.heartbeat_interval.count());
                   body.set_lease_timeout_ms(welcome.lease_timeout.count());
                 },
                 [&](const Refused& refused) {
                   to.mutable_refused()->set_why(WireWhy(refused.why));
                   to.mutable_refused()->set_detail(refused.detail);
                 },
                 [&](const Lease& lease) {
                   wire::Lease& body = *to.mutable_lease();
                   body.set_lease_id(lease.lease_id);
                   body.set_host(lease.host);
                   body.set_depth(lease.depth);
                   body.set_connections(lease.connections);
                   body.set_delay_ms(lease.delay.count());
                   body.set_start_after_ms(lease.start_after.count());
                   for (const FrontierEntry& entry : lease.entries)
                     Write(entry, *body.add_entries());
                 },
                 [&](const Acks& acks) {
                   wire::Acks& body = *to.mutable_acks();
                   for (const Ack& ack : acks.acks) {
                     wire::Ack& wire_ack = *body.add_acks();
                     wire_ack.set_sequence(ack.sequence);
                     wire_ack.set_verdict(WireVerdict(ack.verdict));
                     wire_ack.set_links_settled(ack.links_settled);
                   }
                 },
                 [&](const CoordinatorHeartbeat& heartbeat) {
                   wire::CoordinatorHeartbeat& body = *to.mutable_heartbeat();
                   body.mutable_ended_lease_ids()->Assign(heartbeat.ended_lease_ids.begin(),
                                                          heartbeat.ended_lease_ids.end());
                   body.set_sent_ms(heartbeat.sent_ms);
                 },
                 [&](const Recall& recall) { to.mutable_recall()->set_host(recall.host); },
                 [&](const Drain&) { to.mutable_drain(); },
                 [&](const CoordinatorGoodbye& goodbye) {
                   to.mutable_goodbye()->set_reason(goodbye.reason);
                 },
                 [&](const RobotsAnswer& answer) { Write(answer, *to.mutable_robots_answer()); },
             },
             message);
  return to.SerializeAsString();
}

}  // namespace trawl
