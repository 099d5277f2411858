// The job's state outside of the coordinator: seen set, frontier, leases, counters. Every step is
// atomic: it happens whole or not at all, and steps take effect in the order in which they are
// applied. So a URL is never lost (it enters the seen set and the frontier in one step, leaves the
// frontier and enters a lease in one step, ...) and counted once (a report is accepted only while
// its URL is still leased under that lease).
//
// Two implementations: MemoryStore for tests and simulations, RedisStore for crawls.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/error.h"
#include "common/fingerprint.h"
#include "common/frontier_entry.h"
#include "coordinator/store/robots_record.h"

namespace trawl {

/// Unique within a job: the coordinator's epoch in the upper 24 bits, a running number below.
using LeaseId = std::uint64_t;

/// A URL in scope that is offered to the seen set.
struct Candidate {
  Fingerprint fingerprint = 0;
  std::string url;
};

/// What the seen set said to a candidate.
struct Admission {
  enum class Kind {
    kAdmitted,  // new: now in the seen set and in the frontier at the offered depth
    kSeen,      // in the seen set already; nothing changed
    kMoved,     // was at a greater depth, which may not have it yet; now waits at the offered one
    // Dropped by a limit (SetLimitsStep), and not in the seen set: it may be admitted another time.
    kHostFull,    // its host has all the pages that it may have
    kDomainFull,  // its host is new, and the domain has all the hosts that it may have
  };
  /// What had become of a URL before it moved: all but the first only of one that was leased ahead
  /// of its round.
  enum class Was {
    kWaiting,
    kLeased,  // and still is: its lease ends as if it had not moved; it waits from then on
    kDelayed,
    kFetched,
    kRedirected,
    kFailed,
  };
  Kind kind = Kind::kSeen;
  // kMoved only.
  int moved_from = 0;
  Was was = Was::kWaiting;
  std::uint64_t body_bytes = 0;       // kFetched
  Error reason = Error::kHttpStatus;  // kFailed

  friend bool operator==(const Admission&, const Admission&) = default;
};

/// "pages_per_host" or "hosts_per_domain"; empty for what was not dropped.
std::string_view DropWord(Admission::Kind kind);

/// The domain that a host counts against: authority -> domain. Of a host that is not among them it
/// does not matter whether it is new.
using Domains = std::map<std::string, std::string, std::less<>>;

/// What was found but not offered: how many links, sitemaps and redirect targets a rule has kept
/// out, by the rule's word.
using Drops = std::map<std::string, std::uint64_t, std::less<>>;

/// How a leased URL ends.
struct Ending {
  enum class Kind {
    kFetched,     // terminal: a page
    kRedirected,  // terminal: its target is offered at the same depth, and as a sitemap if it was
                  // one
    kFailed,      // terminal: an error with a reason
    kRetried,     // delayed: back to its host queue later, with one attempt more
    kReturned,    // back to its host queue as it was: the worker did not try it
  };
  Kind kind = Kind::kFetched;
  Error reason = Error::kHttpStatus;  // kFailed only
  std::uint64_t body_bytes = 0;
  std::uint64_t links = 0;  // crawlable links of the page, in scope or not
  milliseconds delay{0};    // kRetried only: from AcceptStep::now on
  /// kRedirected and kFailed: the row, for the outbox. Free text without line ends.
  std::string row;
  /// kRedirected: the target, when it may be admitted, and the redirects that then led to it.
  std::optional<Candidate> target;
  int target_hops = 0;
  /// kRedirected without a target: why not ("scope", "malformed", "too_many", ...).
  std::string refusal;
};

// ---- Steps and what they answer ----

/// Offers seeds, and what nobody has a lease for: given sitemaps, those of a robots.txt, and URLs
/// that were found beyond the depth that the job had before.
struct AdmitStep {
  int depth = 0;
  std::vector<Candidate> candidates;
  std::vector<Candidate> sitemaps = {};  // of level 1; offered first
  std::string sitemap_referrer = {};     // URL of the robots.txt; empty: given
  Domains domains = {};
  std::string referrer = {};  // of the candidates: the page that has linked to them; empty: seeds
};
struct AdmitReply {
  std::vector<Admission> admissions;  // one a candidate, in order
  std::vector<Admission> sitemaps;    // likewise
};

/// Takes the first `count` entries of a host queue at a depth (fewer when it holds fewer) and puts
/// them under a new lease, as its entries 0, 1, ... A repeated step answers as the first did.
///
/// A URL on its last life comes alone: if it is on the front, no others come with it, else it stays
/// and those behind it.
///
/// The depth's round is open, or is the next one: then the URLs are leased ahead. One of them that
/// is found at a smaller depth before its round opens moves there, whatever has become of it: what
/// it has led to is at most one deeper than what has not been leased, so that it is found again, at
/// its right depth, when the URL is fetched again.
struct LeaseStep {
  LeaseId id = 0;
  std::string worker;
  std::string host;
  int depth = 0;
  int count = 0;
  int connections = 0;
};
struct LeaseReply {
  std::vector<FrontierEntry> entries;
  int left = 0;  // of those that were asked for: they wait still
};

/// Accepts what a worker reports of one leased URL: admits links at the lease's depth + 1 (those of
/// a sitemap at the lease's own depth) and, when `ending` is there, ends the lease's hold on the
/// URL. Changes nothing when the URL is not leased under that id (any more), and only that it
/// leaves the lease when it has moved (AcceptReply::moved_to). A page with many links is reported
/// in several steps, of which only the last has an ending.
struct AcceptStep {
  LeaseId lease = 0;
  int index = 0;  // the URL's place in the lease
  std::vector<Candidate> links;
  std::optional<Ending> ending = {};
  /// The URL is a sitemap: what it lists has its depth. Nested sitemaps are of the next level and
  /// keep its referrer, which tells on whose word they were found.
  bool is_sitemap = false;
  std::vector<Candidate> sitemaps = {};  // only of a sitemap; offered before the links
  Drops drops = {};                      // counted with what is accepted
  Domains domains = {};                  // of links, sitemaps and a redirect's target
  WallTime now{};
  /// Links that lead deeper than the crawl goes: those that are new go to the outbox, each once.
  std::vector<Candidate> beyond = {};
  milliseconds pause{0};  // above zero: nothing of the URL's host is to be leased for so long

