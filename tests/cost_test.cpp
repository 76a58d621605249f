// What a request costs, without a clock: how often memory is asked for on its way from bytes to bytes, and for how
// much. A request that asks more often than the number here by more than a tenth fails. SQLite's own memory is not
// counted.
#include <doctest/doctest.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>

#include "app/app.h"
#include "fixtures/forms.h"
#include "http/request_parser.h"
#include "http/response_writer.h"
#include "log_backup_tasks.h"
#include "store/dataset_builder.h"

using namespace ocp_mock;

namespace {

std::atomic<std::size_t> allocations{0};

}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

const std::string kPath = "/api/v2/ob/clusters/1000005/tenants/1000012/backup/task/logBackupTasks";
const std::string kBare = "Host: h\r\nAuthorization: Basic YWRtaW46c2VjcmV0\r\n";
const std::string kBrowser = kBare +
                             "Connection: keep-alive\r\nCache-Control: max-age=0\r\nsec-ch-ua-platform: \"Linux\"\r\n"
                             "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
                             "Chrome/130.0.0.0 Safari/537.36\r\n"
                             "Accept: application/json, text/plain, */*\r\nAccept-Encoding: gzip, deflate, br\r\n"
                             "Accept-Language: en-US,en;q=0.9\r\nReferer: http://127.0.0.1:8080/\r\n";

std::shared_ptr<const Dataset> sample() {
  const auto builder = DatasetBuilder::in_memory(ocp_catalogue());
  load_fixtures(ocp_router(), {"fixtures/sample.json"}, *builder);
  return builder->finish();
}

// A server without sockets, as users run it: authentication, faults and a journal that is full.
class Server {
 public:
  const std::string& answer(const std::string& request) {
    parser_.feed(request);
    const http::Response response = app_.handle(parser_.request());
    parser_.next();
    out_.clear();
    http::write_response(response, http::Part::Whole, http::ConnectionMode::KeepAlive, out_);
    return out_;
  }

  // Of one request after many of its kind.
  std::size_t allocations_of(const std::string& request) {
    for (int i = 0; i < 200; ++i) answer(request);
    const std::size_t before = allocations;
    answer(request);
    return allocations - before;
  }

 private:
  static WorldOptions world_options() {
    WorldOptions options;
    options.real_now = [] { return Instant{1723190762, 740'000'000}; };
    options.journal_size = 100;
    return options;
  }

  Worlds worlds_{world_options(), sample()};
  App app_{{},
           {world_options().real_now, [] { return std::string("0123456789abcdef"); },
            std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::null_sink_mt>())},
           ocp_router(),
           worlds_};
  const http::ParserLimits limits_{};
  http::RequestParser parser_{limits_};
  std::string out_;
};

}  // namespace

TEST_CASE("cost: a request asks for memory as often as it did, and no more") {
  const struct {
    const char* what;
    std::string target;
    const std::string& headers;
    int status;
    std::size_t allocations;
  } cases[]{
      // clang-format off
      {"page 1",                       kPath,                                              kBare,    200, 24},
      {"page 1 for a browser",         kPath,                                              kBrowser, 200, 24},
      {"two statuses and a window",
       kPath + "?status=FAILED,STOPPED&startTime=2024-07-05T00:00:00Z&endTime=2024-07-25T00:00:00Z",
                                                                                           kBare,    200, 45},
      {"the middle page, sorted",      kPath + "?page=2&size=5&sort=delay,desc",           kBare,    200, 35},
      {"a page past the last",         kPath + "?page=1000",                               kBare,    200, 26},
      {"a parameter that is refused",  kPath + "?page=0",                                  kBare,    400, 35},
      {"the status",                   "/api/status",                                      kBare,    200, 12},
      // clang-format on
  };
  Server server;
  for (const auto& [what, target, headers, status, expected] : cases) {
    CAPTURE(std::string(what));
    const std::string request = "GET " + target + " HTTP/1.1\r\n" + headers + "\r\n";
    REQUIRE(server.answer(request).starts_with("HTTP/1.1 " + std::to_string(status) + " "));
    const std::size_t counted = server.allocations_of(request);
    CHECK_MESSAGE(counted * 10 <= expected * 11, "it asks ", counted, " times, and did ", expected,
                  " times; mend the request's way, or raise the number here and say why");
  }
}
