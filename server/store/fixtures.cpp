#include "store/fixtures.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

#include "ocp/error.h"
#include "ocp/instant.h"
#include "ocp/json_text.h"
#include "ocp/url.h"
#include "store/fixture_files.h"
#include "store/fixture_json.h"
#include "store/json_fields.h"
#include "store/plain_task.h"
#include "store/task.h"

namespace ocp_mock {
namespace {

namespace fs = std::filesystem;
using std::string_view_literals::operator""sv;

constexpr std::string_view kForms =
    R"(a captured answer {"data":{"contents":[...]}}, one with its request {"request":{...},"response":{...}}, )"
    R"(an array of tasks, a fixture set {"clusters":[...],"logBackupTasks":[...]} or tasks one a line)";

constexpr std::string_view kWithRequest =
    R"({"request":{"method":"GET","path":"/api/v2/ob/clusters/ID/tenants/TENANT/backup/task/logBackupTasks"},)"
    R"("response":{"status":200,"body":ANSWER}})";

// What a file is that is no JSON, told by how it begins.
struct Kind {
  std::string_view beginning;
  std::string_view what;
  std::string_view advice;
};
constexpr std::string_view kUnpack = "unpack it first";
constexpr std::string_view kConvert = "convert it to UTF-8 first, with iconv or an editor";
// clang-format off
constexpr Kind kKinds[] = {
    {"\x1F\x8B"sv,            "compressed by gzip",  kUnpack},
    {"\x28\xB5\x2F\xFD"sv,    "compressed by zstd",  kUnpack},
    {"\xFD" "7zXZ\0"sv,       "compressed by xz",    kUnpack},
    {"BZh"sv,                 "compressed by bzip2", kUnpack},
    {"PK\x03\x04"sv,          "a ZIP archive",       kUnpack},
    {"SQLite format 3\0"sv,   "a SQLite database",   "one that --db has made is served by --db in place of --fixtures"},
    {"\xFF\xFE\0\0"sv,        "UTF-32 text",         kConvert},
    {"\0\0\xFE\xFF"sv,        "UTF-32 text",         kConvert},
    {"\xFF\xFE"sv,            "UTF-16 text",         kConvert},
    {"\xFE\xFF"sv,            "UTF-16 text",         kConvert},
    {"{\0"sv,                 "UTF-16 text",         kConvert},
    {"[\0"sv,                 "UTF-16 text",         kConvert},
    {"\0{"sv,                 "UTF-16 text",         kConvert},
    {"\0["sv,                 "UTF-16 text",         kConvert},
};
// clang-format on
constexpr std::size_t kLongestBeginning = 16;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// The problems of all files of a load.
class Problems {
 public:
  void add(const std::string& text) {
    if (++count_ <= kProblemsShown) lines_ += "\n  " + text;
  }

  void throw_if_any() const {
    if (count_ == 0) return;
    std::string text = fmt::format("the fixtures have {} {}, nothing was loaded:{}", count_,
                                   count_ == 1 ? "problem" : "problems", lines_);
    if (count_ > kProblemsShown) text += fmt::format("\n  and {} more", count_ - kProblemsShown);
    throw FixtureError(text);
  }

 private:
  std::size_t count_ = 0;
  std::string lines_;
};

// Reads one file; what it finds goes to the sink, what is wrong to the problems.
class FileReader : JsonHandler {
 public:
  FileReader(std::string name, FixtureSink& sink, Problems& problems, FixtureReading reading)
      : name_(std::move(name)), sink_(sink), problems_(problems), reading_(reading) {
    const std::string stem = fs::path(name_).filename().string();
    named_ = find_endpoint_of_fixture(std::string_view(stem).substr(0, stem.find('.')));
    if (named_ == nullptr) named_ = &endpoints().front();
  }

  FixtureFile read(ByteSource& source) {
    if (is_of_other_kind(source)) return {name_, "", 0, 0, {}};
    JsonValue document;
    try {
      bool empty = true;
      for (;; empty = false) {
        if (take_plain_task(source)) continue;
        tasks_before_ = tasks_;
        exchanges_before_ = exchanges_;
        if (!read_json_document(source, *this, document)) break;
        finish_document(std::move(document));
        has_task_key_ = false;
      }
      if (empty) problems_.add(fmt::format("{}: the file is empty; it must hold {}", name_, kForms));
    } catch (const JsonSyntaxError& error) {
      add_problem(error.position(), fmt::format("not JSON: {}", error.what()));
    }
    // A file of which nothing is of use is a mistake.
    const bool useless = tasks_ == 0 && static_cast<std::int64_t>(unused_.size()) == exchanges_;
    for (const auto& [position, text] : unused_) {
      if (useless) {
        add_problem(position, text);
      } else {
        add_note(position, text + "; it is passed over");
      }
    }
    return {name_, std::move(form_), tasks_, tasks_of_answers_, std::move(notes_)};
  }

