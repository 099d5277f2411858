// A path and query, then lines "+PATTERN" (Allow) and "-PATTERN" (Disallow). The verdict is the one
// that follows from the rules of RFC 9309, section 2.2.2, taken one by one.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "common/host.h"
#include "common/robots.h"
#include "tests/fuzz/fuzz.h"

namespace trawl {
namespace {

/// Rules and bytes that one input may have: matching here takes the product of the lengths.
constexpr std::size_t kMaxRules = 64;
constexpr std::size_t kMaxPathBytes = 512;

/// The form in which paths are compared, section 2.2.2: an escape of an unreserved character is the
/// character, and an octet that may not stand in a URL is its escape. A "*" and a "$" are only
/// there if they mean something.
std::string Normal(std::string_view path, bool is_pattern) {
  static constexpr std::string_view kUnreserved =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
  static constexpr std::string_view kOthers = "/?:@!&'()+,;=[]#%";
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string normal;
  while (!path.empty()) {
    const int escaped = EscapedByte(path);
    const auto octet = static_cast<unsigned char>(escaped < 0 ? path[0] : escaped);
    const char c = static_cast<char>(octet);
    const bool is_special = is_pattern && escaped < 0 && (c == '*' || path == "$");
    const bool is_other = escaped < 0 && kOthers.find(c) != kOthers.npos;
    if (is_special || is_other || kUnreserved.find(c) != kUnreserved.npos) {
      normal += c;
    } else {
      normal += {'%', kHex[octet / 16], kHex[octet % 16]};
    }
    path.remove_prefix(escaped < 0 ? 1 : 3);
  }
  return normal;
}

/// Tries every length for every wildcard: `open[i]` says that the first i bytes of the target can
/// be matched by the pattern so far.
bool Matches(std::string_view pattern, std::string_view target) {
  std::vector<bool> open(target.size() + 1);
  open[0] = true;
  for (const char c : pattern) {
    std::vector<bool> next(open.size());
    for (std::size_t i = 0; i < open.size(); ++i) {
      if (c == '*') {
        next[i] = open[i] || (i > 0 && next[i - 1]);
      } else if (c == '$') {
        next[i] = open[i] && i == target.size();
      } else {
        next[i] = i > 0 && open[i - 1] && target[i - 1] == c;
      }
    }
    open = next;
  }
  return std::find(open.begin(), open.end(), true) != open.end();
}

/// A line holds it as it is. The index page of a folder also allows the folder: that is left out.
bool IsPlainPattern(std::string_view pattern, bool allow) {
  constexpr std::string_view kSpace = " \t\v\f";
  return !pattern.empty() && pattern.size() <= kMaxPathBytes &&
         pattern.find_first_of("#\r") == pattern.npos && kSpace.find(pattern[0]) == kSpace.npos &&
         kSpace.find(pattern.back()) == kSpace.npos &&
         !(allow && pattern.find("/index.htm") != pattern.npos);
}

}  // namespace

void FuzzOne(std::string_view input) {
  const std::string_view target = TakeLine(input);
  if (target.size() > kMaxPathBytes || target == "/robots.txt") return;
  const std::string normal_target = Normal(target, false);
  std::string file = "User-agent: *\n";
  std::size_t longest = 0;
  bool allowed = true;
  for (std::size_t rules = 0; !input.empty() && rules < kMaxRules; ++rules) {
    std::string_view pattern = TakeLine(input);
    const bool allow = pattern.starts_with('+');
    pattern.remove_prefix(pattern.empty() ? 0 : 1);
    if (!IsPlainPattern(pattern, allow)) continue;
    file.append(allow ? "Allow: " : "Disallow: ").append(pattern) += '\n';

    const std::string normal = Normal(pattern, true);
    if (normal.size() < longest || !Matches(normal, normal_target)) continue;
    allowed = allow || (normal.size() == longest && allowed);
    longest = normal.size();
  }
  Check(Robots::Parse(file, "trawl").Allows(target) == allowed, "the longest pattern decides",
        {allowed ? "allowed" : "disallowed", target, file});
}

}  // namespace trawl
