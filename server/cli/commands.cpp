#include "cli/commands.h"

#include <fmt/compile.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>
#include <random>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include "app/service.h"
#include "base/log_sink.h"
#include "base/stop_signal.h"
#include "base/temporary_file.h"
#include "base/text_file.h"
#include "cli/credentials.h"
#include "client/healthcheck.h"
#include "embedded/default_fixture.h"
#include "fixtures/files.h"
#include "fixtures/forms.h"
#include "http/certificate.h"
#include "http/http_server.h"
#include "http/tls.h"
#include "json/text.h"
#include "store/dataset_builder.h"

namespace ocp_mock {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kCaFile = "the CA file";

// A certificate and nothing before it, as --tls-ca-out writes it.
bool is_certificate(std::string_view text) { return text.starts_with("-----BEGIN CERTIFICATE-----"); }

// A file that the server writes must be none that it reads, or writes as something else.
void refuse_shared_files(const ServeOptions& options) {
  struct Named {
    std::string_view flag;
    fs::path path;
    std::string identity;  // the same for all names of one file, also of one that is not there yet
  };
  std::vector<Named> all;
  const auto add = [&](std::string_view flag, const std::optional<fs::path>& path, bool is_written) {
    if (!path) return;
    struct stat status {};
    const bool exists = ::stat(path->c_str(), &status) == 0;
    Named named{flag, *path,
                exists ? fmt::format("{}:{}", status.st_dev, status.st_ino)
                       : fs::weakly_canonical(is_written ? behind_own_links(*path) : *path).string()};
    for (const Named& other : all) {
      if (named.identity != other.identity) continue;
      throw std::runtime_error(fmt::format("{} {} and {} {} are one file; each must have a file of its own", other.flag,
                                           other.path.string(), flag, path->string()));
    }
    // Only what is written can be in the way of another one.
    if (is_written) all.push_back(std::move(named));
  };
  add("--port-file", options.port_file, true);
  add("--db", options.db, true);
  add("--tls-ca-out", options.tls_ca_out, true);
  if (all.empty()) return;
  add("--init", options.init, false);
  add("--credentials", options.credentials_file, false);
  add("--tls-cert", options.tls_certificate, false);
  add("--tls-key", options.tls_key, false);
  for (const fs::path& path : options.fixtures) add("--fixtures", path, false);
  for (const fs::path& path : find_fixture_files(options.fixtures).files) add("--fixtures", path, false);
}

std::string count_of_tasks(std::int64_t count) { return fmt::format("{} {}", count, count == 1 ? "task" : "tasks"); }

// Distinct for 2^64 calls, and without a pattern that a client could rely on: SplitMix64 (Steele, Lea, Flood 2014) over
// a counter that starts at a random place.
std::function<std::string()> trace_id_source() {
  std::random_device random;
  auto counter = std::make_shared<std::atomic<std::uint64_t>>(std::uint64_t{random()} << 32 | random());
  return [counter] {
    std::uint64_t z = counter->fetch_add(0x9E3779B97F4A7C15, std::memory_order_relaxed);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return fmt::format(FMT_COMPILE("{:016x}"), z ^ z >> 31);
  };
}

// How HTTPS is served; nothing of it for plain HTTP.
struct Tls {
  std::shared_ptr<const http::TlsContext> context;
  std::string ca;  // of a certificate made here
};

Tls make_tls(const ServeOptions& options) {
  if (options.tls_self_signed) {
    http::MadeCertificate made = http::make_certificate(options.host, options.tls_names);
    return {std::make_shared<http::TlsContext>(made.certificate, made.key), std::move(made.ca)};
  }
  if (!options.tls_certificate) return {};
  const std::string certificate = read_text_file(*options.tls_certificate, "the certificate");
  const std::string key = read_text_file(*options.tls_key, "the key");
  try {
    return {std::make_shared<http::TlsContext>(certificate, key), ""};
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(fmt::format("cannot serve HTTPS with the certificate {} and the key {}: {}",
                                         options.tls_certificate->string(), options.tls_key->string(), error.what()));
  }
}

std::string describe(const FixtureFile& file) {
  std::string text = fmt::format("{}: {}, {}", file.name, file.form, count_of_tasks(file.tasks));
  if (file.tasks_of_answers > file.tasks) {
    text += fmt::format(" of {}; the other pages were not captured in it", file.tasks_of_answers);
  }
  return text;
}

// Raises the limit of descriptors, which is usually 1,024 at first, and returns how many connections it allows. SQLite
// needs some of them for large sorts, the rest of the process a few.
std::size_t allowed_connections() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 512;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const std::size_t descriptors = limit.rlim_cur;
  return descriptors - std::min<std::size_t>(descriptors / 2, 64);
}

