#include "store/database.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <limits>
#include <system_error>
#include <utility>

#include "embedded/schema_sql.h"
#include "store/page_checks.h"

namespace ocp_mock {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kStatementsPerReader = 64;

std::size_t place_of(const Endpoint& endpoint, std::string_view status) {
  const StatusSet found = endpoint.find_status(status);
  return found == 0 ? Milestones::kUnlisted : static_cast<std::size_t>(std::countr_zero(found));
}

// Rows in the default order: cluster, tenant, second, nanosecond, id, status.
std::string walk_sql(const Endpoint& endpoint, std::string_view where) {
  const std::vector<std::string> time = columns_of(*endpoint.find_field(endpoint.time_field));
  return fmt::format(
      "SELECT cluster_id, tenant_id, {1}, {2}, id, status FROM {0} INDEXED BY {0}_by_time{3}"
      " ORDER BY cluster_id, tenant_id, {1} DESC, {2} DESC, id",
      endpoint.table, time[0], time[1], where);
}

void add_row(Milestones& milestones, const Endpoint& endpoint, const Statement& row) {
  milestones.add({row.integer(2), row.integer(3), row.integer(4)}, place_of(endpoint, row.bytes(5)));
}

}  // namespace

void bind_values(SQLite::Statement& statement, const std::vector<SqlValue>& values) {
  int place = 0;
  for (const SqlValue& value : values) {
    ++place;
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      statement.bind(place, *integer);
    } else if (const auto* real = std::get_if<double>(&value)) {
      statement.bind(place, *real);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      statement.bindNoCopy(place, *text);
    } else {
      statement.bind(place);
    }
  }
}

std::optional<std::string> optional_text(const SQLite::Column& column) {
  if (column.isNull()) return std::nullopt;
  return column.getString();
}

Statement::Statement(sqlite3* database, const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  const int result = sqlite3_prepare_v3(database, sql.c_str(), static_cast<int>(sql.size()) + 1,
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  statement_.reset(statement);
  if (result != SQLITE_OK) throw SQLite::Exception(database, result);
}

void Statement::bind(std::string_view value) {
  check(sqlite3_bind_text64(statement_.get(), ++bound_, value.data(), value.size(), SQLITE_STATIC, SQLITE_UTF8));
}

void Statement::bind_blob(std::string_view value) {
  check(sqlite3_bind_blob64(statement_.get(), ++bound_, value.data(), value.size(), SQLITE_STATIC));
}

void Statement::bind_all(const std::vector<SqlValue>& values) {
  for (const SqlValue& value : values) {
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      bind(*integer);
    } else if (const auto* real = std::get_if<double>(&value)) {
      check(sqlite3_bind_double(statement_.get(), ++bound_, *real));
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      bind(*text);
    } else {
      check(sqlite3_bind_null(statement_.get(), ++bound_));
    }
  }
}

