#include "coordinator/results/beyond_reader.h"

#include <cerrno>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace trawl {

bool BeyondReader::OpenNext() {
  file_.close();
  if (next_part_ == parts_.size()) return false;
  const std::filesystem::path& part = parts_[next_part_++];
  file_.clear();
  file_.open(part, std::ios::binary);
  if (!file_) {
    throw std::system_error(errno, std::generic_category(), "cannot read " + part.string());
  }
  return true;
}

std::vector<FoundBeyond> BeyondReader::Next(int depth, int greatest, std::size_t lines) {
  std::vector<FoundBeyond> found;
  std::string line;
  for (; lines > 0; --lines) {
    while (!file_.is_open() || !std::getline(file_, line) || file_.eof()) {
      if (!OpenNext()) return found;
    }
    std::optional<OutboxLine> parsed = ParseOutboxLine(line);
    auto* links = parsed ? std::get_if<FoundBeyond>(&parsed->item) : nullptr;
    if (links && links->depth > depth && links->depth <= greatest)
      found.push_back(std::move(*links));
  }
  return found;
}

}  // namespace trawl
