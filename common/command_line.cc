#include "common/command_line.h"

#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <ctime>
#include <iostream>
#include <limits>

#include "common/dns_servers.h"
#include "common/own_headers.h"
#include "common/request_options.h"
#include "common/scope.h"
#include "common/toml_config.h"
#include "common/url.h"
#include "common/url_rewrite.h"

namespace trawl {
namespace {

CLI::Option* AddMillis(CLI::App& app, const std::string& name, milliseconds& value,
                       const std::string& help, std::int64_t least) {
  return app
      .add_option_function<std::int64_t>(
          name, [&value](const std::int64_t& count) { value = milliseconds(count); }, help)
      ->check(CLI::Range(least, std::int64_t{7} * 24 * 3600 * 1000))
      ->type_name("MS")
      ->default_str(std::to_string(value.count()));
}

/// A whole number from `least` to `most`.
template <class Number>
void AddCount(CLI::App& app, const char* name, Number& value, const std::string& help,
              std::int64_t least, std::int64_t most) {
  app.add_option(name, value, help)
      ->check(CLI::Range(least, most))
      ->type_name("N")
      ->capture_default_str();
}

template <class Value>
void AddChoice(CLI::App& app, const std::string& name, Value& value, const std::string& help,
               Result<Value> (*parse)(std::string_view), const std::string& choices,
               std::string_view initial) {
  app.add_option_function<std::string>(
         name,
         [&value, parse, name, choices](const std::string& text) {
           const Result<Value> parsed = parse(text);
           if (!parsed) throw CLI::ValidationError(name, "not one of " + choices + ": " + text);
           value = *parsed;
         },
         help)
      ->type_name(choices)
      ->default_str(std::string(initial));
}

void AddCommon(CLI::App& app, std::string& log_level) {
  app.set_version_flag("--version", std::string(TRAWL_VERSION));
  app.set_config("--config", "", "Read options from this TOML file (keys are the flags' names)");
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.add_option("--log-level", log_level, "What is logged to standard error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
}

/// What a crawl does to URLs.
void AddRewriting(CLI::App& app, CrawlOptions& crawl) {
  app.add_flag("--sort-query", crawl.sort_query, "Take URLs with their parameters sorted by name");
  app.add_flag("--strip-params", crawl.strip_params,
               "Take URLs without known parameters of tracking and sessions");
  app.add_option("--strip-param", crawl.strip_names,
                 "Take URLs without this parameter; NAME*: all whose names begin so")
      ->type_name("NAME")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
}

/// What keeps a crawl out of traps.
void AddLimits(CLI::App& app, CrawlOptions& crawl) {
  constexpr std::int64_t kMost = 1'000'000'000;
  const auto add = [&](const char* name, auto& limit, const char* help) {
    AddCount(app, name, limit, std::string(help) + "; 0: no limit", 0, kMost);
  };
  UrlLimits& url = crawl.url_limits;
  add("--max-url-bytes", url.bytes, "Longest URL that is found");
  add("--max-path-segments", url.path_segments, "Most segments of a found URL's path");
  add("--max-repeated-segments", url.repeated_segments,
      "How often a run of segments may stand in a row in a found URL's path");
  add("--max-query-params", url.query_params, "Most parameters of a found URL's query");
  AddCount(app, "--max-links-per-page", crawl.max_links_per_page,
           "Most different links of a page that are taken", 1, 1'000'000);
  add("--max-pages-per-host", crawl.max_pages_per_host, "Most pages of one host that are fetched");
  add("--max-hosts-per-domain", crawl.max_hosts_per_domain,
      "Most hosts of one registrable domain that links lead to");
  add("--max-same-body", crawl.max_same_body,
      "Most pages of one host with the same body whose links are followed");
}

/// What a single fetch needs to know of a crawl.
void AddFetching(CLI::App& app, CrawlOptions& crawl) {
  app.add_flag("--ignore-robots", crawl.ignore_robots, "Do not ask for robots.txt: own sites only");
  app.add_flag("--ignore-x-robots-tag", crawl.ignore_robots_tag,
               "Do not obey noindex and nofollow of X-Robots-Tag headers");
  app.add_flag("--ignore-meta-robots", crawl.ignore_meta_robots,
               "Do not obey noindex and nofollow of a page's <meta name=robots>");
  app.add_flag("--ignore-rel-nofollow", crawl.ignore_rel_nofollow,
               "Follow links that are marked rel=nofollow, too");
  app.add_flag("--allow-private", crawl.allow_private,
               "Let public seeds lead to addresses that are not public");
  app.add_option("--user-agent", crawl.user_agent, "Its product token is what robots.txt names")
      ->capture_default_str();
  app.add_option("--header", crawl.headers,
                 "Send this header, 'Name: value', to the seeds' origins")
      ->type_name("HEADER")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  app.add_option("--auth", crawl.auth, "Send this user and password to the seeds' origins (basic)")
      ->type_name("USER:PASSWORD");
  app.add_flag("--cookies", crawl.cookies,
               "Send a host's cookies back while a worker has URLs of it in hand");
  app.add_option("--proxy", crawl.proxy,
                 "Send requests by this proxy: http://[USER:PASSWORD@]HOST:PORT")
      ->type_name("URL");
  app.add_flag("--insecure", crawl.insecure,
               "Do not verify certificates: anyone on the way may read and forge pages");
  app.add_option("--content-types", crawl.content_types,
                 "Types whose bodies are read, with commas between them; */*: all")
      ->delimiter(',')
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false)
      ->capture_default_str();
  AddCount(app, "--max-body-bytes", crawl.max_body_bytes, "Longest body, decoded", 1,
           std::int64_t{1} << 40);
  AddMillis(app, "--fetch-timeout", crawl.fetch_timeout, "Longest time for one whole fetch", 1);
  AddCount(app, "--max-redirects", crawl.max_hops, "Redirects followed in a row", 0, 100);
}

void AddCrawl(CLI::App& app, CrawlOptions& crawl) {
  constexpr int kMaxDepth = 100'000;
  constexpr auto kAll = CLI::MultiOptionPolicy::TakeAll;
  app.add_option("urls,--seeds", crawl.seeds, "Where the crawl begins")
      ->type_name("URL")
      ->multi_option_policy(kAll);
  AddCount(app, "--depth", crawl.depth, "Greatest depth fetched; seeds are depth 0", 0, kMaxDepth);
  AddCount(app, "--max-pages", crawl.max_pages, "Stop after N fetched pages; 0: no limit", 0,
           std::numeric_limits<std::int64_t>::max());
  AddCount(app, "--host-connections", crawl.host_connections,
           "Connections to one host, over all workers", 1, 10'000);
  AddMillis(app, "--host-delay", crawl.host_delay, "Least time between two requests to one host",
            0);
  app.add_flag("--auto-throttle", crawl.auto_throttle,
               "Let the delay of a host follow its latency; never below --host-delay");
  AddCount(app, "--retries", crawl.retries,
           "Tries again of a URL whose fetch has failed in a way that may pass", 0, 100);
  AddMillis(app, "--retry-delay", crawl.retry_delay,
            "Mean time before the first of them; doubles each time, up to 5 minutes", 0);
  AddCount(app, "--robots-retries", crawl.robots_retries,
           "Tries again before a host whose robots.txt cannot be had is given up", 0, 100);
  AddMillis(app, "--robots-retry-delay", crawl.robots_retry_delay,
            "Least time before the first of them; doubles each time, up to 12 hours", 0);
  AddChoice(app, "--scope", crawl.scope, "What may be crawled", &ParseScopeKind,
            "host|domain|prefix|any", ScopeKindName(crawl.scope));
  app.add_option("--include", crawl.include, "Only seeds and URLs that this expression is found in")
      ->type_name("RE")
      ->multi_option_policy(kAll)
      ->allow_extra_args(false);
  app.add_option("--exclude", crawl.exclude, "No URLs that this expression is found in")
      ->type_name("RE")
      ->multi_option_policy(kAll)
      ->allow_extra_args(false);
  app.add_flag("--sitemaps", crawl.sitemaps,
               "Crawl what the sitemaps list that the hosts' robots.txt name");
  app.add_option("--sitemap", crawl.sitemap_urls, "Crawl what this sitemap lists")
      ->type_name("URL")
      ->multi_option_policy(kAll)
      ->allow_extra_args(false);
  AddChoice(app, "--rounds", crawl.rounds, "exact: depth by depth; free: without waiting",
            &ParseRoundMode, "exact|free", RoundModeName(crawl.rounds));
  AddMillis(app, "--round-deadline", crawl.round_deadline,
            "Give up what has not ended so long after its round began; 0: never", 0);
  AddRewriting(app, crawl);
  AddLimits(app, crawl);
  AddFetching(app, crawl);
}

void AddRedis(CLI::App& app, std::string& redis) {
  app.add_option("--redis", redis, "redis://[[USER:]PASSWORD@]HOST[:PORT][/DB] or unix://PATH")
      ->type_name("URL")
      ->capture_default_str();
}

/// What is of the machine that fetches, and so of no job.
template <class Options>
void AddMachine(CLI::App& app, Options& options) {
  app.add_option("--ca-file", options.ca_file, "Trusted certificates, PEM [the system's]")
      ->type_name("FILE");
  app.add_option("--dns", options.dns, "DNS servers, ADDRESS[:PORT],... [the system's]")
      ->type_name("SERVERS");
}

void Describe(CLI::App& app, CoordinatorOptions& options) {
  AddCrawl(app, options.crawl);
  app.add_option("--job", options.job, "The job's name in Redis [first seed's host and the time]")
      ->type_name("NAME");
  AddRedis(app, options.redis);
  app.add_option("--out", options.out, "Folder of the results")->type_name("DIR");
  app.add_option("--listen", options.listen, "Where workers connect; port *: any free one")
      ->type_name("ENDPOINT")
      ->capture_default_str();
  app.add_option("--endpoint-file", options.endpoint_file, "Write the bound endpoint to this file")
      ->type_name("FILE");
  AddMillis(app, "--lease-timeout", options.lease_timeout,
            "A worker that is silent for longer loses its leases", 100);
  app.add_flag("--resume", options.resume, "Go on with a stopped or crashed job");
  app.add_flag("--quiet", options.quiet, "No progress, only the summary");
  app.add_flag("--print-job", options.print_job, "Check the flags, print the job's name and end");
  AddCommon(app, options.log_level);
}

void Describe(CLI::App& app, WorkerOptions& options) {
  app.add_option("--coordinator", options.coordinator,
                 "The coordinator's endpoint, tcp://HOST:PORT")
      ->type_name("ENDPOINT");
  AddCount(app, "--concurrency", options.concurrency, "Requests in flight", 1, 100'000);
  app.add_option("--out", options.out, "Folder of the results [crawls/JOB]")->type_name("DIR");
  app.add_option("--name", options.name, "Unique among the job's workers [host and pid]");
  AddMachine(app, options);
  AddCommon(app, options.log_level);
}

struct ProbeCommandName {
  ProbeCommand command;
  std::string_view name;
  std::string_view does;
};
constexpr std::array kProbeCommands = {
    ProbeCommandName{ProbeCommand::kUrl, "url", "answers {base href} with {url}"},
    ProbeCommandName{ProbeCommand::kRobots, "robots",
                     "answers {robots agent url} with {allowed rule crawl_delay sitemaps}"},
    ProbeCommandName{ProbeCommand::kLinks, "links",
                     "answers {base_url html} with {links title charset ...}"},
    ProbeCommandName{ProbeCommand::kSitemap, "sitemap",
                     "answers {url body_base64} with {urls sitemaps}"},
    ProbeCommandName{ProbeCommand::kFetch, "fetch", "fetches each URL as a worker would"},
    ProbeCommandName{ProbeCommand::kWhy, "why",
                     "tells what the job in Redis made of a URL, and why"},
};

void Describe(CLI::App& app, ProbeOptions& options) {
  app.add_option_function<std::string>(
         "command",
         [&options](const std::string& name) {
           for (const auto& known : kProbeCommands) {
             if (known.name == name) {
               options.command = known.command;
               return;
             }
           }
           throw CLI::ValidationError("no such command: " + name);
         },
         "What to explain")
      ->type_name("COMMAND")
      ->required();
  app.add_option("urls", options.crawl.seeds, "What fetch and why are about")
      ->type_name("URL")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  AddRewriting(app, options.crawl);
  AddFetching(app, options.crawl);
  AddMachine(app, options);
  app.add_option("--job", options.job, "The job's name in Redis")->type_name("NAME");
  AddRedis(app, options.redis);
  app.add_option("--out", options.out, "Folder of the job's results [where the job says it is]")
      ->type_name("DIR");
  std::string commands = "Commands:\n";
  for (const auto& known : kProbeCommands) {
    commands += "  " + std::string(known.name) + ": " + std::string(known.does) + "\n";
  }
  commands += "Those that answer take JSON objects from standard input, one on each line.\n";
  app.footer(commands);
  AddCommon(app, options.log_level);
}

template <class Options>
bool Knows(const std::string& key) {
  CLI::App app;
  Options options;
  Describe(app, options);
  return app.get_option_no_throw("--" + key) != nullptr;
}

/// One line on standard error, whatever the library would have said over several.
ExitNow BadUsage(const CLI::App& app, std::string message) {
  message = message.substr(0, message.find('\n'));
  std::cerr << app.get_name() << ": " << message << " (see --help)\n";
  return {2};
}

/// Fills `options`, or says why the program has to end.
template <class Options, class... Others>
std::optional<ExitNow> Parse(CLI::App& app, Options& options, int argc, const char* const* argv) {
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  Describe(app, options);
  app.config_formatter(std::make_shared<TomlConfig>([](const std::string& key) {
    if (Knows<Options>(key)) return TomlConfig::Key::kOwn;
    // `workers` is for deploy/crawl.sh.
    if ((Knows<Others>(key) || ...) || key == "workers") return TomlConfig::Key::kForeign;
    return TomlConfig::Key::kUnknown;
  }));
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return ExitNow{app.exit(success, std::cout, std::cerr)};
  } catch (const CLI::ParseError& error) {
    return BadUsage(app, error.what());
  }
  return std::nullopt;
}

/// Workers are told these; a message has its limits.
constexpr std::size_t kMaxHeaderText = 512;

/// A user agent goes into every request's head: one line of visible ASCII.
bool IsHeaderText(std::string_view text) {
  return !text.empty() && text.size() <= kMaxHeaderText &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

/// Made from the first seed's host and the time, of letters that suit folder names and Redis keys.
std::string JobName(const Url& seed) {
  constexpr std::size_t kMaxHost = 100;
  std::string name(seed.authority().substr(0, kMaxHost));
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '_') c = '-';
  }
  if (!std::isalnum(static_cast<unsigned char>(name[0]))) name.insert(0, "job");
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  char stamp[32];
  std::strftime(stamp, sizeof stamp, "-%Y%m%d-%H%M%S", &local);
  return name + stamp;
}

bool IsJobName(std::string_view name) {
  return !name.empty() && name.size() <= 200 && name[0] != '.' && name[0] != '-' &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::isalnum(c) || c == '.' || c == '-' || c == '_';
         });
}

