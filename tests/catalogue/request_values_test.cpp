// Parameters of every type, and lists of the lenient kind, by the catalogue of the tests.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "catalogue/parsed_request.h"
#include "catalogue/synthetic.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

namespace {

const Endpoint& synthetic(std::string_view method, std::string_view template_path) {
  const auto is_it = [&](const Endpoint& e) { return e.method == method && e.path == template_path; };
  return *std::ranges::find_if(synthetic_catalogue().endpoints, is_it);
}

const Endpoint& hosts() { return synthetic("GET", "/api/v1/zones/{zoneName}/hosts"); }
const Endpoint& search() { return synthetic("POST", "/api/v1/regions"); }

// "name=value|value name=value", times as SECOND.NANO.
std::string conditions(const Request& request) {
  std::string text;
  for (const Condition& condition : request.conditions) {
    text += fmt::format("{}{}=", text.empty() ? "" : " ", condition.parameter->name);
    for (const Value& value : condition.values) {
      if (&value != &condition.values.front()) text += '|';
      if (const auto* integer = std::get_if<std::int64_t>(&value)) text += fmt::format("i{}", *integer);
      if (const auto* number = std::get_if<double>(&value)) text += fmt::format("d{}", *number);
      if (const auto* string = std::get_if<std::string>(&value)) text += fmt::format("'{}'", *string);
      if (const auto* time = std::get_if<Instant>(&value)) text += fmt::format("t{}.{}", time->second, time->nano);
    }
  }
  return text;
}

}  // namespace

TEST_CASE("request: values have the type of the field that they are compared with") {
  const std::pair<std::string, std::string> cases[] = {
      {"", ""},
      {"kind=K07", "kind='K07'"},
      {"kind=K39", "kind='K00'|'K39'"},
      {"kind=+K38+", "kind='K38'"},
      {"kinds=K38,K01&port=3", "kinds='K01'|'K38' port=i3"},
      {"port=3306,2883,3306", "port=i3306|i2883"},
      {"port=1&port=-2", "port=i1|i-2"},
      {"port=+1+,%202", "port=i1|i2"},
      {"ready=true", "ready=i1"},
      {"ready=False", "ready=i0"},
      {"name=a%20B,c", "name='a B,c'"},
      {"tag=b,a&tag=b", "tag='b'|'a'"},
      {"open=22", "open=i22"},
      {"since=2024-08-06T00:00:00Z", "since=t1722902400.0"},
      {"since=2024-08-06T08:00:00.123456%2B08:00", "since=t1722902400.123456000"},
      {"before=2024-08-05T20:30:00-03:30", "before=t1722902400.0"},
      {"minLoad=1.5", "minLoad=d1.5"},
      {"minLoad=-1e3", "minLoad=d-1000"},
      {"maxLoad=2", "maxLoad=d2"},
      // In the order of the catalogue.
      {"maxLoad=2&port=1&kind=K01", "kind='K01' port=i1 maxLoad=d2"},
  };
  for (const auto& [query, expected] : cases) {
    CAPTURE(query);
    const Parsed request = parse(hosts(), {"z 1"}, query);
    CHECK(conditions(request) == expected);
    CHECK(request.path == std::vector<Value>{std::string("z 1")});
  }
}

TEST_CASE("request: a value of the wrong type is refused by name") {
  const std::string integer = "it must be a 64-bit integer in decimal digits.";
  const std::string number = "it must be a number in decimal digits.";
  const std::string boolean = "it must be true or false.";
  const std::string time =
      "it must be a time with an offset, such as 2024-08-09T16:06:02.743+08:00 or 2024-08-09T08:06:02Z, and a + in a "
      "query must be sent as %2B.";
  const struct {
    std::string name;
    std::string value;
    std::string rule;
  } cases[] = {
      {"port", "1.0", integer},
      {"port", "x", integer},
      {"open", "", integer},
      {"minLoad", "", number},
      {"minLoad", "nan", number},
      {"minLoad", "inf", number},
      {"minLoad", "1e999", number},
      {"minLoad", "1x", number},
      {"maxLoad", "1.5", integer},
      {"ready", "", boolean},
      {"ready", "1", boolean},
      {"ready", "truex", boolean},
      {"since", "", time},
      {"since", "2024-08-06", time},
      {"before", "2024-08-06T00:00:00", time},
      {"before", "2024-02-30T00:00:00Z", time},
  };
  for (const auto& [name, value, rule] : cases) {
    CAPTURE(value);
    CHECK(refusal(hosts(), {"z"}, name + "=" + value) == "400 0 Parameter '" + name + "' is '" + value + "'; " + rule);
  }
  CHECK(refusal(hosts(), {"z"}, "port=1,x") == "400 0 Parameter 'port' is 'x'; " + integer);
  CHECK(refusal(hosts(), {"z"}, "since=2024-08-06T00:00:00+08:00") ==
        "400 0 Parameter 'since' is '2024-08-06T00:00:00 08:00'; " + time);
  CHECK(
      refusal(hosts(), {"z"}, "kind=K40").starts_with("400 0 Parameter 'kind' is 'K40'; it must be one of K00, K01, "));
  CHECK(refusal(hosts(), {"z"}, "kind=K01,K02").starts_with("400 0 Parameter 'kind' is 'K01,K02'; "));
}

