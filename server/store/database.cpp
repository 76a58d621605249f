#include "store/database.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <atomic>
#include <system_error>

namespace ocp_mock {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kStatementsPerReader = 64;

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

Reader::Reader(const std::string& uri)
    : database_(uri, SQLite::OPEN_READONLY | SQLite::OPEN_URI | SQLite::OPEN_NOMUTEX) {}

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

SQLite::Statement& Reader::prepared(const std::string& sql) {
  if (const auto found = statements_.find(sql); found != statements_.end()) return found->second;
  if (statements_.size() >= kStatementsPerReader) statements_.clear();
  return statements_.try_emplace(sql, database_, sql).first->second;
}

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
  return uri.append(options);
}

std::string memory_uri() {
  static std::atomic<std::uint64_t> next{0};
  return fmt::format("file:/dataset-{}?vfs=memdb", next.fetch_add(1));
}

DatabaseIdentity identify(const fs::path& file) {
  try {
    Reader reader(file_uri(file, "?immutable=1"));
    DatabaseIdentity identity;
    const auto read = [&](const char* pragma, std::int64_t& value) {
      reader.run({pragma, {}}, [&](SQLite::Statement& row) { value = row.getColumn(0).getInt64(); });
    };
    read("PRAGMA application_id", identity.application);
    read("PRAGMA user_version", identity.version);
    return identity;
  } catch (const SQLite::Exception& error) {
    if (error.getErrorCode() == SQLITE_NOTADB) return {};
    throw DatasetError(fmt::format("cannot read the dataset {}: {}", file.string(), error.what()));
  }
}

void refuse_special_file(const fs::path& file) {
  std::error_code ignored;
  if (fs::exists(file, ignored) && !fs::is_regular_file(file, ignored)) {
    throw DatasetError(fmt::format("{} is no regular file; the dataset must be one", file.string()));
  }
}

}  // namespace ocp_mock
