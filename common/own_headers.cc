#include "common/own_headers.h"

#include <algorithm>
#include <array>

#include "common/base64.h"
#include "common/text.h"
#include "common/utf8.h"

namespace trawl {
namespace {

constexpr std::array<std::string_view, 14> kReserved = {
    "accept",  "accept-encoding",   "connection", "content-length", "expect",
    "host",    "if-range",          "keep-alive", "range",          "te",
    "trailer", "transfer-encoding", "upgrade",    "user-agent"};

/// RFC 9110, section 5.6.2.
bool IsToken(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kMarks.find(c) != kMarks.npos;
  });
}

bool IsControl(char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 0x7F; }

}  // namespace

std::string HeaderComplaint(std::string_view header) {
  const std::size_t colon = header.find(':');
  if (colon == header.npos) return "'Name: value' is needed";
  const std::string_view name = header.substr(0, colon);
  if (!IsToken(name)) return "what stands before the colon is no name of a header";
  if (std::any_of(header.begin(), header.end(), IsControl)) return "has a control character";
  if (ValidUtf8(header) != header) return "is not UTF-8";
  if (header.size() > kMaxOwnHeaderBytes) {
    return "longer than " + std::to_string(kMaxOwnHeaderBytes) + " bytes";
  }
  const std::string lower = LowerCase(name);
  if (lower == "user-agent") return "use --user-agent";
  if (lower.starts_with("proxy-") ||
      std::find(kReserved.begin(), kReserved.end(), lower) != kReserved.end()) {
    return std::string(name) + " is not for you to set";
  }
  return {};
}

std::vector<std::string> OwnHeaders(const CrawlOptions& crawl) {
  std::vector<std::string> headers = crawl.headers;
  if (!crawl.auth.empty()) headers.push_back("Authorization: Basic " + EncodeBase64(crawl.auth));
  return headers;
}

std::vector<std::string> OwnOrigins(const CrawlOptions& crawl) {
  std::vector<std::string> origins;
  const auto add = [&](std::string origin) {
    if (std::find(origins.begin(), origins.end(), origin) == origins.end()) {
      origins.push_back(std::move(origin));
    }
  };
  for (const std::string& text : crawl.seeds.empty() ? crawl.sitemap_urls : crawl.seeds) {
    const Result<Url> url = Url::Parse(text);
    if (!url) continue;
    add(std::string(url->origin()));
    if (!url->is_https() && url->port() == 80) add("https://" + std::string(url->host()));
  }
  return origins;
}

bool HasUserInfo(std::string_view url) {
  // Blanks within are dropped and a backslash is a slash (URL Standard, section 4.4).
  std::string_view rest = url.substr(std::min(url.find(':'), url.size()));
  rest.remove_prefix(std::min(rest.find_first_not_of(":/\\\t\r\n"), rest.size()));
  return rest.substr(0, rest.find_first_of("/\\?#")).find('@') != rest.npos;
}

}  // namespace trawl
