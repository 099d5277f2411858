#include "common/frontier_entry.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace trawl {
namespace {

struct Case {
  FrontierEntry entry;
  std::string text;
};

std::vector<Case> Cases() {
  return {
      {{"http://a/", "", 0, 0, 0}, "http://a/"},
      {{"http://a/", "http://b/?q", 0, 0, 0}, "http://a/ http://b/?q"},
      {{"http://a/", "http://b/", 1, 2, 3}, "http://a/ http://b/ 1 2 3"},
      {{"http://a/", "http://b/", 0, 0, 1}, "http://a/ http://b/ 0 0 1"},
      {{"http://a/", "", 0, 7, 0}, "http://a/ - 0 7 0"},
      {{"http://a/", "", 2147483647, 0, 0}, "http://a/ - 2147483647 0 0"},
      {{"http://a/", "", 0, 0, 0, 1}, "http://a/ - 0 0 0 1"},
      {{"http://a/", "http://b/", 0, 1, 0, 2}, "http://a/ http://b/ 0 1 0 2"},
      {{"-", "", 0, 0, 0}, "-"},
  };
}

TEST(FrontierEntry, LeavesOutDefaultsFromTheEnd) {
  for (const Case& c : Cases()) EXPECT_EQ(c.entry.Text(), c.text);
}

TEST(FrontierEntry, ReadsWhatItWrites) {
  for (const Case& c : Cases()) {
    const Result<FrontierEntry> entry = FrontierEntry::Parse(c.text);
    ASSERT_TRUE(entry) << c.text;
    EXPECT_EQ(*entry, c.entry) << c.text;
  }
}

TEST(FrontierEntry, ReadsADashAsNoReferrer) {
  EXPECT_EQ(FrontierEntry::Parse("http://a/ -").value().referrer, "");
}

TEST(FrontierEntry, RefusesTextOutsideOfItsGrammar) {
  for (const char* text : {"", " ", " http://a/", "u r 1", "u r 1 2", "u r 1 2 3 4 5",
                           "u r 1 2 3 x", "u r 1 2 3 -1", "u r 1 2 x", "u r 1 2 3x", "u r -1 0 0",
                           "u r  1 2 3", "u r 0 0 2147483648", "u r 1.5 0 0"}) {
    const Result<FrontierEntry> entry = FrontierEntry::Parse(text);
    ASSERT_FALSE(entry) << '"' << text << '"';
    EXPECT_EQ(entry.error(), Error::kBadMessage);
  }
}

}  // namespace
}  // namespace trawl
