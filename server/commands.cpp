#include "commands.h"

#include <fmt/compile.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <random>
#include <system_error>

#include "credentials.h"
#include "embedded/default_fixture.h"
#include "healthcheck.h"
#include "http/certificate.h"
#include "http/http_server.h"
#include "http/tls.h"
#include "log_sink.h"
#include "ocp/json_text.h"
#include "service.h"
#include "stop_signal.h"
#include "store/dataset_builder.h"
#include "store/fixtures.h"
#include "text_file.h"

namespace ocp_mock {
namespace {

namespace fs = std::filesystem;

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
    http::MadeCertificate made = http::make_certificate(options.host);
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
  if (options.db && options.fixtures.empty() && fs::exists(*options.db, ignored)) {
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

  if (options.credentials_file) add_credentials_of_file(options.credentials, *options.credentials_file);
  http::ServerOptions server_options;
  server_options.host = options.host;
  server_options.port = options.port;
  server_options.limits = options.limits;
  server_options.max_connections = std::min(allowed_connections(), options.max_connections.value_or(SIZE_MAX));
  server_options.warn = [logger](const std::string& text) { logger->warn(text); };
  const Tls tls = make_tls(options);
  server_options.tls = tls.context;
  http::HttpServer server(server_options);

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
  server.start([service](const http::Request& request) { return service->handle(request); });
  if (options.tls_ca_out) write_text_file(*options.tls_ca_out, "the CA file", tls.ca);
  if (options.port_file) write_text_file(*options.port_file, "the port file", fmt::format("{}\n", server.port()));

  std::string url;
  append_json_string(url, server.url());
  fmt::print("{{\"event\":\"ready\",\"url\":{},\"port\":{},\"pid\":{}}}\n", url, server.port(), getpid());
  if (std::fflush(stdout) != 0) logger->warn("cannot write the ready line to standard output");

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
  service->stop();
  server.stop();
  return 0;
}

int run_healthcheck(const HealthcheckOptions& options) {
  const std::string problem = check_health(options.url);
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
          if (std::ranges::find(endpoint.statuses, count.status) == endpoint.statuses.end()) {
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
