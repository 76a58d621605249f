// Single rows that requests change, on the way to one new dataset.
// Input: the dataset that a world has, and the time. Output: rows as fixtures have them, and at last a dataset with all
// changes, or the old one where there are none. Costs the rows that are touched. Used by one thread.
//
// What timelines have done until then is settled first, so that a change goes on from what the client has seen; they
// drive their later points still, and a clock that goes back does not undo the others.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

#include "catalogue/catalogue.h"
#include "json/reader.h"
#include "ocp/instant.h"
#include "store/dataset.h"
#include "store/dataset_builder.h"

namespace ocp_mock {

// A row that breaks a rule of fixtures; the text says which.
class RowRefused : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Edit {
 public:
  struct FoundRow {
    std::int64_t id;
    JsonValue fixture;  // without its timeline
  };

  // loaded: from when timelines without a time of their own count.
  Edit(std::shared_ptr<const Dataset> origin, Instant loaded);

  const Catalogue& catalogue() const { return origin_->catalogue(); }

  // What timelines do until now, from now on for good.
  void settle_timelines(Instant now);

  // The rows that have each member of where, see where.h, in the default order of the resource. An array in the place
  // of another value stands for any of its items.
  std::vector<FoundRow> find(const Resource& resource, const JsonValue& where);

  // The row with the id; nothing where it is gone.
  std::optional<FoundRow> find(const Resource& resource, std::int64_t id);

  std::optional<DatasetBuilder::DueTask> first_due() { return builder_->first_due(); }

  // Adds a row. An integer key that it lacks is made, and never again. Returns the row. Throws RowRefused, also where a
  // parent is not there, and DuplicateRow where the key is taken.
  JsonValue insert(const Resource& resource, JsonValue fixture);

  // An integer that no row of the resource has or had as its key, and that is larger than the other one.
  std::int64_t make_key(const Resource& resource, std::int64_t above = 0);

  // Puts the fixture in the place of the row's; its timeline goes on without the members that differ. Throws as
  // insert() does.
  void replace(const Resource& resource, std::int64_t id, JsonValue fixture);

  // Removes a row and all that are below it.
  void remove(const Resource& resource, const FoundRow& row);

  // The edit is spent afterwards.
  std::shared_ptr<const Dataset> finish();

 private:
  void require_parents(const Resource& resource, const Row& row);

  const std::shared_ptr<const Dataset> origin_;
  const Instant loaded_;
  const std::unique_ptr<DatasetBuilder> builder_;
  bool changed_ = false;
};

}  // namespace ocp_mock
