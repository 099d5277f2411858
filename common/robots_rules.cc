#include "common/robots_rules.h"

#include <string.h>

#include <algorithm>
#include <array>
#include <utility>

#include "common/host.h"

namespace trawl {
namespace {

enum : std::uint8_t {
  kUnreserved = 1,  // RFC 3986, section 2.3
  // Stands in a path or query as it is. "*" and "$" do not, so that they mean something in a
  // pattern only (section 2.2.3).
  kLiteral = 2,
};

constexpr std::array<std::uint8_t, 256> kClass = [] {
  std::array<std::uint8_t, 256> table{};
  for (const unsigned char c :
       std::string_view("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")) {
    table[c] = kUnreserved | kLiteral;
  }
  for (const unsigned char c : std::string_view("/?:@!&'()+,;=[]#%")) table[c] = kLiteral;
  return table;
}();

constexpr bool Is(char c, std::uint8_t flag) {
  return (kClass[static_cast<unsigned char>(c)] & flag) != 0;
}

void AppendEscape(std::string& out, unsigned char octet) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  out += {'%', kHex[octet >> 4], kHex[octet & 15]};
}

// The form in which paths are compared (section 2.2.2): escapes of unreserved characters decoded,
// all other escapes in upper case, every octet that may not stand in a URL escaped. A "%" that
// begins no escape stays. As in a Url, what decoding completes is decoded in turn.
void AppendNormal(std::string_view path, std::string& out) {
  const std::size_t begin = out.size();
  for (const char c : path) {
    if (!Is(c, kLiteral)) {
      AppendEscape(out, static_cast<unsigned char>(c));
      continue;
    }
    out += c;
    while (out.size() - begin >= 3) {
      const int escaped = EscapedByte(std::string_view(out).substr(out.size() - 3));
      if (escaped < 0) break;
      out.resize(out.size() - 3);
      if (!Is(static_cast<char>(escaped), kUnreserved)) {
        AppendEscape(out, static_cast<unsigned char>(escaped));
        break;
      }
      out += static_cast<char>(escaped);
    }
  }
}

// `target` itself where it is normal as it stands, else `buffer`.
std::string_view Normalise(std::string_view target, std::string& buffer) {
  if (std::ranges::all_of(target, [](char c) { return c != '%' && Is(c, kLiteral); })) {
    return target;
  }
  AppendNormal(target, buffer);
  return buffer;
}

// Normalises what lies between the special characters of section 2.2.3. A "$" is special only at
// the end.
std::string NormalisePattern(std::string_view path) {
  const bool anchored = path.ends_with('$');
  if (anchored) path.remove_suffix(1);
  std::string pattern;
  for (std::size_t star; (star = path.find('*')) != path.npos; path.remove_prefix(star + 1)) {
    AppendNormal(path.substr(0, star), pattern);
    pattern += '*';
  }
  AppendNormal(path, pattern);
  if (anchored) pattern += '$';
  return pattern;
}

std::string_view LiteralOf(const RobotsRule& rule) {
  std::string_view literal = rule.pattern;
  if (literal.ends_with('$')) literal.remove_suffix(1);
  return literal;
}

std::size_t CommonPrefixBytes(std::string_view a, std::string_view b) {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

// memmem() is linear whatever the bytes, which string_view::find() is not.
std::size_t Find(std::string_view text, std::string_view piece) {
  const void* found = memmem(text.data(), text.size(), piece.data(), piece.size());
  return found ? static_cast<const char*>(found) - text.data() : text.npos;
}

// Of a pattern with wildcards, both sides normalised. Takes the leftmost place for each piece
// between wildcards, which is never worse than a later one; so there is no going back, and the time
// is linear in the two lengths. Adds the octets that it had to search to `searched`.
bool Matches(std::string_view pattern, std::string_view target, std::size_t& searched) {
  std::size_t star = pattern.find('*');
  const std::string_view prefix = pattern.substr(0, star);
  if (!target.starts_with(prefix)) return false;
  target.remove_prefix(prefix.size());
  pattern.remove_prefix(star + 1);
  if (pattern.ends_with('$')) {
    const std::string_view end = pattern.substr(pattern.rfind('*') + 1);
    const std::string_view literal = end.substr(0, end.size() - 1);
    if (!target.ends_with(literal)) return false;
    target.remove_suffix(literal.size());
    pattern.remove_suffix(end.size());
  }

  searched += target.size();
  while (!pattern.empty()) {
    star = pattern.find('*');
    const std::string_view piece = pattern.substr(0, star);
    const std::size_t at = Find(target, piece);
    if (at == target.npos) return false;
    target.remove_prefix(at + piece.size());
    pattern.remove_prefix(std::min(piece.size() + 1, pattern.size()));
  }
  return true;
}

}  // namespace

RobotsRules::RobotsRules(std::vector<RobotsRule> rules) : rules_(std::move(rules)) {
  for (RobotsRule& rule : rules_) rule.pattern = NormalisePattern(rule.pattern);
  std::ranges::stable_sort(rules_, [](const RobotsRule& a, const RobotsRule& b) {
    return std::pair(a.pattern.size(), a.allow) > std::pair(b.pattern.size(), b.allow);
  });
  for (Rank rank = 0; rank < rules_.size(); ++rank) {
    const std::string& pattern = rules_[rank].pattern;
    const bool wild = pattern.find('*') != pattern.npos;
    (wild ? wild_ : pattern.ends_with('$') ? wholes_ : prefixes_).push_back(rank);
  }
  for (std::vector<Rank>* ranks : {&prefixes_, &wholes_}) {
    const auto literal = [this](Rank rank) { return LiteralOf(rules_[rank]); };
    std::ranges::stable_sort(*ranks, {}, literal);
    // Of rules for the same literal the first decides, always.
    const auto same = [&](Rank a, Rank b) { return literal(a) == literal(b); };
    ranks->erase(std::unique(ranks->begin(), ranks->end(), same), ranks->end());
  }
}

const RobotsRule* RobotsRules::Find(std::string_view target) const {
  static const RobotsRule kTooCostly{false, "", "(too many wildcards)"};
  std::string buffer;
  target = Normalise(target, buffer);
  Rank best = std::min(FindPrefix(target), FindWhole(target));
  std::size_t searched = 0;
  for (const Rank rank : wild_) {
    if (rank > best) break;
    if (Matches(rules_[rank].pattern, target, searched)) {
      best = rank;  // those that follow come after it
      break;
    }
    if (searched > kMaxSearchBytes) return &kTooCostly;
  }
  return best < rules_.size() ? &rules_[best] : nullptr;
}

// What `target` begins with is, in the order of literals, before it; the nearest one before it that
// is not its beginning shares with it all that a beginning further up may have. So this looks again
// with ever shorter targets, seldom more than a few times.
RobotsRules::Rank RobotsRules::FindPrefix(std::string_view target) const {
  auto end = prefixes_.end();
  while (true) {
    end = std::ranges::upper_bound(prefixes_.begin(), end, target, {},
                                   [this](Rank rank) { return LiteralOf(rules_[rank]); });
    if (end == prefixes_.begin()) return static_cast<Rank>(rules_.size());
    const std::string_view literal = LiteralOf(rules_[*(end - 1)]);
    const std::size_t common = CommonPrefixBytes(literal, target);
    if (common == literal.size()) return *(end - 1);
    target = target.substr(0, common);
  }
}

RobotsRules::Rank RobotsRules::FindWhole(std::string_view target) const {
  const auto literal = [this](Rank rank) { return LiteralOf(rules_[rank]); };
  const auto found = std::ranges::lower_bound(wholes_, target, {}, literal);
  const bool matches = found != wholes_.end() && literal(*found) == target;
  return matches ? *found : static_cast<Rank>(rules_.size());
}

}  // namespace trawl
