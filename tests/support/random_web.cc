#include "tests/support/random_web.h"

#include <algorithm>
#include <deque>
#include <set>
#include <utility>

#include "common/url.h"
#include "coordinator/host_queue.h"

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
    // Both origins of a host share its queue and its politeness.
    urls.push_back((Draw(random, 0, 3) == 0 ? "https://h" : "http://h") +
                   std::to_string(Draw(random, 1, hosts)) + ".test/" + std::to_string(i));
  }
  const auto any = [&] { return urls[Draw(random, 0, size - 1)]; };
  // A host that asks too often in a row to be left alone is given up: none does here.
  std::map<std::string_view, int> overloads;
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
    if (Draw(random, 0, 3) == 0) node.failures = Draw(random, 1, kMostFailures);
    int& overloads_of_host = overloads[AuthorityOf(url)];
    node.overloaded =
        Draw(random, 0, 1) == 1 && overloads_of_host + node.failures < HostQueue::kMostPauses;
    if (node.overloaded) overloads_of_host += node.failures;
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
  web.AddSitemaps(random, hosts, urls);
  return web;
}

void RandomWeb::AddSitemaps(std::mt19937_64& random, int hosts,
                            const std::vector<std::string>& pages) {
  const auto make = [&] {
    const std::string url = "http://h" + std::to_string(Draw(random, 1, hosts)) + ".test/map" +
                            std::to_string(nodes.size());
    Node& node = nodes[url];
    node.kind = Node::Kind::kSitemap;
    for (int links = Draw(random, 0, 6); links > 0; --links) {
      node.links.push_back(pages[Draw(random, 0, static_cast<int>(pages.size()) - 1)]);
    }
    return url;
  };
  for (int host = 1; host <= hosts; ++host) {
    std::vector<std::string>& listed = sitemaps["h" + std::to_string(host) + ".test"];
    for (int maps = Draw(random, 0, 2); maps > 0; --maps) {
      const std::string url = make();
      listed.push_back(url);
      if (Draw(random, 0, 1) == 1) nodes[url].sitemaps.push_back(make());
    }
  }
}

bool RandomWeb::IsForbidden(const std::string& url) const {
  return robots_failures.at(std::string(AuthorityOf(url))) == kAlwaysFails;
}

bool RandomWeb::HasHttps(const std::string& host) const {
  return nodes.lower_bound("https://" + host + "/") != nodes.lower_bound("https://" + host + "0");
}

bool RandomWeb::MayBeOverloaded(const std::string& host) const {
  return std::any_of(nodes.begin(), nodes.end(), [&](const auto& node) {
    return AuthorityOf(node.first) == host && node.second.overloaded && node.second.failures > 0;
  });
}

bool RandomWeb::IsPage(const std::string& url, int retries) const {
  const Node& node = nodes.at(url);
  return (node.kind == Node::Kind::kPage || node.kind == Node::Kind::kSitemap) &&
         node.failures <= retries && !IsForbidden(url);
}

std::map<std::string, int> RandomWeb::Depths(int max_depth, bool with_sitemaps, int retries) const {
  struct Found {
    std::string url;
    int depth;
    std::string lister;  // of a sitemap: the host whose robots.txt has led to it
  };
  std::map<std::string, int> depths;
  std::set<std::string> hosts;  // whose robots.txt was read
  std::deque<Found> queue;
  for (const std::string& seed : seeds) queue.push_back({seed, 0, ""});
  while (!queue.empty()) {
    const auto [url, depth, lister] = queue.front();
    queue.pop_front();
    if (depth > max_depth || !depths.emplace(url, depth).second) continue;
    if (IsForbidden(url)) continue;
    const std::string host(AuthorityOf(url));
    if (with_sitemaps && hosts.insert(host).second) {
      for (const std::string& map : sitemaps.at(host)) queue.push_front({map, depth, host});
    }
    const Node& node = nodes.at(url);
    if (node.failures > retries) continue;
    const auto may_list = [&](const std::string& listed) {
      return AuthorityOf(listed) == host || AuthorityOf(listed) == lister;
    };
    for (const std::string& map : node.sitemaps) {
      if (may_list(map)) queue.push_front({map, depth, lister});
    }
    for (const std::string& link : node.links) {
      if (node.kind == Node::Kind::kPage) {
        queue.push_back({link, depth + 1, ""});
      } else if (node.kind == Node::Kind::kRedirect || may_list(link)) {
        queue.push_front({link, depth, ""});
      }
    }
  }
  return depths;
}

}  // namespace trawl
