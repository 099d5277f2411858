#include <unistd.h>

#include <boost/json.hpp>
#include <iostream>

#include "common/command_line.h"
#include "common/log.h"
#include "worker/probe/decisions.h"
#include "worker/probe/fetch_probe.h"
#include "worker/probe/why.h"

namespace {

int AnswerInput(const trawl::Answer& answer) {
  return trawl::AnswerLines(STDIN_FILENO, std::cout, answer) ? 0 : 1;
}

/// False when one of the URLs could not be fetched.
bool Fetch(const trawl::ProbeOptions& options) {
  trawl::FetchProbe probe(options);
  bool answered = true;
  for (const std::string& url : options.crawl.seeds) {
    const trawl::FetchProbe::Report report = probe.Fetch(trawl::Url::Parse(url).value());
    std::cout << boost::json::serialize(report.json) << '\n' << std::flush;
    answered &= report.answered;
  }
  return answered && std::cout;
}

int Why(const trawl::ProbeOptions& options) {
  std::string complaint;
  const trawl::Result<trawl::RedisAddress> redis = trawl::ParseRedisUrl(options.redis, complaint);
  if (!redis) {
    std::cerr << "trawl-probe: --redis: " << complaint << "\n";
    return 2;
  }
  trawl::WhyProbe probe(*redis, options.job, options.out);
  const trawl::Url url = trawl::Url::Parse(options.crawl.seeds[0]).value();
  std::cout << boost::json::serialize(probe.Explain(url)) << '\n' << std::flush;
  return std::cout ? 0 : 1;
}

int Run(const trawl::ProbeOptions& options) {
  switch (options.command) {
    case trawl::ProbeCommand::kUrl:
      return AnswerInput([rewrite = trawl::UrlRewrite(options.crawl)](const auto& question) {
        return trawl::DecideUrl(rewrite, question);
      });
    case trawl::ProbeCommand::kRobots:
      return AnswerInput(trawl::DecideRobots);
    case trawl::ProbeCommand::kLinks:
      return AnswerInput(trawl::DecideLinks);
    case trawl::ProbeCommand::kSitemap:
      return AnswerInput(trawl::DecideSitemap);
    case trawl::ProbeCommand::kFetch:
      return Fetch(options) ? 0 : 1;
    case trawl::ProbeCommand::kWhy:
      return Why(options);
  }
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const auto parsed = trawl::ParseProbeOptions(argc, argv);
  if (const auto* exit = std::get_if<trawl::ExitNow>(&parsed)) return exit->code;
  const auto& options = std::get<trawl::ProbeOptions>(parsed);
  trawl::SetUpLog("trawl-probe", options.log_level);
  try {
    return Run(options);
  } catch (const std::exception& error) {
    std::cerr << "trawl-probe: " << error.what() << "\n";
    return 1;
  }
}
