// A random graph of pages, redirects and errors, and the crawl that a breadth-first search makes of
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

  static RandomWeb Make(std::mt19937_64& random);

  /// The depth of every URL that a crawl down to `max_depth` reaches: links cost one, redirects
  /// nothing.
  std::map<std::string, int> Depths(int max_depth) const;
};

}  // namespace trawl
