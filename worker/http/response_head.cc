#include "worker/http/response_head.h"

#include <algorithm>

#include "common/text.h"

namespace trawl {
namespace {

constexpr std::string_view kBegin = "HTTP/";
/// A status line without reason, and without the blank before it.
constexpr std::size_t kShortStatusLineBytes = sizeof("HTTP/1.1 200") - 1;

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

/// Takes a line off the front, without its end.
std::string_view TakeLine(std::string_view& head, bool& bare) {
  std::string_view line = TakePart(head, '\n');
  bare = !line.ends_with('\r');
  if (!bare) line.remove_suffix(1);
  return line;
}

/// Where a header's name ends before the blanks in front of its colon; npos: there are none.
std::size_t NameBeforeBlanks(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == line.npos || colon == 0 || !IsBlank(line[colon - 1])) return line.npos;
  if (IsBlank(line.front())) return line.npos;  // goes on with the line before
  return line.find_last_not_of(" \t", colon - 1) + 1;
}

bool IsAsItShouldBe(std::string_view head) {
  bool bare = false;
  if (TakeLine(head, bare).size() <= kShortStatusLineBytes) return false;
  while (!bare && !head.empty()) {
    if (NameBeforeBlanks(TakeLine(head, bare)) != head.npos) return false;
  }
  return !bare;
}

}  // namespace

bool BeginsResponse(std::string_view bytes) {
  return bytes.substr(0, kBegin.size()) == kBegin.substr(0, bytes.size());
}

std::optional<std::size_t> HeadBytes(std::string_view bytes, std::size_t& searched) {
  for (;;) {
    const std::size_t line_end = bytes.find('\n', searched);
    if (line_end == bytes.npos) {
      searched = bytes.size();
      return std::nullopt;
    }
    searched = line_end;
    const std::string_view next = bytes.substr(line_end + 1, 2);
    if (next.starts_with('\n')) return line_end + 2;
    if (next == "\r\n") return line_end + 3;
    if (next.empty() || next == "\r") return std::nullopt;
    ++searched;
  }
}

std::string_view MendedHead(std::string_view head, std::string& storage) {
  if (IsAsItShouldBe(head)) return head;
  storage.clear();
  bool bare = false;
  const std::string_view status_line = TakeLine(head, bare);
  storage.append(status_line);
  if (status_line.size() == kShortStatusLineBytes) storage += ' ';
  storage += "\r\n";
  while (!head.empty()) {
    std::string_view line = TakeLine(head, bare);
    if (const std::size_t name = NameBeforeBlanks(line); name != line.npos) {
      storage.append(line.substr(0, name));
      line.remove_prefix(line.find(':'));
    }
    storage.append(line).append("\r\n");
  }
  return storage;
}

}  // namespace trawl
