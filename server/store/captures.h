// Which rows captured answers have, and in which files.
// Input: rows as they come, then ids and the JSON of rows. Output: numbers of files; which of two rows has more in it.
// Of this module only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "catalogue/catalogue.h"

namespace ocp_mock {

class Captures {
 public:
  // Requires that the ids of a resource ascend.
  void note(const Resource& resource, std::int64_t id, std::size_t file);

  // 0 for a row that no capture has.
  std::size_t find(const Resource& resource, std::int64_t id) const;

 private:
  // Rows of one file with ids that follow one another.
  struct Run {
    std::int64_t first;
    std::int64_t last;
    std::size_t file;
  };

  std::unordered_map<const Resource*, std::vector<Run>> runs_;
};

// Whether an object has more members than another.
bool is_fuller(std::string_view json, std::string_view other);

}  // namespace ocp_mock
