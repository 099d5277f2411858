#include "worker/http/address_cache.h"

#include <iterator>
#include <utility>

namespace trawl {

std::shared_ptr<const Resolution> AddressCache::Find(std::string_view name, TimePoint now) {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return nullptr;
  const Position entry = found->second;
  if (now >= entry->expires) {
    Remove(entry);
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, entry);
  return entry->answer;
}

void AddressCache::Insert(const std::string& name, std::shared_ptr<const Resolution> answer,
                          TimePoint expires) {
  if (const auto found = by_name_.find(name); found != by_name_.end()) Remove(found->second);
  if (max_entries_ == 0) return;
  if (entries_.size() == max_entries_) Remove(std::prev(entries_.end()));
  entries_.push_front({name, std::move(answer), expires});
  by_name_.emplace(entries_.front().name, entries_.begin());
}

void AddressCache::Remove(Position entry) {
  by_name_.erase(entry->name);
  entries_.erase(entry);
}

}  // namespace trawl
