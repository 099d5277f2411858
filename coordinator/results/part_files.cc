#include "coordinator/results/part_files.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <limits>
#include <string>
#include <system_error>

#include "common/text.h"

namespace trawl {

namespace fs = std::filesystem;

std::optional<PageLine> ParsePageLine(std::string_view line) {
  PageLine page;
  if (!TakeNumber(line, page.url.lease) || !TakeNumber(line, page.url.index)) return std::nullopt;
  page.row = line;
  return page;
}

std::optional<FoundBeyond> ParseFoundBeyond(std::string_view item) {
  FoundBeyond found;
  if (TakeWord(item) != "beyond" || !TakeNumber(item, found.depth)) return std::nullopt;
  found.referrer = TakeWord(item);
  while (!item.empty()) found.urls.emplace_back(TakeWord(item));
  return found;
}

std::optional<OutboxLine> ParseOutboxLine(std::string_view line) {
  OutboxLine parsed;
  if (!TakeNumber(line, parsed.number)) return std::nullopt;
  const std::string_view item = line;
  const std::string_view kind = TakeWord(line);
  if (kind == "failed") {
    parsed.item = OutboxLine::Failed{line};
  } else if (kind == "redirected") {
    const std::string_view outcome = TakeWord(line);
    parsed.item = OutboxLine::Redirected{outcome, line};
  } else if (kind == "given_up") {
    OutboxLine::GivenUp given_up;
    given_up.reason = ReasonFromWord(TakeWord(line));
    if (!TakeNumber(line, given_up.depth)) return std::nullopt;
    given_up.entry = line;
    parsed.item = given_up;
  } else if (kind == "beyond") {
    std::optional<FoundBeyond> found = ParseFoundBeyond(item);
    if (!found) return std::nullopt;
    parsed.item = *std::move(found);
  } else if (kind == "refused") {
    LeasedUrl url;
    if (!TakeNumber(line, url.lease) || !TakeNumber(line, url.index)) return std::nullopt;
    parsed.item = OutboxLine::Refused{url};
  } else if (kind == "withdrawn") {
    OutboxLine::Withdrawn withdrawn;
    if (!TakeNumber(line, withdrawn.number)) return std::nullopt;
    parsed.item = withdrawn;
  } else {
    return std::nullopt;
  }
  return parsed;
}

void ForEachLine(const fs::path& path, const std::function<bool(std::string_view)>& take) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw std::system_error(errno, std::generic_category(), "cannot read " + path.string());
  }
  std::string line;
  while (std::getline(file, line)) {
    if (file.eof()) return;  // no line end: torn
    if (!take(line)) return;
  }
}

std::optional<std::uint64_t> FirstNumber(const fs::path& part) {
  std::optional<std::uint64_t> number;
  ForEachLine(part, [&](std::string_view line) {
    if (const auto parsed = ParseOutboxLine(line)) number = parsed->number;
    return !number;
  });
  return number;
}

void ForEachOutboxLine(const fs::path& out, const std::function<void(const OutboxLine&)>& take) {
  const std::vector<fs::path> parts = PartFiles(out, "outbox-");
  std::vector<std::uint64_t> ends(parts.size());
  std::uint64_t end = std::numeric_limits<std::uint64_t>::max();
  for (std::size_t i = parts.size(); i > 0; --i) {
    ends[i - 1] = end;
    end = std::min(end, FirstNumber(parts[i - 1]).value_or(end));
  }
  std::uint64_t next = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    ForEachLine(parts[i], [&](std::string_view line) {
      const std::optional<OutboxLine> parsed = ParseOutboxLine(line);
      if (!parsed || parsed->number < next || parsed->number >= ends[i]) return true;
      next = parsed->number + 1;
      take(*parsed);
      return true;
    });
  }
}

std::vector<fs::path> PartFiles(const fs::path& out, std::string_view prefix) {
  std::vector<fs::path> parts;
  if (!fs::is_directory(out / "parts")) return parts;
  for (const fs::directory_entry& entry : fs::directory_iterator(out / "parts")) {
    if (entry.path().filename().string().starts_with(prefix)) parts.push_back(entry.path());
  }
  std::sort(parts.begin(), parts.end());
  return parts;
}

}  // namespace trawl
