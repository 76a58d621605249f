#include "cli/commands.h"

#include <fmt/compile.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include "app/service.h"
#include "base/child_process.h"
#include "base/log_sink.h"
#include "base/parent_watch.h"
#include "base/stop_signal.h"
#include "base/temporary_file.h"
#include "base/text_file.h"
#include "cli/credentials.h"
#include "cli/given_options.h"
#include "cli/option_table.h"
#include "cli/port_file.h"
#include "cli/report.h"
#include "client/healthcheck.h"
#include "fixtures/files.h"
#include "fixtures/forms.h"
#include "fixtures/installation.h"
#include "fixtures/resources.h"
#include "http/certificate.h"
#include "http/server.h"
#include "http/tls.h"
#include "json/text.h"
#include "store/dataset_builder.h"
#include "store/image.h"

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
  for (const fs::path& path : options.fixtures) {
    if (path != kInstallation) add("--fixtures", path, false);
  }
  for (const fs::path& path : find_fixture_files(options.fixtures).files) add("--fixtures", path, false);
}

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

// Lets a load be given up between two rows.
class StoppableSink : public ForwardingSink {
 public:
  StoppableSink(FixtureSink& sink, const std::function<bool()>& stopped) : ForwardingSink(sink), stopped_(stopped) {}

  bool add_row(const Resource& resource, Row& row) override {
    if (stopped_()) throw Stopped();
    return ForwardingSink::add_row(resource, row);
  }

 private:
  const std::function<bool()>& stopped_;
};

std::shared_ptr<spdlog::logger> make_logger(const ServeOptions& options) {
  auto logger = std::make_shared<spdlog::logger>("ocp-mock-server", std::make_shared<LogSink>(STDERR_FILENO));
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  logger->set_level(spdlog::level::from_str(options.log_level));
  for (const std::string& text : options.warnings) logger->warn(text);
  return logger;
}

// Accepts connections.
struct RunningServer {
  std::unique_ptr<http::Server> server;
  PortFile port_file;
  std::shared_ptr<Service> service;
  std::shared_ptr<spdlog::logger> logger;

  // After the requests in flight.
  void stop() {
    try {
      port_file.remove();
    } catch (const std::exception& error) {
      logger->warn(error.what());
    }
    service->stop();
    server->stop();
  }
};

}  // namespace

Loaded load_dataset(const ServeOptions& options, const Router& router, spdlog::logger& logger,
                    const std::function<bool()>& stopped) {
  std::error_code ignored;
  // An empty file, as mktemp makes it, is one to be filled.
  if (options.db && options.fixtures.empty() && fs::exists(*options.db, ignored) &&
      !(fs::is_regular_file(*options.db, ignored) && fs::file_size(*options.db, ignored) == 0)) {
    auto dataset = Dataset::open(*options.db, router.catalogue());
    logger.info("opened the dataset {}", options.db->string());
    return {std::move(dataset), {}};
  }
  if (!options.db && options.fixtures.empty() && !options.installation_image.empty()) {
    logger.info("loaded {} (compiled in)", kInstallation);
    return {open_image(options.installation_image, router.catalogue()), {}};
  }
  const auto builder = options.db ? DatasetBuilder::in_file(*options.db, router.catalogue())
                                  : DatasetBuilder::in_memory(router.catalogue());
  StoppableSink sink(*builder, stopped);
  LoadedFixtures fixtures =
      load_fixtures(router, options.fixtures.empty() ? std::vector<fs::path>{kInstallation} : options.fixtures, sink);
  for (const FixtureFile& file : fixtures.files) logger.info("loaded {}", describe(file));
  return {builder->finish(), std::move(fixtures)};
}

namespace {

// Null if it was told to stop while it loaded. The stop signal must outlive the result.
std::unique_ptr<RunningServer> start_server(ServeOptions& options, const std::shared_ptr<spdlog::logger>& logger,
                                            const StopSignal& stop) {
  refuse_shared_files(options);
  if (options.credentials_file) add_credentials_of_file(options.credentials, *options.credentials_file);
  // Keys still tell whose a request is.
  if (options.credentials_file && options.auth == AuthMode::Off && options.credentials.access_keys.empty()) {
    logger->warn("the users of {} do nothing with --auth off", options.credentials_file->string());
  }
  http::ServerOptions server_options;
  server_options.host = options.host;
  server_options.port = options.port;
  server_options.limits = options.limits;
  server_options.max_connections = std::min(allowed_connections(), options.max_connections.value_or(SIZE_MAX));
  server_options.warn = [logger](const std::string& text) { logger->warn(text); };
  const Tls tls = make_tls(options);
  server_options.tls = tls.context;
  std::unique_ptr<http::Server> bound = http::make_server(options.http_engine, server_options);
  // Not before the port is this server's: a server that cannot start leaves the files of a running one alone.
  std::unique_ptr<RunningServer> running(
      new RunningServer{std::move(bound), PortFile(options.port_file), nullptr, logger});
  http::Server& server = *running->server;
  if (options.tls_ca_out) clear_text_file(*options.tls_ca_out, kCaFile, "a certificate", is_certificate);

  const auto now = [] { return to_instant(std::chrono::system_clock::now()); };
  const auto load = [options, logger, &stop](const Router& router) {
    return load_dataset(options, router, *logger, [&stop] { return stop.requested(); });
  };
  try {
    running->service =
        std::make_shared<Service>(options, ocp_catalogue(), AppContext{now, trace_id_source(), logger}, load);
  } catch (const Stopped&) {
    return nullptr;
  }
  if (options.admin && !options.admin_token && !server.is_loopback()) {
    logger->warn(
        "anyone who can reach {} can make admin calls: --admin-token TOKEN asks for a token, --no-admin takes the "
        "calls "
        "away",
        options.host);
  }
  server.start([service = running->service](const http::Request& request) { return service->handle(request); });
  if (options.tls_ca_out) write_text_file(*options.tls_ca_out, kCaFile, tls.ca);
  running->port_file.write(server.port());
  return running;
}

}  // namespace

