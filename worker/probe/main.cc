#include <unistd.h>

#include <iostream>

#include "common/command_line.h"
#include "common/log.h"
#include "worker/probe/decisions.h"

namespace {

trawl::Answer AnswerOf(trawl::ProbeCommand command) {
  switch (command) {
    case trawl::ProbeCommand::kUrl:
      return trawl::DecideUrl;
    case trawl::ProbeCommand::kRobots:
      return trawl::DecideRobots;
    case trawl::ProbeCommand::kLinks:
      return trawl::DecideLinks;
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const auto parsed = trawl::ParseProbeOptions(argc, argv);
  if (const auto* exit = std::get_if<trawl::ExitNow>(&parsed)) return exit->code;
  const auto& options = std::get<trawl::ProbeOptions>(parsed);
  trawl::SetUpLog("trawl-probe", options.log_level);
  try {
    return trawl::AnswerLines(STDIN_FILENO, std::cout, AnswerOf(options.command)) ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << "trawl-probe: " << error.what() << "\n";
    return 1;
  }
}
