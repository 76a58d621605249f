// What a misspelt word was probably meant to be.
// Input: the word and the candidates. Output: one of them, or nothing.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ascii.h"

namespace ocp_mock {

// How many letters must be put in, taken out, replaced or swapped with their neighbour to make one word of the other;
// letters of either case are the same. Costs the product of the sizes.
inline std::size_t edit_distance(std::string_view left, std::string_view right) {
  // Rows of the distances between the first letters of left and those of right: the row in work and the two before it.
  std::vector<std::size_t> row(right.size() + 1), above(right.size() + 1), above_that;
  for (std::size_t j = 0; j <= right.size(); ++j) row[j] = j;
  const auto same = [&](std::size_t i, std::size_t j) { return to_lower_ascii(left[i]) == to_lower_ascii(right[j]); };
  for (std::size_t i = 1; i <= left.size(); ++i) {
    above_that = std::move(above);
    above = std::move(row);
    row.assign(right.size() + 1, i);
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t replaced = above[j - 1] + (same(i - 1, j - 1) ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && same(i - 1, j - 2) && same(i - 2, j - 1);
      if (swapped) row[j] = std::min(row[j], above_that[j - 2] + 1);
    }
  }
  return row.back();
}

// The candidate that the word resembles most, the first of several; nothing if none comes within a third of its
// letters. Words of more than 100 bytes resemble none. Candidates are anything that makes a std::string_view.
template <typename Candidates>
std::optional<std::string_view> nearest(std::string_view word, const Candidates& candidates) {
  constexpr std::size_t kLongestWord = 100;
  if (word.size() > kLongestWord) return std::nullopt;
  std::optional<std::string_view> found;
  std::size_t least = 0;
  for (const auto& candidate : candidates) {
    const std::string_view text(candidate);
    if (text.size() > kLongestWord) continue;
    const std::size_t distance = edit_distance(word, text);
    if (distance > (std::max(word.size(), text.size()) + 1) / 3 || (found && distance >= least)) continue;
    found = text;
    least = distance;
  }
  return found;
}

// "; did you mean 'delay'?" for the end of a message, or nothing.
template <typename Candidates>
std::string did_you_mean(std::string_view word, const Candidates& candidates) {
  const auto found = nearest(word, candidates);
  return found ? "; did you mean '" + std::string(*found) + "'?" : "";
}

}  // namespace ocp_mock
