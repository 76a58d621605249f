#include "cli/local_side.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <string>

#include "base/log_sink.h"
#include "catalogue/catalogue.h"
#include "cli/commands.h"
#include "http/deferred_response.h"

namespace ocp_mock {

LocalSide::LocalSide(const std::vector<std::filesystem::path>& fixtures, AuthMode auth) {
  ServeOptions options;
  options.fixtures = fixtures;
  options.admin = false;
  options.auth = auth;
  const auto logger = std::make_shared<spdlog::logger>("local", std::make_shared<LogSink>(STDERR_FILENO));
  logger->set_level(spdlog::level::off);
  const auto now = [] { return to_instant(std::chrono::system_clock::now()); };
  service_ = std::make_unique<Service>(
      options, ocp_catalogue(), AppContext{now, [] { return std::string("0000000000000000"); }, logger},
      [options, logger](const Router& router) { return load_dataset(options, router, *logger); });
}

LocalSide::~LocalSide() { service_->stop(); }

http::Response LocalSide::answer(const http::Request& request) {
  http::Response response = service_->handle(request);
  if (const auto deferred = response.deferred) {
    std::promise<void> completed;
    if (!deferred->on_complete([&] { completed.set_value(); })) completed.get_future().wait();
    response = deferred->take();
  }
  return response;
}

}  // namespace ocp_mock
