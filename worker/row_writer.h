// Writes a row of the results: one JSON object in one line, field by field, without a tree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace trawl {

class RowWriter {
 public:
  RowWriter() {
    text_.reserve(kUsualBytes);
    text_ += '{';
  }

  /// Names are plain: nothing in them needs an escape. Bytes of a text that are no UTF-8 stay.
  RowWriter& Text(std::string_view name, std::string_view value);
  RowWriter& Number(std::string_view name, std::int64_t value);
  /// `value` is JSON without line ends.
  RowWriter& Json(std::string_view name, std::string_view value);

  /// The object. Called once, last.
  std::string Finish();

 private:
  static constexpr std::size_t kUsualBytes = 1024;

  void Name(std::string_view name);

  std::string text_;
};

}  // namespace trawl