 private:
  // Tells a file that is no UTF-8 text. Takes the byte order mark of one that is.
  bool is_of_other_kind(ByteSource& source) {
    while (source.ahead().size() < kLongestBeginning && source.read_more()) {
    }
    const auto begins_so = [&](const Kind& kind) { return source.ahead().starts_with(kind.beginning); };
    const auto kind = std::ranges::find_if(kKinds, begins_so);
    if (kind != std::end(kKinds)) {
      problems_.add(fmt::format("{}: it is {}, no JSON; {}", name_, kind->what, kind->advice));
      return true;
    }
    if (source.ahead().starts_with(kByteOrderMark)) source.drop(kByteOrderMark.size());
    return false;
  }

  // An envelope has a status too.
  bool is_task_key(std::string_view key) const { return key != "status" && named_->find_field(key) != nullptr; }

  // A task may have fields of these names.
  bool is_exchange(const JsonValue& value) const {
    const bool has_part = value.find("request") != nullptr || value.find("response") != nullptr;
    const auto names_task = [&](const JsonMember& member) { return is_task_key(member.key); };
    return has_part && std::ranges::none_of(value.members, names_task);
  }

  void document_key(std::string_view key) override {
    if (is_task_key(key)) has_task_key_ = true;
  }

  bool wants_items(std::string_view path) override {
    if (has_task_key_) return false;
    return path.empty() || path == "data.contents" || find_endpoint_of_fixture(path) != nullptr;
  }

  void item(std::string_view path, JsonValue value) override {
    if (path.empty() && is_exchange(value)) return add_exchange(value);
    const Endpoint* in_set = find_endpoint_of_fixture(path);
    add_task(in_set != nullptr ? *in_set : *named_, std::move(value));
  }

  bool plain_item(std::string_view path, const PlainObject& object) override {
    const Endpoint* in_set = find_endpoint_of_fixture(path);
    return add_plain_task(in_set != nullptr ? *in_set : *named_, object);
  }

  void problem(Position position, std::string text) override { add_problem(position, text); }

  // Takes a document that is a task and nothing else, the quick way. False if it is to be read as any other.
  bool take_plain_task(ByteSource& source) {
    const std::size_t size = find_plain_object(source, 0, false, plain_);
    const auto is_of_other_form = [](const PlainMember& member) {
      return member.key == "data" || member.key == "clusters" || find_endpoint_of_fixture(member.key) != nullptr;
    };
    if (size == 0 || std::ranges::any_of(plain_.members, is_of_other_form) || !add_plain_task(*named_, plain_)) {
      return false;
    }
    source.skip(size);
    set_form("tasks one a line");
    return true;
  }

  bool add_plain_task(const Endpoint& endpoint, const PlainObject& task) {
    if (reading_ == FixtureReading::Thorough || !plain_tasks_.read(endpoint, task, row_)) return false;
    ++tasks_;
    sink_.add_task(endpoint, row_);
    return true;
  }

  void finish_document(JsonValue document) {
    if (document.kind == JsonKind::Array) {
      return set_form(exchanges_ > exchanges_before_ ? "an array of captured answers with their requests"
                                                     : "an array of tasks");
    }
    if (document.kind == JsonKind::Object) {
      const auto has = [&](std::string_view key) { return document.find(key) != nullptr; };
      const bool is_set = has("clusters") || std::ranges::any_of(endpoints(), has, &Endpoint::fixture);
      if (has_task_key_ && (has("data") || is_set)) {
        return add_problem(
            document.position,
            "the object has fields of a task and of another form; as it stands alone in its line, a task "
            "cannot have data, clusters or the name of a resource among its fields");
      }
      if (has_task_key_) {
        set_form("tasks one a line");
        return add_task(*named_, std::move(document));
      }
      if (has("data") && is_set) {
        return add_problem(document.position,
                           "the object is a captured answer and a fixture set in one; it must be one");
      }
      if (is_exchange(document)) {
        if (has("data") || is_set) {
          return add_problem(document.position, "the object has request or response and the members of another form");
        }
        set_form("a captured answer with its request");
        return add_exchange(document);
      }
      if (is_set) return finish_set(document);
      if (is_error(document)) {
        return add_problem(document.position, fmt::format("the captured answer is {}; capture a successful one",
                                                          describe_error(document)));
      }
      if (has("data")) {
        set_form("a captured answer");
        finish_answer(document, *named_);
        if (tasks_ == tasks_before_) {
          add_note(document.position,
                   fmt::format("the captured answer has no tasks, and so does not tell of which cluster and tenant it "
                               "is; keep it with its request: {}",
                               kWithRequest));
        }
        return;
      }
    }
    add_problem(document.position,
                fmt::format("the file holds {} that is no fixture; it must hold {}",
                            document.kind == JsonKind::Object ? "an object" : describe(document), kForms));
  }