// The file in which a server that is ready names its port.
class PortFile {
 public:
  // What an earlier run has left would tell of a server that is not there: it is removed. Throws std::runtime_error,
  // also if the file could not be written.
  explicit PortFile(std::optional<fs::path> file) : file_(std::move(file)) {
    if (file_) clear_text_file(*file_, kName, "a port", [](std::string_view text) { return parse(text).has_value(); });
  }
  PortFile(const PortFile&) = delete;
  PortFile& operator=(const PortFile&) = delete;
  ~PortFile() {
    try {
      remove();
    } catch (const std::exception&) {
      // The server ends because of something else, which is said.
    }
  }

  // The line feed tells readers of a file that cannot be replaced in one step that they have seen all of it. Throws
  // std::runtime_error.
  void write(int port) {
    text_ = fmt::format("{}\n", port);
    if (file_) write_text_file(*file_, kName, text_);
  }

  // Unless another server has written its own port since. Throws std::runtime_error.
  void remove() {
    const std::string text = std::exchange(text_, "");
    std::error_code ignored;
    if (!file_ || text.empty() || !fs::exists(*file_, ignored)) return;
    if (read_text_file(*file_, kName) == text) remove_text_file(*file_, kName);
  }

  // The port that a server has written. Throws std::runtime_error.
  static int read(const fs::path& file) {
    if (const auto port = parse(read_text_file(file, kName))) return *port;
    throw std::runtime_error(fmt::format("the port file {} names no port; the server may be starting", file.string()));
  }

 private:
  static constexpr std::string_view kName = "the port file";

  static std::optional<int> parse(std::string_view text) {
    int port = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    const bool is_port =
        error == std::errc{} && std::string_view(stop, text.data() + text.size()) == "\n" && port >= 1 && port <= 65535;
    return is_port ? std::optional(port) : std::nullopt;
  }

  const std::optional<fs::path> file_;
  std::string text_;  // written by this server; empty: nothing
};

// A word that a shell takes as it is.
std::string shell_word(std::string_view text) {
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

// A command line with a request that passes: a page of the first tenant where the dataset has one. It shows no
// password, curl asks for that.
std::string request_to_try(const ServeOptions& options, const std::string& url, const Dataset& dataset) {
  std::string command = "curl";
  if (options.tls_self_signed) {
    command += options.tls_ca_out ? " --cacert " + shell_word(options.tls_ca_out->string()) : " --insecure";
  }
  const Credentials& credentials = options.credentials;
  std::string target = "/api/v2/info";
  if (options.auth == AuthMode::Any && credentials.empty()) {
    command += " -u admin:secret";
  } else if (options.auth == AuthMode::Any && !credentials.passwords.empty()) {
    command += " -u " + shell_word(credentials.passwords.begin()->first);
  } else if (options.auth == AuthMode::Any) {
    return fmt::format("{} {}", command, shell_word(url + "/api/v2/time"));  // curl cannot sign, and this needs nothing
  }
  for (const ClusterSummary& cluster : dataset.summary(endpoints().front())) {
    if (cluster.tenants.empty()) continue;
    target = fmt::format("/api/v2/ob/clusters/{}/tenants/{}/backup/task/logBackupTasks?page=1&size=10", cluster.id,
                         cluster.tenants.front().id);
    break;
  }
  return fmt::format("{} {}", command, shell_word(url + target));
}

// Lets a load be given up between two tasks.
class StoppableSink : public ForwardingSink {
 public:
  StoppableSink(FixtureSink& sink, const std::function<bool()>& stopped) : ForwardingSink(sink), stopped_(stopped) {}

  void add_task(const Endpoint& endpoint, TaskRow& row) override {
    if (stopped_()) throw Stopped();
    ForwardingSink::add_task(endpoint, row);
  }

 private:
  const std::function<bool()>& stopped_;
};

}  // namespace

Loaded load_dataset(const ServeOptions& options, spdlog::logger& logger, const std::function<bool()>& stopped) {
  std::error_code ignored;
  // An empty file, as mktemp makes it, is one to be filled.
  if (options.db && options.fixtures.empty() && fs::exists(*options.db, ignored) &&
      !(fs::is_regular_file(*options.db, ignored) && fs::file_size(*options.db, ignored) == 0)) {
    auto dataset = Dataset::open(*options.db);
    logger.info("opened the dataset {}", options.db->string());
    return {std::move(dataset), {}};
  }
  const auto builder = options.db ? DatasetBuilder::in_file(*options.db) : DatasetBuilder::in_memory();
  StoppableSink sink(*builder, stopped);
  LoadedFixtures fixtures;
  if (options.fixtures.empty()) {
    fixtures.files.push_back(load_fixture_text("logBackupTasks.json (compiled in)", embedded::default_fixture, sink));
  } else {
    fixtures = load_fixtures(options.fixtures, sink);
  }
  for (const FixtureFile& file : fixtures.files) logger.info("loaded {}", describe(file));
  return {builder->finish(), std::move(fixtures)};
}