// What no single flag can check; the text of the complaint, or "".

/// Of URLs, and of what goes into requests.
std::string Complaint(CrawlOptions& crawl) {
  if (crawl.user_agent.empty()) crawl.user_agent = DefaultUserAgent();
  if (!IsHeaderText(crawl.user_agent))
    return "--user-agent: use visible ASCII characters only, at most 512";
  if (std::string complaint = RequestComplaint(crawl); !complaint.empty()) return complaint;
  for (const std::string& seed : crawl.seeds) {
    if (HasUserInfo(seed)) return "a URL with a user or password in it: use --auth USER:PASSWORD";
    if (!Url::Parse(seed)) {
      return "not a URL that can be crawled: '" + seed + "' (http:// or https:// is needed)";
    }
  }
  for (const std::string& sitemap : crawl.sitemap_urls) {
    if (HasUserInfo(sitemap)) return "--sitemap: has a user or password in it: use --auth";
    if (!Url::Parse(sitemap)) return "--sitemap: not a URL that can be crawled: '" + sitemap + "'";
  }
  for (const std::string& type : crawl.content_types) {
    if (!IsHeaderText(type)) return "--content-types: not a content type: '" + type + "'";
  }
  return {};
}

template <class Options>
std::string MachineComplaint(const Options& options) {
  const std::string& ca_file = options.ca_file;
  if (!ca_file.empty() && ::access(ca_file.c_str(), R_OK) != 0) {
    return "--ca-file: cannot read " + ca_file;
  }
  if (!options.dns.empty() && !ParseDnsServers(options.dns)) {
    return "--dns: not a list of ADDRESS[:PORT] with commas between them: '" + options.dns + "'";
  }
  return {};
}

