#include "tests/e2e/generated_site.h"

#include <random>

namespace trawl {
namespace {

std::string PagePath(int page) {
  if (page == 0) return "/index.html";
  const std::string number = std::to_string(page);
  switch (page % 4) {
    case 0:
      return "/a/p" + number + ".html";
    case 1:
      return "/a/b/p" + number + ".html";
    case 2:
      return "/list?page=" + number + "&sort=up";
    default:
      return "/c/" + number + "/";
  }
}

/// A reference to a page as some author would write it.
std::string Reference(const TestSite& site, int page, int style) {
  const std::string path = PagePath(page);
  switch (style) {
    case 0:
      return site.Url(path);
    case 1:
      return path + "#part-" + std::to_string(page);
    case 2:
      return "/x/../." + path;
    case 3:
      return "  " + path + "\n";
    default:
      return path;
  }
}

std::string Element(const std::string& reference, int style) {
  switch (style) {
    case 0:
      return "<a title='x' HREF='" + reference + "'>link</a>";
    case 1:
      return "<area href=\"" + reference + "\">";
    case 2:
      return "<iframe src=\"" + reference + "\"></iframe>";
    default:
      return "<p>text <a href=\"" + reference + "\">link</a> more text</p>\n";
  }
}

}  // namespace

void FillSite(TestSite& site, int pages, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto draw = [&](int least, int most) {
    return std::uniform_int_distribution<int>(least, most)(random);
  };
  for (int page = 0; page < pages; ++page) {
    const std::string number = std::to_string(page);
    std::string head = "<title>Page " + number + "</title>";
    std::string body = "<!-- <a href='/not-a-link'>x</a> --><a href='mailto:a@b.test'>mail</a>";
    // Links to near pages make a deep site, those to any page make a wide one.
    for (int links = draw(2, 8); links > 0; --links) {
      const int target = draw(0, 3) ? std::min(pages - 1, page + draw(1, 12)) : draw(0, pages - 1);
      const std::string reference = Reference(site, target, draw(0, 7));
      body += Element(reference, draw(0, 7));
    }
    if (page % 7 == 0) body += "<a href='/moved/" + number + "'>moved</a>";
    if (page % 11 == 0) body += "<a href='/missing/" + number + "'>missing</a>";
    if (page % 13 == 0) body += "<a href='/picture/" + number + ".png'>picture</a>";
    if (page % 17 == 0) {
      head += "<meta http-equiv=refresh content='30; url=" + PagePath(draw(0, pages - 1)) + "'>";
    }
    if (page % 19 == 0) {
      head += "<base href='/c/'>";
      body += "<a href='" + std::to_string(draw(0, pages / 4 - 1) * 4 + 3) + "/'>by base</a>";
    }
    site.SetHtml(PagePath(page),
                 "<!DOCTYPE html><html><head>" + head + "</head><body>" + body + "</body></html>");
    site.SetRedirect("/moved/" + number, "/moved/again/" + number, 301);
    site.SetRedirect("/moved/again/" + number, PagePath(draw(0, pages - 1)));
    TestPage picture;
    picture.content_type = "image/png";
    picture.body = "not looked at";
    site.Set("/picture/" + number + ".png", picture);
  }
}

void FillSlowSite(TestSite& site, int pages) {
  for (int page = 0; page < pages; ++page) {
    TestPage slow;
    slow.latency = std::chrono::milliseconds(20);
    slow.body = "<a href='/s/" + std::to_string(page + 1) + "'>next</a>";
    for (int more = 0; more < 20; ++more) {
      slow.body += "<a href='/s/" + std::to_string((page * 20 + more) % pages) + "'>more</a>";
    }
    site.Set("/s/" + std::to_string(page), std::move(slow));
  }
}

}  // namespace trawl
