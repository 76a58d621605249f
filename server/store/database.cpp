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

#include "base/hash.h"
#include "embedded/schema_sql.h"
#include "json/writer.h"
#include "store/page_checks.h"
#include "store/pages/scan.h"

namespace ocp_mock {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kKeptStatements = 64;  // of those that are kept by their SQL

// Rows in the default order: the parents, second, nanosecond, id, word.
std::string walk_sql(const Resource& resource, std::string_view where) {
  const std::vector<std::string> time = columns_of(*resource.order.front().field);
  std::string parents;
  for (const std::string& column : parent_columns(resource)) parents += column + ", ";
  return fmt::format(
      "SELECT {0}{1}, {2}, id, {3} FROM {4} INDEXED BY {4}_by_time{5} ORDER BY {0}{1} DESC, {2} DESC, id", parents,
      time[0], time[1], resource.indexed_words->column, resource.table, where);
}

void add_row(SparseIndex& index, const Resource& resource, const Statement& row) {
  const auto first = static_cast<int>(resource.parents.size());
  index.add({row.integer(first), row.integer(first + 1), row.integer(first + 2)},
            resource.indexed_words->words->find(row.bytes(first + 3)));
}

}  // namespace

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

void Statement::bind(const SqlValue& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    bind(*integer);
  } else if (const auto* real = std::get_if<double>(&value)) {
    check(sqlite3_bind_double(statement_.get(), ++bound_, *real));
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    bind(std::string_view(*text));
  } else {
    check(sqlite3_bind_null(statement_.get(), ++bound_));
  }
}

void Statement::bind_all(const std::vector<SqlValue>& values) {
  for (const SqlValue& value : values) bind(value);
}

std::int64_t Statement::execute(const std::vector<SqlValue>& values) {
  const Use use(*this);
  bind_all(values);
  while (step()) {
  }
  return sqlite3_changes64(sqlite3_db_handle(statement_.get()));
}

std::optional<std::string> Statement::optional_text(int column) const {
  if (is_null(column)) return std::nullopt;
  return std::string(bytes(column));
}

