// Makes datasets.
// Input: rows. Output: a Dataset, or nothing but a DatasetError.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "catalogue/catalogue.h"
#include "fixtures/sink.h"
#include "store/dataset.h"
#include "store/query.h"

namespace ocp_mock {

// Takes rows and makes a dataset of them, all or nothing.
class DatasetBuilder : public FixtureSink {
 public:
  // The catalogue must outlive the dataset.
  static std::unique_ptr<DatasetBuilder> in_memory(const Catalogue& catalogue);

  // The dataset will live in the file. It is written under a temporary name beside it and renamed by finish(), so that
  // the file is whole or untouched. An existing file is replaced only if it is a dataset. Throws DatasetError.
  static std::unique_ptr<DatasetBuilder> in_file(const std::filesystem::path& file, const Catalogue& catalogue);

  // As FixtureSink has it. A row that is there only because others belong to it gives way to one with its key.
  bool add_row(const Resource& resource, Row& row) override = 0;

  // Throws DuplicateRow if another row than that with the id has the row's parents and key.
  virtual void refuse_taken_key(const Resource& resource, const Row& row, std::int64_t id) = 0;

  // Puts a row in the place of one that is there. Its parents become known.
  virtual void set_row(const Resource& resource, std::int64_t id, Row row) = 0;

  // Its parents stay known.
  virtual void remove_row(const Resource& resource, std::int64_t id) = 0;

  // A row that was removed does not come back with those that named it as their parent before.
  virtual void forget(const Resource& resource, const std::vector<SqlValue>& keys) = 0;

  // Removes all that meet the conditions, and tells how many.
  virtual std::int64_t remove_rows(const Resource& resource, const std::vector<ColumnCondition>& conditions) = 0;

  // Rows stay what they are now.
  virtual void remove_timelines() = 0;

  // As Dataset::each_row(), of the rows that are there by now. visit must not change any.
  virtual void each_row(const Resource& resource, const RowSelection& selection,
                        const std::function<void(const StoredRow&)>& visit) = 0;

  // The task that changes first.
  struct DueTask {
    std::int64_t id;  // of its row
    Instant at;
  };
  virtual std::optional<DueTask> first_due() = 0;

  // A value for an integer key that no row has or had as far as keep_key() was told: one more than the largest one.
  virtual std::int64_t make_key(const Resource& resource) = 0;

  // The value is never made again.
  virtual void keep_key(const Resource& resource, std::int64_t key) = 0;

  // The builder is spent afterwards. Throws DatasetError.
  virtual std::shared_ptr<const Dataset> finish() = 0;
};

}  // namespace ocp_mock
