// A random graph of pages, redirects and errors, on hosts some of which do not give their
// robots.txt away at first or ever, and the crawl that a breadth-first search makes of
// it: what the simulated crawls are compared with.
#pragma once

#include <map>
#include <random>
#include <string>
#include <vector>

namespace trawl {

struct RandomWeb {
  struct Node {
    enum class Kind { kPage, kRedirect, kError };
    Kind kind = Kind::kPage;
    std::vector<std::string> links;  // kRedirect: its target alone
  };

  std::map<std::string, Node> nodes;  // by canonical URL
  std::vector<std::string> seeds;

  static constexpr int kMostRobotsFailures = 3;
  static constexpr int kAlwaysFails = 1'000;
  /// By host: how many tries to have its robots.txt fail. Where it is kAlwaysFails nothing can be
  /// crawled.
  std::map<std::string, int> robots_failures;

  static RandomWeb Make(std::mt19937_64& random);

  bool IsForbidden(const std::string& url) const;
  /// Whether it is a page that can be crawled.
  bool IsPage(const std::string& url) const;
  /// The depth of every URL that a crawl down to `max_depth` reaches: links cost one, redirects
  /// nothing.
  std::map<std::string, int> Depths(int max_depth) const;
};

}  // namespace trawl
