#include "worker/http/dns_answer.h"

#include <gtest/gtest.h>

#include <string_view>

namespace trawl {
namespace {

using std::chrono::seconds;
using Kind = DnsAnswer::Kind;
using namespace std::string_literals;

std::string Number16(std::size_t number) {
  return {static_cast<char>(number >> 8), static_cast<char>(number)};
}

/// Owners and names in data are as on the wire; "\xc0\x0c" points to the question's name.
std::string Record(const std::string& owner, int type, const std::string& data, int ttl = 60) {
  return owner + Number16(static_cast<std::size_t>(type)) + "\0\1\0\0"s +
         Number16(static_cast<std::size_t>(ttl)) + Number16(data.size()) + data;
}

const std::string kName = "\1a\4test\0"s;
const std::string kSelf = "\xc0\x0c";
const std::string kV4 = "\xc0\x00\x02\x01"s;

struct Message {
  int code = 0;
  std::vector<std::string> answers = {};
  std::vector<std::string> authorities = {};
  int questions = 1;

  std::string Bytes(int type = 1) const {
    std::string bytes = "id\x81"s + static_cast<char>(0x80 | code);
    bytes += Number16(static_cast<std::size_t>(questions)) + Number16(answers.size()) +
             Number16(authorities.size()) + "\0\0"s + kName +
             Number16(static_cast<std::size_t>(type)) + "\0\1"s;
    for (const auto& record : answers) bytes += record;
    for (const auto& record : authorities) bytes += record;
    return bytes;
  }
};

DnsAnswer Read(std::string_view bytes, AddressType type = AddressType::kIpv4) {
  return ReadDnsAnswer({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, type);
}

std::string Soa(int ttl, int minimum) {
  return Record(
      "\4test\0"s, 6,
      "\0\0"s + std::string(16, '\1') + "\0\0"s + Number16(static_cast<std::size_t>(minimum)), ttl);
}

TEST(DnsAnswer, ReadsAddressesAtTheEndOfAliases) {
  const std::string b = "\1b\0"s;
  const std::string c = "\1c\0"s;
  const struct {
    const char* what;
    Message message;
    std::size_t addresses;
    int ttl;
  } cases[] = {
      {"one", {.answers = {Record(kSelf, 1, kV4, 30)}}, 1, 30},
      {"least ttl", {.answers = {Record(kSelf, 1, kV4, 30), Record(kSelf, 1, kV4, 20)}}, 2, 20},
      {"case", {.answers = {Record("\1A\4TeSt\0"s, 1, kV4, 30)}}, 1, 30},
      {"alias", {.answers = {Record(kSelf, 5, b, 40), Record(b, 1, kV4, 50)}}, 1, 40},
      {"aliases in any order",
       {.answers = {Record(c, 1, kV4, 70), Record(b, 5, c, 60), Record(kSelf, 5, b, 50)}},
       1,
       50},
      {"others do not count",
       {.answers = {Record(b, 1, kV4, 1), Record(kSelf, 16, "text", 1), Record(kSelf, 1, kV4, 30)}},
       1,
       30},
      {"too many", {.answers = std::vector(20, Record(kSelf, 1, kV4, 30))}, kMaxDnsAddresses, 30},
  };
  for (const auto& t : cases) {
    SCOPED_TRACE(t.what);
    const DnsAnswer answer = Read(t.message.Bytes());
    EXPECT_EQ(answer.kind, Kind::kAddresses);
    EXPECT_EQ(answer.addresses.size(), t.addresses);
    EXPECT_EQ(answer.ttl, seconds(t.ttl));
  }
}

TEST(DnsAnswer, ReadsTheTypeThatWasAskedFor) {
  const Message message{
      .answers = {Record(kSelf, 1, kV4), Record(kSelf, 28, kV4 + kV4 + kV4 + kV4)}};
  const DnsAnswer v4 = Read(message.Bytes(1));
  ASSERT_EQ(v4.addresses.size(), 1u);
  EXPECT_EQ(v4.addresses[0].to_string(), "192.0.2.1");
  const DnsAnswer v6 = Read(message.Bytes(28), AddressType::kIpv6);
  ASSERT_EQ(v6.addresses.size(), 1u);
  EXPECT_EQ(v6.addresses[0].to_string(), "c000:201:c000:201:c000:201:c000:201");
}

TEST(DnsAnswer, TellsWhatIsNotThereFromWhatNobodyKnows) {
  const std::string b = "\1b\0"s;
  const struct {
    const char* what;
    Message message;
    Kind kind;
    std::optional<seconds> ttl;
  } cases[] = {
      {"no such name", {.code = 3}, Kind::kNoSuchName, {}},
      {"no such name, by its zone",
       {.code = 3, .authorities = {Soa(90, 80)}},
       Kind::kNoSuchName,
       seconds(80)},
      {"no address", {}, Kind::kNoAddress, {}},
      {"no address, by its zone", {.authorities = {Soa(70, 80)}}, Kind::kNoAddress, seconds(70)},
      {"alias of what does not exist",
       {.code = 3, .answers = {Record(kSelf, 5, b)}, .authorities = {Soa(90, 80)}},
       Kind::kNoSuchName,
       seconds(80)},
      {"alias of what has no address", {.answers = {Record(kSelf, 5, b)}}, Kind::kNoAddress, {}},
      {"another class", {.answers = {kSelf + "\0\1\0\3\0\0\0\1\0\4"s + kV4}}, Kind::kNoAddress, {}},
      {"broken SOA", {.authorities = {Record(kSelf, 6, "\0\0\1"s)}}, Kind::kNoAddress, {}},
      {"referral", {.authorities = {Record(kSelf, 2, "\2ns\0"s)}}, Kind::kFailure, {}},
      {"server failure", {.code = 2}, Kind::kFailure, {}},
      {"refused", {.code = 5}, Kind::kFailure, {}},
      {"alias of itself", {.answers = {Record(kSelf, 5, kSelf)}}, Kind::kFailure, {}},
  };
  for (const auto& t : cases) {
    SCOPED_TRACE(t.what);
    const DnsAnswer answer = Read(t.message.Bytes());
    EXPECT_EQ(answer.kind, t.kind);
    EXPECT_EQ(answer.ttl, t.ttl);
    EXPECT_EQ(answer.detail.empty(), t.kind != Kind::kFailure);
    EXPECT_TRUE(answer.addresses.empty());
  }
}

TEST(DnsAnswer, TakesATtlWithTheHighestBitAsNone) {
  const std::string record = kSelf + "\0\1\0\1\x80\0\0\0\0\4"s + kV4;
  EXPECT_EQ(Read(Message{.answers = {record}}.Bytes()).ttl, seconds(0));
}

TEST(DnsAnswer, RefusesWhatIsMalformed) {
  const struct {
    const char* what;
    Message message;
  } cases[] = {
      {"no question", {.questions = 0}},
      {"two questions", {.questions = 2}},
      {"address too short", {.answers = {Record(kSelf, 1, "\1\2\3")}}},
      {"address too long", {.answers = {Record(kSelf, 1, kV4 + kV4)}}},
      {"owner points to itself", {.answers = {Record("\xc0\x18", 1, kV4)}}},
      {"owner points forwards", {.answers = {Record("\xc0\x30", 1, kV4)}}},
      {"label of an unknown kind",
       {.answers = {Record("\x41"s + std::string(65, 'a') + '\0', 1, kV4)}}},
      {"alias longer than its record", {.answers = {Record(kSelf, 5, "\7b"s)}}},
      {"alias shorter than its record", {.answers = {Record(kSelf, 5, "\1b\0\0"s)}}},
      {"authority", {.authorities = {"\xc0"}}},
  };
  for (const auto& t : cases) {
    const DnsAnswer answer = Read(t.message.Bytes());
    EXPECT_EQ(answer.kind, Kind::kFailure) << t.what;
    EXPECT_EQ(answer.detail, "malformed answer") << t.what;
  }
  std::string long_name;
  for (int i = 0; i < 5; ++i) long_name += '\x3f' + std::string(63, 'a');
  EXPECT_EQ(Read(Message{.answers = {Record(long_name + '\0', 1, kV4)}}.Bytes()).kind,
            Kind::kFailure);
}

TEST(DnsAnswer, NeverReadsBeyondAMessageThatIsCut) {
  const std::string whole =
      Message{.answers = {Record(kSelf, 5, "\1b\0"s), Record("\1b\0"s, 1, kV4)}}.Bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    // A copy of its own, so that a sanitizer sees what lies beyond.
    const std::vector<std::uint8_t> cut(whole.begin(), whole.begin() + static_cast<long>(size));
    EXPECT_EQ(ReadDnsAnswer(cut, AddressType::kIpv4).kind, Kind::kFailure) << size;
  }
  EXPECT_EQ(Read(whole).kind, Kind::kAddresses);
}

TEST(DnsAnswer, LooksAtSoManyRecordsOnly) {
  Message message{.answers = std::vector(5'000, Record(kSelf, 16, ""))};
  message.answers.push_back(Record(kSelf, 1, kV4));
  EXPECT_EQ(Read(message.Bytes()).kind, Kind::kNoAddress);
}

}  // namespace
}  // namespace trawl
