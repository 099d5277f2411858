#include "worker/row_writer.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <limits>

namespace trawl {
namespace {

TEST(RowWriter, WritesOneObjectInOneLine) {
  EXPECT_EQ(RowWriter().Finish(), "{}");
  EXPECT_EQ(RowWriter().Text("a", "x").Number("n", -5).Json("f", "{\"k\":[1]}").Finish(),
            R"({"a":"x","n":-5,"f":{"k":[1]}})");
  EXPECT_EQ(RowWriter().Number("n", std::numeric_limits<std::int64_t>::min()).Finish(),
            R"({"n":-9223372036854775808})");
}

TEST(RowWriter, AReaderGetsEveryTextAsItWas) {
  for (int first = 0; first < 128; ++first) {
    for (int second : {0, 31, 32, 34, 47, 92, 127}) {
      std::string text = "a";
      for (const int c : {first, second, first}) text += static_cast<char>(c);
      const std::string row = RowWriter().Text("t", text).Text("u", "").Finish();
      EXPECT_EQ(row.find('\n'), row.npos);
      const boost::json::value value = boost::json::parse(row);
      EXPECT_EQ(value.at("t").as_string(), text);
      EXPECT_EQ(row, boost::json::serialize(boost::json::object{{"t", text}, {"u", ""}}));
    }
  }
  const std::string snow = "\xE2\x98\x83 \xF0\x9F\x98\x80";
  EXPECT_EQ(RowWriter().Text("t", snow).Finish(), "{\"t\":\"" + snow + "\"}");
}

}  // namespace
}  // namespace trawl
