#include "worker/meta_refresh.h"

#include <gtest/gtest.h>

namespace trawl {
namespace {

constexpr std::string_view kReloads = "(the page itself)";

// HTML Standard, "shared declarative refresh steps".
TEST(MetaRefresh, FollowsTheHtmlStandard) {
  const struct {
    const char* content;
    std::optional<std::string_view> target;
  } kCases[] = {
      {"0;url=x", "x"},
      {"0; url=x", "x"},
      {" \t\n\f\r5 ; URL = x y ", "x y "},
      {"5,url=x", "x"},
      {"5 url=x", "x"},
      {"5 x", "x"},
      {"5;x", "x"},
      {"5;;x", ";x"},
      {"5.5;x", "x"},
      {".5;x", "x"},
      {".;x", "x"},
      {"5.x.;y", std::nullopt},
      {"0;url='x'y", "x"},
      {"0;url=\"x'y\"z", "x'y"},
      {"0;url='x", "x"},
      {"0;'x'y", "x"},
      {"0;\"x", "x"},
      {"0;url", "url"},
      {"0;url x", "url x"},
      {"0;ur=x", "ur=x"},
      {"0;u'x'", "u'x'"},
      {"0;uRl=x", "x"},
      {"0;url=url=x", "url=x"},
      {"0;url=", ""},
      {"", std::nullopt},
      {" ", std::nullopt},
      {"0", kReloads},
      {"0;", kReloads},
      {"0 ", kReloads},
      {"5.5", kReloads},
      {"x", std::nullopt},
      {"url=x", std::nullopt},
      {";url=x", std::nullopt},
      {"-1;x", std::nullopt},
      {"+1;x", std::nullopt},
      {"5,", kReloads},
      {"5,;", ";"},
      {"5x", std::nullopt},
      {"5:x", std::nullopt},
      {"99999999999999999999;x", "x"},
  };
  for (const auto& c : kCases) {
    const std::optional<Refresh> refresh = ParseRefresh(c.content);
    ASSERT_EQ(refresh.has_value(), c.target.has_value()) << c.content;
    if (!refresh) continue;
    EXPECT_EQ(refresh->reloads ? kReloads : refresh->reference, *c.target) << c.content;
  }
}

}  // namespace
}  // namespace trawl
