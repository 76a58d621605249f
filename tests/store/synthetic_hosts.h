// Hosts of the catalogue of the tests: what is loaded, what is asked of it, and random ones.
#pragma once

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "behaviour/behaviour.h"
#include "catalogue/synthetic.h"
#include "log_backup_tasks.h"
#include "store/changes.h"

namespace ocp_mock::test {

inline const Router& router() {
  static const Router router(synthetic_catalogue());
  return router;
}

inline const Resource& hosts_resource() { return *synthetic_catalogue().find_resource("hosts"); }

inline std::shared_ptr<const Dataset> load(const std::string& text) {
  return from_fixtures(router(), "hosts.json", text).dataset;
}

// As the app makes it of a path and a query.
inline Request request_of(std::string_view path, std::string_view query = "", std::string_view method = "GET",
                          const ListRules& rules = {}) {
  const auto route = router().find(method, path);
  REQUIRE(route);
  REQUIRE(route->endpoint != nullptr);
  std::vector<Violation> violations;
  return read_parameters(*route->endpoint, route->values, query, rules, violations);
}

// The data of the answer, or "STATUS CODE" of the refusal.
inline std::string answer(const std::shared_ptr<const Dataset>& dataset, const Request& request) {
  try {
    const Outcome outcome = perform(request, dataset);
    if (const auto* data = std::get_if<AnswerData>(&outcome)) return data->page.contents;
    return std::get<SlowAnswer>(outcome)().page.contents;
  } catch (const ApiError& error) {
    return fmt::format("{} {}", error.status(), error.code());
  }
}

struct Host {
  std::string zone;
  std::string name;
  std::optional<Instant> started;
  std::optional<std::int64_t> port;
  std::optional<double> load;
  std::optional<bool> ready;
  std::vector<std::string> tags;
  std::vector<int> ports;
  std::string kind;  // empty: none
  std::optional<std::string> description;
  bool null_description = false;  // is answered; else an absent one is not
};

// With nine digits of the second, of which format_iso_offset() has three.
inline std::string time_text(Instant time, int offset_minutes) {
  std::string text = format_iso_offset({time.second, 0}, offset_minutes);
  return text.insert(std::string_view("2024-08-01T00:00:00").size(), fmt::format(".{:09}", time.nano));
}

// As it is answered: the members in alphabetical order.
inline std::string json_of(const Host& host) {
  std::vector<std::string> members;
  const auto add = [&](std::string_view name, const std::string& value) {
    members.push_back(fmt::format("\"{}\":{}", name, value));
  };
  if (host.description) add("description", "\"" + *host.description + "\"");
  if (host.null_description) add("description", "null");
  if (!host.kind.empty()) add("kind", "\"" + host.kind + "\"");
  if (host.load) add("load", fmt::format("{}", *host.load));
  add("name", "\"" + host.name + "\"");
  if (host.port) add("port", std::to_string(*host.port));
  if (!host.ports.empty()) add("ports", fmt::format("[{}]", fmt::join(host.ports, ",")));
  if (host.ready) add("ready", *host.ready ? "true" : "false");
  if (host.started) add("startedAt", "\"" + time_text(*host.started, 0) + "\"");
  if (!host.tags.empty()) add("tags", fmt::format("[\"{}\"]", fmt::join(host.tags, "\",\"")));
  add("zone", "\"" + host.zone + "\"");
  return fmt::format("{{{}}}", fmt::join(members, ","));
}

inline std::string fixtures(const std::vector<Host>& hosts) {
  std::string text = R"({"zones":[{"name":"empty"}],"hosts":[)";
  for (const Host& host : hosts) text += (&host == hosts.data() ? "" : ",") + json_of(host);
  return text + "]}";
}

class Any {
 public:
  explicit Any(unsigned seed) : random_(seed) {}
  int below(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }
  bool once_in(int times) { return below(times) == 0; }
  template <typename Values>
  auto of(const Values& values) {
    return *(std::begin(values) + below(static_cast<int>(std::size(values))));
  }

 private:
  std::mt19937 random_;
};

inline const std::vector<std::string> kZones{"杭州", "z 1", "Z 1"};
inline const std::vector<std::string> kTags{"a", "A", "a,b", "80"};

inline std::string word(int index) { return fmt::format("K{:02}", index); }

inline std::vector<Host> random_hosts(int count, Any& any) {
  std::vector<Host> hosts;
  for (int i = 0; i < count; ++i) {
    Host host;
    host.zone = any.of(kZones);
    host.name = any.of(std::vector<std::string>{"host", "HOST", "主机", "h%_"}) + std::to_string(i * 7 % count);
    if (!any.once_in(5)) host.started = Instant{1'700'000'000 + any.below(20), any.below(3) * 1000};
    if (!any.once_in(5)) host.port = any.below(5) - 2;
    if (!any.once_in(5)) host.load = any.below(9) / 4.0 - 1;
    if (!any.once_in(5)) host.ready = any.once_in(2);
    for (const std::string& tag : kTags) {
      if (any.once_in(3)) host.tags.push_back(tag);
    }
    for (const int port : {80, 443}) {
      if (any.once_in(3)) host.ports.push_back(port);
    }
    if (!any.once_in(5)) host.kind = word(any.of(std::vector<int>{0, 1, 31, 32, 33, 38, 39}));
    if (any.once_in(2)) {
      host.description = any.of(std::vector<std::string>{"", "x", "Y"});
    } else {
      host.null_description = any.once_in(2);
    }
    hosts.push_back(std::move(host));
  }
  return hosts;
}

}  // namespace ocp_mock::test