SqlValue Statement::value(int column) const {
  switch (sqlite3_column_type(statement_.get(), column)) {
    case SQLITE_NULL: return {};
    case SQLITE_INTEGER: return integer(column);
    case SQLITE_FLOAT: return sqlite3_column_double(statement_.get(), column);
    default: return std::string(bytes(column));
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

Connection::Connection(const std::string& uri, int flags, const Catalogue& catalogue)
    : database_(uri, flags | SQLite::OPEN_URI | SQLite::OPEN_NOMUTEX), catalogue_(catalogue) {}

void Connection::run(const SqlQuery& query, const std::function<void(const Statement&)>& visit) {
  auto kept = statements_.extract(query.sql);
  Statement row = kept ? std::move(kept.mapped()) : Statement(handle(), query.sql);
  row.bind_all(query.values);
  while (row.step()) visit(row);
  row.reset();
  if (statements_.size() >= kKeptStatements) statements_.clear();
  statements_.insert_or_assign(query.sql, std::move(row));
}

std::int64_t Connection::execute(const SqlQuery& query) {
  run(query, [](const Statement&) {});
  return sqlite3_changes64(handle());
}

Reader::Reader(const Version& version, const Catalogue& catalogue)
    : Connection(version.uri(), SQLite::OPEN_READONLY, catalogue) {
  // A file may have been made by anybody.
  for (const auto& [option, on] : {std::pair{SQLITE_DBCONFIG_DEFENSIVE, 1},
                                   {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
                                   {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
                                   {SQLITE_DBCONFIG_ENABLE_VIEW, 0}}) {
    sqlite3_db_config(handle(), option, on, nullptr);
  }
  // Any size makes SQLite read pages where they are, without copying them.
  execute("PRAGMA mmap_size = 2147418112");
}

namespace {

// Nobody else sees a database before it is whole, so nothing is ever rolled back.
constexpr const char* kNoJournal = "PRAGMA journal_mode = OFF";

const int kWrites = SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE;

}  // namespace

Writer::Writer(const Catalogue& catalogue, const std::shared_ptr<const Version>& source, int page_size)
    : draft(source), connection(draft.uri(), kWrites, catalogue), tables(catalogue) {
  connection.execute(kNoJournal);
  connection.execute("PRAGMA temp_store = MEMORY");
  if (source == nullptr) {
    connection.execute(fmt::format("PRAGMA page_size = {}", page_size));
    make_tables(catalogue);
    return;
  }
  tables = Tables(connection, catalogue);
  has_envelope = connection.integer("SELECT EXISTS(SELECT 1 FROM fact WHERE name LIKE 'envelope.%')") != 0;
}

Writer::Writer(const Catalogue& catalogue, const fs::path& file)
    : connection(uri_to_write(file), kWrites, catalogue), tables(catalogue) {
  connection.execute(kNoJournal);
  int reserved = kPageCheckBytes;
  sqlite3_file_control(connection.handle(), "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
  // So that free pages have checks as well.
  connection.execute("PRAGMA secure_delete = ON");
  make_tables(catalogue);
}

void Writer::make_tables(const Catalogue& catalogue) {
  connection.execute("BEGIN");
  connection.execute(std::string(schema_sql()));
  connection.execute(fmt::format("PRAGMA user_version = {}", schema_version(catalogue)));
  connection.execute("COMMIT");
}

DatasetFacts read_facts(Connection& connection, const Catalogue& catalogue) {
  DatasetFacts facts{.tables = Tables(connection, catalogue), .next_due = {}, .computing = {}};
  connection.run({"SELECT EXISTS(SELECT 1 FROM timeline), EXISTS(SELECT 1 FROM exchange)", {}},
                 [&](const Statement& row) {
                   facts.has_timelines = row.integer(0) != 0;
                   facts.has_exchanges = row.integer(1) != 0;
                 });
  if (const auto due = tasks_due_query(catalogue, facts.tables)) {
    connection.run(*due, [&](const Statement& row) { facts.next_due = instant_of(row, 1); });
  }
  connection.run({"SELECT name FROM fact", {}}, [&](const Statement& row) {
    for (const Resource& resource : catalogue.resources) {
      if (row.bytes(0) == computes_fact(resource)) facts.computing.push_back(&resource);
    }
  });
  return facts;
}

void visit_row(const Resource& resource, const Statement& row, const std::function<void(const StoredRow&)>& visit) {
  std::vector<SqlValue> keys(resource.parents.size() + (resource.key == nullptr ? 0 : 1));
  for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = row.value(static_cast<int>(4 + i));
  StoredRow stored{row.integer(0), keys, row_text(row, 1), {}};
  if (!row.is_null(3)) stored.timeline = RowTimeline{row.optional_text(2), std::string(row.bytes(3))};
  visit(stored);
}

std::optional<SqlQuery> tasks_due_query(const Catalogue& catalogue, const Tables& tables) {
  if (catalogue.tasks == nullptr || !tables.has(*catalogue.tasks->resource)) return std::nullopt;
  const std::vector<std::string> due = columns_of(*catalogue.tasks->due);
  return SqlQuery{fmt::format("SELECT id, {0}, {1} FROM {2} WHERE {0} IS NOT NULL ORDER BY {0}, {1}, id LIMIT 1",
                              due[0], due[1], catalogue.tasks->resource->table),
                  {}};
}

Instant instant_of(const Statement& row, int column) {
  return {row.integer(column), static_cast<std::int32_t>(row.integer(column + 1))};
}

std::string computes_fact(const Resource& resource) { return fmt::format("computed.{}", resource.table); }

std::int64_t schema_version(const Catalogue& catalogue) {
  return version_hash(std::string(schema_sql()) + std::to_string(catalogue.version));
}

std::string_view schema_sql() { return embedded::schema_sql; }

Tables::Tables(Connection& connection, const Catalogue& catalogue) : Tables(catalogue) {
  connection.run({"SELECT name FROM sqlite_schema WHERE type = 'table'", {}}, [&](const Statement& row) {
    const auto found = std::ranges::find(catalogue.resources, row.bytes(0), &Resource::table);
    if (found != catalogue.resources.end()) add(*found);
  });
}

namespace {

// A file's bytes at their entries.
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

std::string uri_to_write(const fs::path& file) {
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
  return fmt::format("{}?vfs={}", uri, checked_vfs());
}

DatabaseIdentity identify(const fs::path& file, const Catalogue& catalogue) {
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
  if (identity.application == kApplicationId && identity.version == schema_version(catalogue)) {
    const std::int64_t page_size = number(16, 2) == 1 ? 65536 : number(16, 2);
    identity.damage = damage_of(bytes, page_size, number(28, 4));
  }
  return identity;
}

void check_schema(Connection& connection, const Catalogue& catalogue) {
  // SQLite keeps each statement as it was written.
  std::string schema(schema_sql());
  const Tables tables(connection, catalogue);
  for (const Resource& resource : catalogue.resources) {
    if (tables.has(resource)) schema += resource.sql;
  }
  std::size_t missing = 0;
  for (std::size_t at = 0; (at = schema.find("CREATE ", at)) != std::string_view::npos; ++at) ++missing;
  bool right = true;
  connection.run({"SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL", {}}, [&](const Statement& row) {
    const std::string sql = std::string(row.bytes(0)) + ";";
    right = right && sql.starts_with("CREATE ") && schema.find(sql) != std::string_view::npos;
    --missing;
  });
  if (!right || missing != 0) {
    throw DatasetError(
        fmt::format("its tables and indexes are not those of schema version {}; make it anew from its fixtures",
                    schema_version(catalogue)));
  }
}

void refuse_special_file(const fs::path& file) {
  std::error_code ignored;
  if (fs::exists(file, ignored) && !fs::is_regular_file(file, ignored)) {
    throw DatasetError(fmt::format("{} is no regular file; the dataset must be one", file.string()));
  }
}

std::string partition_text(const std::vector<SqlValue>& parents) {
  std::string text = "[";
  for (const SqlValue& parent : parents) text.append(text.size() > 1 ? "," : "").append(json_value(parent));
  return text + "]";
}

void write_sparse_indexes(sqlite3* database, const Catalogue& catalogue, const Tables& tables) {
  Statement(database, "DELETE FROM sparse_index").execute({});
  Statement insert(database, "INSERT INTO sparse_index VALUES (?1, ?2, ?3)");
  for (const Resource& resource : catalogue.resources) {
    if (resource.indexed_words == nullptr || !tables.has(resource)) continue;
    Statement row(database, walk_sql(resource, ""));
    const std::size_t words = resource.indexed_words->words->words.size();
    std::vector<SqlValue> partition(resource.parents.size());
    SparseIndex index(words);
    const auto store = [&] {
      index.finish();
      if (index.total(0) > SparseIndex::kMinStoredRows) {
        const std::string parents = partition_text(partition);
        const std::string entries = index.bytes();
        const Use use(insert);
        insert.bind(std::string_view(resource.table));
        insert.bind(std::string_view(parents));
        insert.bind_blob(entries);
        insert.step();
      }
      index = SparseIndex(words);
    };
    while (row.step()) {
      std::vector<SqlValue> next(resource.parents.size());
      for (std::size_t i = 0; i < next.size(); ++i) next[i] = row.value(static_cast<int>(i));
      if (next != partition) store();
      partition = std::move(next);
      add_row(index, resource, row);
    }
    store();
  }
}

SparseIndex make_sparse_index(Connection& connection, const Resource& resource, const std::vector<SqlValue>& parents) {
  SparseIndex made(resource.indexed_words->words->words.size());
  connection.run({walk_sql(resource, where_equal(parent_columns(resource))), parents},
                 [&](const Statement& row) { add_row(made, resource, row); });
  made.finish();
  return made;
}

SparseIndex read_sparse_index(Connection& connection, const Resource& resource, const std::vector<Value>& parents) {
  std::vector<SqlValue> keys;
  for (const Value& parent : parents) keys.push_back(column_values(parent).front());
  const std::string partition = partition_text(keys);
  std::optional<SparseIndex> stored;
  connection.run({"SELECT entries FROM sparse_index WHERE resource = ?1 AND parents = ?2",
                  {std::string(resource.table), partition}},
                 [&](const Statement& row) {
                   stored = SparseIndex::of_bytes(resource.indexed_words->words->words.size(), row.bytes(0));
                 });
  return stored ? *std::move(stored) : make_sparse_index(connection, resource, keys);
}

}  // namespace ocp_mock
