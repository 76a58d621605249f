#include "store/captures.h"

#include <algorithm>
#include <iterator>

#include "json/reader.h"

namespace ocp_mock {

void Captures::note(const Resource& resource, std::int64_t id, std::size_t file) {
  std::vector<Run>& runs = runs_[&resource];
  if (!runs.empty() && runs.back().file == file && runs.back().last + 1 == id) {
    runs.back().last = id;
  } else {
    runs.push_back({id, id, file});
  }
}

std::size_t Captures::find(const Resource& resource, std::int64_t id) const {
  const auto of_resource = runs_.find(&resource);
  if (of_resource == runs_.end()) return 0;
  const auto behind = std::ranges::upper_bound(of_resource->second, id, {}, &Run::first);
  if (behind == of_resource->second.begin() || std::prev(behind)->last < id) return 0;
  return std::prev(behind)->file;
}

bool is_fuller(std::string_view json, std::string_view other) {
  return read_json_text(json).members.size() > read_json_text(other).members.size();
}

}  // namespace ocp_mock
