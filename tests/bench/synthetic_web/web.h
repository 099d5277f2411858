// A web of many small sites that exists only as rules: every host's address, latency and number of
// pages, and every page's links and size, follow from a seed and the numbers of host and page. What
// a crawl of it must find is therefore known beforehand.
#pragma once

#include <boost/asio/ip/address_v4.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace trawl {

class SyntheticWeb {
 public:
  /// All hosts are linked from the one page of the hub.
  static constexpr char kHubName[] = "hub.test";
  static constexpr std::uint32_t kHub = 0;  // its number; the others' are 1 to hosts

  struct Options {
    std::uint32_t hosts = 10'000;
    std::uint32_t mean_pages = 5;  // of a host: from 1 to twice this less 1, each as likely
    std::string scheme = "http";
  };

  explicit SyntheticWeb(Options options);

  std::uint32_t hosts() const { return options_.hosts; }
  /// That a whole crawl fetches, the hub's too.
  std::uint64_t page_count() const;

  static std::string NameOf(std::uint32_t host);
  /// None when no host of the web has this name, which is in lower case.
  std::optional<std::uint32_t> HostOf(std::string_view name) const;
  static boost::asio::ip::address_v4 AddressOf(std::uint32_t host);
  /// 50 to 500 ms.
  static std::chrono::milliseconds LatencyOf(std::uint32_t host);
  static std::uint32_t PagesOf(std::uint32_t host, std::uint32_t mean);
  static bool HasRobots(std::uint32_t host) { return host % 2 == 0; }

  /// A page in two parts, of which the second is text that all pages share and that outlives them.
  struct Page {
    std::string head;
    std::string_view filler;
  };
  /// None when the host has no such page.
  std::optional<Page> PageAt(std::uint32_t host, std::string_view path) const;

 private:
  static std::string PathOf(std::uint32_t page);
  void AppendLink(std::string& html, std::uint32_t host, std::uint32_t page) const;
  void AppendLinks(std::string& html, std::uint32_t host, std::uint32_t page) const;

  const Options options_;
  const std::string filler_;
};

}  // namespace trawl
