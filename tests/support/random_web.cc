#include "tests/support/random_web.h"

#include <deque>

#include "common/url.h"

namespace trawl {
namespace {

int Draw(std::mt19937_64& random, int least, int most) {
  return std::uniform_int_distribution<int>(least, most)(random);
}

}  // namespace

RandomWeb RandomWeb::Make(std::mt19937_64& random) {
  RandomWeb web;
  const int hosts = Draw(random, 1, 4);
  const int size = Draw(random, 1, 40);
  std::vector<std::string> urls;
  for (int i = 0; i < size; ++i) {
    urls.push_back("http://h" + std::to_string(Draw(random, 1, hosts)) + ".test/" +
                   std::to_string(i));
  }
  const auto any = [&] { return urls[Draw(random, 0, size - 1)]; };
  // Many redirects in some webs: they are what makes URLs move between rounds.
  const int redirects_in_ten = Draw(random, 0, 5);
  for (const std::string& url : urls) {
    Node node;
    const int kind = Draw(random, 0, 9);
    if (kind < redirects_in_ten) {
      node.kind = Node::Kind::kRedirect;
      node.links = {any()};
    } else if (kind == 9) {
      node.kind = Node::Kind::kError;
    } else {
      for (int links = Draw(random, 0, 6); links > 0; --links) node.links.push_back(any());
    }
    web.nodes[url] = node;
  }
  for (int seeds = Draw(random, 1, 3); seeds > 0; --seeds) web.seeds.push_back(any());
  for (int host = 1; host <= hosts; ++host) {
    const int kind = Draw(random, 0, 9);
    web.robots_failures["h" + std::to_string(host) + ".test"] =
        kind == 9  ? kAlwaysFails
        : kind > 6 ? Draw(random, 1, kMostRobotsFailures)
                   : 0;
  }
  return web;
}

bool RandomWeb::IsForbidden(const std::string& url) const {
  return robots_failures.at(std::string(AuthorityOf(url))) == kAlwaysFails;
}

bool RandomWeb::IsPage(const std::string& url) const {
  return nodes.at(url).kind == Node::Kind::kPage && !IsForbidden(url);
}

std::map<std::string, int> RandomWeb::Depths(int max_depth) const {
  std::map<std::string, int> depths;
  std::deque<std::pair<std::string, int>> queue;
  for (const std::string& seed : seeds) queue.emplace_back(seed, 0);
  while (!queue.empty()) {
    const auto [url, depth] = queue.front();
    queue.pop_front();
    if (depth > max_depth || !depths.emplace(url, depth).second) continue;
    if (IsForbidden(url)) continue;
    const Node& node = nodes.at(url);
    for (const std::string& link : node.links) {
      if (node.kind == Node::Kind::kRedirect) {
        queue.emplace_front(link, depth);
      } else {
        queue.emplace_back(link, depth + 1);
      }
    }
  }
  return depths;
}

}  // namespace trawl
