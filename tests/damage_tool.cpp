// Damages files of --db at random, serves each in a process of its own, and tells what came of it:
//   ocp_mock_damage [FILES [FIRST]]
// The seeds are FIRST and those that follow it; a seed always makes the same damage. Three of four files are damaged as
// disks and copies do it: an answer of them that is 200 must be that of the whole file, byte for byte. One of four has
// right sums on damaged pages, as nobody but a forger makes them: whatever it is answered with, the process must go on.
// Exit code 1 where a process ended, took too long or gave such a wrong answer; then the seeds are named.
#include <fmt/format.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "app/service.h"
#include "fixtures/forms.h"
#include "http/deferred_response.h"
#include "ocp/digest.h"
#include "store/dataset_builder.h"
#include "store/page_checks.h"
#include "temporary_folder.h"

using namespace ocp_mock;
using ocp_mock::test::read_file;
using ocp_mock::test::TemporaryFolder;

namespace {

constexpr unsigned kSecondsPerFile = 60;  // also with sanitizers on a busy machine
constexpr std::size_t kPage = 4096;

struct Call {
  std::string method;
  std::string target;
  std::string body = "";
};

// Calls that follow each other, from the state that a reset leaves.
using Story = std::vector<Call>;

std::string list(int tenant, const std::string& query) {
  return fmt::format("/api/v2/ob/clusters/1/tenants/{}/backup/task/logBackupTasks?{}", tenant, query);
}

std::vector<Story> make_stories() {
  std::vector<Story> stories;
  static constexpr std::array<const char*, 3> kPages{"page=1", "page=3&size=50", "page=1&size=2000"};
  std::size_t turn = 0;
  for (const int tenant : {1, 2, 3}) {
    for (const std::string order : {"", "&sort=createTime", "&sort=delay", "&sort=modifyTime,desc&sort=status",
                                    "&sort=status&sort=checkpoint,desc&sort=delay"}) {
      for (const std::string filter :
           {"", "&status=FAILED", "&status=STOPPED,FAILED,UNKNOWN", "&startTime=2024-07-01T00:03:20Z",
            "&endTime=2024-07-01T00:20:00Z", "&startTime=2024-07-01T00:01:00Z&endTime=2024-07-01T00:04:00Z",
            "&startTime=2024-07-01T00:01:00Z&status=FAILED,STOPPED"}) {
        stories.push_back({{"GET", list(tenant, kPages.at(turn++ % kPages.size()) + filter + order)}});
      }
    }
    stories.push_back({{"GET", list(tenant, "page=100000")}});
  }
  stories.push_back({{"GET", list(9, "")}});
  stories.push_back({{"GET", "/api/v2/ob/clusters/9/tenants/1/backup/task/logBackupTasks"}});
  stories.push_back({{"GET", "/api/status"}});
  stories.push_back({{"GET", "/__admin/explain?request=" +
                                 std::string("/api/v2/ob/clusters/1/tenants/2/backup/task/logBackupTasks"
                                             "%3Fstatus=FAILED%26startTime=2024-07-01T00:03:20Z%26sort=delay")}});
  stories.push_back({{"GET", "/__admin/fixtures"}});
  stories.push_back({{"PUT", "/__admin/clock", R"({"now":"2024-08-01T00:00:00Z"})"},
                     {"GET", list(2, "size=100")},
                     {"PUT", "/__admin/clock", R"({"advance":"PT10M"})"},
                     {"GET", list(2, "size=100&sort=delay")},
                     {"GET", list(3, "")}});
  stories.push_back({{"PATCH", "/__admin/tasks", R"({"where":{"status":"FAILED"},"set":{"status":"STOPPED"}})"},
                     {"GET", list(2, "size=100&status=STOPPED")},
                     {"GET", "/__admin/fixtures"}});
  stories.push_back({{"PATCH", "/__admin/tasks", R"({"where":{"tenantId":2},"set":{"delay":null}})"},
                     {"GET", list(2, "size=100&sort=delay")}});
  stories.push_back({{"DELETE", "/__admin/tasks", R"({"where":{"status":"FAILED"}})"}, {"GET", list(1, "size=100")}});
  stories.push_back({{"DELETE", "/__admin/tasks", R"({"where":{"errorMsg":"none has this"}})"}});
  stories.push_back({{"POST", "/__admin/fixtures",
                      R"([{"clusterId":1,"tenantId":2,"createTime":"2024-09-01T00:00:00Z","status":"RUNNING"}])"},
                     {"GET", list(2, "")},
                     {"GET", list(2, "page=2&sort=status")}});
  return stories;
}

const std::vector<Story>& stories() {
  static const std::vector<Story> all = make_stories();
  return all;
}

// Tasks with all that a file can hold: several tenants, one with more tasks than are sorted at once, ties, long rows,
// statuses of and beside the list, timelines, names.
std::string fixtures(int tasks) {
  static constexpr std::array<const char*, 6> kStatuses{"FAILED", "STOPPED", "RUNNING", "STOPPED", "odd", "UNKNOWN"};
  std::string text = R"({"clusters":[{"id":1,"name":"one","tenants":[{"id":1,"name":"first"},{"id":4}]},{"id":5}],)"
                     R"("logBackupTasks":[)";
  for (int i = 0; i < tasks; ++i) {
    const int tenant = i % 10 == 0 ? 2 : i % 97 == 0 ? 3 : 1;
    const int second = i / (i % 1000 < 300 ? 100 : 2);
    text += fmt::format(R"({}{{"clusterId":1,"tenantId":{},"createTime":"2024-07-01T00:{:02}:{:02}.{:03}Z",)"
                        R"("status":"{}","tenantName":"t{}","backupUri":"file:///{}","delay":{})",
                        i == 0 ? "" : ",\n", tenant, second / 60 % 60, second % 60, i % 3,
                        kStatuses[std::size_t(i) % 6], tenant, i, i * 37 % 1000);
    if (i % 4 != 0) text += fmt::format(R"(,"modifyTime":"2024-07-02T00:00:{:02}Z")", i % 60);
    if (i % 7 == 0) text += fmt::format(R"(,"checkpoint":"2024-07-03T00:00:{:02}.5Z")", i % 50);
    if (i % 60 == 0) text += fmt::format(R"(,"errorMsg":"{}")", std::string(std::size_t(i) * 97 % 30'000, 'e'));
    if (i % 50 == 0) {
      text += R"(,"$since":"2024-08-01T00:00:00Z","$timeline":[{"at":"PT1M","status":"STOPPED"},)"
              R"({"at":"PT5M","status":"FAILED","delay":1}])";
    }
    text += '}';
  }
  return text + "]}";
}

// An undamaged file, another of the same tasks, and what the first is answered with.
struct Original {
  std::string bytes;
  std::string other;
  std::vector<std::vector<http::Response>> answers = {};
};

class Server {
 public:
  explicit Server(const std::filesystem::path& file) {
    ServeOptions options;
    options.frozen = true;
    const auto logger = std::make_shared<spdlog::logger>("quiet", std::make_shared<spdlog::sinks::null_sink_mt>());
    const auto now = [] { return Instant{1720000000, 0}; };  // before any timeline begins
    service_ = std::make_unique<Service>(options, ocp_catalogue(),
                                         AppContext{now, [] { return std::string("0123456789abcdef"); }, logger},
                                         [&](const Router&) {
                                           return Loaded{Dataset::open(file, ocp_catalogue()), {}};
                                         });
  }

  http::Response answer(const Call& call) {
    http::Request request;
    request.method = call.method;
    request.target = call.target;
    request.headers.add("Authorization", "Basic " + base64_encode("admin:x"));
    request.body = call.body;
    http::Response response = service_->handle(request);
    while (response.deferred) {
      std::mutex mutex;
      std::condition_variable changed;
      bool woken = false;
      const auto pending = response.deferred;
      const bool ready = pending->on_complete([&] {
        const std::lock_guard lock(mutex);
        woken = true;
        changed.notify_one();
      });
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return ready || woken; });
      response = pending->take();
    }
    return response;
  }

 private:
  std::unique_ptr<Service> service_;
};

class Damage {
 public:
  Damage(const Original& original, std::uint64_t seed) : original_(original), bytes_(original.bytes), random_(seed) {}

