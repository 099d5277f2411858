#include "worker/html/document_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trawl::html {
namespace {

using ::testing::ElementsAre;

std::vector<std::uint32_t> Numbers(const DocumentOrder& order) {
  std::vector<std::uint32_t> numbers;
  order.ForEach([&](std::uint32_t number) { numbers.push_back(number); });
  return numbers;
}

TEST(DocumentOrder, ThingsComeAsTheyAreFound) {
  DocumentOrder order;
  EXPECT_THAT(Numbers(order), ElementsAre());
  for (int i = 0; i < 3; ++i) order.Add(0);
  EXPECT_THAT(Numbers(order), ElementsAre(0, 1, 2));
}

TEST(DocumentOrder, WhatIsMovedOutOfATableComesBeforeIt) {
  DocumentOrder order;
  order.Add(0);
  const DocumentOrder::Content table = order.Begin(0);
  EXPECT_EQ(order.OuterOf(table), 0u);
  order.Add(0);      // 1, before the table, which is empty
  order.Add(table);  // 2
  order.Add(0);      // 3, before the table
  order.Add(table);  // 4
  EXPECT_THAT(Numbers(order), ElementsAre(0, 1, 3, 2, 4));
  order.End(table);
  order.Add(0);  // 5
  EXPECT_THAT(Numbers(order), ElementsAre(0, 1, 3, 2, 4, 5));
}

TEST(DocumentOrder, TablesStandInTables) {
  DocumentOrder order;
  const DocumentOrder::Content outer = order.Begin(0);
  const DocumentOrder::Content inner = order.Begin(outer);
  order.Add(inner);  // 0
  order.Add(outer);  // 1, before the inner table
  order.Add(0);      // 2, before both
  order.Add(inner);  // 3
  order.End(inner);
  order.Add(outer);  // 4
  order.End(outer);
  order.Add(0);  // 5
  EXPECT_THAT(Numbers(order), ElementsAre(2, 1, 0, 3, 4, 5));
}

TEST(DocumentOrder, WhatComesAfterTheHeadCanBeTakenBack) {
  DocumentOrder order;
  order.Add(0);
  const DocumentOrder::Content table = order.Begin(0);
  order.Add(table);
  order.Add(0);
  order.End(table);
  order.CutAfter(1);
  order.Add(0);  // 3: numbers go on
  EXPECT_THAT(Numbers(order), ElementsAre(0, 3));
  order.CutAfter(0);
  EXPECT_THAT(Numbers(order), ElementsAre());
}

}  // namespace
}  // namespace trawl::html
