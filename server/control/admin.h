// The test's side of the server: /__admin/*, JSON in and out, errors as problem details (RFC 9457).
// Enters: http requests whose path begins so. Leaves: http responses; slow ones are pending while a thread of its own
// works. Safe for use by several threads at once. The form of every call: schema/admin.openapi.json.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "control/worker.h"
#include "control/world.h"
#include "http/message.h"
#include "store/fixtures.h"

namespace ocp_mock {

inline constexpr std::string_view kAdminPath = "/__admin";

// The server was not started with fixtures that can be loaded again.
class NoReload : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct AdminOptions {
  std::optional<std::string> token;  // that "Authorization: Bearer TOKEN" must show; nothing: anyone may ask
  int offset_minutes = 8 * 60;       // of times in answers
  bool strict = false;               // what --strict refuses is refused in explanations too
  // Loads the fixtures of the base again. Throws NoReload, FixtureError or another std::exception.
  std::function<LoadedFixtures()> reload = [] { return LoadedFixtures(); };
  // What kept the last load from its end; empty if nothing did.
  std::function<std::string()> load_problem = [] { return std::string(); };
};

class Admin {
 public:
  Admin(AdminOptions options, Worlds& worlds);
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;

  // Whether a request target belongs here.
  static bool owns(std::string_view target);

  http::Response handle(const http::Request& request);

  // Answers at once, whoever asks. For calls that the server's own options make.
  http::Response perform(const http::Request& request);

  struct Route {
    std::string_view method;
    std::string_view path;  // one {place} takes one segment
  };
  static std::vector<Route> routes();

 private:
  struct Call;
  struct Functions;
  struct Row;
  struct Found {
    const Row* row;
    std::string place;
  };

  // A call that waits for a request: where, and until when.
  struct Waiting {
    std::shared_ptr<World> world;
    std::chrono::steady_clock::time_point end;
    std::int64_t seen = 0;  // the last sequence that was looked at
  };

  static const Row kRows[];

  static std::optional<Found> find(const http::Request& request);
  [[noreturn]] static void throw_no_route(const http::Request& request);
  bool may_ask(const http::Request& request) const;
  http::Response answer(const http::Request& request, std::optional<Waiting> waiting);

  const AdminOptions options_;
  Worlds& worlds_;
  Worker worker_;
};

}  // namespace ocp_mock