  // As disks and copies do it, and programs that write where they should not.
  std::string plain() {
    switch (below(14)) {
      case 0: flip_bits(0, bytes_.size()); break;
      case 1: fill(page(), kPage, '\0'); break;
      case 2: fill(below(bytes_.size() / 512) * 512, 512, '\0'); break;
      case 3: scramble(below(bytes_.size()), 1 + below(2 * kPage)); break;
      case 4: fill(below(bytes_.size()), 1 + below(2 * kPage), '\xFF'); break;
      case 5: swap_pages(); break;
      case 6: copy(bytes_, page(), page(), kPage); break;
      case 7: copy(original_.other, page(), page(), kPage); break;
      case 8: {  // a copy that broke off, over an older file
        const std::size_t begin = page();
        copy(original_.other, begin, begin, bytes_.size());
        break;
      }
      case 9: bytes_.resize(below(bytes_.size())); break;
      case 10: bytes_.resize(page()); break;
      case 11: bytes_.resize(bytes_.size() - 1 - below(kPage)); break;
      case 12: bytes_.append(1 + below(2 * kPage), 'x'); break;
      case 13: scramble(below(100), 1 + below(8)); break;
    }
    return bytes_;
  }

  // As nobody but a forger does it: with right sums.
  std::string forged() {
    for (std::uint64_t left = 1 + below(3); left > 0; --left) {
      const std::size_t begin = below(4) == 0 ? 0 : page();
      switch (below(6)) {
        case 0: flip_bits(begin, kPage); break;
        case 1: flip_bits(begin, 200); break;  // header and pointers to cells
        case 2: scramble(begin + below(kPage), 1 + below(64)); break;
        case 3: fill(begin + below(kPage), 1 + below(64), '\0'); break;
        case 4: swap_pages(); break;
        case 5: copy(bytes_, page(), begin, kPage); break;
      }
    }
    // What tells a dataset stays, or none would be opened.
    copy(original_.bytes, 0, 0, 28);
    copy(original_.bytes, 60, 60, 12);
    const std::uint64_t mark = mark_of(std::string_view(original_.bytes).substr(0, kPage));
    for (std::size_t at = 0; at < bytes_.size(); at += kPage) put_checks(&bytes_[at], kPage, at / kPage + 1, mark);
    return bytes_;
  }

