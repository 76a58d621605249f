// The commands that ask an OCP, put together.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include "base/utf8.h"
#include "catalogue/catalogue.h"
#include "catalogue/router.h"
#include "cli/commands.h"
#include "cli/local_side.h"
#include "client/capture_state.h"
#include "client/diff.h"
#include "client/diff_requests.h"
#include "fixtures/forms.h"
#include "ocp/instant.h"
#include "ocp/url.h"

namespace ocp_mock {
namespace {

// A bar on a terminal, below what stays to be read; elsewhere only that.
class ProgressBar {
 public:
  ProgressBar() : is_terminal_(::isatty(STDERR_FILENO) == 1) {}
  ~ProgressBar() { clear(); }

  void line(const std::string& text) {
    clear();
    fmt::print(stderr, "{}\n", text);
  }

  void show(double part, const std::string& text) {
    if (!is_terminal_) return;
    constexpr int kWidth = 20;
    constexpr std::size_t kRoomForText = 50;
    const int full = std::clamp(static_cast<int>(part * kWidth), 0, kWidth);
    const std::string shown = text.size() <= kRoomForText ? text : "..." + text.substr(text.size() - kRoomForText + 3);
    clear();
    fmt::print(stderr, "[{}{}] {:3.0f} % {}", std::string(static_cast<std::size_t>(full), '#'),
               std::string(static_cast<std::size_t>(kWidth - full), '.'), part * 100, printable(shown));
    std::fflush(stderr);
    is_shown_ = true;
  }

 private:
  void clear() {
    if (std::exchange(is_shown_, false)) std::fputs("\r\x1B[K", stderr);
  }

  const bool is_terminal_;
  bool is_shown_ = false;
};

// What is written takes its place in one step, so the process may end anywhere.
void end_on_signal(int signal) {
  constexpr std::string_view kText = "\ninterrupted; the same command goes on from here\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kText.data(), kText.size());
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

DiffAnswer answer_of(LocalSide& here, const std::string& target, bool with_credentials) {
  Headers headers{{"Host", "localhost"}, {"Accept", "application/json"}};
  if (with_credentials) headers.add("Authorization", "Basic ZGlmZjpkaWZm");
  const http::Response response = here.answer({"GET", target, std::move(headers), "", {}});
  return {response.status, std::string(response.header("Content-Type").value_or("")),
          std::string(response.header("WWW-Authenticate").value_or("")), response.body};
}

constexpr int kCannotAskCode = 2;

struct DiffFiles {
  std::vector<std::filesystem::path> recordings;
  std::vector<std::filesystem::path> others;
};

// Throws for a file with stand-ins.
DiffFiles files_of(const Router& router, const std::vector<std::filesystem::path>& fixtures) {
  NoSink sink;
  DiffFiles files;
  for (const FixtureFile& file : load_fixtures(router, fixtures, sink).files) {
    if (file.is_redacted) {
      throw std::runtime_error(fmt::format(
          "{} is redacted, so it differs from every OCP; compare one that was made with --no-redact", file.name));
    }
    (file.is_recording ? files.recordings : files.others).emplace_back(file.name);
  }
  return files;
}

// The requests of a recording are all that is known of the lists it has rows of.
DiffRequests requests_for(const DiffCommand& command, const Router& router, LocalSide& here) {
  const DiffFiles files = files_of(router, command.fixtures);
  if (command.paths) return read_targets(*command.paths);
  std::vector<std::string> captures;
  for (const std::filesystem::path& path : command.fixtures) {
    if (auto identity = identity_of_capture(path)) captures.push_back(*std::move(identity));
  }
  const auto is_asked = [&](const Endpoint& endpoint) {
    return std::ranges::all_of(captures, [&](const std::string& one) { return is_captured(one, endpoint); });
  };
  const Instant now = to_instant(std::chrono::system_clock::now());
  if (files.recordings.empty()) return requests_of(*here.data(), now, is_asked);
  DiffRequests requests = exchanges_of(*here.data());
  if (files.others.empty()) return requests;
  LocalSide others(files.others, AuthMode::Any);
  DiffRequests of_rows = requests_of(*others.data(), now, is_asked);
  for (std::string& target : of_rows.targets) {
    if (std::ranges::find(requests.targets, target) == requests.targets.end())
      requests.targets.push_back(std::move(target));
  }
  requests.notes = std::move(of_rows.notes);
  return requests;
}

}  // namespace

int run_diff(DiffCommand command) {
  std::signal(SIGPIPE, SIG_IGN);
  ProgressBar bar;
  const Router router(ocp_catalogue());
  std::vector<ComparedRequest> compared;
  // Code 1 says that the OCP has changed, so nothing else may end with it.
  try {
    command.upstream.credentials = read_login(command.login);
    LocalSide here(command.fixtures, AuthMode::Any);
    const DiffRequests requests = requests_for(command, router, here);
    for (const std::string& note : requests.notes) bar.line("not asked: " + note);
    if (requests.targets.empty()) throw CannotAsk("the fixtures hold nothing that can be asked for");
    Upstream there(command.upstream, [&](const std::string& text) { bar.line(text); });
    for (const std::string& target : requests.targets) {
      bar.show(static_cast<double>(compared.size()) / static_cast<double>(requests.targets.size()), target);
      const UpstreamAnswer answer = there.get(target);
      const bool has_credentials = !command.upstream.credentials.empty();
      // Paths may be of what needs none, and of refusals.
      if (answer.status == 401 && (has_credentials || !command.paths)) {
        throw CannotAsk(fmt::format("{} refuses {}", command.upstream.url,
                                    has_credentials ? "the credentials" : "requests without credentials; see --user"));
      }
      const auto header = [&](std::string_view name) { return std::string(answer.headers.find(name).value_or("")); };
      const auto route = router.find("GET", split_target(target).path);
      compared.push_back(
          {target, compare_answers(route ? route->endpoint : nullptr, answer_of(here, target, answer.status != 401),
                                   {answer.status, header("Content-Type"), header("WWW-Authenticate"), answer.body})});
    }
  } catch (const std::exception& error) {
    bar.line(fmt::format("ocp-mock-server: {}", error.what()));
    return kCannotAskCode;
  }
  fmt::print("{}", command.json ? diff_json(compared) : describe(compared));
  const bool differ =
      std::ranges::any_of(compared, [](const ComparedRequest& one) { return !one.differences.empty(); });
  return differ ? 1 : 0;
}

int run_capture(CaptureCommand command) {
  std::signal(SIGPIPE, SIG_IGN);
  command.capture.upstream.credentials = prepared([&] { return read_login(command.login); });
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, end_on_signal);
  ProgressBar bar;
  try {
    return capture(command.capture, ocp_catalogue(),
                   {[&](const std::string& text) { bar.line(text); },
                    [&](double part, const std::string& text) { bar.show(part, text); }});
  } catch (const std::invalid_argument& error) {
    throw OptionMistake(error.what());
  }
}

}  // namespace ocp_mock