std::string_view Statement::bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  if (data == nullptr) return {};
  return {static_cast<const char*>(data), static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

void Statement::fail() const {
  sqlite3* const database = sqlite3_db_handle(statement_.get());
  throw SQLite::Exception(database, sqlite3_errcode(database));
}

namespace {

// Several connections to one database in memory would share a lock, which they would take for each page; a connection
// that is handed the memory has none.
SQLite::Database open_database(const DatabaseSource& source) {
  if (!source.memory) {
    return SQLite::Database(source.uri, SQLite::OPEN_READONLY | SQLite::OPEN_URI | SQLite::OPEN_NOMUTEX);
  }
  SQLite::Database database(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX);
  sqlite3_int64 size = 0;
  unsigned char* bytes = sqlite3_serialize(source.memory->getHandle(), "main", &size, SQLITE_SERIALIZE_NOCOPY);
  if (bytes == nullptr) throw std::logic_error("the database is not one in memory");
  const int result = sqlite3_deserialize(database.getHandle(), "main", bytes, size, size, SQLITE_DESERIALIZE_READONLY);
  if (result != SQLITE_OK) throw SQLite::Exception(database.getHandle(), result);
  return database;
}

}  // namespace

Reader::Reader(const DatabaseSource& source) : database_(open_database(source)) {
  // A file may have been made by anybody.
  for (const auto& [option, on] : {std::pair{SQLITE_DBCONFIG_DEFENSIVE, 1},
                                   {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
                                   {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
                                   {SQLITE_DBCONFIG_ENABLE_VIEW, 0}}) {
    sqlite3_db_config(handle(), option, on, nullptr);
  }
  // Mapped, as far as SQLite maps: pages are neither read one by one nor copied.
  database_.exec("PRAGMA mmap_size = 2147418112");
}

void Reader::run(const SqlQuery& query, const std::function<void(SQLite::Statement&)>& row) {
  SQLite::Statement& statement = prepared(query.sql);
  // A statement that is not reset keeps its read lock and its bound values.
  const struct Reset {
    SQLite::Statement& statement;
    ~Reset() {
      statement.tryReset();
      statement.clearBindings();
    }
  } reset{statement};
  bind_values(statement, query.values);
  while (statement.executeStep()) row(statement);
}

Statement& Reader::range(const Endpoint& endpoint, const RangeShape& shape) {
  const std::uint64_t key = static_cast<std::uint64_t>(&endpoint - endpoints().data()) << 32 |
                            static_cast<std::uint64_t>(shape.statuses) << 8 |
                            static_cast<std::uint64_t>(shape.computes) << 6 |
                            static_cast<std::uint64_t>(shape.result) << 4 |
                            static_cast<std::uint64_t>(shape.begin) << 1 | static_cast<std::uint64_t>(shape.merged);
  const auto found = fixed_statements_.find(key);
  if (found != fixed_statements_.end()) return found->second;
  return fixed_statements_.try_emplace(key, handle(), range_sql(endpoint, shape)).first->second;
}

Statement& Reader::task(const Endpoint& endpoint, bool computes) {
  // No range has such a result.
  const std::uint64_t key = static_cast<std::uint64_t>(&endpoint - endpoints().data()) << 32 | 0x30 |
                            static_cast<std::uint64_t>(computes) << 6;
  const auto found = fixed_statements_.find(key);
  if (found != fixed_statements_.end()) return found->second;
  return fixed_statements_.try_emplace(key, handle(), task_sql(endpoint, computes)).first->second;
}

SQLite::Statement& Reader::prepared(const std::string& sql) {
  if (const auto found = statements_.find(sql); found != statements_.end()) return found->second;
  if (statements_.size() >= kStatementsPerReader) statements_.clear();
  return statements_.try_emplace(sql, database_, sql).first->second;
}

std::string computes_fact(const Endpoint& endpoint) { return fmt::format("computed.{}", endpoint.table); }
namespace {

std::string file_uri(const fs::path& file, std::string_view options) {
  std::string uri = "file:";
  for (const char c : fs::absolute(file).string()) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~/").find(c) != std::string_view::npos;
    if (plain) {
      uri += c;
    } else {
      fmt::format_to(std::back_inserter(uri), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return fmt::format("{}?vfs={}{}", uri, checked_vfs(), options);
}

// A file's bytes at their places.
class FileBytes {
 public:
  explicit FileBytes(const fs::path& file) : file_(file), descriptor_{::open(file.c_str(), O_RDONLY | O_CLOEXEC)} {
    struct stat status {};
    if (descriptor_.value < 0 || ::fstat(descriptor_.value, &status) != 0) fail();
    size_ = status.st_size;
  }

  std::int64_t size() const { return size_; }

  // So many from the beginning; fewer where the file ends.
  std::string first(std::size_t count) const {
    std::string bytes(count, '\0');
    std::size_t got = 0;
    while (got < count) {
      const ssize_t more = ::pread(descriptor_.value, bytes.data() + got, count - got, static_cast<off_t>(got));
      if (more < 0 && errno == EINTR) continue;
      if (more < 0) fail();
      if (more == 0) break;
      got += static_cast<std::size_t>(more);
    }
    bytes.resize(got);
    return bytes;
  }

 private:
  struct Descriptor {
    int value;
    explicit Descriptor(int descriptor) : value(descriptor) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
      if (value >= 0) ::close(value);
    }
  };

  [[noreturn]] void fail() const {
    throw DatasetError(
        fmt::format("cannot read the dataset {}: {}", file_.string(), std::generic_category().message(errno)));
  }

  const fs::path& file_;
  const Descriptor descriptor_;
  std::int64_t size_ = 0;
};

// What is wrong with a dataset of this version, as far as its first page and its size tell.
std::string damage_of(const FileBytes& file, std::int64_t page_size, std::int64_t pages) {
  if (file.size() != page_size * pages) {
    return fmt::format("it has {} bytes, and its header tells of {}", file.size(), page_size * pages);
  }
  const std::string page = file.first(static_cast<std::size_t>(page_size));
  if (page.size() < kPageCheckBytes || !has_right_sum(page, 1)) {
    return "its first page is not as it was written";
  }
  return "";
}

}  // namespace

std::string uri_to_read(const fs::path& file) { return file_uri(file, "&immutable=1"); }

std::string uri_to_write(const fs::path& file) { return file_uri(file, ""); }

DatabaseIdentity identify(const fs::path& file) {
  // See https://www.sqlite.org/fileformat2.html, 1.3.
  constexpr std::size_t kHeaderBytes = 100;
  constexpr std::string_view kMagic("SQLite format 3", 16);
  const FileBytes bytes(file);
  const std::string header = bytes.first(kHeaderBytes);
  if (header.size() < kHeaderBytes || !header.starts_with(kMagic)) return {};
  const auto number = [&](std::size_t place, std::size_t size) {
    std::int64_t value = 0;
    for (const char c : header.substr(place, size)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  };
  DatabaseIdentity identity{.application = number(68, 4), .version = number(60, 4)};
  if (identity.application == kApplicationId && identity.version == kSchemaVersion) {
    const std::int64_t page_size = number(16, 2) == 1 ? 65536 : number(16, 2);
    identity.damage = damage_of(bytes, page_size, number(28, 4));
  }
  return identity;
}

void check_schema(Reader& reader) {
  // SQLite keeps each statement as it was written.
  const std::string_view schema = embedded::schema_sql;
  std::size_t missing = 0;
  for (std::size_t at = 0; (at = schema.find("CREATE ", at)) != std::string_view::npos; ++at) ++missing;
  bool right = true;
  reader.run({"SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL", {}}, [&](SQLite::Statement& row) {
    const std::string sql = row.getColumn(0).getString() + ";";
    right = right && sql.starts_with("CREATE ") && schema.find(sql) != std::string_view::npos;
    --missing;
  });
  if (!right || missing != 0) {
    throw DatasetError(fmt::format(
        "its tables and indexes are not those of schema version {}; make it anew from its fixtures", kSchemaVersion));
  }
}

void refuse_special_file(const fs::path& file) {
  std::error_code ignored;
  if (fs::exists(file, ignored) && !fs::is_regular_file(file, ignored)) {
    throw DatasetError(fmt::format("{} is no regular file; the dataset must be one", file.string()));
  }
}

void write_milestones(SQLite::Database& database) {
  database.exec("DELETE FROM milestone");
  Statement insert(database.getHandle(), "INSERT INTO milestone VALUES (?1, ?2, ?3, ?4)");
  for (const Endpoint& endpoint : endpoints()) {
    Statement row(database.getHandle(), walk_sql(endpoint, ""));
    std::pair<std::int64_t, std::int64_t> tenant;
    Milestones milestones(endpoint.statuses.size());
    const auto store = [&] {
      milestones.finish();
      if (milestones.total(0) > Milestones::kUnstoredRows) {
        const std::string places = milestones.bytes();
        const Use use(insert);
        insert.bind(endpoint.table);
        insert.bind(tenant.first);
        insert.bind(tenant.second);
        insert.bind_blob(places);
        insert.step();
      }
      milestones = Milestones(endpoint.statuses.size());
    };
    while (row.step()) {
      const std::pair<std::int64_t, std::int64_t> next{row.integer(0), row.integer(1)};
      if (next != tenant) store();
      tenant = next;
      add_row(milestones, endpoint, row);
    }
    store();
  }
}

Milestones read_milestones(const Reader& reader, const Endpoint& endpoint, std::int64_t cluster_id,
                           std::int64_t tenant_id) {
  Statement stored(reader.handle(),
                   "SELECT places FROM milestone WHERE resource = ?1 AND cluster_id = ?2 AND tenant_id = ?3");
  stored.bind(endpoint.table);
  stored.bind(cluster_id);
  stored.bind(tenant_id);
  if (stored.step()) return Milestones::of_bytes(endpoint.statuses.size(), stored.bytes(0));

  Statement row(reader.handle(), walk_sql(endpoint, " WHERE cluster_id = ?1 AND tenant_id = ?2"));
  row.bind(cluster_id);
  row.bind(tenant_id);
  Milestones made(endpoint.statuses.size());
  while (row.step()) add_row(made, endpoint, row);
  made.finish();
  return made;
}

}  // namespace ocp_mock
