#include "common/dns_servers.h"

#include <gtest/gtest.h>

namespace trawl {
namespace {

TEST(DnsServers, AreAddressesWithOrWithoutAPort) {
  using Servers = std::vector<DnsServer>;
  const struct {
    const char* text;
    Servers servers;
  } cases[] = {
      {"192.0.2.1", {{"192.0.2.1", 53}}},
      {"192.0.2.1:5353", {{"192.0.2.1", 5353}}},
      {"2001:db8::1", {{"2001:db8::1", 53}}},
      {"[2001:db8::1]", {{"2001:db8::1", 53}}},
      {"[::1]:65535", {{"::1", 65535}}},
      {"192.0.2.2,192.0.2.1:1,::1", {{"192.0.2.2", 53}, {"192.0.2.1", 1}, {"::1", 53}}},
  };
  for (const auto& c : cases) EXPECT_EQ(ParseDnsServers(c.text), c.servers) << c.text;
}

TEST(DnsServers, AreNothingElse) {
  for (const char* text : {"",
                           ",",
                           "192.0.2.1,",
                           ",192.0.2.1",
                           "192.0.2.1, 192.0.2.2",
                           "dns.test",
                           "192.0.2",
                           "0x7f.1",
                           "192.0.2.1:",
                           "192.0.2.1:0",
                           "192.0.2.1:65536",
                           "192.0.2.1:-1",
                           "192.0.2.1:53x",
                           "192.0.2.1:53:53",
                           "[192.0.2.1]:53",
                           "[::1",
                           "[::1]53",
                           "[::1]:",
                           "::1]:53",
                           "[]:53",
                           "fe80::1%eth0",
                           "udp://192.0.2.1"}) {
    EXPECT_EQ(ParseDnsServers(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace trawl
