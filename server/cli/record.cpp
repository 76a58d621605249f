#include "cli/record.h"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/stop_signal.h"
#include "behaviour/replay.h"
#include "catalogue/catalogue.h"
#include "catalogue/router.h"
#include "cli/local_side.h"
#include "cli/port_file.h"
#include "client/capture_notes.h"
#include "client/captured_page.h"
#include "fixtures/resources.h"
#include "http/server.h"
#include "json/text.h"
#include "ocp/url.h"

namespace ocp_mock {
namespace {

// What fixtures have: an exchange, or rows. All else that the mock would answer is not theirs.
std::optional<http::Response> answer_from(LocalSide& fixtures, const Router& router, const http::Request& request) {
  if (find_exchange(*fixtures.data(), request.method, request.target, request.body)) return fixtures.answer(request);
  const auto route = router.find(request.method, split_target(request.target).path);
  const bool may_have_rows =
      request.method == "GET" && route && route->endpoint != nullptr && answers_rows(*route->endpoint);
  if (!may_have_rows) return std::nullopt;
  http::Response response = fixtures.answer(request);
  if (response.status != 200) return std::nullopt;
  const CapturedPage page(*route->endpoint, response.body);
  if (!page.what_is_wrong().empty() || page.rows() == 0) return std::nullopt;
  return response;
}

}  // namespace

RecordCommand record_command(ClientOptions options) {
  CaptureOptions& given = options.capture;
  if (given.upstream.url.empty()) throw std::runtime_error("record needs --upstream URL, the OCP to pass requests to");
  if (given.out.empty()) throw std::runtime_error("record needs --out DIR, the folder for the fixtures");
  RecordCommand command;
  command.record.recording = {given.out, given.redact, given.redact_rules};
  command.record.upstream = std::move(given.upstream);
  command.record.mode = options.mode;
  command.login = std::move(options.login);
  command.fixtures = std::move(options.fixtures);
  command.host = std::move(options.host);
  command.port = options.port;
  command.port_file = std::move(options.port_file);
  return command;
}

int run_record(RecordCommand command) {
  StopSignal stop;
  std::signal(SIGPIPE, SIG_IGN);
  command.record.upstream.credentials = prepared([&] { return read_login(command.login); });
  const Router router(ocp_catalogue());
  std::mutex speaking;
  const auto say = [&speaking](const std::string& text) {
    const std::lock_guard lock(speaking);
    fmt::print(stderr, "{}\n", text);
  };

  http::ServerOptions server_options;
  server_options.host = command.host;
  server_options.port = command.port;
  server_options.warn = say;
  const std::unique_ptr<http::Server> server = http::make_server(http::Engine::Epoll, server_options);
  PortFile port_file(command.port_file);

  std::unique_ptr<LocalSide> fixtures;
  Recorder::Fixtures answer_known;
  if (command.record.mode == RecordMode::Missing) {
    answer_known = [&](const http::Request& request) {
      return fixtures ? answer_from(*fixtures, router, request) : std::nullopt;
    };
  }
  const auto recorder =
      prepared([&] { return std::make_unique<Recorder>(command.record, router, say, std::move(answer_known)); });
  if (command.record.mode == RecordMode::Missing) {
    // Not before: the recorder brings what a killed one has kept into the recording.
    const auto recorded = command.record.recording.out / Recording::kFile;
    std::error_code ignored;
    if (std::filesystem::exists(recorded, ignored)) command.fixtures.push_back(recorded);
    if (!command.fixtures.empty()) fixtures = std::make_unique<LocalSide>(command.fixtures, AuthMode::Off);
  }
  server->start([&recorder](const http::Request& request) { return recorder->handle(request); });
  port_file.write(server->port());
  std::string url;
  append_json_string(url, server->url());
  fmt::print("{{\"event\":\"ready\",\"url\":{},\"port\":{},\"pid\":{}}}\n", url, server->port(), getpid());
  if (std::fflush(stdout) != 0) say("cannot write the ready line to standard output");

  while (stop.wait() == StopSignal::Request::Reload) {
  }
  // A large file may take longer than a stop signal allows.
  stop.close();
  // Before the requests in flight have their time: that may be all that this process has.
  recorder->write();
  port_file.remove();
  server->stop();
  recorder->finish();
  say(recorder->summary());
  const std::string own(Recording::kFile);
  if (const auto others = note_of_others(command.record.recording.out, "record", {&own, 1})) say(*others);
  return 0;
}

}  // namespace ocp_mock