 private:
  std::uint64_t below(std::uint64_t end) { return random_() % end; }
  std::size_t page() { return below(original_.bytes.size() / kPage) * kPage; }

  void flip_bits(std::size_t begin, std::size_t size) {
    for (std::uint64_t left = 1 + below(8); left > 0; --left) {
      char& byte = bytes_[begin + below(size)];
      byte = static_cast<char>(byte ^ (1 << below(8)));
    }
  }

  void fill(std::size_t begin, std::size_t size, char value) {
    for (std::size_t i = begin; i < std::min(begin + size, bytes_.size()); ++i) bytes_[i] = value;
  }

  void scramble(std::size_t begin, std::size_t size) {
    for (std::size_t i = begin; i < std::min(begin + size, bytes_.size()); ++i)
      bytes_[i] = static_cast<char>(random_());
  }

  void copy(const std::string& source, std::size_t from, std::size_t to, std::size_t size) {
    const std::string piece = source.substr(from, std::min(size, bytes_.size() - to));
    bytes_.replace(to, piece.size(), piece);
  }

  void swap_pages() {
    const std::string bytes = bytes_;
    const std::size_t first = page();
    const std::size_t second = page();
    copy(bytes, first, second, kPage);
    copy(bytes, second, first, kPage);
  }

  const Original& original_;
  std::string bytes_;
  std::mt19937_64 random_;
};

// What came of one file; made by its own process.
struct Outcome {
  bool refused = false;
  int right = 0;
  int failed = 0;  // answered with 500
  int wrong = 0;
  char first_wrong[400] = "";
};

bool is_failure(const http::Response& response) {
  return response.status == 500 && (response.body.find(R"("error":{"code":10010,)") != std::string::npos ||
                                    response.body.starts_with(R"({"detail":")"));
}

Outcome serve(const std::filesystem::path& file, const Original& original) {
  Outcome outcome;
  std::unique_ptr<Server> server;
  try {
    server = std::make_unique<Server>(file);
  } catch (const DatasetError&) {
    outcome.refused = true;
    return outcome;
  }
  for (std::size_t story = 0; story < stories().size(); ++story) {
    for (std::size_t i = 0; i < stories()[story].size(); ++i) {
      const Call& call = stories()[story][i];
      const http::Response response = server->answer(call);
      const http::Response& expected = original.answers[story][i];
      if (response.status == expected.status && response.body == expected.body) {
        ++outcome.right;
        continue;
      }
      if (is_failure(response)) {
        ++outcome.failed;
      } else if (++outcome.wrong == 1) {
        const std::string text = fmt::format("{} {}: {} {}", call.method, call.target, response.status, response.body);
        text.copy(outcome.first_wrong, sizeof outcome.first_wrong - 1);
      }
      break;  // the calls that follow build on this one
    }
    server->answer({"POST", "/__admin/reset"});
  }
  return outcome;
}

struct Ended {
  bool well = false;
  std::string how;
  Outcome outcome;
};

// In a process of its own, so that the end of one is not the end of all.
Ended serve_apart(const std::filesystem::path& file, const Original& original) {
  int pipe[2];
  if (::pipe(pipe) != 0) throw std::runtime_error("cannot make a pipe");
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("cannot make a process");
  if (child == 0) {
    ::close(pipe[0]);
    ::alarm(kSecondsPerFile);
    const Outcome outcome = serve(file, original);
    const bool told = ::write(pipe[1], &outcome, sizeof outcome) == sizeof outcome;
    ::_exit(told ? 0 : 2);
  }
  ::close(pipe[1]);
  Ended ended;
  const bool told = ::read(pipe[0], &ended.outcome, sizeof ended.outcome) == sizeof ended.outcome;
  ::close(pipe[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  ended.well = told && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (WIFSIGNALED(status)) {
    ended.how = WTERMSIG(status) == SIGALRM ? fmt::format("took more than {} s", kSecondsPerFile)
                                            : fmt::format("was ended by signal {}", WTERMSIG(status));
  } else {
    ended.how = fmt::format("ended with code {}", WEXITSTATUS(status));
  }
  return ended;
}

Original make_original(const TemporaryFolder& folder, const std::string& text) {
  const auto made = [&](const char* name) {
    const auto builder = DatasetBuilder::in_file(folder.path() / name, ocp_catalogue());
    load_fixture_text(Router(ocp_catalogue()), "f.json", text, *builder);
    builder->finish();
    return read_file(folder.path() / name);
  };
  Original original{made("original.db"), made("other.db")};
  Server server(folder.path() / "original.db");
  for (const Story& story : stories()) {
    auto& answers = original.answers.emplace_back();
    for (const Call& call : story) answers.push_back(server.answer(call));
    server.answer({"POST", "/__admin/reset"});
  }
  return original;
}

struct Sums {
  int files = 0;
  int refused = 0;
  int failed = 0;
  int right = 0;
  int wrong = 0;
};

int run(std::uint64_t files, std::uint64_t first) {
  const TemporaryFolder folder;
  const std::array originals{make_original(folder, fixtures(20)), make_original(folder, fixtures(700)),
                             make_original(folder, fixtures(3500))};
  const auto damaged = folder.path() / "damaged.db";
  Sums plain;
  Sums forged;
  int bad = 0;
  for (std::uint64_t seed = first; seed < first + files; ++seed) {
    const Original& original = originals[seed % 16 == 0 ? 0 : seed % 16 < 12 ? 1 : 2];
    const bool forges = seed / 16 % 4 == 3;
    Damage damage(original, seed);
    folder.write("damaged.db", forges ? damage.forged() : damage.plain());
    const Ended ended = serve_apart(damaged, original);
    const Outcome& outcome = ended.outcome;
    if (!ended.well || (outcome.wrong > 0 && !forges)) {
      ++bad;
      fmt::print(stderr, "seed {}: {}\n", seed, ended.well ? outcome.first_wrong : "the process " + ended.how);
      continue;
    }
    Sums& sums = forges ? forged : plain;
    ++sums.files;
    ++(outcome.refused ? sums.refused : outcome.wrong > 0 ? sums.wrong : outcome.failed > 0 ? sums.failed : sums.right);
  }
  fmt::print("{} files: {} refused, {} answered with 500 where they are damaged, {} right throughout\n", plain.files,
             plain.refused, plain.failed, plain.right);
  fmt::print("{} files with forged sums: {} refused, {} answered with 500, {} right throughout, {} otherwise\n",
             forged.files, forged.refused, forged.failed, forged.right, forged.wrong);
  if (bad > 0) fmt::print("{} files ended the process, took too long or had a wrong answer\n", bad);
  return bad == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t files = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 2000;
  const std::uint64_t first = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  try {
    return run(files, first);
  } catch (const std::exception& error) {
    fmt::print(stderr, "ocp_mock_damage: {}\n", error.what());
    return 2;
  }
}
