// What a job may crawl. Immutable after Make().
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/options.h"
#include "common/url.h"

namespace trawl {

class Scope {
 public:
  enum class Verdict { kInside, kOutside, kNotIncluded, kExcluded };

  /// Without seeds the given sitemaps stand for them. Without a value when a seed or a pattern of
  /// `options` is not valid; `complaint` then names the flag and says what is wrong.
  static std::optional<Scope> Make(const CrawlOptions& options, std::string& complaint);

  ~Scope();
  Scope(Scope&&) noexcept;
  Scope& operator=(Scope&&) noexcept;

  /// Exclude beats include, and both come after the scope's kind.
  Verdict Judge(const Url& url) const;
  bool Admits(const Url& url) const { return Judge(url) == Verdict::kInside; }
  /// Whatever place it is in.
  bool Excludes(const Url& url) const;
  /// What the seeds stand for, sorted: hosts, domains or folders; none for kAny.
  std::vector<std::string> Places() const;
  /// Whether any URL of its host may be inside.
  bool CoversHostOf(const Url& url) const;

 private:
  struct Rules;
  explicit Scope(std::unique_ptr<const Rules> rules);

  std::unique_ptr<const Rules> rules_;
};

}  // namespace trawl
