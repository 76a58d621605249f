// What answers requests, put together: worlds, the app, the test's side, and the watching of fixtures.
// Enters: checked options and the loaded dataset; then http requests. Leaves: http responses.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "app.h"
#include "cli/options.h"
#include "control/admin.h"
#include "watcher.h"

namespace ocp_mock {

class Service {
 public:
  // load makes the dataset anew for --watch, or throws what is wrong.
  using Load = std::function<std::shared_ptr<const Dataset>()>;

  // Makes the calls of --init. Throws std::runtime_error if one is refused or the file is wrong.
  Service(const ServeOptions& options, AppContext context, std::shared_ptr<const Dataset> dataset, Load load);

  http::Response handle(const http::Request& request);

  // Ends delays and waits, for the server that is about to stop.
  void stop() { worlds_.scheduler().stop(); }

 private:
  void make_calls(const std::filesystem::path& file);
  void reload();

  const std::shared_ptr<spdlog::logger> logger_;
  const Load load_;
  std::mutex mutex_;  // of the next
  std::string watch_problem_;
  Worlds worlds_;
  const App app_;
  std::unique_ptr<Admin> admin_;  // null with --no-admin
  std::unique_ptr<Watcher> watcher_;
};

}  // namespace ocp_mock
