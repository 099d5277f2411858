// What a crawl decides about single things, for a person to see: each function asks the code that
// coordinator and workers run. README.md tells the keys of questions and answers. All throw
// BadQuestion.
#pragma once

#include <boost/json/object.hpp>
#include <string_view>

#include "common/robots.h"
#include "common/url_rewrite.h"
#include "worker/probe/json_lines.h"

namespace trawl {

/// {"base", "href"} -> {"url"}: null when the reference is nothing to crawl. No base: "" or none.
boost::json::object DecideUrl(const UrlRewrite& rewrite, const Question& question);

/// What rules say of a URL's path and query: {"allowed", "rule", "crawl_delay", "sitemaps"}, of
/// which `rule` is null when none matched and `crawl_delay` is in seconds.
boost::json::object ExplainRobots(const Robots& robots, std::string_view target);
/// {"robots" or "robots_base64", "agent", "url"} -> ExplainRobots().
boost::json::object DecideRobots(const Question& question);

/// {"base_url", "html" or "html_base64"} -> {"links", "title", "charset", "nofollow", "noindex",
/// "nofollow_links", "refresh"}, for the crawler that the key "agent" names, else for Trawl. A
/// document that comes as text is in UTF-8, and one in base64 in what "content_type" or it itself
/// says.
boost::json::object DecideLinks(const Question& question);

/// {"url", "body" or "body_base64", and maybe "content_type"} -> {"urls", "sitemaps", "truncated"}:
/// what the file lists, whatever hosts and folders it may speak for.
boost::json::object DecideSitemap(const Question& question);

}  // namespace trawl
