#include "common/scope.h"

#include <re2/re2.h>

#include <algorithm>
#include <unordered_set>
#include <vector>

#include "common/registrable_domain.h"

namespace trawl {
namespace {

using Patterns = std::vector<std::unique_ptr<RE2>>;

/// The path up to and with its last "/".
std::string_view Folder(std::string_view path) { return path.substr(0, path.rfind('/') + 1); }

bool MatchesAny(const Patterns& patterns, const std::string& text) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const auto& pattern) { return RE2::PartialMatch(text, *pattern); });
}

std::string Compile(const std::vector<std::string>& texts, const char* flag, Patterns& patterns) {
  for (const std::string& text : texts) {
    RE2::Options quiet;
    quiet.set_log_errors(false);
    auto pattern = std::make_unique<RE2>(text, quiet);
    if (!pattern->ok()) return std::string(flag) + ": '" + text + "': " + pattern->error();
    patterns.push_back(std::move(pattern));
  }
  return {};
}

}  // namespace

struct Scope::Rules {
  ScopeKind kind;
  std::unordered_set<std::string> places;  // by kind: authorities, or registrable domains
  std::vector<std::string> folders;        // kPrefix: authority and folder
  Patterns include;
  Patterns exclude;

  void AddSeed(const Url& seed) {
    switch (kind) {
      case ScopeKind::kHost:
        places.emplace(seed.authority());
        break;
      case ScopeKind::kDomain:
        places.emplace(RegistrableDomain(seed.host()));
        break;
      case ScopeKind::kPrefix:
        folders.push_back(std::string(seed.authority()) + std::string(Folder(seed.path())));
        break;
      case ScopeKind::kAny:
        break;
    }
  }

  bool HoldsPlace(const Url& url) const {
    switch (kind) {
      case ScopeKind::kHost:
        return places.contains(std::string(url.authority()));
      case ScopeKind::kDomain:
        return places.contains(std::string(RegistrableDomain(url.host())));
      case ScopeKind::kPrefix: {
        const std::string_view place =
            std::string_view(url.text())
                .substr(url.scheme().size() + std::string_view("://").size());
        return std::any_of(folders.begin(), folders.end(),
                           [&](const std::string& folder) { return place.starts_with(folder); });
      }
      case ScopeKind::kAny:
        return true;
    }
    return false;
  }
};

Scope::Scope(std::unique_ptr<const Rules> rules) : rules_(std::move(rules)) {}
Scope::~Scope() = default;
Scope::Scope(Scope&&) noexcept = default;
Scope& Scope::operator=(Scope&&) noexcept = default;

std::optional<Scope> Scope::Make(const CrawlOptions& options, std::string& complaint) {
  auto rules = std::make_unique<Rules>();
  rules->kind = options.scope;
  for (const std::string& seed : options.seeds.empty() ? options.sitemap_urls : options.seeds) {
    const Result<Url> url = Url::Parse(seed);
    if (!url) {
      complaint = "not a URL that can be crawled: '" + seed + "'";
      return std::nullopt;
    }
    rules->AddSeed(*url);
  }
  complaint = Compile(options.include, "--include", rules->include);
  if (complaint.empty()) complaint = Compile(options.exclude, "--exclude", rules->exclude);
  if (!complaint.empty()) return std::nullopt;
  return Scope(std::move(rules));
}

Scope::Verdict Scope::Judge(const Url& url) const {
  if (!rules_->HoldsPlace(url)) return Verdict::kOutside;
  if (Excludes(url)) return Verdict::kExcluded;
  if (!rules_->include.empty() && !MatchesAny(rules_->include, url.text())) {
    return Verdict::kNotIncluded;
  }
  return Verdict::kInside;
}

std::vector<std::string> Scope::Places() const {
  std::vector<std::string> places(rules_->folders);
  places.insert(places.end(), rules_->places.begin(), rules_->places.end());
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
  return places;
}

bool Scope::CoversHostOf(const Url& url) const {
  if (rules_->kind != ScopeKind::kPrefix) return rules_->HoldsPlace(url);
  const std::string host = std::string(url.authority()) + '/';
  return std::any_of(rules_->folders.begin(), rules_->folders.end(),
                     [&](const std::string& folder) { return folder.starts_with(host); });
}

bool Scope::Excludes(const Url& url) const { return MatchesAny(rules_->exclude, url.text()); }

}  // namespace trawl
