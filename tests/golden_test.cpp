// Requests and their answers, byte for byte, over a real socket.
//
// tests/golden/<endpoint>/<case>/request holds options of the server, a line each that starts with "# ", and then the
// request; answer holds what comes back. In both files the lines of the head end in a bare line feed, for people; on
// the wire they must end in CR LF. Servers run with --frozen. With OCP_MOCK_UPDATE_GOLDENS=1 the answers are written.
#include <doctest/doctest.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/service.h"
#include "cli/commands.h"
#include "cli/parse.h"
#include "http/server.h"
#include "http/socket_client.h"
#include "temporary_folder.h"

using namespace ocp_mock;
using ocp_mock::test::read_file;
using ocp_mock::test::serve_flags;
using ocp_mock::test::SocketClient;

namespace {

namespace fs = std::filesystem;

// A minute after the published example of a signature, for the requests with access keys.
constexpr Instant kRealNow{1673946897, 0};

class GoldenServer {
 public:
  GoldenServer(const std::vector<std::string>& flags, http::Engine engine)
      : engine_(engine),
        logger_(std::make_shared<spdlog::logger>("golden", std::make_shared<spdlog::sinks::null_sink_mt>())),
        options_(parse(flags)),
        service_(options_, ocp_catalogue(),
                 {[] { return kRealNow; }, [] { return std::string("no golden shows this"); }, logger_},
                 [this](const Router& router) { return load_dataset(options_, router, *logger_); }),
        server_(http::make_server(engine, {"127.0.0.1", 0, 2, {}, 1000, std::chrono::seconds(3)})) {
    server_->start([this](const http::Request& request) { return service_.handle(request); });
  }

  std::string answer(const std::string& request) {
    SocketClient client(server_->port());
    client.send(request);
    // httplib takes a client that shuts its side for one that has gone.
    if (engine_ == http::Engine::Httplib) return client.read_answer(!request.starts_with("HEAD "));
    client.shut_sending();
    return client.read_to_end();
  }

 private:
  static ServeOptions parse(std::vector<std::string> flags) {
    flags.insert(flags.begin(), "--frozen");
    return serve_flags(flags);
  }

  const http::Engine engine_;
  std::shared_ptr<spdlog::logger> logger_;
  ServeOptions options_;
  Service service_;
  std::unique_ptr<http::Server> server_;
};

// Goldens that httplib cannot have the bytes of.
struct EpollOnly {
  std::string_view golden;
  std::string_view why;
};
constexpr EpollOnly kEpollOnly[]{
    {"logBackupTasks/strict_raw_characters", "httplib cuts a target at its #"},
    {"logBackupTasks/unhappy_headers_64_kib", "a line of a head has 8 KiB at most"},
    {"logBackupTasks/unhappy_method_unheard", "the method is none that httplib knows"},
    {"logBackupTasks/unhappy_query_64_kib", "a request line has 8 KiB at most"},
    {"logBackupTasks/unhappy_status_60_kib", "a request line has 8 KiB at most"},
};

bool is_epoll_only(const fs::path& folder) {
  return std::ranges::any_of(kEpollOnly,
                             [&](const EpollOnly& one) { return folder == fs::path("tests/golden") / one.golden; });
}

// Replaces the ends of lines up to the first empty line.
std::string head_lines(const std::string& text, const std::string& from, const std::string& to) {
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto end = text.find(from, at);
    if (end == std::string::npos) return out + text.substr(at);
    out += text.substr(at, end - at) + to;
    const bool last = end == at;
    at = end + from.size();
    if (last) break;
  }
  return out + text.substr(at);
}

// Cuts the lines of options off a request file.
std::vector<std::string> cut_options(std::string& text) {
  std::vector<std::string> options;
  while (text.starts_with("# ")) {
    const auto end = text.find('\n');
    std::string line = text.substr(2, end - 2);
    text.erase(0, end + 1);
    while (!line.empty()) {
      const auto blank = std::min(line.find(' '), line.size());
      options.push_back(line.substr(0, blank));
      line.erase(0, blank + 1);
    }
  }
  return options;
}

// The first line of an answer that is not as its golden has it.
std::string first_difference(const std::string& golden, const std::string& answer) {
  const std::string same(golden.begin(), std::ranges::mismatch(golden, answer).in1);
  const auto begin = same.rfind('\n') + 1;
  const auto line_of = [&](const std::string& text) { return text.substr(begin, text.find('\n', begin) - begin); };
  return "line " + std::to_string(std::ranges::count(same, '\n') + 1) + " is\n  " + line_of(answer) +
         "\nand the golden has\n  " + line_of(golden);
}

}  // namespace

TEST_CASE("golden: every request has its answer, whichever engine carries it") {
  const bool update = std::getenv("OCP_MOCK_UPDATE_GOLDENS") != nullptr;
  std::vector<fs::path> cases;
  for (const auto& entry : fs::recursive_directory_iterator("tests/golden")) {
    if (entry.path().filename() == "request") cases.push_back(entry.path().parent_path());
  }
  std::ranges::sort(cases);
  REQUIRE(cases.size() >= 25);
  for (const EpollOnly& one : kEpollOnly) {
    CAPTURE(std::string(one.golden));
    CHECK(std::ranges::count(cases, fs::path("tests/golden") / one.golden) == 1);
  }

  for (const http::Engine engine : {http::Engine::Epoll, http::Engine::Httplib}) {
    const std::string name = engine == http::Engine::Epoll ? "epoll" : "httplib";
    CAPTURE(name);
    std::map<std::vector<std::string>, std::unique_ptr<GoldenServer>> servers;
    for (const fs::path& folder : cases) {
      if (engine == http::Engine::Httplib && (update || is_epoll_only(folder))) continue;
      CAPTURE(folder.string());
      std::string request = read_file(folder / "request");
      const std::vector<std::string> options = cut_options(request);
      auto& server = servers[options];
      if (!server) server = std::make_unique<GoldenServer>(options, engine);
      const std::string answer = head_lines(server->answer(head_lines(request, "\n", "\r\n")), "\r\n", "\n");
      if (update) {
        std::ofstream(folder / "answer", std::ios::binary) << answer;
      } else {
        const std::string golden = read_file(folder / "answer");
        CHECK_MESSAGE((answer == golden), first_difference(golden, answer));
      }
    }
  }
}

TEST_CASE("golden: the page's example comes back as OCP's page has it") {
  GoldenServer server({"--pretty"}, http::Engine::Epoll);
  const std::string answer = server.answer(
      "GET /api/v2/ob/clusters/1000005/tenants/1000012/backup/task/logBackupTasks?page=1&size=10 HTTP/1.1\r\n"
      "Host: localhost\r\nAuthorization: Basic YWRtaW46c2VjcmV0\r\n\r\n");
  CHECK(answer.substr(answer.find("\r\n\r\n") + 4) == read_file("fixtures/logBackupTasks.json"));
}
