// What answers requests, put together: worlds, the app, the test's side, and the loading of fixtures, at first and
// again. Input: checked options and how to load; then http requests. Output: http responses.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/app.h"
#include "app/serve_options.h"
#include "app/watcher.h"
#include "control/admin.h"
#include "fixtures/forms.h"

namespace ocp_mock {

// What a load brings.
struct Loaded {
  std::shared_ptr<const Dataset> dataset;
  LoadedFixtures fixtures;
};

class Service {
 public:
  // Called now, and by one thread at a time whenever the fixtures are to be loaded again. Throws what is wrong.
  using Load = std::function<Loaded(const Router&)>;

  // Loads, and makes the calls of --init. The catalogue must outlive it. Throws what the load throws, and
  // std::runtime_error if a call is refused, the file of calls is wrong, or the fixtures cannot be watched.
  Service(const ServeOptions& options, const Catalogue& catalogue, AppContext context, Load load);

  http::Response handle(const http::Request& request);

  // Loads the fixtures again, for whoever asks; also when nothing has changed. They take the place of the base's data.
  // Throws NoReload, or what the load throws; then all stays as it is. One at a time.
  LoadedFixtures reload();

  // What requests without credentials see, before any timeline.
  std::shared_ptr<const Dataset> data() { return worlds_.base().origin(); }

  // Ends delays and waits, for the server that is about to stop.
  void stop() { worlds_.scheduler().stop(); }

 private:
  void make_calls(const std::filesystem::path& file);
  std::shared_ptr<const Dataset> load_first();
  Loaded load_seen();
  LoadedFixtures load_again(std::string_view why);
  bool reload_if_changed(bool settled);
  void log_notes(const LoadedFixtures& fixtures);
  void set_problem(const std::string& problem);

  const std::shared_ptr<spdlog::logger> logger_;
  const std::vector<std::filesystem::path> paths_;  // of fixtures
  const bool watches_;
  const bool frozen_;
  const std::optional<std::string> server_name_;  // given by the user
  const std::string no_reload_;                   // why they cannot be loaded again; empty if they can
  const Load load_;
  std::mutex loading_;       // held while one loads; of the next two
  std::string fingerprint_;  // with --watch, of what the last load has read; empty if it changed meanwhile
  std::string notes_;        // of the last load
  std::mutex mutex_;         // of the next
  std::string problem_;      // that kept the last load from its end
  const Router router_;
  Worlds worlds_;
  App app_;
  std::unique_ptr<Admin> admin_;  // null with --no-admin
  std::unique_ptr<Watcher> watcher_;
};

}  // namespace ocp_mock
