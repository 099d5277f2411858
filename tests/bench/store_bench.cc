// How fast a real Redis takes the steps of a crawl: links offered to the seen set, pages leased and
// accepted. The time is the server's, seen from here: steps follow one another without a pause. The
// server is one thread of its own, so these run at their best with two cores.
#include <benchmark/benchmark.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <stdexcept>
#include <string>

#include "coordinator/redis_store.h"
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
  std::uint64_t UsedMemory() const {
    for (const std::string& text : server_.Run({"INFO", "memory"})) {
      const std::size_t at = text.find("used_memory:");
      if (at != text.npos) return std::stoull(text.substr(at + 12));
    }
    throw std::runtime_error("no used_memory");
  }

 private:
  RedisServer server_;
  boost::asio::io_context io_;
  RedisClient client_{io_};
  RedisStore store_{client_, "bench"};
  int outstanding_ = 0;
};

std::string UrlOf(std::uint64_t number) {
  return "http://www.example.org/docs/current/page-" + std::to_string(number) + ".html";
}

Candidate CandidateOf(std::uint64_t number) {
  const std::string url = UrlOf(number);
  return {FingerprintOf(url), url};
}

/// Links of which a tenth are new; the argument says how many URLs the seen set has before.
void OfferLinks(benchmark::State& state) {
  Job job;
  std::uint64_t seen = 0;
  const auto offer = [&](int fresh) {
    AdmitStep step;
    for (int i = 0; i < kLinksPerStep; ++i) {
      const bool is_new = i % 10 < fresh || seen == 0;
      // Spread over all that was seen, as the links of a crawl are.
      const std::uint64_t old = seen == 0 ? 0 : (i * std::uint64_t{7'919} + seen * 31) % seen;
      step.candidates.push_back(CandidateOf(is_new ? seen++ : old));
    }
    return step;
  };
  const auto before = static_cast<std::uint64_t>(state.range(0));
  while (seen < before) {
    job.Apply(offer(10));
    job.Settle(8);
  }
  job.Settle(0);
  for (auto _ : state) {
    state.PauseTiming();
    const AdmitStep step = offer(kNewInTen);
    state.ResumeTiming();
    job.Apply(step);
    job.Settle(1);
  }
  job.Settle(0);
  state.SetItemsProcessed(state.iterations() * kLinksPerStep);
  state.counters["redis_MB"] = static_cast<double>(job.UsedMemory()) / 1e6;
}
BENCHMARK(OfferLinks)
    ->ArgName("seen")
    ->Arg(0)
    ->Arg(1'000'000)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

/// Pages that are leased and accepted, each with the argument's number of new links.
void CompletePages(benchmark::State& state) {
  Job job;
  const int links = static_cast<int>(state.range(0));
  std::uint64_t admitted = 0;
  LeaseId lease = 0;
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
  state.SetItemsProcessed(state.iterations() * kUrlsPerLease);
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
