#include "common/robots_directives.h"

#include <algorithm>

#include "common/robots.h"
#include "common/text.h"

namespace trawl {
namespace {

constexpr std::string_view kBlanks = " \t\n\r\f\v";

std::string_view Trim(std::string_view text) { return Trimmed(text, kBlanks); }

RobotsDirectives ParseWord(std::string_view word) {
  const bool none = EqualsIgnoringCase(word, "none");
  return {.noindex = none || EqualsIgnoringCase(word, "noindex"),
          .nofollow = none || EqualsIgnoringCase(word, "nofollow")};
}

// What stands between two commas. A colon begins a value, as in "max-image-preview: none", and
// that is no directive.
RobotsDirectives ParsePiece(std::string_view piece) {
  piece = piece.substr(0, piece.find(':'));
  RobotsDirectives directives;
  while (!(piece = Trim(piece)).empty()) {
    const std::size_t end = std::min(piece.find_first_of(kBlanks), piece.size());
    directives |= ParseWord(piece.substr(0, end));
    piece.remove_prefix(end);
  }
  return directives;
}

// Search engines keep adding limits ("max-snippet", "max-image-preview").
bool HasValue(std::string_view directive) {
  return EqualsIgnoringCase(directive.substr(0, 4), "max-") ||
         EqualsIgnoringCase(directive, "unavailable_after") ||
         EqualsIgnoringCase(directive, "unavailable-after");
}

// The crawler that a piece begins with a name and a colon of; empty without one. A time of day, as
// in "unavailable_after: Mon, 1 Jun 2026 10:00:00 GMT", is none.
std::string_view AgentOf(std::string_view piece) {
  const std::size_t colon = piece.find(':');
  if (colon == piece.npos) return {};
  const std::string_view name = Trim(piece.substr(0, colon));
  if (name.empty() || name.find_first_of(kBlanks) != name.npos || HasValue(name)) return {};
  const bool number = name.find_first_not_of("0123456789") == name.npos;
  return number ? std::string_view() : name;
}

bool IsToken(std::string_view name, std::string_view user_agent) {
  const std::string_view token = ProductToken(name);
  return !token.empty() && EqualsIgnoringCase(token, ProductToken(Trim(user_agent)));
}

RobotsDirectives ParseTagLine(std::string_view line, std::string_view user_agent) {
  RobotsDirectives directives;
  bool for_us = true;
  bool listed = false;  // "us, other: noindex": we were named before a comma
  while (!line.empty()) {
    std::string_view piece = Trim(TakePart(line, ','));
    if (const std::string_view agent = AgentOf(piece); !agent.empty()) {
      for_us = listed || agent == "*" || IsToken(agent, user_agent);
      listed = false;
      TakePart(piece, ':');
    } else {
      listed |= IsToken(piece, user_agent);
    }
    if (for_us) directives |= ParsePiece(piece);
  }
  return directives;
}

}  // namespace

RobotsDirectives ParseRobotsMeta(std::string_view content) {
  RobotsDirectives directives;
  while (!content.empty()) directives |= ParsePiece(TakePart(content, ','));
  return directives;
}

RobotsDirectives ParseRobotsTag(std::string_view lines, std::string_view user_agent) {
  RobotsDirectives directives;
  while (!lines.empty()) directives |= ParseTagLine(TakePart(lines, '\n'), user_agent);
  return directives;
}

bool NamesRobots(std::string_view meta_name, std::string_view user_agent) {
  meta_name = Trim(meta_name);
  const std::string_view token = ProductToken(Trim(user_agent));
  return EqualsIgnoringCase(meta_name, "robots") ||
         (!token.empty() && EqualsIgnoringCase(meta_name, token));
}

}  // namespace trawl