int run_serve(ServeOptions options) {
  StopSignal stop;
  std::optional<ParentWatch> parent;
  if (options.end_with_parent) parent.emplace();
  std::signal(SIGPIPE, SIG_IGN);
  const auto logger = make_logger(options);
  const std::unique_ptr<RunningServer> server = start_server(options, logger, stop);
  if (!server) return 0;

  std::string url;
  append_json_string(url, server->server->url());
  fmt::print("{{\"event\":\"ready\",\"url\":{},\"port\":{},\"pid\":{}}}\n", url, server->server->port(), getpid());
  if (std::fflush(stdout) != 0) logger->warn("cannot write the ready line to standard output");
  if (::isatty(STDERR_FILENO) == 1 && logger->should_log(spdlog::level::info)) {
    try {
      logger->info("try from another shell: {}",
                   request_to_try(options, server->server->url(), *server->service->data()));
    } catch (const std::exception& error) {
      logger->warn("the dataset cannot be read: {}", error.what());
    }
  }

  while (stop.wait() == StopSignal::Request::Reload) {
    try {
      server->service->reload();
    } catch (const NoReload& error) {
      logger->warn("nothing was loaded again on SIGHUP: {}", error.what());
    } catch (const std::exception&) {
      // The service has logged it.
    }
  }
  logger->info("stopping on SIG{}", ::sigabbrev_np(stop.signal()));
  server->stop();
  return 0;
}

int run_exec(ExecOptions options) {
  ServeOptions& serve = options.serve;
  ChildProcess command;
  StopSignal stop;
  std::optional<ParentWatch> parent;
  if (serve.end_with_parent) parent.emplace();
  std::signal(SIGPIPE, SIG_IGN);
  const auto logger = make_logger(serve);
  const std::unique_ptr<RunningServer> server = start_server(serve, logger, stop);
  // From here on signals are the command's.
  stop.close();
  if (!server || stop.requested()) {
    if (server) server->stop();
    return 128 + stop.signal();
  }

  const std::string url =
      url_of_server(serve.tls_self_signed || serve.tls_certificate, serve.host, server->server->port());
  std::map<std::string_view, std::string> variables{{kUrlVariable, url}, {kAdminUrlVariable, ""}};
  if (serve.admin) variables[kAdminUrlVariable] = url + "/__admin";
  const std::string token_variable = option_of("--admin-token").variable();
  if (serve.admin && serve.admin_token) variables[token_variable] = *serve.admin_token;
  std::vector<std::string> environment;
  for (const auto& [name, value] : variables) {
    if (!value.empty()) environment.push_back(fmt::format("{}={}", name, value));
  }
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    if (!variables.contains(text.substr(0, text.find('=')))) environment.emplace_back(text);
  }

  int code = 0;
  try {
    code = command.run(std::move(options.command), std::move(environment));
  } catch (const CannotRun& error) {
    fmt::print(stderr, "ocp-mock-server: {}\n", error.what());
    code = error.exit_code();
  }
  server->stop();
  return code;
}

int run_healthcheck(const HealthcheckOptions& options) {
  // OpenSSL writes to sockets whose other end is gone.
  std::signal(SIGPIPE, SIG_IGN);
  std::string url = options.url;
  if (url.empty()) {
    const int port = options.port != 0 ? options.port : PortFile::read(*options.port_file);
    url = url_of_server(options.tls, options.host, port);
  }
  std::string problem;
  try {
    problem = check_health(url);
  } catch (const std::invalid_argument& error) {
    throw OptionMistake(error.what());
  }
  if (!problem.empty()) throw std::runtime_error(problem);
  return 0;
}

int run_check(const CheckOptions& options) {
  const Router router(ocp_catalogue());
  const FixtureResources resources(router.catalogue());
  const auto builder = DatasetBuilder::in_memory(router.catalogue());
  const LoadedFixtures fixtures = load_fixtures(router, options.paths, *builder);
  const auto dataset = builder->finish();

  for (const FixtureFile& file : fixtures.files) fmt::print("{}\n", describe(file));
  for (const std::string& note : fixtures.notes) fmt::print("note: {}\n", note);
  // Those that the files have rows of; where they have none, the one that was looked for.
  const auto is_shown = [&](const Resource& resource) {
    const auto has_rows = [&](const FixtureFile& file) {
      return std::ranges::find(file.counts, &resource, &FixtureFile::Count::resource) != file.counts.end();
    };
    return std::ranges::any_of(fixtures.files, has_rows);
  };
  const bool is_empty = std::ranges::none_of(router.catalogue().resources, is_shown);
  for (const Resource& resource : router.catalogue().resources) {
    const bool may_be_named = is_empty && &resource == &resources.default_resource();
    if (!is_shown(resource) && !may_be_named) continue;
    const Outline outline = dataset->outline(resource);
    if (is_shown(resource) || !outline.children.empty()) fmt::print("{}", describe(resource, outline));
  }
  return 0;
}

}  // namespace ocp_mock
