// One coordinator and the connections of very many workers. TRAWL_MANY_WORKERS says how many.

#include <sys/resource.h>

#include <cstdlib>
#include <iostream>
#include <list>
#include <zmq.hpp>

#include "proto/messages.h"
#include "tests/e2e/crawl_fixture.h"
#include "tests/e2e/generated_site.h"

namespace trawl {
namespace {

class ManyWorkers : public CrawlFixture {
 protected:
  static int Count() {
    const char* const text = std::getenv("TRAWL_MANY_WORKERS");
    return text ? std::stoi(text) : 1'000;
  }

  /// Each takes two descriptors.
  static void AllowDescriptors(int count) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ASSERT_GT(limit.rlim_max, static_cast<rlim_t>(2 * count + 200));
  }
};

TEST_F(ManyWorkers, AreServedWhileACrawlGoesOn) {
  const int count = Count();
  ASSERT_NO_FATAL_FAILURE(AllowDescriptors(count));
  TestSite site;
  FillSlowSite(site, 300);
  const std::string seed = site.Url("/s/0");
  // Time enough for all to be there before the first counts as silent.
  const std::string timeout = std::to_string(4'000 + 2 * count);
  ASSERT_NO_FATAL_FAILURE(
      StartCoordinator({seed}, With(Fast(), {"--depth", "100", "--lease-timeout", timeout})));

  zmq::context_t context(1);
  context.set(zmq::ctxopt::max_sockets, count + 10);
  std::list<zmq::socket_t> idle;
  for (int i = 0; i < count; ++i) {
    zmq::socket_t& socket = idle.emplace_back(context, zmq::socket_type::dealer);
    const std::string name = "idle-" + std::to_string(i);
    socket.set(zmq::sockopt::routing_id, name);
    socket.set(zmq::sockopt::linger, 0);
    socket.connect(endpoint());
    Hello hello;  // takes no URLs
    hello.name = name;
    socket.send(zmq::buffer(Encode(ToCoordinator(hello))), zmq::send_flags::none);
  }
  ASSERT_TRUE(WaitUntil([&] {
    return redis().Run({"HLEN", "trawl:{e2e}:workers"}).at(0) == std::to_string(count);
  })) << redis().Run({"HLEN", "trawl:{e2e}:workers"}).at(0);
  StartWorker();
  ASSERT_TRUE(WaitUntil([&] { return Stat("fetched") == 300; }));
  idle.clear();
  coordinator().Signal(SIGTERM);  // it does not wait for workers that are gone
  ASSERT_EQ(Finish(), 0) << coordinator().err();
  Export();
  ExpectWhatTheOracleFinds({seed}, 100);
  std::cout << count << " workers, coordinator " << coordinator().peak_bytes() / 1'000'000
            << " MB\n";
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(coordinator().peak_bytes(), 60'000'000u + 60'000u * static_cast<unsigned>(count));
#endif
}

}  // namespace
}  // namespace trawl