TEST_CASE("request: bounds of one time must not cross, bounds of a number may") {
  CHECK(refusal(hosts(), {"z"}, "since=2024-08-07T00:00:00Z&before=2024-08-07T00:00:00%2B00:01") ==
        "400 10005 Parameter 'since' is '2024-08-07T00:00:00Z', after 'before', which is '2024-08-07T00:00:00+00:01'; "
        "it must not be later than before.");
  CHECK(refusal(hosts(), {"z"}, "since=2024-08-07T00:00:00Z&before=2024-08-06T23:59:00-00:01") == "accepted");
  CHECK(refusal(hosts(), {"z"}, "minLoad=2&maxLoad=1") == "accepted");
}

TEST_CASE("request: empty texts and words filter nothing and are noted") {
  for (const std::string query : {"name=", "kind=", "kind=+", "kinds=", "tag=,", "port=", "port=,"}) {
    CAPTURE(query);
    const Parsed request = parse(hosts(), {"z"}, query);
    CHECK(request.conditions.empty());
    CHECK(rules(request) == std::vector{Message::EmptyValue});
  }
  CHECK(conditions(parse(hosts(), {"z"}, "name=+")) == "name=' '");
}

TEST_CASE("request: a required parameter must be given, in the order of the parameters") {
  CHECK(refusal(search(), {}, "") == "400 0 Parameter 'dryRun' is missing; it must be given.");
  CHECK(refusal(search(), {}, "dryRun=").starts_with("400 0 Parameter 'dryRun' is ''; it must be true or false."));
  const Parsed request = parse(search(), {}, "dryRun=true&keyword=x");
  CHECK(conditions(request) == "keyword='x'");
  CHECK(request.size == 0);
  CHECK(request.page == 1);
}

TEST_CASE("request: of a Pageable list a wrong page or size counts as the default, and is noted") {
  const Parsed defaults = parse(hosts(), {"z"}, "");
  CHECK(defaults.page == 1);
  CHECK(defaults.size == 5);
  for (const std::string text : {"", "0", "-1", "x", "1.0", "9223372036854775808"}) {
    CAPTURE(text);
    const Parsed request = parse(hosts(), {"z"}, "page=" + text + "&size=" + text);
    CHECK(request.page == 1);
    CHECK(request.size == 5);
    CHECK(rules(request) == std::vector{Message::CountsAsDefault, Message::CountsAsDefault});
  }
  CHECK(parse(hosts(), {"z"}, "size=0").violations.at(0).text(Language::English) ==
        "Parameter 'size' is '0'; it must be a 64-bit integer of at least 1. OCP takes 5 for it, --strict refuses it.");
  const Parsed large = parse(hosts(), {"z"}, "page=7&size=51");
  CHECK(large.page == 7);
  CHECK(large.size == 50);
  CHECK(large.violations.at(0).arguments == std::vector<Argument>{"size", "51", "50"});
}

TEST_CASE("request: a Pageable list may be sorted by seven fields, the direction on either side") {
  const std::string seven =
      "sort=kind&sort=desc,load&sort=ready,asc&sort=ASC,port&sort=startedAt,Desc&sort=name&sort=description,desc";
  CHECK(sort(parse(hosts(), {"z"}, seven)) == "kind+ load- ready+ port+ startedAt- name+ description- ");
  CHECK(sort(parse(hosts(), {"z"}, "sort=desc,load&sort=load")) == "load- ");
  for (const std::string value : {"", "desc", "asc,desc", "load,load", "desc,tags", "zone", "load,desc,asc"}) {
    CAPTURE(value);
    CHECK(refusal(hosts(), {"z"}, "sort=" + value) ==
          "400 0 Parameter 'sort' is '" + value +
              "'; it must be a field, or a field and ',asc' or ',desc', with one of "
              "the fields name, startedAt, port, load, ready, kind, description.");
  }
  // Of the strict kind it is behind the field only.
  CHECK(refusal(path(), "sort=desc,delay").starts_with("400"));
}
