// Rows of the shapes that OCP's own catalogue does not have yet, against a plain search through the same rows.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ocp/url.h"
#include "store/changes.h"
#include "store/dataset_builder.h"
#include "store/synthetic_hosts.h"
#include "temporary_folder.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

namespace {

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
