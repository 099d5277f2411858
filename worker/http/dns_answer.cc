#include "worker/http/dns_answer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "common/text.h"

namespace trawl {
namespace {

using Bytes = std::span<const std::uint8_t>;
using std::chrono::seconds;

constexpr std::size_t kMaxNameBytes = 255;  // RFC 1035, section 2.3.4
constexpr std::uint16_t kInternet = 1;
constexpr std::uint16_t kNs = 2;
constexpr std::uint16_t kCname = 5;
constexpr std::uint16_t kSoa = 6;
constexpr int kNoError = 0;
constexpr int kNoSuchName = 3;

struct Record {
  std::string owner;
  std::uint16_t type = 0;
  std::uint16_t dns_class = 0;
  seconds ttl{0};
  std::size_t data_begin = 0;
  std::size_t data_end = 0;
};

/// Reads on from where it is; `ok` is false once something was not there.
class Reader {
 public:
  explicit Reader(Bytes message) : message_(message) {}

  bool ok() const { return ok_; }
  std::size_t at() const { return at_; }
  void MoveTo(std::size_t at) { at_ = at; }
  void Skip(std::size_t count) { Take(count); }

  std::uint16_t Number16() {
    const Bytes bytes = Take(2);
    return bytes.empty() ? 0 : static_cast<std::uint16_t>(bytes[0] << 8 | bytes[1]);
  }
  std::uint32_t Number32() {
    const std::uint32_t high = Number16();
    return high << 16 | Number16();
  }

  /// In lower case, with a point behind each label. A point within a label becomes a NUL, which no
  /// host of a URL has.
  std::string Name() {
    std::string name;
    std::size_t next = at_;  // of a label
    std::size_t end = 0;     // of the name where it began; set by the first pointer
    for (;;) {
      at_ = next;
      const Bytes length = Take(1);
      if (length.empty()) return {};
      if (length[0] >= 0xc0) {
        const Bytes low = Take(1);
        if (low.empty()) return {};
        if (end == 0) end = at_;
        const std::size_t target = (length[0] & 0x3fu) << 8 | low[0];
        // Only backwards, so that it ends.
        if (target >= next) return Fail();
        next = target;
        continue;
      }
      if (length[0] > 63) return Fail();
      if (length[0] == 0) break;
      for (const std::uint8_t byte : Take(length[0])) {
        name += byte == '.' ? '\0' : static_cast<char>(byte);
      }
      name += '.';
      if (!ok_ || name.size() > kMaxNameBytes) return Fail();
      next = at_;
    }
    if (end != 0) at_ = end;
    return LowerCase(name);
  }

  Record NextRecord() {
    Record record;
    record.owner = Name();
    record.type = Number16();
    record.dns_class = Number16();
    const std::uint32_t ttl = Number32();
    record.ttl = seconds(ttl > 0x7fffffff ? 0 : ttl);  // RFC 2181, section 8
    const std::size_t size = Number16();
    record.data_begin = at_;
    Skip(size);
    record.data_end = at_;
    return record;
  }

 private:
  Bytes Take(std::size_t count) {
    if (!ok_ || message_.size() - at_ < count) {
      ok_ = false;
      return {};
    }
    at_ += count;
    return message_.subspan(at_ - count, count);
  }
  std::string Fail() {
    ok_ = false;
    return {};
  }

