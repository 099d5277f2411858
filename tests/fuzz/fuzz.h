// What every fuzz target stands on. A target defines FuzzOne(). An input has found a bug when a
// Check() fails, an exception leaves FuzzOne(), or a sanitizer objects: each ends the process.
#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace trawl {

void FuzzOne(std::string_view input);

/// Ends the process, after printing the rule and the values, when the rule does not hold.
void Check(bool holds, std::string_view rule, std::initializer_list<std::string_view> values);

/// Takes the text up to the next LF, and the LF, off the front.
std::string_view TakeLine(std::string_view& input);

/// Places where an input is cut, ascending; a place twice makes an empty piece.
using Cuts = std::vector<std::size_t>;

/// Ways to cut an input other than not at all: before each byte, once at each place (at some of
/// them if there are many), and at random places of several densities. The same for each run.
std::vector<Cuts> WaysToCut(std::string_view input);

/// Hands on the pieces in their order. Each is in memory of its own, which ends with the call, so
/// that a sanitizer notices what is read behind a piece or after its time.
void FeedPieces(std::string_view input, const Cuts& cuts,
                const std::function<void(std::string_view piece)>& feed);

}  // namespace trawl
