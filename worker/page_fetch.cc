#include "worker/page_fetch.h"

#include <algorithm>
#include <boost/json.hpp>
#include <unordered_set>

#include "common/text.h"
#include "common/utf8.h"

namespace trawl {
namespace {

namespace json = boost::json;

/// Of a page whose bytes are not looked at for it; empty when the header names no encoding.
std::string_view CharsetOf(std::string_view content_type) {
  const std::optional<Encoding> encoding = Encoding::ForLabel(CharsetLabelOf(content_type));
  return encoding ? encoding->name() : std::string_view();
}

bool IsHtml(std::string_view content_type) {
  const std::string type = MediaType(content_type);
  return type == "text/html" || type == "application/xhtml+xml";
}

}  // namespace

bool PageContext::WantsType(std::string_view content_type) const {
  const std::string type = MediaType(content_type);
  return std::any_of(
      settings.content_types.begin(), settings.content_types.end(),
      [&](const std::string& wanted) { return wanted == "*/*" || LowerCase(wanted) == type; });
}

FetchRequest PageContext::RequestFor(Url url) const {
  FetchRequest request;
  request.url = std::move(url);
  request.accept = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8";
  request.limits.total = settings.fetch_timeout;
  request.limits.body_bytes = settings.max_body_bytes;
  const auto& trusted = settings.own_origins;
  if (std::find(trusted.begin(), trusted.end(), request.url.origin()) != trusted.end()) {
    for (const std::string& header : settings.own_headers) request.headers += header + "\r\n";
  }
  const auto& own = settings.private_hosts;
  request.private_allowed =
      settings.allow_private || std::find(own.begin(), own.end(), request.url.host()) != own.end();
  return request;
}

PageFetch::PageFetch(const PageContext& context, WorkItem item, Url url, Done done)
    : context_(context),
      item_(std::move(item)),
      url_(std::move(url)),
      fetched_at_(std::chrono::system_clock::now()),
      done_(std::move(done)) {}

BodyWish PageFetch::OnHead(const ResponseHead& head) {
  wanted_ = IsSuccess(head.status) && context_.WantsType(head.content_type);
  if (!wanted_) return BodyWish::kSkip;
  const CrawlSettings& settings = context_.settings;
  if (!settings.ignore_robots_tag) {
    directives_ = ParseRobotsTag(head.robots_tag, settings.user_agent);
  }
  keeps_body_ = context_.parser.WantsBody() && !directives_.noindex;
  if (IsHtml(head.content_type)) {
    const std::string label = CharsetLabelOf(head.content_type);
    const Encoding fallback = FallbackEncodingOf(head.content_type);
    extractor_.emplace(url_, label, settings.user_agent, fallback, settings.max_links_per_page);
    if (keeps_body_) decoder_.emplace(label, fallback);
  }
  return BodyWish::kRead;
}

boost::system::error_code PageFetch::OnBody(std::string_view bytes) {
  digest_.Update(bytes);
  if (extractor_) extractor_->Feed(bytes);
  if (decoder_) {
    decoder_->Decode(bytes, body_);
  } else if (keeps_body_) {
    body_ += bytes;
  }
  return {};
}

void PageFetch::OnDone(FetchOutcome outcome) {
  PageResult result;
  result.outcome = OutcomeOf(url_, outcome, wanted_, fetched_at_);
  result.elapsed = outcome.elapsed;
  result.latency = outcome.latency;
  if (auto* fetched = std::get_if<Fetched>(&result.outcome)) {
    PageLinks links;
    links.charset = CharsetOf(outcome.head.content_type);
    if (extractor_) links = extractor_->Finish();
    if (decoder_) decoder_->Finish(body_);
    // A refresh target is a link like any other, but a page that reloads itself has none.
    if (links.refresh && *links.refresh != url_.text() &&
        std::find(links.links.begin(), links.links.end(), *links.refresh) == links.links.end()) {
      links.links.push_back(*links.refresh);
    }
    if (!context_.settings.ignore_meta_robots) directives_ |= links.robots;
    fetched->body_bytes = outcome.body_bytes;
    fetched->links = links.links.size();
    result.body_digest = digest_.Short();
    result.row = Row(outcome, links);
    if (!directives_.nofollow) {
      fetched->links_left_out = links.left_out;
      result.links = LinksToFollow(std::move(links));
    }
  }
  done_(std::move(item_), std::move(result));
}

std::vector<std::string> PageFetch::LinksToFollow(PageLinks links) const {
  if (context_.settings.ignore_rel_nofollow || links.nofollow_links.empty()) {
    return std::move(links.links);
  }
  // The target of a refresh is followed, however the page links to it.
  const std::unordered_set<std::string_view> marked(links.nofollow_links.begin(),
                                                    links.nofollow_links.end());
  std::erase_if(links.links, [&](const std::string& link) {
    return marked.contains(link) && link != links.refresh;
  });
  return std::move(links.links);
}

std::string PageFetch::Row(const FetchOutcome& outcome, const PageLinks& links) const {
  RowWriter row =
      RowOf(item_, url_, outcome, digest_, {links.charset, links.title, links.links.size()},
            fetched_at_, context_.worker);
  if (directives_.nofollow) row.Json("nofollow", "true");
  if (directives_.noindex) {
    // Its body is not kept, so no parser sees it.
    row.Json("noindex", "true").Json("fields", "{}");
  } else {
    // The parser may have copied bytes of the page.
    row.Json("fields", ValidUtf8(json::serialize(Fields(outcome.head, links))));
  }
  return row.Finish();
}

json::object PageFetch::Fields(const ResponseHead& head, const PageLinks& links) const {
  try {
    return context_.parser.Parse(
        Page{url_, head, item_.depth, links.charset, links.title, body_, links.links});
  } catch (const std::exception& error) {
    return {{"parser_error", HeaderText(error.what())}};
  }
}

}  // namespace trawl