std::string Complaint(CoordinatorOptions& options) {
  CrawlOptions& crawl = options.crawl;
  if (crawl.seeds.empty() && crawl.sitemap_urls.empty()) {
    return "no URL given: name at least one to begin with";
  }
  std::string complaint = Complaint(crawl);
  if (!complaint.empty()) return complaint;
  const std::string& first = crawl.seeds.empty() ? crawl.sitemap_urls[0] : crawl.seeds[0];
  if (options.job.empty()) options.job = JobName(*Url::Parse(first));
  if (!IsJobName(options.job)) {
    return "--job: use letters, digits, '.', '-' and '_' only, and begin with a letter or digit: "
           "'" +
           options.job + "'";
  }
  const std::optional<Scope> scope = Scope::Make(crawl, complaint);
  if (!scope) return complaint;
  const UrlRewrite rewrite(crawl);
  for (const std::string& seed : crawl.seeds) {
    if (scope->Judge(rewrite.Apply(*Url::Parse(seed))) == Scope::Verdict::kExcluded) {
      return "--exclude keeps out '" + seed + "', where the crawl is to begin";
    }
  }
  if (crawl.sitemaps && crawl.ignore_robots) {
    return "--sitemaps: they are named by robots.txt, which --ignore-robots does not ask for; name "
           "them with --sitemap";
  }
  for (const std::string& sitemap : crawl.sitemap_urls) {
    if (scope->Excludes(*Url::Parse(sitemap))) {
      return "--exclude keeps out '" + sitemap + "', which --sitemap names";
    }
  }
  return {};
}

