#include "common/address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace trawl {
namespace {

std::vector<std::uint8_t> Parse(const std::string& text) {
  const bool ipv6 = text.find(':') != text.npos;
  std::vector<std::uint8_t> bytes(ipv6 ? 16 : 4);
  EXPECT_EQ(inet_pton(ipv6 ? AF_INET6 : AF_INET, text.c_str(), bytes.data()), 1) << text;
  return bytes;
}

void ExpectPublic(bool expected, const std::vector<std::string>& addresses) {
  for (const std::string& address : addresses) {
    EXPECT_EQ(IsPublicAddress(Parse(address)), expected) << address;
  }
}

struct Range {
  const char* before;
  const char* first;
  const char* last;
  const char* after;
};

// The range is not public; its neighbours are.
void ExpectHoles(const std::vector<Range>& ranges) {
  for (const auto& [before, first, last, after] : ranges) {
    ExpectPublic(true, {before, after});
    ExpectPublic(false, {first, last});
  }
}

TEST(PublicAddress, Ipv4SpecialPurposeRangesEndWhereTheRegistrySays) {
  ExpectHoles({
      {"9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"},
      {"100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"},
      {"126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"},
      {"169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"},
      {"172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"},
      {"191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"},
      {"192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"},
      {"192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"},
      {"192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"},
      {"198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"},
      {"198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"},
      {"203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"},
  });
  ExpectPublic(false, {"0.0.0.0", "0.255.255.255"});
  ExpectPublic(true, {"1.0.0.0", "223.255.255.255"});
  ExpectPublic(false, {"224.0.0.0", "239.255.255.255", "240.0.0.0", "255.255.255.255"});
}

TEST(PublicAddress, CloudMetadataIsLinkLocal) {
  ExpectPublic(false, {"169.254.169.254", "fe80::a9fe:a9fe", "fd00:ec2::254"});
}

TEST(PublicAddress, OnlyGlobalUnicastIpv6IsPublic) {
  ExpectPublic(true, {"2000::", "2a00:1450:4001:82b::200e",
                      "3fff:1000::", "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"});
  ExpectPublic(false, {
                          "::",
                          "::1",
                          "::7f00:1",  // loopback
                          "100::1",    // discard
                          "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                          "4000::",   // both edges
                          "5f00::1",  // routing
                          "fc00::",
                          "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",  // unique local
                          "fe80::",
                          "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",  // link-local
                          "fec0::1",                                  // site-local
                          "ff00::",
                          "ff02::1",
                          "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                      });
}

TEST(PublicAddress, Ipv6SpecialPurposeRangesEndWhereTheRegistrySays) {
  ExpectHoles({
      {"2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
       "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"},
      {"3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
       "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::"},
  });
  ExpectPublic(false, {"2001:1::1", "2001:2::", "2001:10::1", "2001:1ff:ffff::"});
  ExpectPublic(true, {"2001:3::1", "2001:4:112::1", "2001:20::1", "2001:3f::1", "2001:200::"});
  ExpectPublic(false, {"2001:4:111::1", "2001:4:113::1", "2001:1f:ffff::", "2001:40::"});
}

TEST(PublicAddress, Ipv6ThatCarriesIpv4IsAsPublicAsThat) {
  ExpectPublic(true, {"::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"});
  ExpectPublic(false, {"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"});
  ExpectPublic(false, {"64:ff9b::127.0.0.1", "64:ff9b::192.168.0.1", "64:ff9b:1::8.8.8.8"});
  ExpectPublic(false, {"2002:7f00:1::", "2002:a00:1::1", "2002:a9fe:a9fe::1", "2002::"});
  ExpectPublic(false, {"::8.8.8.8", "::ffff:0:8.8.8.8"});  // forms that are not in use any more
}

TEST(PublicAddress, TeredoNeedsAPublicServerAndAPublicClient) {
  // The client's address is inverted: f7f7:f7f7 is 8.8.8.8, 80ff:fffe is 127.0.0.1.
  ExpectPublic(true, {"2001:0:808:808::f7f7:f7f7"});
  ExpectPublic(false, {"2001:0:808:808::80ff:fffe", "2001:0:7f00:1::f7f7:f7f7"});
}

TEST(PublicAddress, OtherLengthsAreNotPublic) {
  for (const std::size_t size : {0, 1, 3, 5, 15, 17, 32}) {
    EXPECT_FALSE(IsPublicAddress(std::vector<std::uint8_t>(size, 8))) << size;
  }
}

TEST(PrivateHost, IsALiteralThatIsNotPublic) {
  for (const char* host : {"127.0.0.1", "10.1.2.3", "0.0.0.0", "169.254.169.254", "[::1]", "[::]",
                           "[fd00::1]", "[::ffff:7f00:1]", "[not-an-address]", "[]"}) {
    EXPECT_TRUE(IsPrivateHost(host)) << host;
  }
  for (const char* host : {"8.8.8.8", "[2606:4700::1111]", "[::ffff:808:808]"}) {
    EXPECT_FALSE(IsPrivateHost(host)) << host;
  }
}

TEST(PrivateHost, IsLocalhostAndTheNamesUnderIt) {
  for (const char* host : {"localhost", "localhost.", "www.localhost", "a.b.localhost."}) {
    EXPECT_TRUE(IsPrivateHost(host)) << host;
  }
  for (const char* host : {"example.com", "notlocalhost", "localhost.example", "127.0.0.1.example",
                           "10.example", "."}) {
    EXPECT_FALSE(IsPrivateHost(host)) << host;
  }
}

}  // namespace
}  // namespace trawl