  static bool is_error(const JsonValue& answer) {
    if (answer.find("data") == nullptr) return answer.find("error") != nullptr || answer.find("successful") != nullptr;
    const JsonMember* error = answer.find("error");
    return error != nullptr && error->value.kind != JsonKind::Null;
  }

  // What it says: its status, its code, its message.
  static std::string describe_error(const JsonValue& answer) {
    std::string text;
    const auto add = [&](std::string_view name, const JsonMember* member) {
      if (member == nullptr || member->value.kind == JsonKind::Null) return;
      text.append(text.empty() ? ": " : ", ").append(name);
      if (member->value.kind == JsonKind::String) {
        append_json_string(text, shown(member->value.text, 300));
      } else {
        text += member->value.kind == JsonKind::Integer ? shown(member->value.text) : describe(member->value);
      }
    };
    add("status ", answer.find("status"));
    if (const JsonMember* error = answer.find("error"); error != nullptr && error->value.kind == JsonKind::Object) {
      add("code ", error->value.find("code"));
      add("", error->value.find("message"));
    } else {
      add("", error);  // as Spring's own errors have it
    }
    return "an error of OCP" + text;
  }

  // A captured answer with its request: what the path names is known from now on.
  void add_exchange(const JsonValue& exchange) {
    ++exchanges_;
    try {
      JsonFields fields(exchange);
      const auto part = [&](std::string_view key, std::string_view members) {
        const JsonValue* object = fields.object(key);
        if (object == nullptr) fields.refuse(key, fmt::format("is missing; it must be an object with {}", members));
        return JsonFields(*object);
      };
      JsonFields request = part("request", "method, path and query");
      JsonFields response = part("response", "status and body");
      const std::string method = request.text("method").value_or("GET");
      const std::string path = request.required_text("path");
      request.text("query");
      const std::int64_t status = response.integer("status", 100, 599).value_or(200);
      const JsonValue* body = response.any("body");
      const bool is_object = body != nullptr && body->kind == JsonKind::Object;

      const auto match = match_path(split_target(path).path);
      std::string why;
      if (!match || match->endpoint == nullptr) {
        why = fmt::format("its path is '{}'; loaded are answers of {}", shown(without_user(path), 300), loaded_paths());
      } else if (method != "GET") {
        why = fmt::format("its method is '{}'; loaded are answers to GET", shown(method));
      } else if (is_object && is_error(*body)) {
        why = fmt::format("its answer is {}; capture a successful one", describe_error(*body));
      } else if (status != 200) {
        why = fmt::format("its status is {}; loaded are answers with 200", status);
      } else if (!is_object) {
        response.refuse("body", "must be the answer of OCP, an object");
      }
      if (!why.empty()) {
        unused_.emplace_back(exchange.position, fmt::format("exchange {}: {}", exchanges_, why));
        return;
      }
      const auto id_of = [&](const std::string& text) {
        const auto id = to_int64({JsonKind::Integer, text, {}, {}, {}});
        if (!id) request.refuse("path", fmt::format("names '{}'; it must be a 64-bit integer", shown(text)));
        return *id;
      };
      const std::int64_t cluster = id_of(match->values.at(0));
      const std::int64_t tenant = id_of(match->values.at(1));
      sink_.add_cluster(cluster, std::nullopt);
      sink_.add_tenant(cluster, tenant, std::nullopt);
      finish_answer(*body, *match->endpoint);
    } catch (const JsonFieldError& error) {
      problems_.add(fmt::format("{}:{}", name_, error.what()));
    }
  }

  static std::string loaded_paths() {
    std::string paths;
    for (const Endpoint& endpoint : endpoints()) paths.append(paths.empty() ? "" : ", ").append(endpoint.path);
    return paths;
  }

