#include "coordinator/store/robots_record.h"

#include <array>
#include <charconv>
#include <string_view>
#include <utility>

namespace trawl {
namespace {

using State = RobotsRecord::State;

constexpr std::array kWords = {std::pair{State::kRules, std::string_view("rules")},
                               std::pair{State::kAllowAll, std::string_view("allow_all")},
                               std::pair{State::kFailing, std::string_view("failing")},
                               std::pair{State::kGivenUp, std::string_view("given_up")}};

std::string TimeText(WallTime time) { return std::to_string(time.time_since_epoch().count()); }

template <class Number>
bool ReadNumber(const RobotsRecord::Fields& fields, const char* name, Number& number) {
  const auto found = fields.find(name);
  if (found == fields.end()) return false;
  const std::string& text = found->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

bool ReadTime(const RobotsRecord::Fields& fields, const char* name, WallTime& time) {
  std::int64_t ms = 0;
  if (!ReadNumber(fields, name, ms)) return false;
  time = WallTime(milliseconds(ms));
  return true;
}

std::string TextIn(const RobotsRecord::Fields& fields, const char* name) {
  const auto found = fields.find(name);
  return found == fields.end() ? "" : found->second;
}

}  // namespace

RobotsRecord::Fields RobotsRecord::ToFields() const {
  Fields fields = {{"http_status", std::to_string(status)},
                   {"fetched", Rfc3339(fetched)},
                   {"fetched_ms", TimeText(fetched)},
                   {"expires", Rfc3339(expires)},
                   {"expires_ms", TimeText(expires)}};
  for (const auto& [word_state, word] : kWords) {
    if (word_state == state) fields["state"] = word;
  }
  if (state == State::kRules) fields["body"] = body;
  if (state == State::kFailing || state == State::kGivenUp) {
    fields["failures"] = std::to_string(failures);
    fields["reason"] = ReasonWord(reason);
    fields["detail"] = detail;
  }
  if (state == State::kFailing) {
    fields["next_try"] = Rfc3339(next_try);
    fields["next_try_ms"] = TimeText(next_try);
  }
  return fields;
}

Result<RobotsRecord> RobotsRecord::FromFields(const Fields& fields) {
  RobotsRecord record;
  bool sound = false;
  for (const auto& [state, word] : kWords) {
    if (word != TextIn(fields, "state")) continue;
    record.state = state;
    sound = true;
  }
  sound = sound && ReadNumber(fields, "http_status", record.status) &&
          ReadTime(fields, "fetched_ms", record.fetched) &&
          ReadTime(fields, "expires_ms", record.expires);
  if (record.state == State::kRules) record.body = TextIn(fields, "body");
  if (record.state == State::kFailing || record.state == State::kGivenUp) {
    sound = sound && ReadNumber(fields, "failures", record.failures);
    record.reason = ReasonFromWord(TextIn(fields, "reason"));
    record.detail = TextIn(fields, "detail");
  }
  if (record.state == State::kFailing) {
    sound = sound && ReadTime(fields, "next_try_ms", record.next_try);
  }
  if (!sound) return Error::kStore;
  return record;
}

}  // namespace trawl
