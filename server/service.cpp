#include "service.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <stdexcept>
#include <string_view>

#include "store/json_fields.h"
#include "text_file.h"

namespace ocp_mock {
namespace {

AppOptions app_options(const ServeOptions& options, const Dataset& dataset) {
  AppOptions app;
  app.pretty = options.pretty;
  app.strict = options.strict;
  app.rules = options.rules;
  app.offset_minutes = options.offset_minutes;
  if (options.server_name) app.server = *options.server_name;
  if (options.frozen) app.frozen = frozen_values(dataset.envelope(), options.server_name);
  app.ocp_version = options.ocp_version;
  app.admin = options.admin;
  app.auth = options.auth;
  app.credentials = options.credentials;
  app.limits = options.limits;
  return app;
}

WorldOptions world_options(const ServeOptions& options, const AppContext& context) {
  WorldOptions worlds;
  worlds.real_now = context.real_now;
  worlds.keeps_journal = options.admin;
  worlds.journal_size = options.journal_size;
  worlds.rate_limit = options.rate_limit;
  worlds.isolate_by_user = options.isolate_by_user;
  worlds.max_worlds = options.max_worlds;
  return worlds;
}

// An address or a name that only this machine has.
bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host == "[::1]" || host.starts_with("127.") ||
         host.ends_with(".localhost");
}

}  // namespace

Service::Service(const ServeOptions& options, AppContext context, std::shared_ptr<const Dataset> dataset, Load load)
    : logger_(context.logger),
      load_(std::move(load)),
      worlds_(world_options(options, context), dataset),
      app_(app_options(options, *dataset), std::move(context), worlds_) {
  if (options.admin) {
    AdminOptions admin;
    admin.token = options.admin_token;
    admin.hosts = options.admin_hosts;
    admin.hosts.push_back(options.host);
    admin.hosts.insert(admin.hosts.end(), options.tls_names.begin(), options.tls_names.end());
    admin.warn = [logger = logger_](const std::string& text) { logger->warn("{}", text); };
    admin.offset_minutes = options.offset_minutes;
    admin.strict = options.strict;
    admin.rules = options.rules;
    admin.time_of_answer = [this](Instant now) { return app_.time_of_answer(now); };
    admin.watch_problem = [this] {
      const std::lock_guard lock(mutex_);
      return watch_problem_;
    };
    admin_ = std::make_unique<Admin>(std::move(admin), worlds_);
    if (!options.admin_token && !is_loopback(options.host)) {
      logger_->warn(
          "whoever reaches {} can make admin calls: --admin-token TOKEN asks for a token, --no-admin takes the calls "
          "away",
          options.host);
    }
  }
  if (options.init) {
    make_calls(*options.init);
    worlds_.base().begin_here();
  }
  if (options.watch) watcher_ = std::make_unique<Watcher>(options.fixtures, [this] { reload(); });
}

http::Response Service::handle(const http::Request& request) {
  return admin_ && !request.defect && Admin::owns(request.target) ? admin_->handle(request) : app_.handle(request);
}

void Service::make_calls(const std::filesystem::path& file) {
  const std::string text = read_text_file(file, "the init file");
  const auto refuse = [&](const std::string& why) {
    throw std::runtime_error(fmt::format("the init file {}: {}", file.string(), why));
  };
  try {
    const JsonValue calls = read_json_text(text);
    if (calls.kind != JsonKind::Array) throw JsonFieldError(calls.position, "this must be an array of admin calls");
    for (const JsonValue& call : calls.items) {
      JsonFields fields(call);
      http::Request request;
      request.method = fields.text("method").value_or("POST");
      request.target = fields.required_text("path");
      if (const JsonValue* body = fields.any("body")) append_json(request.body, *body);
      fields.refuse_others();
      const http::Response response = admin_->perform(request);
      if (response.status >= 300) {
        refuse(fmt::format("{}:{}: {} {} was answered with {} {}", call.position.line, call.position.column,
                           request.method, request.target, response.status, response.body));
      }
    }
  } catch (const JsonFieldError& error) {
    refuse(error.what());
  } catch (const JsonSyntaxError& error) {
    refuse(fmt::format("{}:{}: not JSON: {}", error.position().line, error.position().column, error.what()));
  }
}

// A file that is wrong leaves the data as they are.
void Service::reload() {
  std::string problem;
  try {
    worlds_.base().reload(load_());
    logger_->info("the fixtures have changed and were loaded again");
  } catch (const std::exception& error) {
    problem = error.what();
    logger_->warn("the fixtures have changed and were not loaded: {}", problem);
  }
  const std::lock_guard lock(mutex_);
  watch_problem_ = problem;
}

}  // namespace ocp_mock
