#include "app/service.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <stdexcept>
#include <string_view>
#include <utility>

#include "base/text_file.h"
#include "json/fields.h"

namespace ocp_mock {
namespace {

AppOptions app_options(const ServeOptions& options, const Dataset& dataset) {
  AppOptions app;
  app.pretty = options.pretty;
  app.strict = options.strict;
  app.read_only = options.read_only;
  app.rules = options.rules;
  app.offset_minutes = options.offset_minutes;
  if (options.server_name) app.server = *options.server_name;
  if (options.frozen) app.frozen = frozen_values(dataset.envelope(), options.server_name);
  app.ocp_version = options.ocp_version;
  app.admin = options.admin;
  app.auth = options.auth;
  app.credentials = options.credentials;
  app.tls = options.tls_certificate || options.tls_self_signed;
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
  worlds.tasks = {options.task_duration, options.offset_minutes};
  worlds.has_wire_faults = options.http_engine == http::Engine::Epoll;
  return worlds;
}

// Why the data cannot be loaded again; empty if they can.
std::string reason_for_no_reload(const ServeOptions& options) {
  if (options.fixtures.empty()) {
    return options.db
               ? fmt::format(
                     "the server serves the file {} of --db as it is, without --fixtures that could be "
                     "loaded again; start it anew to serve another file",
                     options.db->string())
               : "the server was started without --fixtures, and the installation that is compiled in does not change";
  }
  if (options.db) {
    return fmt::format(
        "the fixtures have become the file {} of --db, which is made at the start only; start the server "
        "anew, or without --db",
        options.db->string());
  }
  for (const std::filesystem::path& path : options.fixtures) {
    std::error_code ignored;
    const auto type = std::filesystem::status(path, ignored).type();
    if (type == std::filesystem::file_type::fifo || type == std::filesystem::file_type::character) {
      return fmt::format("{} is a pipe or a device, which gives its data once; --fixtures must name files or folders",
                         path.string());
    }
  }
  return "";
}

}  // namespace

Service::Service(const ServeOptions& options, const Catalogue& catalogue, AppContext context, Load load)
    : logger_(context.logger),
      paths_(options.fixtures),
      watches_(options.watch),
      frozen_(options.frozen),
      server_name_(options.server_name),
      no_reload_(reason_for_no_reload(options)),
      load_(std::move(load)),
      router_(catalogue),
      worlds_(world_options(options, context), load_first()),
      app_(app_options(options, *worlds_.base().origin()), std::move(context), router_, worlds_) {
  if (options.admin) {
    AdminOptions admin;
    admin.router = &router_;
    admin.ocp_version = options.ocp_version;
    admin.token = options.admin_token;
    admin.hosts = options.admin_hosts;
    admin.hosts.push_back(options.host);
    admin.hosts.insert(admin.hosts.end(), options.tls_names.begin(), options.tls_names.end());
    admin.warn = [logger = logger_](const std::string& text) { logger->warn("{}", text); };
    admin.offset_minutes = options.offset_minutes;
    admin.strict = options.strict;
    admin.needs_credentials = options.auth != AuthMode::Off;
    admin.head_bytes = options.limits.parser.head_bytes;
    admin.rules = options.rules;
    admin.time_of_answer = [this](Instant now) { return app_.time_of_answer(now); };
    admin.reload = [this] { return reload(); };
    admin.load_problem = [this] {
      const std::lock_guard lock(mutex_);
      return problem_;
    };
    admin_ = std::make_unique<Admin>(std::move(admin), worlds_);
  }
  if (options.init) {
    make_calls(*options.init);
    worlds_.base().begin_here();
  }
  if (options.watch) {
    watcher_ = std::make_unique<Watcher>(
        options.fixtures, options.watch_poll,
        Watcher::Calls{[this](bool settled) { return reload_if_changed(settled); },
                       [logger = logger_](const std::string& text) { logger->warn("{}", text); }});
  }
}

http::Response Service::handle(const http::Request& request) {
  return admin_ && !request.parse_error && Admin::owns(request.target) ? admin_->handle(request) : app_.handle(request);
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

std::shared_ptr<const Dataset> Service::load_first() {
  if (watches_ && !no_reload_.empty()) throw std::runtime_error("--watch is of no use: " + no_reload_);
  Loaded loaded = load_seen();
  log_notes(loaded.fixtures);
  return std::move(loaded.dataset);
}

LoadedFixtures Service::reload() {
  if (!no_reload_.empty()) throw NoReload(no_reload_);
  const std::lock_guard lock(loading_);
  return load_again("as was asked for");
}

// False if it must be called again, because the files changed while they were read.
bool Service::reload_if_changed(bool settled) {
  const std::lock_guard lock(loading_);
  if (look_at(paths_).fingerprint == fingerprint_) return true;
  try {
    load_again("as they have changed");
  } catch (const std::exception&) {
    // It is in the log, and health tells it.
  }
  // What is written after the load may have the same times.
  if (!settled) fingerprint_.clear();
  return !fingerprint_.empty();
}

// Needs the lock. Loads, and notes of which files.
Loaded Service::load_seen() {
  if (!watches_) return load_(router_);
  const Sighting before = look_at(paths_);
  const auto note = [&] {
    const Sighting after = look_at(paths_);
    const bool same = before.fingerprint == after.fingerprint && before.times == after.times;
    fingerprint_ = same ? before.fingerprint : "";
  };
  try {
    Loaded loaded = load_(router_);
    note();
    return loaded;
  } catch (const std::exception&) {
    note();
    throw;
  }
}

// Needs the lock. What is wrong leaves the data as they are.
LoadedFixtures Service::load_again(std::string_view why) {
  try {
    Loaded loaded = load_seen();
    if (frozen_) app_.freeze(frozen_values(loaded.dataset->envelope(), server_name_));
    worlds_.reload(loaded.dataset);
    logger_->info("the fixtures were loaded again, {}", why);
    log_notes(loaded.fixtures);
    set_problem("");
    return std::move(loaded.fixtures);
  } catch (const std::exception& error) {
    logger_->warn("the fixtures were not loaded again, {}; the data stay as they are: {}", why, error.what());
    set_problem(error.what());
    throw;
  }
}

// Notes that were logged by the load before are not logged again.
void Service::log_notes(const LoadedFixtures& fixtures) {
  std::string notes = fmt::format("{}", fmt::join(fixtures.notes, "\n"));
  if (std::exchange(notes_, notes) == notes) return;
  for (std::size_t i = 0; i < fixtures.notes.size() && i < kProblemsShown; ++i) logger_->info("{}", fixtures.notes[i]);
  if (fixtures.notes.size() > kProblemsShown) {
    logger_->info("and {} more notes, which `check` shows", fixtures.notes.size() - kProblemsShown);
  }
}

void Service::set_problem(const std::string& problem) {
  const std::lock_guard lock(mutex_);
  problem_ = problem;
}

}  // namespace ocp_mock
