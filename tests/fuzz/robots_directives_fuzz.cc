// A User-Agent, LF, what <meta name=robots> or X-Robots-Tag lines say.
#include <string>
#include <string_view>

#include "common/robots_directives.h"
#include "tests/fuzz/fuzz.h"

namespace trawl {

void FuzzOne(std::string_view input) {
  const std::string agent(TakeLine(input));
  const std::string text(input);
  const RobotsDirectives none;
  const RobotsDirectives meta = ParseRobotsMeta(text);
  const RobotsDirectives tag = ParseRobotsTag(text, agent);

  Check(NamesRobots("RoboTs", agent), "every crawler is a robot", {agent});
  Check(ParseRobotsMeta(text + ", all") == meta, "what is unknown means nothing", {text});
  Check(ParseRobotsMeta(text + ",NONE") == RobotsDirectives{true, true}, "the strictest counts",
        {text});
  Check(ParseRobotsTag(text + "\nNoIndex,nofollow", agent) == RobotsDirectives{true, true},
        "a line says what it says whatever is above it", {agent, text});

  RobotsDirectives lines;
  while (!input.empty()) {
    const std::string line(TakeLine(input));
    const RobotsDirectives directives = ParseRobotsTag(line, agent);
    if (line.find(':') == line.npos) {
      Check(directives == ParseRobotsMeta(line), "a line without names is as a meta", {line});
    }
    if (directives == none) {
      Check(ParseRobotsTag("other-bot-1: " + line, "other-bot-2") == none,
            "a name speaks to its crawler only", {line});
    }
    lines |= directives;
  }
  Check(tag == lines, "lines add up", {agent, text});
}

}  // namespace trawl
