#include "worker/sitemap_fetch.h"

#include <boost/json.hpp>
#include <iterator>

namespace trawl {
namespace {

/// The parser stops at a limit of its own; this one is for what never decodes to anything.
constexpr std::uint64_t kMaxBodyBytes = 2 * SitemapParser::kMaxBytes;

}  // namespace

SitemapFetch::SitemapFetch(const PageContext& context, WorkItem item, Url url, Done done)
    : context_(context),
      item_(std::move(item)),
      url_(std::move(url)),
      fetched_at_(std::chrono::system_clock::now()),
      done_(std::move(done)) {}

FetchRequest SitemapFetch::RequestFor(const PageContext& context, Url url) {
  FetchRequest request = context.RequestFor(std::move(url));
  request.accept = "application/xml,text/xml,text/plain;q=0.9,*/*;q=0.8";
  request.limits.body_bytes = kMaxBodyBytes;
  return request;
}

BodyWish SitemapFetch::OnHead(const ResponseHead& head) {
  if (!IsSuccess(head.status)) return BodyWish::kSkip;
  parser_.emplace(url_, head.content_type);
  return BodyWish::kRead;
}

boost::system::error_code SitemapFetch::OnBody(std::string_view bytes) {
  digest_.Update(bytes);
  parser_->Feed(bytes);
  if (parser_->done()) return Error::kTooLarge;
  return {};
}

void SitemapFetch::OnDone(FetchOutcome outcome) {
  if (parser_ && parser_->done()) outcome.error = {};  // we ended it
  PageResult result;
  result.outcome = OutcomeOf(url_, outcome, true, fetched_at_);
  result.elapsed = outcome.elapsed;
  result.latency = outcome.latency;
  if (auto* fetched = std::get_if<Fetched>(&result.outcome)) {
    Sitemap sitemap = parser_->Finish();
    fetched->body_bytes = outcome.body_bytes;
    fetched->links = sitemap.urls.size() + sitemap.sitemaps.size();
    RowWriter row = RowOf(item_, url_, outcome, digest_, {"", "", fetched->links}, fetched_at_,
                          context_.worker);
    row.Json("sitemap", "true");
    if (sitemap.truncated) row.Json("truncated", "true");
    row.Json("fields", "{}");
    result.row = row.Finish();
    result.links = std::move(sitemap.urls);
    result.sitemaps = std::move(sitemap.sitemaps);
  }
  done_(std::move(item_), std::move(result));
}

}  // namespace trawl