  /// Where links and sitemaps are offered.
  int DepthOfLinks(int lease_depth) const { return is_sitemap ? lease_depth : lease_depth + 1; }
};
struct AcceptReply {
  bool accepted = false;
  std::vector<Admission> links;     // one a link, in order
  std::vector<Admission> sitemaps;  // one a sitemap, in order
  std::optional<Admission> target;  // of a redirect that had one
  /// Not accepted, as the URL had moved to this depth (Admission::Was::kLeased): it has left its
  /// lease and waits there.
  std::optional<int> moved_to;
};

/// Puts up to `limit` of the delayed URLs whose time has come, or of `all`, at the front of their
/// host queues.
struct WakeStep {
  WallTime now{};
  int limit = 1000;
  bool all = false;
};
struct WakeReply {
  struct Queue {
    std::string host;
    int depth = 0;
    std::uint64_t woken = 0;
  };
  std::vector<Queue> queues;
  std::optional<WallTime> next;  // when the first of the others is due
};

/// A URL has so many lives: each loss of a worker that has it costs one.
inline constexpr int kMaxLosses = 3;

/// Ends a lease whose worker was lost (`blame`) or has left: what it still holds goes back to its
/// host queue. With blame each loses a life: `losses` + 1, and at kMaxLosses it has failed as
/// worker_lost. Changes nothing when the lease does not exist.
struct ExpireStep {
  LeaseId lease = 0;
  bool blame = true;
};
struct ExpireReply {
  // At the lease's depth.
  int returned = 0;
  int given_up = 0;
  /// And each URL that had moved to another depth (Admission::Was::kLeased).
  struct Moved {
    int depth = 0;
    bool given_up = false;  // else it waits there
  };
  std::vector<Moved> moved;
};

/// Ends the first `count` entries of a host queue at a depth (fewer when it holds fewer) without
/// another try: they have failed with this reason. The depth's round is open.
struct GiveUpStep {
  std::string host;
  int depth = 0;
  std::uint64_t count = 0;
  Error reason = Error::kTimeout;
};
struct GiveUpReply {
  std::uint64_t given_up = 0;
};

/// The limits on what is admitted from now on; 0: none, as in a new job. What was admitted before
/// counts for the pages of its host, but not for the hosts of its domain.
struct SetLimitsStep {
  /// Pages of a host that are fetched or still to be: admitted, and neither failed nor redirected.
  /// Sitemaps are none. What moves to a smaller depth is admitted already.
  std::uint64_t pages_per_host = 0;
  std::uint64_t hosts_per_domain = 0;
};
struct SetLimitsReply {};

/// Opens the round of a depth, when all URLs of smaller ones are terminal: nothing moves out of it
/// any more.
struct OpenRoundStep {
  int depth = 0;
};
struct OpenRoundReply {};

/// Sets fields of the job's hash (`state`, `finished`, ...).
struct SaveJobStep {
  std::map<std::string, std::string> fields;
};
struct SaveJobReply {};

/// Replaces the table of workers (name -> JSON) that people look at.
struct SaveWorkersStep {
  std::map<std::string, std::string> workers;
};
struct SaveWorkersReply {};

/// Reads what a person has put into the control key ("" when it is not there).
struct ReadControlStep {};
struct ReadControlReply {
  std::string control;
};

/// The outbox is a queue of result rows that only the store could decide: each is one line,
/// numbered from 0 in the order of the steps.
///
///     "failed" SP row                     an Ending of kind kFailed
///     "redirected" SP outcome SP row      outcome: "admitted", "seen", a DropWord, or the refusal
///     "given_up" SP reason SP depth SP entry     ended by a GiveUpStep, or as worker_lost
///     "beyond" SP depth SP referrer (SP url)*    found at a depth that is not crawled
///     "refused" SP lease SP index     what a worker wrote for it does not count: it left the lease
///                                     unreported, or moved to another depth
///     "withdrawn" SP number           the item of that number does not count: its URL moved to
///                                     another depth
///
/// Drops the items below number `read` and returns up to `limit` of those that follow.
struct ReadOutboxStep {
  std::uint64_t read = 0;
  int limit = 1000;
};
struct ReadOutboxReply {
  std::uint64_t first = 0;  // the number of items[0]
  std::vector<std::string> items;
};

/// Reads what is kept of an origin's robots.txt; nothing when it has expired.
struct ReadRobotsStep {
  std::string origin;
  WallTime now{};
};
struct ReadRobotsReply {
  std::optional<RobotsRecord> record;
};

/// Keeps what is known of an origin's robots.txt in place of what was, until it expires.
struct KeepRobotsStep {
  std::string origin;
  RobotsRecord record;
  WallTime now{};
};
struct KeepRobotsReply {};

using Step = std::variant<AdmitStep, LeaseStep, AcceptStep, WakeStep, ExpireStep, GiveUpStep,
                          SetLimitsStep, OpenRoundStep, SaveJobStep, SaveWorkersStep,
                          ReadControlStep, ReadOutboxStep, ReadRobotsStep, KeepRobotsStep>;
using Reply = std::variant<AdmitReply, LeaseReply, AcceptReply, WakeReply, ExpireReply, GiveUpReply,
                           SetLimitsReply, OpenRoundReply, SaveJobReply, SaveWorkersReply,
                           ReadControlReply, ReadOutboxReply, ReadRobotsReply, KeepRobotsReply>;

// ---- What a coordinator finds when it starts ----

struct RoundCounts {
  std::uint64_t admitted = 0;
  std::uint64_t leased = 0;  // now, not ever
  std::uint64_t fetched = 0;
  std::uint64_t redirected = 0;
  std::uint64_t failed = 0;
  std::uint64_t delayed = 0;  // now, not ever
};

struct Snapshot {
  std::map<std::string, std::string> job;
  std::map<std::string, std::uint64_t> stats;
  std::uint64_t epoch = 0;  // one more at each start; a coordinator of an older epoch is refused
  int open_depth = 0;
  std::vector<RoundCounts> rounds;  // by depth
  struct Queue {
    std::string host;
    int depth = 0;
    std::uint64_t waiting = 0;
  };
  std::vector<Queue> queues;
  /// Hosts that were to be left alone (AcceptStep::pause), and until when. Some may be over.
  std::map<std::string, WallTime> paused;
  struct Lease {
    LeaseId id = 0;
    std::string worker;
    std::string host;
    int depth = 0;
    int connections = 0;
    std::vector<int> indexes;  // of the URLs still leased
  };
  std::vector<Lease> leases;
};

class Store {
 public:
  virtual ~Store() = default;

