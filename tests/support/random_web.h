// A random graph of pages, redirects and errors, on hosts some of which do not give their
// robots.txt away at first or ever, with sitemaps that robots.txt files list, and the crawl that a
// breadth-first search makes of it: what the simulated crawls are compared with.
#pragma once

#include <map>
#include <random>
#include <string>
#include <vector>

namespace trawl {

struct RandomWeb {
  struct Node {
    enum class Kind { kPage, kRedirect, kError, kSitemap };
    Kind kind = Kind::kPage;
    std::vector<std::string> links;     // kRedirect: its target alone
    std::vector<std::string> sitemaps;  // kSitemap: others that it lists
    int failures = 0;                   // of its first tries
    bool overloaded = false;            // they fail with 503
  };

  std::map<std::string, Node> nodes;  // by canonical URL
  std::vector<std::string> seeds;

  static constexpr int kMostFailures = 3;
  static constexpr int kMostRobotsFailures = 3;
  static constexpr int kAlwaysFails = 1'000;
  /// By host: how many tries to have its robots.txt fail. Where it is kAlwaysFails nothing can be
  /// crawled.
  std::map<std::string, int> robots_failures;
  /// By host: what its robots.txt lists, on any host. Only there and in each other are sitemaps
  /// listed, each once.
  std::map<std::string, std::vector<std::string>> sitemaps;

  static RandomWeb Make(std::mt19937_64& random);

  bool IsForbidden(const std::string& url) const;
  bool HasHttps(const std::string& host) const;
  /// Whether a URL of the host fails with 503 at first.
  bool MayBeOverloaded(const std::string& host) const;
  /// Whether it is a page or a sitemap that can be crawled with so many retries.
  bool IsPage(const std::string& url, int retries) const;
  /// The depth of every URL that a crawl down to `max_depth` reaches: links cost one, redirects
  /// and, `with_sitemaps`, sitemaps nothing.
  std::map<std::string, int> Depths(int max_depth, bool with_sitemaps, int retries) const;

 private:
  void AddSitemaps(std::mt19937_64& random, int hosts, const std::vector<std::string>& pages);
};

}  // namespace trawl
