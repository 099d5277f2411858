#include "common/robots.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "common/text.h"

namespace trawl {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr std::string_view kSpace = " \t\v\f";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsAscii(char c) { return static_cast<unsigned char>(c) < 0x80; }

bool StartsWithNoCase(std::string_view text, std::string_view prefix) {
  return EqualsIgnoringCase(text.substr(0, prefix.size()), prefix);
}

std::string_view Trim(std::string_view text) { return Trimmed(text, kSpace); }

// Seconds, or nothing for what is no number. HTML markup may follow: some sites serve
// "Crawl-delay: 30<BR>".
std::optional<Seconds> ParseDelay(std::string_view value) {
  double seconds;
  const char* const end = value.data() + value.size();
  const auto [rest, error] = std::from_chars(value.data(), end, seconds, std::chars_format::fixed);
  if (error != std::errc() || (rest != end && *rest != '<' && kSpace.find(*rest) == kSpace.npos)) {
    return std::nullopt;
  }
  if (!std::isfinite(seconds) || seconds < 0) return std::nullopt;
  return std::min(Seconds(seconds), Seconds(Robots::kMaxCrawlDelay));
}

enum class Key { kUnknown, kUserAgent, kAllow, kDisallow, kCrawlDelay, kSitemap };

struct Line {
  Key key = Key::kUnknown;
  std::string_view value;
};

// A longer word that begins with the name counts too ("Disallowed").
Key KeyOf(std::string_view word) {
  struct Name {
    std::string_view name;
    Key key;
  };
  static constexpr std::array kNames = {
      Name{"user-agent", Key::kUserAgent},   Name{"useragent", Key::kUserAgent},
      Name{"user agent", Key::kUserAgent},   Name{"allow", Key::kAllow},
      Name{"disallow", Key::kDisallow},      Name{"dissallow", Key::kDisallow},
      Name{"dissalow", Key::kDisallow},      Name{"disalow", Key::kDisallow},
      Name{"diasllow", Key::kDisallow},      Name{"disallaw", Key::kDisallow},
      Name{"crawl-delay", Key::kCrawlDelay}, Name{"crawldelay", Key::kCrawlDelay},
      Name{"sitemap", Key::kSitemap},        Name{"site-map", Key::kSitemap},
  };
  for (const auto& [name, key] : kNames) {
    if (!StartsWithNoCase(word, name)) continue;
    const bool one_word = word.find_first_of(kSpace, name.size()) == word.npos;
    return one_word ? key : Key::kUnknown;
  }
  return Key::kUnknown;
}

// The URL of a sitemap on a line of its own, without "Sitemap:".
bool IsBareSitemap(std::string_view line) {
  return (StartsWithNoCase(line, "http://") || StartsWithNoCase(line, "https://")) &&
         line.find("sitemap") != line.npos;
}

// One line without its end. Whitespace may stand for the colon when exactly two words remain.
Line ParseLine(std::string_view line) {
  line = Trim(line.substr(0, line.find('#')));
  if (const std::size_t colon = line.find(':'); colon != line.npos) {
    const Key key = KeyOf(Trim(line.substr(0, colon)));
    if (key != Key::kUnknown) return {key, Trim(line.substr(colon + 1))};
    if (IsBareSitemap(line)) return {Key::kSitemap, line};
  }
  const std::size_t gap = line.find_first_of(kSpace);
  if (gap == line.npos) return {};
  const std::string_view value = Trim(line.substr(gap));
  if (value.find_first_of(kSpace) != value.npos) return {};
  return {KeyOf(line.substr(0, gap)), value};
}

// A byte order mark, or the part of it that a careless editor has left.
std::string_view SkipByteOrderMark(std::string_view body) {
  for (const char c : {'\xEF', '\xBB', '\xBF'}) {
    if (!body.starts_with(c)) break;
    body.remove_prefix(1);
  }
  return body;
}

}  // namespace

std::string_view ProductToken(std::string_view value) {
  const auto in_token = [](char c) {
    return IsLetter(c) || IsDigit(c) || c == '-' || c == '_' || !IsAscii(c);
  };
  return value.substr(0, std::ranges::find_if_not(value, in_token) - value.begin());
}

// Collects, in one pass, what the file says to this crawler by name and to all ("*"). Groups for
// the same agent merge (section 2.2.1).
class Robots::Parser {
 public:
  explicit Parser(std::string_view user_agent) : token_(ProductToken(Trim(user_agent))) {}

  void Add(const Line& line) {
    switch (line.key) {
      case Key::kUserAgent:
        return AddAgent(line.value);
      case Key::kAllow:
      case Key::kDisallow:
        return AddRule(line.key == Key::kAllow, line.value);
      case Key::kCrawlDelay:
        return AddDelay(line.value);
      case Key::kSitemap:
        return AddSitemap(line.value);
      case Key::kUnknown:
        return;  // ends no group (section 2.2.4)
    }
  }

