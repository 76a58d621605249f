// The test's side of the server: /__admin/*, JSON in and out, errors as problem details (RFC 9457).
// Input: http requests whose path begins so. Output: http responses; slow ones are pending while a thread of its own
// works. Safe for use by several threads at once. The form of every call: schema/admin.openapi.json.
#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/worker.h"
#include "catalogue/router.h"
#include "control/guard.h"
#include "control/world.h"
#include "fixtures/forms.h"
#include "http/message.h"

namespace ocp_mock {

inline constexpr std::string_view kAdminPath = "/__admin";

// The server was not started with fixtures that can be loaded again.
class NoReload : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct AdminOptions {
  const Router* router = nullptr;    // of the catalogue that the worlds' data are of; must outlive the Admin
  std::optional<std::string> token;  // that "Authorization: Bearer TOKEN" must show; nothing: all but strangers may ask
  std::vector<std::string> hosts;    // names of this server that are no stranger's, see refuse_stranger
  int offset_minutes = 8 * 60;       // of times in answers
  bool strict = false;               // what --strict refuses is refused in explanations too
  bool needs_credentials = true;     // by all paths of OCP but those that are open to all
  std::size_t head_bytes = std::numeric_limits<std::size_t>::max();  // of a request at most
  ListRules rules;                                                   // by which explanations read requests
  std::string ocp_version;                                           // of which endpoints are listed; empty: all are
  // The time of an answer that is made when a world's clock shows so.
  std::function<Instant(Instant)> time_of_answer = [](Instant now) { return now; };
  // Loads the fixtures of the base again. Throws NoReload, FixtureError or another std::exception.
  std::function<LoadedFixtures()> reload = [] { return LoadedFixtures(); };
  // What kept the last load from its end; empty if nothing did.
  std::function<std::string()> load_problem = [] { return std::string(); };
  // Told of wrong tokens, never the token itself; called by any thread.
  std::function<void(const std::string&)> warn = [](const std::string&) {};
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
    std::string_view path;  // a template with one placeholder at most
  };
  static std::vector<Route> routes();

 private:
  struct Row;
  struct Found {
    const Row* row;
    std::string place;
  };

  static const Row kRows[];

  static std::optional<Found> find(const http::Request& request);
  [[noreturn]] static void throw_no_route(const http::Request& request);
  static std::string meant_instead_of(std::string_view path);
  bool shows_token(const http::Request& request) const;
  http::Response refuse_token(const http::Request& request);
  http::Response answer(const http::Request& request, bool may_wait);
  std::size_t bodies_asked_for(const http::Request& request) const;

  const AdminOptions options_;
  Worlds& worlds_;
  Worker data_worker_;
  Worker journal_worker_;  // a question does not wait for a load
  WrongTokens wrong_tokens_;
};

}  // namespace ocp_mock
