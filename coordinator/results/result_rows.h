// Rows of redirects.jsonl and errors.jsonl, as one line of JSON without its line end.
#pragma once

#include <string>
#include <string_view>

#include "proto/messages.h"

namespace trawl {

/// Without `outcome`, which only the store can tell; RedirectRowWith() adds it.
std::string RedirectRow(const FrontierEntry& entry, int depth, const Redirected& redirected);
std::string RedirectRowWith(std::string_view row, std::string_view outcome);

std::string FailedRow(const FrontierEntry& entry, int depth, const Failed& failed);

/// A URL given up without another try: as it took down its worker too often (kWorkerLost), as its
/// round was open for too long (kRoundDeadline), or with its host, for the reason that holds there.
std::string GivenUpRow(const FrontierEntry& entry, int depth, Error reason);

}  // namespace trawl