int run_serve(ServeOptions options) {
  StopSignal stop;
  const auto logger = std::make_shared<spdlog::logger>("ocp-mock-server", std::make_shared<LogSink>(STDERR_FILENO));
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  logger->set_level(spdlog::level::from_str(options.log_level));
  std::signal(SIGPIPE, SIG_IGN);
  for (const std::string& text : options.warnings) logger->warn(text);

  refuse_shared_files(options);
  if (options.credentials_file) add_credentials_of_file(options.credentials, *options.credentials_file);
  // Keys still tell whose a request is.
  if (options.credentials_file && options.auth == AuthMode::Off && options.credentials.access_keys.empty()) {
    logger->warn("the users of {} do nothing beside --auth off", options.credentials_file->string());
  }
  http::ServerOptions server_options;
  server_options.host = options.host;
  server_options.port = options.port;
  server_options.limits = options.limits;
  server_options.max_connections = std::min(allowed_connections(), options.max_connections.value_or(SIZE_MAX));
  server_options.warn = [logger](const std::string& text) { logger->warn(text); };
  const Tls tls = make_tls(options);
  server_options.tls = tls.context;
  http::HttpServer server(server_options);
  // Not before the port is this server's: a server that cannot start leaves the files of a running one alone.
  PortFile port_file(options.port_file);
  if (options.tls_ca_out) clear_text_file(*options.tls_ca_out, kCaFile, "a certificate", is_certificate);

  const auto now = [] { return to_instant(std::chrono::system_clock::now()); };
  const auto load = [options, logger, &stop] {
    return load_dataset(options, *logger, [&stop] { return stop.requested(); });
  };
  std::shared_ptr<Service> service;
  try {
    service = std::make_shared<Service>(options, AppContext{now, trace_id_source(), logger}, load);
  } catch (const Stopped&) {
    return 0;
  }
  if (options.admin && !options.admin_token && !server.is_loopback()) {
    logger->warn(
        "whoever reaches {} can make admin calls: --admin-token TOKEN asks for a token, --no-admin takes the calls "
        "away",
        options.host);
  }
  server.start([service](const http::Request& request) { return service->handle(request); });
  if (options.tls_ca_out) write_text_file(*options.tls_ca_out, kCaFile, tls.ca);
  port_file.write(server.port());

  std::string url;
  append_json_string(url, server.url());
  fmt::print("{{\"event\":\"ready\",\"url\":{},\"port\":{},\"pid\":{}}}\n", url, server.port(), getpid());
  if (std::fflush(stdout) != 0) logger->warn("cannot write the ready line to standard output");
  if (::isatty(STDERR_FILENO) == 1 && logger->should_log(spdlog::level::info)) {
    try {
      logger->info("try from another shell: {}", request_to_try(options, server.url(), *service->data()));
    } catch (const std::exception& error) {
      logger->warn("the dataset cannot be read: {}", error.what());
    }
  }

  while (stop.wait() == StopSignal::Request::Reload) {
    try {
      service->reload();
    } catch (const NoReload& error) {
      logger->warn("nothing was loaded again on SIGHUP: {}", error.what());
    } catch (const std::exception&) {
      // The service has logged it.
    }
  }
  logger->info("stopping on SIG{}", ::sigabbrev_np(stop.signal()));
  try {
    port_file.remove();
  } catch (const std::exception& error) {
    logger->warn(error.what());
  }
  service->stop();
  server.stop();
  return 0;
}

int run_healthcheck(const HealthcheckOptions& options) {
  // OpenSSL writes to sockets whose other end is gone.
  std::signal(SIGPIPE, SIG_IGN);
  std::string url = options.url;
  if (url.empty()) {
    const int port = options.port != 0 ? options.port : PortFile::read(*options.port_file);
    url = url_of_server(options.tls, options.host, port);
  }
  const std::string problem = check_health(url);
  if (!problem.empty()) throw std::runtime_error(problem);
  return 0;
}

int run_check(const CheckOptions& options) {
  const auto builder = DatasetBuilder::in_memory();
  const LoadedFixtures fixtures = load_fixtures(options.paths, *builder);
  const auto dataset = builder->finish();

  const auto named = [](std::int64_t id, const std::optional<std::string>& name) {
    return name ? fmt::format("{} {}", id, *name) : std::to_string(id);
  };
  for (const FixtureFile& file : fixtures.files) fmt::print("{}\n", describe(file));
  for (const std::string& note : fixtures.notes) fmt::print("note: {}\n", note);
  for (const Endpoint& endpoint : endpoints()) {
    fmt::print("{}\n", endpoint.fixture);
    for (const ClusterSummary& cluster : dataset->summary(endpoint)) {
      fmt::print("  cluster {}\n", named(cluster.id, cluster.name));
      for (const TenantSummary& tenant : cluster.tenants) {
        std::int64_t tasks = 0;
        std::string statuses;
        for (const StatusCount& count : tenant.statuses) {
          tasks += count.tasks;
          statuses += fmt::format("{} {} {}", statuses.empty() ? ":" : ",", count.status, count.tasks);
          if (endpoint.find_status(count.status) == 0) {
            statuses += " (no status that a client can ask for)";
          }
        }
        fmt::print("    tenant {}: {}{}\n", named(tenant.id, tenant.name), count_of_tasks(tasks), statuses);
      }
    }
  }
  return 0;
}

}  // namespace ocp_mock
