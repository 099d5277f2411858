// A User-Agent, LF, a path and query, LF, a robots.txt. What the file says is the same for every
// way to say it.
#include <algorithm>
#include <string>
#include <string_view>

#include "common/robots.h"
#include "tests/fuzz/fuzz.h"

namespace trawl {
namespace {

std::string Replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  for (std::size_t at; (at = text.find(from)) != text.npos; text.remove_prefix(at + from.size())) {
    out.append(text.substr(0, at)).append(to);
  }
  return out.append(text);
}

std::string UpperCase(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return text;
}

void CheckVerdict(const Robots& robots, std::string_view target) {
  const auto verdict = robots.Explain(target);
  Check(robots.Allows(target) == verdict.allowed, "Explain() tells what Allows() does", {target});
  Check(verdict.rule.empty() ? verdict.allowed
                             : verdict.rule.starts_with(verdict.allowed ? "Allow: " : "Disallow: "),
        "a verdict names its rule", {target, verdict.rule});
}

void CheckLines(const Robots& robots, std::string_view file) {
  if (const auto delay = robots.crawl_delay()) {
    Check(delay->count() >= 0 && *delay <= Robots::kMaxCrawlDelay, "a delay is bounded", {file});
  }
  for (const std::string& sitemap : robots.sitemaps()) {
    Check(!sitemap.empty() && file.find(sitemap) != file.npos, "a sitemap stands in the file",
          {sitemap, file});
  }
}

bool Agree(const Robots& a, const Robots& b, std::string_view target) {
  const auto said = a.Explain(target);
  const auto said_too = b.Explain(target);
  return said.allowed == said_too.allowed && said.rule == said_too.rule &&
         a.crawl_delay() == b.crawl_delay() && a.sitemaps() == b.sitemaps();
}

}  // namespace

void FuzzOne(std::string_view input) {
  const std::string agent(TakeLine(input));
  const std::string_view target = TakeLine(input);
  const std::string file(input);
  const Robots robots = Robots::Parse(file, agent);
  CheckVerdict(robots, target);
  Check(robots.Allows("/robots.txt"), "/robots.txt is always allowed", {file});
  CheckLines(robots, file);

  const auto check_same = [&](std::string_view rule, std::string_view other_file,
                              std::string_view other_agent) {
    Check(Agree(robots, Robots::Parse(other_file, other_agent), target), rule,
          {agent, target, file, other_file});
  };
  check_same("an agent has no case", file, UpperCase(agent));
  check_same("an agent ends with its product token", file, agent + "/1.0 (+http://a.test/)");
  check_same("a comment means nothing", file + "\n# Disallow: /", agent);
  check_same("an unknown line means nothing", file + "\nX-Unknown: /\n", agent);
  if (file.find_first_of("\xEF\xBB\xBF") != 0) {
    check_same("a byte order mark means nothing", "\xEF\xBB\xBF" + file, agent);
  }
  check_same("empty lines mean nothing", Replaced(file, "\n", "\n\r\n"), agent);
  if (file.find('\r') == file.npos) {
    check_same("CRLF ends a line as LF does", Replaced(file, "\n", "\r\n"), agent);
    check_same("CR ends a line as LF does", Replaced(file, "\n", "\r"), agent);
  }
}

}  // namespace trawl
