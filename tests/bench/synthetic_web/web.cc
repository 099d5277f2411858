#include "tests/bench/synthetic_web/web.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <random>

namespace trawl {
namespace {

// HTML bytes of a page, by the HTTP Archive: 6, 12, 27, 58 and 110 KB are the 10th, 25th, 50th,
// 75th and 90th percentile (Web Almanac 2019, chapter 18, figure 4, desktop). This lognormal
// distribution has 6.6, 12.9, 27, 56.7 and 110.6.
constexpr double kMedianBytes = 27'000;
constexpr double kSigma = 1.1;
constexpr double kMostBytes = 1'000'000;

constexpr std::uint32_t kLinks = 40;        // of a page that is not the hub's
constexpr std::uint32_t kOutwardLinks = 8;  // of them, to other hosts

constexpr std::uint32_t kFirstAddress = (127U << 24) + (1U << 16);  // the hub's: 127.1.0.0

enum class Purpose : std::uint64_t { kPages = 1, kLatency, kSize, kLinks };

/// The same for the same arguments, wherever and whenever.
std::uint64_t Draw(Purpose purpose, std::uint32_t host, std::uint32_t page = 0) {
  std::uint64_t x =
      (static_cast<std::uint64_t>(purpose) << 56) ^ (std::uint64_t{host} << 24) ^ page;
  x = (x + 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

std::size_t SizeOf(std::uint32_t host, std::uint32_t page) {
  std::minstd_rand random(static_cast<std::uint32_t>(Draw(Purpose::kSize, host, page) >> 32));
  std::lognormal_distribution<double> size(std::log(kMedianBytes), kSigma);
  return static_cast<std::size_t>(std::min(size(random), kMostBytes));
}

/// Paragraphs like those of any page, so that a parser has tags and attributes to read.
std::string MakeFiller() {
  std::string text;
  std::minstd_rand random(1);
  while (text.size() < 4 * static_cast<std::size_t>(kMostBytes)) {
    text += "<div class=\"block wide\"><p id=p" + std::to_string(random() % 100'000) + ">";
    for (int word = 0; word < 60; ++word) {
      for (auto letters = 2 + random() % 9; letters > 0; --letters) {
        text += static_cast<char>('a' + random() % 26);
      }
      text += word % 20 == 19 ? ".<br>\n" : " ";
    }
    text += "<img src=\"/i/" + std::to_string(random() % 1'000) + ".png\" alt=\"\"></p></div>\n";
  }
  return text;
}

}  // namespace

SyntheticWeb::SyntheticWeb(Options options) : options_(std::move(options)), filler_(MakeFiller()) {}

std::uint64_t SyntheticWeb::page_count() const {
  std::uint64_t pages = 1;
  for (std::uint32_t host = 1; host <= options_.hosts; ++host) {
    pages += PagesOf(host, options_.mean_pages);
  }
  return pages;
}

std::string SyntheticWeb::NameOf(std::uint32_t host) {
  if (host == kHub) return kHubName;
  const std::string digits = std::to_string(host);
  return "h" + std::string(6 - std::min<std::size_t>(6, digits.size()), '0') + digits + ".test";
}

std::optional<std::uint32_t> SyntheticWeb::HostOf(std::string_view name) const {
  if (name == kHubName) return kHub;
  std::uint32_t host = 0;
  if (!name.starts_with('h')) return std::nullopt;
  const auto [end, error] = std::from_chars(name.data() + 1, name.data() + name.size(), host);
  if (error != std::errc() || host == kHub || host > hosts() || NameOf(host) != name) {
    return std::nullopt;
  }
  return host;
}

boost::asio::ip::address_v4 SyntheticWeb::AddressOf(std::uint32_t host) {
  return boost::asio::ip::address_v4(kFirstAddress + host);
}

std::chrono::milliseconds SyntheticWeb::LatencyOf(std::uint32_t host) {
  return std::chrono::milliseconds(50 + Draw(Purpose::kLatency, host) % 451);
}

std::uint32_t SyntheticWeb::PagesOf(std::uint32_t host, std::uint32_t mean) {
  if (host == kHub) return 1;
  return 1 + static_cast<std::uint32_t>(Draw(Purpose::kPages, host) % (2 * mean - 1));
}

std::string SyntheticWeb::PathOf(std::uint32_t page) {
  return page == 0
             ? "/"
             : "/section-" + std::to_string(page % 7) + "/page-" + std::to_string(page) + ".html";
}

void SyntheticWeb::AppendLink(std::string& html, std::uint32_t host, std::uint32_t page) const {
  html += "<li class=item><a class=\"link\" href=\"" + options_.scheme + "://" + NameOf(host) +
          PathOf(page) + "\">page " + std::to_string(page) + "</a></li>\n";
}

/// The pages of a host are a tree, so that all are found; the other links are drawn.
void SyntheticWeb::AppendLinks(std::string& html, std::uint32_t host, std::uint32_t page) const {
  if (host == kHub) {
    for (std::uint32_t other = 1; other <= hosts(); ++other) AppendLink(html, other, 0);
    return;
  }
  const std::uint32_t pages = PagesOf(host, options_.mean_pages);
  std::uint32_t links = 0;
  for (const std::uint32_t child : {2 * page + 1, 2 * page + 2}) {
    if (child >= pages) continue;
    AppendLink(html, host, child);
    ++links;
  }
  std::minstd_rand random(static_cast<std::uint32_t>(Draw(Purpose::kLinks, host, page) >> 32));
  for (; links < kLinks; ++links) {
    std::uint32_t to = host;
    if (links >= kLinks - kOutwardLinks) to = 1 + static_cast<std::uint32_t>(random() % hosts());
    AppendLink(html, to, static_cast<std::uint32_t>(random() % PagesOf(to, options_.mean_pages)));
  }
}

std::optional<SyntheticWeb::Page> SyntheticWeb::PageAt(std::uint32_t host,
                                                       std::string_view path) const {
  std::uint32_t page = 0;
  if (const auto dash = path.find("page-"); dash != path.npos) {
    std::from_chars(path.data() + dash + 5, path.data() + path.size(), page);
  }
  if (path != PathOf(page) || page >= PagesOf(host, options_.mean_pages)) return std::nullopt;
  Page made;
  made.head = "<!DOCTYPE html><html lang=en><head><meta charset=utf-8><title>Page " +
              std::to_string(page) + " of " + NameOf(host) + "</title></head><body><ul>\n";
  AppendLinks(made.head, host, page);
  made.head += "</ul>\n";
  const std::size_t size = SizeOf(host, page);
  if (size > made.head.size()) {
    const std::size_t begin = Draw(Purpose::kSize, host, page) % (filler_.size() / 2);
    made.filler = std::string_view(filler_).substr(begin, size - made.head.size());
  }
  return made;
}

}  // namespace trawl
