// How fast a real Redis takes the steps of a crawl: links offered to the seen set, pages leased and
// accepted. The time is the server's, seen from here: steps follow one another without a pause. The
// server is one thread of its own, so these run at their best with two cores; redis_us tells the
// server's own CPU time an item, which other work on the machine changes less.
//
// OfferLinks/seen:50000000 needs 1 GB of memory and a minute to fill the seen set.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <bit>
#include <boost/asio/io_context.hpp>
#include <cmath>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "coordinator/store/redis_store.h"
#include "tests/support/redis_server.h"

namespace trawl {
namespace {

constexpr int kLinksPerStep = 2'000;
constexpr int kNewInTen = 1;
constexpr int kUrlsPerLease = 200;

class Job {
 public:
  Job() {
    std::string why;
    bool connected = false;
    client_.Connect(ParseRedisUrl(server_.url(), why).value(),
                    [&](Result<void> result, const std::string&) {
                      result.value();
                      connected = true;
                    });
    while (!connected) io_.run_one();
    bool opened = false;
    store_.Open(Store::OpenMode::kCreate, {}, [&](Result<Snapshot> snapshot) {
      snapshot.value();
      opened = true;
    });
    while (!opened) io_.run_one();
  }

  void Apply(const Step& step) {
    ++outstanding_;
    store_.Apply(step, [this](Result<Reply> reply) {
      reply.value();
      --outstanding_;
    });
  }
  /// Until no more than so many steps wait.
  void Settle(int outstanding) {
    while (outstanding_ > outstanding) io_.run_one();
  }
  void Command(const std::vector<std::string>& arguments) {
    ++outstanding_;
    client_.Command(arguments, [this](Result<RedisReply> reply) {
      if (reply.value().kind == RedisReply::Kind::kError) throw std::runtime_error(reply->text);
      --outstanding_;
    });
  }

  double UsedMemory() const { return Info("memory", "used_memory"); }
  double CpuSeconds() const {
    return Info("cpu", "used_cpu_user_main_thread") + Info("cpu", "used_cpu_sys_main_thread");
  }

 private:
  double Info(const std::string& section, const std::string& field) const {
    for (const std::string& text : server_.Run({"INFO", section})) {
      const std::size_t at = text.find("\n" + field + ":");
      if (at != text.npos) return std::stod(text.substr(at + field.size() + 2));
    }
    throw std::runtime_error("no " + field);
  }

  RedisServer server_;
  boost::asio::io_context io_;
  RedisClient client_{io_};
  RedisStore store_{client_, "bench"};
  int outstanding_ = 0;
};

void SetItems(benchmark::State& state, const Job& job, std::int64_t items, double cpu_before) {
  state.SetItemsProcessed(items);
  state.counters["redis_us"] = 1e6 * (job.CpuSeconds() - cpu_before) / static_cast<double>(items);
}

std::string UrlOf(std::uint64_t number) {
  return "http://www.example.org/docs/current/page-" + std::to_string(number) + ".html";
}

Candidate CandidateOf(std::uint64_t number) {
  const std::string url = UrlOf(number);
  return {FingerprintOf(url), url};
}

/// Puts the first so many URLs into the seen set, as fingerprint_set.lua would have.
void FillSeenSet(Job& job, std::uint64_t urls) {
  constexpr std::uint64_t kMeanEntries = 450;
  const std::uint64_t buckets = std::max<std::uint64_t>(1, urls / kMeanEntries);
  const std::uint64_t parts = std::bit_floor(buckets);
  const std::uint64_t split = buckets - parts;
  const auto bucket_of = [&](Fingerprint fingerprint) {
    const auto part_of = [&](std::uint64_t of) {
      const double place = static_cast<double>(fingerprint) + std::exp2(63);
      return std::min(of - 1, static_cast<std::uint64_t>(place / (std::exp2(64) / of)));
    };
    const std::uint64_t part = part_of(parts);
    return part < split ? 2 * parts + part_of(2 * parts) : parts + part;
  };
  std::vector<Fingerprint> all(urls);
  for (std::uint64_t i = 0; i < urls; ++i) all[i] = FingerprintOf(UrlOf(i));
  std::sort(all.begin(), all.end());  // and so by buckets
  const std::string key = "trawl:{bench}:seen";
  std::vector<std::string> command;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::uint64_t bucket = bucket_of(all[i]);
    if (command.empty()) command = {"SADD", key + ':' + std::to_string(bucket)};
    command.push_back(std::to_string(all[i]));
    if (i + 1 < all.size() && bucket_of(all[i + 1]) == bucket) continue;
    job.Command(std::exchange(command, {}));
    job.Settle(100);
  }
  job.Command({"HSET", key, "level", std::to_string(std::countr_zero(parts)), "split",
               std::to_string(split), "size", std::to_string(urls)});
  job.Settle(0);
}

/// Links of which a tenth are new; the argument says how many URLs the seen set has before. The
/// others are any of those, the worst for the server's caches: most links of real pages repeat
/// recent ones.
void OfferLinks(benchmark::State& state) {
  Job job;
  std::uint64_t seen = 0;
  std::mt19937_64 random(1);
  const auto offer = [&](int fresh) {
    AdmitStep step;
    for (int i = 0; i < kLinksPerStep; ++i) {
      const bool is_new = i % 10 < fresh || seen == 0;
      step.candidates.push_back(CandidateOf(is_new ? seen++ : random() % seen));
    }
    return step;
  };
  const double memory_before = job.UsedMemory();
  const auto before = static_cast<std::uint64_t>(state.range(0));
  if (before > 0) {
    FillSeenSet(job, before);
    const double memory = job.UsedMemory() - memory_before;
    state.counters["bytes_a_url"] = memory / static_cast<double>(before);
  }
  seen = before;
  const double cpu_before = job.CpuSeconds();
  for (auto _ : state) {
    state.PauseTiming();
    const AdmitStep step = offer(kNewInTen);
    state.ResumeTiming();
    job.Apply(step);
    job.Settle(1);
  }
  job.Settle(0);
  SetItems(state, job, state.iterations() * kLinksPerStep, cpu_before);
}
BENCHMARK(OfferLinks)
    ->ArgName("seen")
    ->Arg(0)
    ->Arg(1'000'000)
    ->Arg(10'000'000)
    ->Arg(50'000'000)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

/// Pages that are leased and accepted, each with the argument's number of new links.
void CompletePages(benchmark::State& state) {
  Job job;
  const int links = static_cast<int>(state.range(0));
  std::uint64_t admitted = 0;
  LeaseId lease = 0;
  const double cpu_before = job.CpuSeconds();
  for (auto _ : state) {
    state.PauseTiming();
    AdmitStep admit;
    while (admit.candidates.size() < kUrlsPerLease) {
      admit.candidates.push_back(CandidateOf(admitted++));
    }
    job.Apply(admit);
    job.Settle(0);
    ++lease;
    state.ResumeTiming();
    job.Apply(LeaseStep{lease, "worker", "www.example.org", 0, kUrlsPerLease, 200});
    for (int index = 0; index < kUrlsPerLease; ++index) {
      AcceptStep accept{lease, index, {}, Ending()};
      for (int link = 0; link < links; ++link) accept.links.push_back(CandidateOf(admitted++));
      job.Apply(accept);
    }
    job.Settle(0);
  }
  SetItems(state, job, state.iterations() * kUrlsPerLease, cpu_before);
}
BENCHMARK(CompletePages)
    ->ArgName("new_links")
    ->Arg(0)
    ->Arg(1)
    ->Arg(10)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace trawl