  // The tasks that were not handed over while the document was read, and the envelope.
  void finish_answer(const JsonValue& document, const Endpoint& endpoint) {
    const JsonMember* data = document.find("data");
    const JsonMember* contents = data == nullptr ? nullptr : data->value.find("contents");
    if (contents == nullptr || contents->value.kind != JsonKind::Array) {
      return add_problem(data == nullptr ? document.position : data->position,
                         "data has no contents; it must be an object with contents, an array of tasks");
    }
    for (const JsonValue& task : contents->value.items) add_task(endpoint, task);
    if (const JsonMember* successful = document.find("successful");
        successful != nullptr && (successful->value.kind != JsonKind::Boolean || successful->value.text != "true")) {
      add_problem(successful->position, "successful is not true; capture a successful answer");
    }
    if (const JsonMember* page = data->value.find("page"); page != nullptr) {
      const JsonMember* total = page->value.find("totalElements");
      if (total != nullptr) tasks_of_answers_ = std::max(tasks_of_answers_, to_int64(total->value).value_or(0));
    }
    CapturedEnvelope envelope;
    envelope.server = envelope_text(document, "server");
    envelope.trace_id = envelope_text(document, "traceId");
    if (const JsonMember* duration = document.find("duration"); duration != nullptr) {
      envelope.duration = to_int64(duration->value);
      if (!envelope.duration || *envelope.duration < 0) {
        add_problem(duration->position, wrong_value("duration", duration->value, "a whole number of milliseconds"));
      }
    }
    if (const JsonMember* timestamp = document.find("timestamp"); timestamp != nullptr) {
      envelope.timestamp = timestamp->value.text;
      if (timestamp->value.kind != JsonKind::String || !parse_rfc3339(timestamp->value.text)) {
        add_problem(timestamp->position, wrong_value("timestamp", timestamp->value, right_value(FieldType::Time)));
      }
    }
    sink_.add_envelope(std::move(envelope));
  }

  std::optional<std::string> envelope_text(const JsonValue& document, std::string_view key) {
    const JsonMember* member = document.find(key);
    if (member == nullptr) return std::nullopt;
    if (member->value.kind != JsonKind::String)
      add_problem(member->position, wrong_value(key, member->value, "a string"));
    return member->value.text;
  }

  void finish_set(const JsonValue& document) {
    set_form("a fixture set");
    for (const JsonMember& member : document.members) {
      const bool tasks = find_endpoint_of_fixture(member.key) != nullptr;
      if (tasks || member.key == "clusters") {
        if (member.value.kind != JsonKind::Array) {
          add_problem(member.position,
                      wrong_value(member.key, member.value, tasks ? "an array of tasks" : "an array of clusters"));
        } else if (!tasks) {
          for (const JsonValue& cluster : member.value.items) add_cluster(cluster);
        }
      } else if (member.key == "$schema") {
        if (member.value.kind != JsonKind::String)
          add_problem(member.position, wrong_value("$schema", member.value, "a string"));
      } else {
        add_problem(member.position, fmt::format("{} is no member of a fixture set; its members are clusters{}",
                                                 shown(member.key), resource_names()));
      }
    }
  }

  void add_cluster(const JsonValue& cluster) {
    const auto declared = declaration(cluster, "cluster", {"id", "name", "tenants"});
    if (!declared) return;
    sink_.add_cluster(declared->first, declared->second);
    const JsonMember* tenants = cluster.find("tenants");
    if (tenants == nullptr) return;
    if (tenants->value.kind != JsonKind::Array) {
      return add_problem(tenants->position, wrong_value("tenants of a cluster", tenants->value, "an array of tenants"));
    }
    for (const JsonValue& tenant : tenants->value.items) {
      if (const auto inner = declaration(tenant, "tenant", {"id", "name"})) {
        sink_.add_tenant(declared->first, inner->first, inner->second);
      }
    }
  }

  // The id and the name of a declared cluster or tenant.
  std::optional<std::pair<std::int64_t, std::optional<std::string>>> declaration(
      const JsonValue& value, std::string_view what, const std::set<std::string_view>& members) {
    if (value.kind != JsonKind::Object) {
      add_problem(value.position, wrong_value(fmt::format("a {}", what), value, "an object with an id"));
      return std::nullopt;
    }
    for (const JsonMember& member : value.members) {
      if (!members.contains(member.key)) {
        add_problem(member.position, fmt::format("{} is no member of a {}; its members are {}", shown(member.key), what,
                                                 fmt::join(members, ", ")));
      }
    }
    const JsonMember* id = value.find("id");
    const auto number = id == nullptr ? std::nullopt : to_int64(id->value);
    if (!number) {
      add_problem(id == nullptr ? value.position : id->position,
                  id == nullptr ? fmt::format("id of a {} is missing; it must be a 64-bit integer", what)
                                : wrong_value(fmt::format("id of a {}", what), id->value, "a 64-bit integer"));
      return std::nullopt;
    }
    const JsonMember* name = value.find("name");
    if (name == nullptr) return std::pair{*number, std::optional<std::string>()};
    if (name->value.kind != JsonKind::String) {
      add_problem(name->position, wrong_value(fmt::format("name of a {}", what), name->value, "a string"));
    }
    return std::pair{*number, std::optional(name->value.text)};
  }

