// A worker with a page parser of its own, as a user would write it, with a bug.

#include <cstdlib>
#include <stdexcept>

#include "worker/worker.h"

namespace {

class HeadingParser : public trawl::PageParser {
 public:
  bool WantsBody() const override { return true; }

  boost::json::object Parse(const trawl::Page& page) override {
    if (page.body.find("take this worker down") != page.body.npos) std::abort();
    int headings = 0;
    for (std::size_t at = page.body.find("<h1"); at != page.body.npos;
         at = page.body.find("<h1", at + 1)) {
      ++headings;
    }
    if (headings == 0) throw std::runtime_error("no heading in this page");
    return {{"headings", headings}};
  }
};

}  // namespace

int main(int argc, char** argv) {
  HeadingParser parser;
  return trawl::WorkerMain(argc, argv, parser);
}
