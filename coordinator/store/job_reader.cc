#include "coordinator/store/job_reader.h"

#include <algorithm>
#include <stdexcept>

#include "common/fingerprint.h"
#include "common/text.h"
#include "common/url.h"

namespace trawl {
namespace {

using Kind = RedisReply::Kind;

/// Entries of a host queue that are read at a time.
constexpr std::int64_t kPageEntries = 1000;
/// A URL that was on its way from a queue to a lease is there at the second look.
constexpr int kLooks = 2;

bool IsOf(std::string_view entry, std::string_view url) {
  return entry.starts_with(url) && (entry.size() == url.size() || entry[url.size()] == ' ');
}

}  // namespace

/// What one atomic call of `trawl_1_find` answers.
struct JobReader::Found {
  bool seen = false;
  std::optional<UrlPlace::Leased> leased;
  std::vector<int> depths;  // at which the host has a queue
};

template <class Answer>
void JobReader::Await(const std::optional<Answer>& answer) {
  io_.restart();
  while (!answer && io_.run_one() > 0) {
  }
  if (!answer) throw std::logic_error("nothing to wait for");
}

JobReader::JobReader(const RedisAddress& address, std::string job)
    : job_(std::move(job)), client_(io_) {
  std::optional<Result<void>> connected;
  std::string reason;
  client_.Connect(address, [&](Result<void> result, const std::string& why) {
    connected = result;
    reason = why;
  });
  Await(connected);
  if (!*connected) throw std::runtime_error("cannot reach Redis: " + reason);
}

std::string JobReader::Key(std::string_view name) const {
  return "trawl:{" + job_ + "}:" + std::string(name);
}

RedisReply JobReader::Run(const std::vector<std::string>& command) {
  std::optional<Result<RedisReply>> reply;
  client_.Command(command, [&](Result<RedisReply> got) { reply = std::move(got); });
  Await(reply);
  if (!*reply) throw std::runtime_error("lost Redis");
  if ((*reply)->kind == Kind::kError) throw std::runtime_error("Redis: " + (*reply)->text);
  return std::move(**reply);
}

JobReader::Fields JobReader::Hash(std::string_view name) {
  return ToFields(Run({"HGETALL", Key(name)}));
}

std::optional<std::string> JobReader::Field(std::string_view name, std::string_view field) {
  RedisReply reply = Run({"HGET", Key(name), std::string(field)});
  if (reply.kind == Kind::kNil) return std::nullopt;
  return std::move(reply.text);
}

UrlPlace JobReader::Find(std::string_view url) {
  UrlPlace place;
  for (int look = 0; look < kLooks; ++look) {
    Found found = FindAtOnce(url);
    place.seen = found.seen;
    place.leased = std::move(found.leased);
    if (!place.seen || place.leased) return place;
    for (int depth : found.depths) {
      place.waiting = FindWaiting(url, depth);
      if (place.waiting) return place;
    }
    place.delayed = FindDelayed(url);
    if (place.delayed) return place;
  }
  return place;
}

JobReader::Found JobReader::FindAtOnce(std::string_view url) {
  const RedisReply reply = Run({"FCALL_RO", "trawl_1_find", "1", Key(""),
                                std::to_string(FingerprintOf(url)), std::string(url)});
  Found found;
  found.seen = ElementOf(reply, 0).integer == 1;
  const RedisReply& lease = ElementOf(reply, 1);
  if (const auto entry = FrontierEntry::Parse(ElementOf(lease, 3).text)) {
    found.leased = {std::stoi(ElementOf(lease, 2).text), std::stoull(ElementOf(lease, 0).text),
                    ElementOf(lease, 1).text, *entry};
  }
  for (const RedisReply& depth : ElementOf(reply, 2).elements) {
    found.depths.push_back(static_cast<int>(depth.integer));
  }
  return found;
}

/// Reads a host queue from its end: what is taken off its front meanwhile, or put there, then
/// changes no place that is still to be read, and what is added at its end is read twice at most.
std::optional<UrlPlace::Waiting> JobReader::FindWaiting(std::string_view url, int depth) {
  const std::string place = std::to_string(depth) + ":" + std::string(AuthorityOf(url));
  const std::string queue = Key("frontier:" + place);
  if (Run({"SISMEMBER", Key("moved:" + place), std::string(url)}).integer == 1) return std::nullopt;
  for (std::int64_t end = -1;; end -= kPageEntries) {
    const RedisReply page =
        Run({"LRANGE", queue, std::to_string(end - kPageEntries + 1), std::to_string(end)});
    const auto& entries = page.elements;
    const auto found = std::find_if(entries.begin(), entries.end(),
                                    [&](const RedisReply& entry) { return IsOf(entry.text, url); });
    if (found != entries.end()) {
      const std::int64_t behind = -1 - end + (entries.end() - found);
      const std::int64_t length = Run({"LLEN", queue}).integer;
      const auto entry = FrontierEntry::Parse(found->text);
      if (!entry) return std::nullopt;
      return UrlPlace::Waiting{
          depth, static_cast<std::uint64_t>(std::max<std::int64_t>(0, length - behind)), *entry};
    }
    if (static_cast<std::int64_t>(entries.size()) < kPageEntries) return std::nullopt;
  }
}

/// A URL that is woken meanwhile is found at the second look, in its queue.
std::optional<UrlPlace::Delayed> JobReader::FindDelayed(std::string_view url) {
  for (std::int64_t first = 0;; first += kPageEntries) {
    const RedisReply page = Run({"ZRANGE", Key("delayed"), std::to_string(first),
                                 std::to_string(first + kPageEntries - 1), "WITHSCORES"});
    for (std::size_t i = 0; i + 1 < page.elements.size(); i += 2) {
      std::string_view text = page.elements[i].text;
      UrlPlace::Delayed delayed;
      if (!TakeNumber(text, delayed.depth) || !IsOf(text, url)) continue;
      const auto entry = FrontierEntry::Parse(text);
      if (!entry) return std::nullopt;
      delayed.entry = *entry;
      delayed.until = WallTime(milliseconds(std::stoll(page.elements[i + 1].text)));
      return delayed;
    }
    if (page.elements.size() < 2 * kPageEntries) return std::nullopt;
  }
}

}  // namespace trawl