  enum class OpenMode {
    kCreate,  // a new job with the given fields
    kResume,  // a job that is there; its other fields stay as they are
    kReopen,  // a job that this coordinator has opened before
  };
  /// Creates the job, or takes it over from any coordinator before, and tells all that is needed to
  /// go on. A control word `stop` that has stopped the job becomes `run`. Error::kUsage, with
  /// nothing changed, when the job is there already or is not there. Error::kRulesChanged, with
  /// nothing changed, when the job has a field `rules` other than the given one.
  /// The field `coordinator`, which no other process gives, tells who has opened the job last: a
  /// job of the same one is the one that was to be created, and to reopen another's is refused as
  /// steps are, unless the store has only forgotten who opened it last.
  using OnOpen = std::function<void(Result<Snapshot>)>;
  virtual void Open(OpenMode mode, std::map<std::string, std::string> job, OnOpen then) = 0;

  /// Applies a step; `then` gets the reply alternative that belongs to the step, or an error:
  /// kStore when the store is lost or takes no steps for now (the step may have been applied or
  /// not), kStepRefused when another coordinator has taken the job over. May call `then` before it
  /// returns.
  using OnReply = std::function<void(Result<Reply>)>;
  virtual void Apply(const Step& step, OnReply then) = 0;
};

}  // namespace trawl
