// The loaded data: an immutable SQLite database, its statements and its counts.
// Input: a database that a DatasetBuilder has made, now or in an earlier run; then requests. Output: pages of JSON
// text. Thread safety: safe for use by several threads at once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "catalogue/catalogue.h"
#include "catalogue/request.h"
#include "fixtures/sink.h"
#include "store/query.h"

namespace ocp_mock {

// A database that cannot be made or read; the text is one sentence, with the file's name where one is made or opened.
// All that a Dataset does may throw it, and what SQLite throws, where the database is not as a builder has made it.
class DatasetError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Page {
  std::int64_t total = 0;  // rows that pass the filters, over all pages
  std::string contents;    // JSON texts of the page's rows, joined by commas
  bool is_of_now = false;  // contents or their order may depend on the request's now
};

// A page that takes long, because many rows must be looked through first; to be made on a thread that nobody waits for.
// Takes some seconds for a million rows. The dataset must outlive it.
using SlowPage = std::function<Page()>;

// The queries that answer a request that the dataset has not been asked before. Rows that are read by their ids are
// shown as one query, with the id of one of them.
struct Explanation {
  std::vector<SqlQuery> count;  // none where stored counts tell the total
  std::vector<SqlQuery> page;
  // How many rows are left after the path's filters, then after each condition is added.
  std::vector<std::int64_t> rows;
};

struct WordCount {
  std::string word;
  std::int64_t rows = 0;

  bool operator==(const WordCount&) const = default;
};

// What a dataset holds of a resource, below one parent, or at the top below none.
struct Outline {
  SqlValue key;  // of the parent; nothing at the top
  std::optional<std::string> label;
  std::int64_t rows = 0;          // of the resource, all below it
  std::vector<WordCount> words;   // of the innermost parents, by the field that the index counts; alphabetical
  std::vector<Outline> children;  // by key

  bool operator==(const Outline&) const = default;
};

// A row with its place in the order of the fixtures. The views end with the call that they are passed to.
struct StoredRow {
  std::int64_t id = 0;
  std::span<const SqlValue> keys;  // of its parents, outermost first, and its own where it has one
  std::string_view json;
  std::optional<RowTimeline> timeline;
};

class DatasetBuilder;

class Dataset {
 public:
  // Opens a file that an earlier run has made, read-only. The file must not be changed in place while it is open;
  // replacing it by renaming is fine. Throws DatasetError.
  static std::shared_ptr<const Dataset> open(const std::filesystem::path& file, const Catalogue& catalogue);

  virtual ~Dataset() = default;

  virtual const Catalogue& catalogue() const = 0;

  // The page of a list. Takes microseconds, unless it is a SlowPage: another order or filters that stored counts do not
  // serve, over some thousand rows, that the dataset has not been asked lately.
  virtual std::variant<Page, SlowPage> list(const Request& request) const = 0;

  // The first path parameter that names no row, if there is one.
  virtual std::optional<std::size_t> find_missing(const Request& request) const = 0;

  virtual Explanation explain(const Request& request) const = 0;

  // The first captured answer's, where the fixtures had one.
  virtual CapturedEnvelope envelope() const = 0;

  virtual Outline outline(const Resource& resource) const = 0;

  // The keys and labels of the rows of a resource, below those of its parents, without counts. Requires a key.
  virtual Outline keys(const Resource& resource) const = 0;

  // Whether rows change as time passes. If so, list() answers what they are before that; see at_time in
  // store/timeline.h.
  virtual bool has_timelines() const = 0;

  // When the first of the tasks that run changes, see behaviour/tasks.h; nothing where none does.
  virtual std::optional<Instant> next_due() const = 0;

  // Whether there are exchanges that are replayed.
  virtual bool has_exchanges() const = 0;

  // Of those with this StoredExchange::request the one that needs this body, else the one that needs none.
  virtual std::optional<StoredExchange> find_exchange(const std::string& request,
                                                      const std::string& request_body) const = 0;

  // The StoredExchange::request of one with this path, as canonical_target() makes it, whatever its query and its body:
  // one of this method, else of another. Looks at all exchanges.
  virtual std::optional<std::string> find_exchange_of_path(const std::string& method,
                                                           const std::string& path) const = 0;

  // All of them, by request; as each_row() does it.
  virtual void each_exchange(const std::function<void(const StoredExchange&)>& visit) const = 0;

  // Calls visit for each row of the selection. Readers of pages are not kept waiting by it; another call of this or of
  // copy() is, so visit must not make one for the same dataset.
  virtual void each_row(const Resource& resource, const RowSelection& selection,
                        const std::function<void(const StoredRow&)>& visit) const = 0;

  // A builder in memory that holds all that this dataset holds, in the same order. Throws DatasetError.
  virtual std::unique_ptr<DatasetBuilder> copy() const = 0;

  // The lines of SQLite's EXPLAIN QUERY PLAN.
  virtual std::vector<std::string> query_plan(const SqlQuery& query) const = 0;
};

}  // namespace ocp_mock