  Robots Finish() && {
    // The group "*" counts only where no group names this crawler, though that one be empty.
    Section& section = named_ ? own_ : any_;
    Robots robots;
    robots.rules_ = RobotsRules(std::move(section.rules));
    robots.crawl_delay_ = section.delay;
    robots.sitemaps_ = std::move(sitemaps_);
    return robots;
  }

 private:
  struct Section {
    std::vector<RobotsRule> rules;
    std::optional<Seconds> delay;
  };

  // Whom the next record is for: the agents of the lines above it. The first agent line after a
  // record begins anew.
  struct Group {
    bool own = false;
    bool any = false;
    bool closed = false;

    void AddAgent(bool is_own, bool is_any) {
      if (closed) *this = {};
      own |= is_own;
      any |= is_any;
    }
  };

  void AddAgent(std::string_view value) {
    const std::string_view token = ProductToken(value);
    const bool is_own = !token.empty() && EqualsIgnoringCase(token, token_);
    const bool is_any = value.starts_with('*') && ProductToken(value.substr(1)).empty();
    named_ |= is_own;
    rule_group_.AddAgent(is_own, is_any);
    delay_group_.AddAgent(is_own, is_any);
  }

  void AddRule(bool allow, std::string_view path) {
    rule_group_.closed = delay_group_.closed = true;
    if (path.empty()) return;  // matches nothing
    Append(allow, path, path);
    if (allow) AllowDirectoryOf(path);
  }

  // The index page allowed, its directory is too.
  void AllowDirectoryOf(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    if (slash == path.npos || !path.substr(slash).starts_with("/index.htm")) return;
    Append(true, std::string(path.substr(0, slash + 1)) + '$', path);
  }

  void Append(bool allow, std::string_view pattern, std::string_view written) {
    for (Section* section : SectionsOf(rule_group_)) {
      if (section) section->rules.push_back({allow, std::string(pattern), std::string(written)});
    }
  }

  void AddDelay(std::string_view value) {
    delay_group_.closed = true;
    const std::optional<Seconds> delay = ParseDelay(value);
    for (Section* section : SectionsOf(delay_group_)) {
      if (section) section->delay = std::max(section->delay, delay);
    }
  }

  void AddSitemap(std::string_view value) {
    if (!value.empty()) sitemaps_.emplace_back(value);
  }

  // Null for a section that the group does not name.
  std::array<Section*, 2> SectionsOf(const Group& group) {
    return {group.own ? &own_ : nullptr, group.any ? &any_ : nullptr};
  }

  const std::string_view token_;  // of the caller's string
  bool named_ = false;            // a User-agent line names this crawler
  Section own_;
  Section any_;
  std::vector<std::string> sitemaps_;
  // Only rules end the agent lines of a group of rules (section 2.2.1). A Crawl-delay must end
  // those of its own group, or "User-agent: a, Crawl-delay: 1, User-agent: b, Crawl-delay: 9"
  // would slow down `a` to 9. A delay above all agent lines is for everybody.
  Group rule_group_;
  Group delay_group_{.any = true, .closed = true};
};

Robots Robots::AllowAll() { return {}; }

Robots Robots::DisallowAll() {
  Robots robots;
  robots.rules_ = RobotsRules({{.allow = false, .pattern = "/", .path = "/"}});
  return robots;
}

Robots Robots::Parse(std::string_view body, std::string_view user_agent) {
  Parser parser(user_agent);
  if (body.size() >= kMaxBytes) {
    // Half a rule would be another one: the line that the limit cuts does not count.
    body = body.substr(0, kMaxBytes);
    body = body.substr(0, body.find_last_of("\r\n") + 1);
  }
  body = SkipByteOrderMark(body);
  while (!body.empty()) {
    // CRLF makes an empty line, which means nothing.
    const std::size_t end = std::min(body.find_first_of("\r\n"), body.size());
    parser.Add(ParseLine(body.substr(0, std::min(end, kMaxLineBytes))));
    body.remove_prefix(std::min(end + 1, body.size()));
  }
  return std::move(parser).Finish();
}

const RobotsRule* Robots::Match(std::string_view target) const {
  return target == "/robots.txt" ? nullptr : rules_.Find(target);  // section 2.2.2
}

bool Robots::Allows(std::string_view target) const {
  const RobotsRule* rule = Match(target);
  return !rule || rule->allow;
}

Robots::Verdict Robots::Explain(std::string_view target) const {
  const RobotsRule* rule = Match(target);
  if (!rule) return {};
  return {rule->allow, (rule->allow ? "Allow: " : "Disallow: ") + rule->path};
}

}  // namespace trawl
