// A SQLite database as the dataset and its builder use it. Of this room only: no other file of store/ includes it.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "store/dataset_builder.h"
#include "store/query.h"

namespace ocp_mock {

inline constexpr std::int64_t kApplicationId = 0x4F43504D;  // see schema/dataset.sql
inline constexpr std::int64_t kSchemaVersion = 2;           // see schema/dataset.sql

// The statement uses the texts of the values until it is reset.
void bind_values(SQLite::Statement& statement, const std::vector<SqlValue>& values);

std::optional<std::string> optional_text(const SQLite::Column& column);

// A connection with the statements it has prepared. Used by one thread at a time.
class Reader {
 public:
  explicit Reader(const std::string& uri);

  // Calls row for each row of the answer.
  void run(const SqlQuery& query, const std::function<void(SQLite::Statement&)>& row);

  sqlite3* handle() { return database_.getHandle(); }

 private:
  SQLite::Statement& prepared(const std::string& sql);

  SQLite::Database database_;
  std::unordered_map<std::string, SQLite::Statement> statements_;
};

std::string file_uri(const std::filesystem::path& file, std::string_view options);

// A name that no other database of this process has.
std::string memory_uri();

struct DatabaseIdentity {
  std::int64_t application = 0;
  std::int64_t version = 0;
};

// Whether the file is a dataset, and of which version. Throws DatasetError if it cannot be read.
DatabaseIdentity identify(const std::filesystem::path& file);

// SQLite would wait for ever at a pipe, and say of a folder that the disk fails. Throws DatasetError.
void refuse_special_file(const std::filesystem::path& file);

// A finished database as a dataset. One in memory lives as long as a connection to it does.
std::shared_ptr<const Dataset> dataset_of(const std::string& uri);

// A builder in memory that begins as a copy of what the reader reads.
std::unique_ptr<DatasetBuilder> copy_of(Reader& source);

}  // namespace ocp_mock