std::string Complaint(ProbeOptions& options) {
  const std::size_t urls = options.crawl.seeds.size();
  if (options.command == ProbeCommand::kFetch) {
    if (urls == 0) return "fetch: name a URL to fetch";
  } else if (options.command == ProbeCommand::kWhy) {
    if (urls != 1) return "why: name one URL";
    if (!IsJobName(options.job)) return "--job: name the job that is to be looked into";
  } else if (urls > 0) {
    return "takes no URL, but reads standard input: '" + options.crawl.seeds[0] + "'";
  }
  if (std::string complaint = MachineComplaint(options); !complaint.empty()) {
    return complaint;
  }
  return Complaint(options.crawl);
}

}  // namespace

std::variant<CoordinatorOptions, ExitNow> ParseCoordinatorOptions(int argc,
                                                                  const char* const* argv) {
  CoordinatorOptions options;
  CLI::App app("Coordinates a crawl: keeps the frontier in Redis and leases URLs to workers.",
               "trawl-coordinator");
  if (auto exit = Parse<CoordinatorOptions, WorkerOptions, ProbeOptions>(app, options, argc, argv))
    return *exit;
  if (std::string complaint = Complaint(options); !complaint.empty()) {
    return BadUsage(app, complaint);
  }
  if (options.out.empty()) options.out = "crawls/" + options.job;
  return options;
}

std::variant<WorkerOptions, ExitNow> ParseWorkerOptions(int argc, const char* const* argv) {
  WorkerOptions options;
  CLI::App app("Fetches the URLs that a coordinator leases to it.", "trawl-worker");
  if (auto exit = Parse<WorkerOptions, CoordinatorOptions, ProbeOptions>(app, options, argc, argv))
    return *exit;
  if (options.coordinator.empty()) {
    return BadUsage(app, "--coordinator: name the endpoint to connect to, tcp://HOST:PORT");
  }
  if (std::string complaint = MachineComplaint(options); !complaint.empty()) {
    return BadUsage(app, complaint);
  }
  return options;
}

std::variant<ProbeOptions, ExitNow> ParseProbeOptions(int argc, const char* const* argv) {
  ProbeOptions options;
  CLI::App app("Explains single decisions of a crawl.", "trawl-probe");
  if (auto exit =
          Parse<ProbeOptions, CoordinatorOptions, WorkerOptions>(app, options, argc, argv)) {
    return *exit;
  }
  if (std::string complaint = Complaint(options); !complaint.empty()) {
    return BadUsage(app, complaint);
  }
  return options;
}

}  // namespace trawl
