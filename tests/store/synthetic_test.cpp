// Rows of the shapes that OCP's own catalogue does not have yet, against a plain search through the same rows.
#include "catalogue/synthetic.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "behaviour/behaviour.h"
#include "log_backup_tasks.h"
#include "ocp/url.h"
#include "store/changes.h"
#include "store/dataset_builder.h"
#include "store/step_counter.h"
#include "store/timeline.h"
#include "temporary_folder.h"

using namespace ocp_mock;
using ocp_mock::test::StepCounter;
using ocp_mock::test::TemporaryFolder;

namespace {

const Router& router() {
  static const Router router(synthetic_catalogue());
  return router;
}

const Resource& hosts_resource() { return *synthetic_catalogue().find_resource("hosts"); }

std::shared_ptr<const Dataset> load(const std::string& text) {
  return from_fixtures(router(), "hosts.json", text).dataset;
}

// As the app makes it of a path and a query.
Request request_of(std::string_view path, std::string_view query = "", std::string_view method = "GET",
                   const ListRules& rules = {}) {
  const auto route = router().find(method, path);
  REQUIRE(route);
  REQUIRE(route->endpoint != nullptr);
  std::vector<Violation> violations;
  return read_parameters(*route->endpoint, route->values, query, rules, violations);
}

// The data of the answer, or "STATUS CODE" of the refusal.
std::string answer(const std::shared_ptr<const Dataset>& dataset, const Request& request) {
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
std::string time_text(Instant time, int offset_minutes) {
  std::string text = format_iso_offset({time.second, 0}, offset_minutes);
  return text.insert(std::string_view("2024-08-01T00:00:00").size(), fmt::format(".{:09}", time.nano));
}

// As it is answered: the members in alphabetical order.
std::string json_of(const Host& host) {
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

std::string fixtures(const std::vector<Host>& hosts) {
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

const std::vector<std::string> kZones{"杭州", "z 1", "Z 1"};
const std::vector<std::string> kTags{"a", "A", "a,b", "80"};

std::string word(int index) { return fmt::format("K{:02}", index); }

std::vector<Host> random_hosts(int count, Any& any) {
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

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

// A request's text, and what it means.
struct Wanted {
  std::string query;
  std::vector<std::function<bool(const Host&)>> filters;
  std::vector<std::pair<std::string, bool>> sort;  // field, descending
  std::int64_t page = 1;
  std::int64_t size = 5;
};

Wanted random_wanted(Any& any) {
  Wanted wanted;
  const auto add = [&](const std::string& name, const std::string& value) {
    wanted.query += fmt::format("{}{}={}", wanted.query.empty() ? "" : "&", name, percent_encode(value));
  };
  const auto filter = [&](std::function<bool(const Host&)> passes) { wanted.filters.push_back(std::move(passes)); };
  const auto means = [](const std::string& one, const std::string& other) {
    return one == other || (one == "K00" && other == "K39") || (one == "K39" && other == "K00");
  };
  const auto any_word = [&] { return word(any.of(std::vector<int>{0, 1, 5, 32, 38, 39})); };
  if (any.once_in(8)) {
    const std::string kind = any_word();
    add("kind", kind);
    filter([=](const Host& host) { return means(host.kind, kind); });
  }
  if (any.once_in(6)) {
    const std::string first = any_word();
    const std::string second = any_word();
    add("kinds", first);
    add("kinds", second);
    filter([=](const Host& host) { return means(host.kind, first) || means(host.kind, second); });
  }
  if (any.once_in(6)) {
    const int first = any.below(5) - 2;
    const int second = any.below(5) - 2;
    wanted.query += fmt::format("{}port={},{}", wanted.query.empty() ? "" : "&", first, second);
    filter([=](const Host& host) { return host.port == first || host.port == second; });
  }
  if (any.once_in(6)) {
    const bool ready = any.once_in(2);
    add("ready", ready ? "true" : "FALSE");
    filter([=](const Host& host) { return host.ready == ready; });
  }
  if (any.once_in(6)) {
    const auto part = any.of(std::vector<std::string>{"h", "HOST1", "ost2", "机", "%", "_1", "7"});
    add("name", part);
    filter([=](const Host& host) { return lower(host.name).find(lower(part)) != std::string::npos; });
  }
  if (any.once_in(6)) {
    // A comma would separate two values.
    const auto first = any.of(std::vector<std::string>{"a", "A", "80", "none"});
    const auto second = any.of(std::vector<std::string>{"a", "A", "80", "none"});
    add("tag", first);
    if (any.once_in(2)) {
      filter([=](const Host& host) { return std::ranges::find(host.tags, first) != host.tags.end(); });
    } else {
      add("tag", second);
      filter([=](const Host& host) {
        return std::ranges::any_of(host.tags, [&](const std::string& tag) { return tag == first || tag == second; });
      });
    }
  }
  if (any.once_in(6)) {
    const int port = any.of(std::vector<int>{80, 443, 8});
    add("open", std::to_string(port));
    filter([=](const Host& host) { return std::ranges::find(host.ports, port) != host.ports.end(); });
  }
  const int start = any.below(20);
  if (any.once_in(4)) {
    const Instant since{1'700'000'000 + start, 1000};
    add("since", time_text(since, 8 * 60));
    filter([=](const Host& host) { return host.started && *host.started >= since; });
  }
  if (any.once_in(4)) {
    const Instant before{1'700'000'000 + start + any.below(20), 2000};
    add("before", time_text(before, -30));
    filter([=](const Host& host) { return host.started && *host.started <= before; });
  }
  if (any.once_in(6)) {
    const double load = any.below(9) / 4.0 - 1;
    add("minLoad", fmt::format("{}", load));
    filter([=](const Host& host) { return host.load && *host.load >= load; });
  }
  if (any.once_in(6)) {
    const int load = any.below(3) - 1;
    add("maxLoad", std::to_string(load));
    filter([=](const Host& host) { return host.load && *host.load <= load; });
  }
  std::vector<std::string> fields{"name", "startedAt", "port", "load", "ready", "kind", "description"};
  for (int keys = any.once_in(3) ? 7 : any.below(4); keys > 0; --keys) {
    const auto field = fields.begin() + any.below(static_cast<int>(fields.size()));
    const bool descending = any.once_in(2);
    add("sort", *field + (descending ? ",desc" : ""));
    wanted.sort.emplace_back(*field, descending);
    fields.erase(field);
  }
  if (wanted.sort.empty()) wanted.sort = {{"startedAt", true}, {"name", false}};
  wanted.page = 1 + any.below(4);
  wanted.size = any.of(std::vector<std::int64_t>{1, 5, 50});
  add("page", std::to_string(wanted.page));
  add("size", std::to_string(wanted.size));
  return wanted;
}

// Below 0 where a comes first.
int compare(const Host& a, const Host& b, const std::pair<std::string, bool>& key) {
  const auto& [field, descending] = key;
  const auto order = [&](const auto& one, const auto& other) {
    if (!one || !other) return one ? -1 : other ? 1 : 0;
    const int up = *one < *other ? -1 : *other < *one ? 1 : 0;
    return descending ? -up : up;
  };
  const auto text = [](const std::string& value) { return value.empty() ? std::nullopt : std::optional(value); };
  if (field == "name") return order(text(a.name), text(b.name));
  if (field == "startedAt") return order(a.started, b.started);
  if (field == "port") return order(a.port, b.port);
  if (field == "load") return order(a.load, b.load);
  if (field == "ready") return order(a.ready, b.ready);
  if (field == "kind") return order(text(a.kind), text(b.kind));
  return order(a.description, b.description);
}

std::vector<const Host*> search(const std::vector<Host>& hosts, const std::string& zone, const Wanted& wanted) {
  std::vector<const Host*> found;
  for (const Host& host : hosts) {
    const bool passes = std::ranges::all_of(wanted.filters, [&](const auto& filter) { return filter(host); });
    if (host.zone == zone && passes) found.push_back(&host);
  }
  std::ranges::stable_sort(found, [&](const Host* a, const Host* b) {
    for (const auto& key : wanted.sort) {
      if (const int order = compare(*a, *b, key); order != 0) return order < 0;
    }
    return false;
  });
  return found;
}

// Returns how many of the requests found something.
int check_against_search(const Dataset& dataset, const std::vector<Host>& hosts, int requests, Any& any) {
  int fruitful = 0;
  for (int i = 0; i < requests; ++i) {
    const std::string zone = any.of(kZones);
    const Wanted wanted = random_wanted(any);
    CAPTURE(zone);
    CAPTURE(wanted.query);
    const std::vector<const Host*> all = search(hosts, zone, wanted);
    std::string expected;
    for (std::int64_t at = (wanted.page - 1) * wanted.size; at < std::min(wanted.page * wanted.size, std::ssize(all));
         ++at) {
      expected += (expected.empty() ? "" : ",") + json_of(*all[static_cast<std::size_t>(at)]);
    }
    const Request request = request_of("/api/v1/zones/" + percent_encode(zone) + "/hosts", wanted.query);
    // A second time, for orders are kept.
    for (int round = 0; round < 2; ++round) {
      const Page page = page_of(dataset, request);
      REQUIRE(page.total == std::ssize(all));
      REQUIRE(page.contents == expected);
    }
    if (!expected.empty()) ++fruitful;
  }
  return fruitful;
}

}  // namespace

TEST_CASE("synthetic: pages of any filters and orders are what a plain search finds") {
  Any any(1);
  for (const int count : {0, 1, 10, 300}) {
    CAPTURE(count);
    const std::vector<Host> hosts = random_hosts(count, any);
    const int fruitful = check_against_search(*load(fixtures(hosts)), hosts, 300, any);
    if (count == 300) CHECK(fruitful > 150);
  }
}

TEST_CASE("synthetic: they are so too among many rows, in a file and after changes") {
  Any any(2);
  std::vector<Host> hosts = random_hosts(3000, any);
  const TemporaryFolder folder;
  {
    const auto builder = DatasetBuilder::in_file(folder.path() / "d.db", synthetic_catalogue());
    load_fixture_text(router(), "hosts.json", fixtures(hosts), *builder);
    builder->finish();
  }
  const auto in_file = Dataset::open(folder.path() / "d.db", synthetic_catalogue());
  CHECK(check_against_search(*in_file, hosts, 60, any) > 30);
  const auto set = with_rows_set(in_file, hosts_resource(), read_json_text(R"({"ready":true,"port":1})"),
                                 read_json_text(R"({"port":2,"description":null})"));
  std::int64_t changed = 0;
  for (Host& host : hosts) {
    if (host.ready != true || host.port != 1) continue;
    host.port = 2;
    host.description.reset();
    host.null_description = true;
    ++changed;
  }
  CHECK(set.rows == changed);
  const auto removed = without_rows(set.dataset, hosts_resource(), read_json_text(R"({"zone":"z 1","kind":"K32"})"));
  const auto gone = std::erase_if(hosts, [](const Host& host) { return host.zone == "z 1" && host.kind == "K32"; });
  CHECK(removed.rows == static_cast<std::int64_t>(gone));
  CHECK(check_against_search(*removed.dataset, hosts, 60, any) > 30);
  CHECK(check_against_search(*load(export_fixtures(*removed.dataset)), hosts, 30, any) > 15);
}

TEST_CASE("synthetic: each filter finds what it says") {
  const auto dataset = load(
      R"([{"zone":"z","name":"one","kind":"K39","tags":["a","b"],"ports":[80],"load":1.5,"ready":true,"port":1,)"
      R"("startedAt":"2024-08-01T00:00:00Z"},)"
      R"({"zone":"z","name":"TWO","kind":"K00","tags":["B","80"],"ports":[443,80],"load":2,"ready":false,"port":2,)"
      R"("startedAt":"2024-08-01T00:00:00.5Z"},)"
      R"({"zone":"z","name":"three","kind":"K38","tags":[],"load":-1,"port":3},)"
      R"({"zone":"z","name":"none"}])");
  const struct {
    std::string query;
    std::string names;
    std::string exactly = "";  // where words are compared letter for letter, if that differs
  } cases[] = {
      {"", "TWO one none three"},
      {"kind=K00", "TWO one", "TWO"},
      {"kind=K39", "TWO one", "one"},
      {"kind=K38", "three"},
      {"kinds=K38,K39", "TWO one three", "one three"},
      {"kinds=K37", ""},
      {"port=1,3&port=2", "TWO one three"},
      {"ready=false", "TWO"},
      {"name=o", "TWO one none"},
      {"name=ON", "one none"},
      {"tag=b", "one"},
      {"tag=a,B", "TWO one"},
      {"tag=80", "TWO"},
      {"open=80", "TWO one"},
      {"open=443", "TWO"},
      {"since=2024-08-01T08:00:00%2B08:00", "TWO one"},
      {"since=2024-08-01T00:00:00.1Z", "TWO"},
      {"before=2024-08-01T00:00:00.499999999Z", "one"},
      {"minLoad=1.5", "TWO one"},
      {"maxLoad=1", "three"},
      {"minLoad=-1&maxLoad=2&ready=true&tag=a&open=80&kind=K39&port=1&name=ONE", "one"},
      {"size=2&page=2", "none three"},
      {"sort=ready&sort=name,desc", "TWO one three none"},
      {"sort=desc,load", "TWO one three none"},
  };
  const auto names = [&](const std::string& query, WordMatch match) {
    std::string found;
    const Request request = request_of("/api/v1/zones/z/hosts", query, "GET", {.word_match = match});
    for (const JsonValue& row : read_json_text("[" + page_of(*dataset, request).contents + "]").items) {
      found += (found.empty() ? "" : " ") + row.find("name")->value.text;
    }
    return found;
  };
  for (const auto& [query, expected, exactly] : cases) {
    CAPTURE(query);
    CHECK(names(query, WordMatch::Meaning) == expected);
    CHECK(names(query, WordMatch::Exact) == (exactly.empty() ? expected : exactly));
  }
}

TEST_CASE("synthetic: a row is got by its key, and what is missing is told") {
  const std::string one = R"({"description":null,"name":"one","zone":"z/1"})";
  const std::string other = R"({"name":"one","zone":"z2"})";
  const auto dataset = load(R"({"zones":[{"name":"empty","title":"E"}],"hosts":[)" + one + "," + other + "]}");
  const std::pair<std::string, std::string> cases[] = {
      {"/api/v1/zones/z%2F1/hosts/one", one},
      {"/api/v1/zones/z2/hosts/one", other},
      {"/api/v1/zones/z2/hosts/ONE", "404 20001"},
      {"/api/v1/zones/empty/hosts/one", "404 20001"},
      {"/api/v1/zones/none/hosts/one", "404 10002"},
      {"/api/v1/zones/z2/hosts", other},
      {"/api/v1/zones/empty/hosts", ""},
      {"/api/v1/zones/none/hosts", "404 10002"},
      {"/api/v1/zones/z2/hosts/busiest", other},
      {"/api/v1/zones/none/hosts/busiest", "404 10002"},
  };
  for (const auto& [path, expected] : cases) {
    CAPTURE(path);
    CHECK(answer(dataset, request_of(path)) == expected);
  }
  CHECK(answer(dataset, request_of("/api/v1/zones/z2/hosts/one", "", "DELETE")) == other);
}

TEST_CASE("synthetic: a row among many is got by its key at once, without looking at others") {
  Any any(3);
  const std::vector<Host> hosts = random_hosts(5000, any);
  const StepCounter counter;
  const auto dataset = load(fixtures(hosts));
  for (std::size_t i = 0; i < hosts.size(); i += 500) {
    const Host& host = hosts[i];
    const Request request =
        request_of(fmt::format("/api/v1/zones/{}/hosts/{}", percent_encode(host.zone), percent_encode(host.name)));
    std::optional<Outcome> outcome;
    CHECK(StepCounter::of([&] { outcome = perform(request, dataset); }) < 100);
    REQUIRE(std::holds_alternative<AnswerData>(*outcome));
    CHECK(std::get<AnswerData>(*outcome).page.contents == json_of(host));
  }
  const Request missing = request_of("/api/v1/zones/empty/hosts/none");
  CHECK(StepCounter::of([&] { CHECK(answer(dataset, missing) == "404 20001"); }) < 100);
  // Without the keys of its parents, too.
  const Request named = request_of("/api/v1/named/" + percent_encode(hosts[2500].name));
  CHECK(StepCounter::of([&] { CHECK(answer(dataset, named) == json_of(hosts[2500])); }) < 100);
  CHECK(StepCounter::of([&] { CHECK(answer(dataset, request_of("/api/v1/named/none")) == "404 20001"); }) < 100);
}

TEST_CASE("synthetic: a row is found by its key alone, and seen to change") {
  const auto origin = load(R"([{"zone":"z","name":"one","port":1,"$timeline":[{"at":"PT10S","port":2}]},)"
                           R"({"zone":"z","name":"two"}])");
  TimelineState state;
  at_time(origin, {0, 0}, {0, 0}, state);
  const auto find = [&](std::string_view path, std::int64_t at) {
    const auto dataset = find_at_time(request_of(path), origin, {0, 0}, {at, 0}, state);
    return dataset ? answer(dataset, request_of(path)) : "none";
  };
  CHECK(find("/api/v1/named/one", 9) == R"({"name":"one","port":1,"zone":"z"})");
  CHECK(find("/api/v1/named/one", 10) == "none");
  CHECK(find("/api/v1/regions", 10).empty());
  at_time(origin, {0, 0}, {10, 0}, state);
  CHECK(find("/api/v1/named/one", 10) == R"({"name":"one","port":2,"zone":"z"})");
}

TEST_CASE("synthetic: two rows with the same parents and key are refused, with the place of the second") {
  const auto refusal = [](const auto& action) -> std::string {
    try {
      action();
    } catch (const FixtureError& error) {
      return error.what();
    }
    return "";
  };
  const std::string one = R"({"zone":"z","name":"one","port":1})";
  const std::string told =
      "host 2: name is \"one\", and another host with zone \"z\" has it; each must have one of its own";
  const std::pair<std::string, std::string> cases[] = {
      {"[" + one + ",\n " + R"({"zone":"z","name":"one"}])", "hosts.json:2:2: " + told},
      {one + "\n" + R"({"zone":"z","name":"one","details":{}})", "hosts.json:2:1: " + told},
      {R"({"hosts":[)" + one + "," + one + "]}", "hosts.json:1:46: " + told},
  };
  for (const auto& [text, problem] : cases) {
    CAPTURE(text);
    CHECK(refusal([&, &text = text] { load(text); }) ==
          "the fixtures have 1 problem, nothing was loaded:\n  " + problem);
  }
  const auto dataset = load("[" + one + R"(,{"zone":"y","name":"one"},{"zone":"z","name":"two"}])");
  CHECK(refusal([&] { with_fixtures(router(), dataset, "hosts.json", one); }).find("hosts.json:1:1: host 1: name is") !=
        std::string::npos);
  CHECK(refusal([&] {
          with_rows_set(dataset, hosts_resource(), read_json_text(R"({"name":"two"})"),
                        read_json_text(R"({"name":"one"})"));
        }).find("name is \"one\", and another host") != std::string::npos);
  CHECK(with_rows_set(dataset, hosts_resource(), read_json_text(R"({"name":"two"})"),
                      read_json_text(R"({"name":"two","port":5})"))
            .rows == 1);
  // Many rows, of which no other index is kept.
  Any any(4);
  std::string many = "[";
  for (int i = 0; i < 12'000; ++i) many += fmt::format(R"({{"zone":"z","name":"h{}"}},)", i);
  CHECK(refusal([&] { load(many + R"({"zone":"z","name":"h7"}])"); }).find("host 12001: name is \"h7\"") !=
        std::string::npos);
  CHECK(page_of(*load(many + R"({"zone":"y","name":"h7"}])"), request_of("/api/v1/zones/z/hosts")).total == 12'000);
}

TEST_CASE("synthetic: a row takes the place of one that was known as the parent of others only") {
  const auto builder = DatasetBuilder::in_memory(synthetic_catalogue());
  builder->add_implied(hosts_resource(), std::vector<SqlValue>{"z", "two"}, std::nullopt);
  const auto known = builder->finish();
  CHECK(answer(known, request_of("/api/v1/named/two")) == R"({"name":"two","zone":"z"})");
  const auto more = with_fixtures(router(), known, "hosts.json", R"([{"zone":"z","name":"two","port":7}])").dataset;
  CHECK(answer(more, request_of("/api/v1/zones/z/hosts")) == R"({"name":"two","port":7,"zone":"z"})");
}

TEST_CASE("synthetic: an export has the rows that are only declared, wherever they belong") {
  const std::string text = R"({"zones":[{"name":"a","title":"A"},{"name":"b"}],)"
                           "\n"
                           R"("hosts":[)"
                           "\n"
                           R"({"name":"one","port":1,"zone":"a","disks":[{"slot":1,"model":"M"},{"slot":2}]},)"
                           "\n"
                           R"({"name":"one","zone":"b","disks":[{"slot":1}]},)"
                           "\n"
                           R"({"name":"two","zone":"b"}],)"
                           "\n"
                           R"("regions":[]})"
                           "\n";
  const auto dataset = load(text);
  std::string disks;
  const Outline keys = dataset->keys(*synthetic_catalogue().find_resource("disks"));
  for (const Outline& zone : keys.children) {
    for (const Outline& host : zone.children) disks += fmt::format("{} ", host.children.size());
  }
  CHECK(disks == "2 1 0 ");
  const std::string exported = export_fixtures(*dataset);
  CHECK(exported.find(R"("disks":[{"slot":1,"model":"M"},{"slot":2}])") != std::string::npos);
  CHECK(export_fixtures(*load(exported)) == exported);
}

TEST_CASE("synthetic: a list without parents and paging has all rows, in the order of the fixtures") {
  std::string text = "[";
  std::string all;
  for (int i = 0; i < 3000; ++i) {
    const std::string row = fmt::format(R"({{"name":"r{}","order":{}}})", i * 7 % 3000, i);
    all += (i == 0 ? "" : ",") + row;
  }
  const std::string described = R"({"description":"the East","name":"x"})";
  const auto dataset = load(R"({"regions":[)" + all + "," + described + "]}");
  CHECK(answer(dataset, request_of("/api/v1/regions")) == all + "," + described);
  const auto found = [&](const std::string& query) {
    return answer(dataset, request_of("/api/v1/regions", query, "POST"));
  };
  CHECK(found("dryRun=true&keyword=EAST") == described);
  CHECK(found("dryRun=false&keyword=r2999") == R"({"name":"r2999","order":857})");
  CHECK(found("dryRun=false") == all + "," + described);
  CHECK(answer(load("[]"), request_of("/api/v1/regions")).empty());
}

TEST_CASE("synthetic: zones are told with their titles, those of hosts and those that are declared") {
  const auto dataset =
      load(R"({"zones":[{"name":"b","title":"B"},{"name":"empty"}],"hosts":[{"zone":"b","name":"1","zoneTitle":"not"},)"
           R"({"zone":"a","name":"1","zoneTitle":"A"},{"zone":"a","name":"2"}]})");
  std::string text;
  for (const Outline& zone : dataset->outline(hosts_resource()).children) {
    text += fmt::format("{} {} {}; ", std::get<std::string>(zone.key), zone.label.value_or("-"), zone.rows);
  }
  CHECK(text == "a A 2; b B 1; empty - 0; ");
}

TEST_CASE("synthetic: a resource without rows has no table, and all that is asked of it is answered") {
  const auto dataset = load(R"([{"zone":"z","name":"one"}])");
  CHECK_NOTHROW(dataset->query_plan({"SELECT 1 FROM host", {}}));
  CHECK_THROWS_WITH(dataset->query_plan({"SELECT 1 FROM region", {}}), "no such table: region");
  const Resource& regions = *synthetic_catalogue().find_resource("regions");
  CHECK(answer(dataset, request_of("/api/v1/regions")).empty());
  CHECK(answer(load("[]"), request_of("/api/v1/zones/z/hosts")) == "404 10002");
  CHECK(dataset->outline(regions).rows == 0);
  const Explanation explanation = dataset->explain(request_of("/api/v1/regions", "dryRun=true&keyword=x", "POST"));
  CHECK(explanation.rows == std::vector<std::int64_t>{0, 0});
  CHECK(explanation.page.empty());
  CHECK(without_rows(dataset, regions, read_json_text("{}")).rows == 0);
  CHECK(with_rows_set(dataset, regions, read_json_text("{}"), read_json_text(R"({"order":1})")).rows == 0);
  const auto more = with_fixtures(router(), dataset, "regions.json", R"([{"name":"r"}])").dataset;
  CHECK(answer(more, request_of("/api/v1/regions")) == R"({"name":"r"})");
  CHECK(answer(more, request_of("/api/v1/zones/z/hosts")) == R"({"name":"one","zone":"z"})");
  const TemporaryFolder folder;
  {
    const auto builder = DatasetBuilder::in_file(folder.path() / "d.db", synthetic_catalogue());
    load_fixture_text(router(), "regions.json", R"([{"name":"r"}])", *builder);
    builder->finish();
  }
  const auto in_file = Dataset::open(folder.path() / "d.db", synthetic_catalogue());
  CHECK(answer(in_file, request_of("/api/v1/regions")) == R"({"name":"r"})");
  CHECK(answer(in_file, request_of("/api/v1/zones/z/hosts")) == "404 10002");
}