  const Bytes message_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

/// Reads `count` records, or the first of them that there is room for in `records`.
void ReadRecords(Reader& reader, std::size_t count, std::vector<Record>& records) {
  for (; count > 0 && records.size() < kMaxDnsRecords; --count) {
    Record record = reader.NextRecord();
    if (!reader.ok()) return;
    if (record.dns_class == kInternet) records.push_back(std::move(record));
  }
}

template <class Address>
boost::asio::ip::address ReadAddress(Bytes data) {
  typename Address::bytes_type bytes;
  std::copy(data.begin(), data.end(), bytes.begin());
  return Address(bytes);
}

DnsAnswer Failure(std::string detail) { return {.detail = std::move(detail)}; }

/// The addresses at the end of the aliases that begin with `name`. None when a name is malformed.
std::optional<DnsAnswer> FollowAliases(Bytes message, std::string name, AddressType type,
                                       const std::vector<Record>& records) {
  DnsAnswer answer{.kind = DnsAnswer::Kind::kAddresses};
  seconds ttl = seconds::max();
  const std::size_t size = type == AddressType::kIpv4 ? 4 : 16;
  for (std::size_t aliases = 0; aliases <= kMaxDnsAliases; ++aliases) {
    const Record* alias = nullptr;
    for (const Record& record : records) {
      if (record.owner != name) continue;
      if (record.type == kCname) alias = &record;
      if (record.type != static_cast<std::uint16_t>(type)) continue;
      if (record.data_end - record.data_begin != size) return std::nullopt;
      if (answer.addresses.size() == kMaxDnsAddresses) continue;
      const Bytes data = message.subspan(record.data_begin, size);
      answer.addresses.push_back(type == AddressType::kIpv4
                                     ? ReadAddress<boost::asio::ip::address_v4>(data)
                                     : ReadAddress<boost::asio::ip::address_v6>(data));
      ttl = std::min(ttl, record.ttl);
    }
    if (!answer.addresses.empty()) {
      answer.ttl = ttl;
      return answer;
    }
    if (alias == nullptr) {
      answer.kind = DnsAnswer::Kind::kNoAddress;
      return answer;
    }
    Reader reader(message);
    reader.MoveTo(alias->data_begin);
    name = reader.Name();
    if (!reader.ok() || reader.at() != alias->data_end) return std::nullopt;
    ttl = std::min(ttl, alias->ttl);
  }
  return Failure("too many aliases");
}

/// How long the absence lasts that the zone's SOA record vouches for.
std::optional<seconds> AbsenceTtl(Bytes message, const Record& soa) {
  Reader reader(message);
  reader.MoveTo(soa.data_begin);
  reader.Name();    // primary server
  reader.Name();    // mailbox
  reader.Skip(16);  // serial, refresh, retry, expire
  const std::uint32_t minimum = reader.Number32();
  if (!reader.ok() || reader.at() != soa.data_end) return std::nullopt;
  return std::min(soa.ttl, seconds(minimum));
}

}  // namespace

DnsAnswer ReadDnsAnswer(Bytes message, AddressType type) {
  Reader reader(message);
  reader.Skip(2);  // id
  const int code = reader.Number16() & 0x0f;
  const std::size_t questions = reader.Number16();
  const std::size_t answers = reader.Number16();
  const std::size_t authorities = reader.Number16();
  reader.Skip(2);  // additional records
  const std::string name = reader.Name();
  reader.Skip(4);  // type, class
  if (!reader.ok() || questions != 1) return Failure("malformed answer");
  if (code != kNoError && code != kNoSuchName) {
    return Failure("the DNS server answered with code " + std::to_string(code));
  }

  std::vector<Record> records;
  ReadRecords(reader, answers, records);
  if (!reader.ok()) return Failure("malformed answer");
  std::optional<DnsAnswer> answer = FollowAliases(message, name, type, records);
  if (!answer) return Failure("malformed answer");
  if (answer->kind != DnsAnswer::Kind::kNoAddress || answers > kMaxDnsRecords) {
    return *std::move(answer);
  }

  const bool no_answers = records.empty();
  records.clear();
  ReadRecords(reader, authorities, records);
  if (!reader.ok()) return Failure("malformed answer");
  const auto soa = std::ranges::find(records, kSoa, &Record::type);
  if (soa != records.end()) answer->ttl = AbsenceTtl(message, *soa);
  if (code == kNoSuchName) {
    answer->kind = DnsAnswer::Kind::kNoSuchName;
  } else if (no_answers && soa == records.end() &&
             std::ranges::find(records, kNs, &Record::type) != records.end()) {
    // RFC 2308, section 2.2: a referral is no answer.
    return Failure("the DNS server does not know it and asks nobody else");
  }
  return *std::move(answer);
}

}  // namespace trawl
