// One admin call on its way to the function of its route, and all those functions.
// Input: a request whose path and query were read. Output: the answer, or an AdminProblem. Called by any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "control/admin.h"
#include "control/matcher.h"
#include "control/world.h"
#include "http/message.h"
#include "json/reader.h"
#include "json/writer.h"

namespace ocp_mock {

// What ends a call without its answer.
struct AdminProblem : std::runtime_error {
  AdminProblem(int status_code, const std::string& detail, std::string methods = "")
      : std::runtime_error(detail), status(status_code), allowed(std::move(methods)) {}
  int status;
  std::string allowed;  // of a 405
};

http::Response json_response(std::string body, int status = 200);
http::Response json_response(const JsonObject& object, int status = 200);
http::Response problem_response(int status, std::string_view detail);

// Throws AdminProblem unless the text is an integer, 0 or more.
std::int64_t parse_integer(std::string_view name, std::string_view text);

// One call with all that its route's function needs.
struct AdminCall {
  const http::Request& request;
  const AdminOptions& options;
  Worlds& worlds;
  bool may_wait;      // for a request; else what there is is the answer
  bool looks;         // and changes nothing
  std::string place;  // the value of the path's {place}
  std::map<std::string, std::string, std::less<>> query;

  std::optional<std::string> parameter(std::string_view name) const;
  std::optional<std::int64_t> integer(std::string_view name) const;

  void need_isolation() const;

  // That of ?user=, the base without it. Looking makes no world: a name that is wrong would otherwise prove something.
  std::shared_ptr<World> world() const;

  [[noreturn]] void throw_too_many() const;

  // What holds for the requests of the world: those in its journal, or those that its faults may meet. Worlds of users
  // that are yet to be made take the base's faults along.
  RequestFacts facts(bool of_journal) const;

  // The body as one JSON value; an empty object for no body.
  JsonValue body() const;
};

// The functions of the routes.
namespace admin_calls {

// admin_server.cpp: what the server is, and how it reads requests
http::Response welcome_page(const AdminCall& call);
http::Response health(const AdminCall& call);
http::Response openapi(const AdminCall& call);
http::Response explain(const AdminCall& call);

// admin_api.cpp: the catalogue
http::Response list_api(const AdminCall& call);

// admin_worlds.cpp: worlds and their clocks
http::Response list_worlds(const AdminCall& call);
http::Response put_world(const AdminCall& call);
http::Response delete_world(const AdminCall& call);
http::Response get_clock(const AdminCall& call);
http::Response put_clock(const AdminCall& call);
http::Response reset(const AdminCall& call);

// admin_data.cpp: fixtures and rows
http::Response get_fixtures(const AdminCall& call);
http::Response put_fixtures(const AdminCall& call);
http::Response post_fixtures(const AdminCall& call);
http::Response reload_fixtures(const AdminCall& call);
http::Response patch_rows(const AdminCall& call);
http::Response delete_rows(const AdminCall& call);
http::Response patch_tasks(const AdminCall& call);
http::Response delete_tasks(const AdminCall& call);

// admin_faults.cpp
http::Response get_faults(const AdminCall& call);
http::Response post_fault(const AdminCall& call);
http::Response delete_faults(const AdminCall& call);
http::Response delete_fault(const AdminCall& call);
http::Response verify_faults(const AdminCall& call);

// admin_requests.cpp: the journal
http::Response get_requests(const AdminCall& call);
http::Response delete_requests(const AdminCall& call);
http::Response verify(const AdminCall& call);
http::Response get_violations(const AdminCall& call);

}  // namespace admin_calls
}  // namespace ocp_mock
