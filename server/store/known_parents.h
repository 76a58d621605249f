// Rows by their keys, and the parents that rows name, which become rows themselves when a dataset is finished.
// Input: rows as they come. Output: rows of parent resources. Of this module only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/database.h"

namespace ocp_mock {

// The keys of a row's parents, outermost first, and its own and its qualifier where the resource has them.
std::vector<SqlValue> keys_of(const Resource& resource, const Row& row);

// What is said of a row whose parents and key another one has.
DuplicateRow taken_key(const Resource& resource, const Row& row);

struct FoundByKey {
  std::int64_t id;
  std::string json;
};

// The first row with these keys, the parents', its own and the qualifier where there is one. Requires a key.
std::optional<FoundByKey> find_by_key(Connection& connection, const Resource& resource,
                                      const std::vector<SqlValue>& keys);

class KnownParents {
 public:
  // Those that a row names, now and along its timeline.
  void note(const Resource& resource, const Row& row);

  // See FixtureSink::add_implied().
  void note_declared(const Resource& resource, std::span<const SqlValue> parents_and_key,
                     std::optional<std::string> label);

  // The row with these keys, its parents' and its own, and all below it are no longer known.
  void forget(const Resource& resource, const std::vector<SqlValue>& keys);

  // Their resources, which must have tables when they are stored.
  std::set<const Resource*> resources() const;

  // Adds those that are not there. A row that is there stays, but for a label that it lacks.
  void store(Connection& connection) const;

  // Whether a row has no more than store() gives it.
  static bool may_have_stored(const Resource& resource, std::string_view json);

 private:
  struct Labels {
    std::optional<std::string> declared;
    std::optional<std::string> of_row;
  };

  std::map<std::pair<const Resource*, std::vector<SqlValue>>, Labels> parents_;  // by the keys, outermost first
  std::pair<const Resource*, std::vector<SqlValue>> last_{nullptr, {}};  // those of the last row, which are known
};

}  // namespace ocp_mock