  void add_task(const Endpoint& endpoint, JsonValue task) {
    ++tasks_;
    const auto add = [&](Position position, const std::string& text) {
      add_problem(position, fmt::format("task {}: {}", tasks_, text));
    };
    if (task.kind != JsonKind::Object) {
      return add(task.position, fmt::format("it is {}; it must be an object", describe(task)));
    }
    std::vector<TaskProblem> problems;
    std::optional<TaskRow> row = row_of_task(endpoint, std::move(task), problems);
    for (const TaskProblem& problem : problems) add(problem.position, problem.text);
    if (row) sink_.add_task(endpoint, *row);
  }

  static std::string resource_names() {
    std::string names;
    for (const Endpoint& endpoint : endpoints()) names.append(", ").append(endpoint.fixture);
    return names;
  }

  void set_form(std::string_view form) {
    if (form_.empty()) {
      form_ = form;
    } else if (form_ != form) {
      form_ = "several documents";
    }
  }

  void add_problem(Position position, std::string_view text) { problems_.add(placed(position, text)); }
  void add_note(Position position, std::string_view text) { notes_.push_back(placed(position, text)); }

  std::string placed(Position position, std::string_view text) const {
    return fmt::format("{}:{}:{}: {}", name_, position.line, position.column, text);
  }

  const std::string name_;
  FixtureSink& sink_;
  Problems& problems_;
  const FixtureReading reading_;
  const Endpoint* named_;      // by the file's name
  bool has_task_key_ = false;  // the document has a key that only a task has
  std::string form_;
  std::int64_t tasks_ = 0;
  std::int64_t tasks_of_answers_ = 0;
  std::int64_t tasks_before_ = 0;  // the document
  std::int64_t exchanges_ = 0;
  std::int64_t exchanges_before_ = 0;                     // the document
  std::vector<std::pair<Position, std::string>> unused_;  // exchanges, and why
  std::vector<std::string> notes_;
  PlainObject plain_;
  PlainTasks plain_tasks_;
  TaskRow row_;  // of all plain tasks, one after the other
};

// A file descriptor that reads or throws.
class InputFile {
 public:
  explicit InputFile(const fs::path& path) : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ < 0) throw std::system_error(errno, std::generic_category());
  }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  ~InputFile() { ::close(descriptor_); }

  std::size_t read(char* buffer, std::size_t size) const {
    for (;;) {
      const ssize_t got = ::read(descriptor_, buffer, size);
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) throw std::system_error(errno, std::generic_category());
    }
  }

 private:
  int descriptor_;
};

}  // namespace

LoadedFixtures load_fixtures(const std::vector<fs::path>& paths, FixtureSink& sink) {
  Problems problems;
  LoadedFixtures loaded;
  const FixtureFiles found = find_fixture_files(paths);
  for (const std::string& problem : found.problems) problems.add(problem);
  for (const fs::path& file : found.files) {
    try {
      const InputFile input(file);
      ByteSource source([&](char* buffer, std::size_t size) { return input.read(buffer, size); });
      loaded.files.push_back(FileReader(file.string(), sink, problems, FixtureReading::Quick).read(source));
    } catch (const std::system_error& error) {
      problems.add(fmt::format("{}: cannot be read: {}", file.string(), error.code().message()));
    }
  }
  problems.throw_if_any();
  if (std::string text = describe(found.passed_over); !text.empty()) loaded.notes.push_back(std::move(text));
  for (const FixtureFile& file : loaded.files) {
    loaded.notes.insert(loaded.notes.end(), file.notes.begin(), file.notes.end());
  }
  return loaded;
}

FixtureFile load_fixture_text(std::string_view name, std::string_view text, FixtureSink& sink, FixtureReading reading) {
  Problems problems;
  ByteSource source(text);
  FixtureFile loaded = FileReader(std::string(name), sink, problems, reading).read(source);
  problems.throw_if_any();
  return loaded;
}

}  // namespace ocp_mock
