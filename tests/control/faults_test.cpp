#include "control/faults.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "log_backup_tasks.h"

using namespace ocp_mock;
using Wire = http::WireBehavior::Fault;

namespace {

RequestView get(std::string_view path, std::string_view query = "", std::string_view user = "admin") {
  return {"GET", path, query, {}, user, {}};
}

std::int64_t arm(Faults& faults, const std::string& json) { return faults.add(read_json_text(json)); }

std::string refusal(const std::string& json) {
  Faults faults;
  try {
    arm(faults, json);
  } catch (const JsonFieldError& error) {
    CHECK(faults.size() == 0);
    return error.what();
  }
  return "none";
}

// Which of so many requests a fault hits, a letter a request.
std::string hits(const std::string& json, int requests) {
  Faults faults;
  arm(faults, json);
  std::string text;
  for (int i = 0; i < requests; ++i) text += faults.fire(get("/a")) ? 'x' : '.';
  return text;
}

}  // namespace

TEST_CASE("faults: how often one fires") {
  CHECK(hits(R"({"action":{"status":503}})", 4) == "xxxx");
  CHECK(hits(R"({"action":{"status":503},"times":2})", 4) == "xx..");
  CHECK(hits(R"({"action":{"status":503},"every":3})", 7) == "..x..x.");
  CHECK(hits(R"({"action":{"status":503},"every":2,"times":1})", 5) == ".x...");
  CHECK(hits(R"({"steps":[{"status":503},"normal",{"status":503}]})", 5) == "xxx..");
  CHECK(hits(R"({"action":{"status":503},"probability":0})", 50) == std::string(50, '.'));
  CHECK(hits(R"({"action":{"status":503},"probability":1})", 50) == std::string(50, 'x'));
  const std::string half = R"({"action":{"status":503},"probability":0.5,"seed":7})";
  CHECK(hits(half, 200) == hits(half, 200));
  CHECK(hits(half, 200) != hits(R"({"action":{"status":503},"probability":0.5,"seed":8})", 200));
  const std::string drawn = hits(half, 1000);
  const auto count = std::count(drawn.begin(), drawn.end(), 'x');
  CHECK(count > 400);
  CHECK(count < 600);
}

TEST_CASE("faults: what a step does") {
  const auto action = [](const std::string& json) {
    Faults faults;
    arm(faults, "{\"action\":" + json + "}");
    return faults.fire(get("/a"))->action;
  };
  const FaultAction error = action(R"({"status":503,"code":7,"message":"m","retryAfter":3,"delayMs":5})");
  REQUIRE(error.answer);
  CHECK(error.answer->status == 503);
  CHECK(error.answer->code == 7);
  CHECK(error.answer->message == "m");
  CHECK(error.retry_after == 3);
  CHECK(error.delay == std::chrono::milliseconds(5));
  CHECK(action(R"({"status":502,"html":true})").html_status == 502);
  CHECK(action(R"({"fault":"CONNECTION_RESET_BY_PEER"})").wire.fault == Wire::ResetConnection);
  CHECK(action(R"({"fault":"EMPTY_RESPONSE"})").wire.fault == Wire::EmptyResponse);
  CHECK(action(R"({"fault":"MALFORMED_RESPONSE_CHUNK"})").wire.fault == Wire::MalformedChunk);
  CHECK(action(R"({"fault":"RANDOM_DATA_THEN_CLOSE"})").wire.fault == Wire::RandomData);
  CHECK(action(R"({"truncateAt":12})").wire.truncate_at == 12);
  const auto dribble = action(R"({"chunkedDribble":{"numberOfChunks":5,"totalDuration":1000}})").wire;
  CHECK(dribble.dribble_chunks == 5);
  CHECK(dribble.dribble_time == std::chrono::seconds(1));
}

TEST_CASE("faults: delays that are drawn stay in their bounds, and come again from the same seed") {
  const auto draws = [](const std::string& delay) {
    Faults faults;
    arm(faults, "{\"seed\":3,\"action\":{\"delayMs\":" + delay + "}}");
    std::vector<std::int64_t> times;
    for (int i = 0; i < 500; ++i) times.push_back(faults.fire(get("/a"))->action.delay.count());
    return times;
  };
  const auto uniform = draws(R"({"type":"uniform","lower":100,"upper":200})");
  CHECK(std::ranges::min(uniform) >= 100);
  CHECK(std::ranges::max(uniform) < 200);
  CHECK(std::ranges::max(uniform) - std::ranges::min(uniform) > 80);
  auto lognormal = draws(R"({"type":"lognormal","median":1000,"sigma":0.5})");
  CHECK(lognormal == draws(R"({"type":"lognormal","median":1000,"sigma":0.5})"));
  std::ranges::sort(lognormal);
  CHECK(lognormal[250] > 850);
  CHECK(lognormal[250] < 1150);
  for (const auto time : draws(R"({"type":"lognormal","median":3600000,"sigma":10})")) CHECK(time <= kLongestDelay);
  for (const auto time : draws(R"({"type":"lognormal","median":50,"sigma":0})")) CHECK(time == 50);
}

TEST_CASE("faults: the first one that is due fires, and each counts what matches it") {
  Faults faults;
  CHECK(arm(faults, R"({"match":{"path":"/a"},"times":1,"action":{"status":500}})") == 1);
  CHECK(arm(faults, R"({"match":{"method":"GET"},"action":{"status":503}})") == 2);
  CHECK(arm(faults, R"({"match":{"user":"nobody"},"action":{"status":404}})") == 3);
  CHECK(faults.fire(get("/a"))->id == 1);
  CHECK(faults.fire(get("/a"))->id == 2);
  CHECK(faults.fire(get("/b"))->id == 2);
  CHECK_FALSE(faults.fire({"POST", "/b", "", {}, "admin", {}}));
  CHECK(
      faults.list() ==
      std::vector<std::string>{
          R"({"fault":{"action":{"status":500},"match":{"path":"/a"},"times":1},"fired":1,"id":1,"matched":2,"spent":true})",
          R"({"fault":{"action":{"status":503},"match":{"method":"GET"}},"fired":2,"id":2,"matched":3,"spent":false})",
          R"({"fault":{"action":{"status":404},"match":{"user":"nobody"}},"fired":0,"id":3,"matched":0,"spent":false})"});
  CHECK(faults.never_fired() == std::vector<std::int64_t>{3});
  CHECK(faults.with_steps_left().empty());
  Faults copy;
  copy.set_as(faults);
  CHECK(copy.never_fired() == std::vector<std::int64_t>{1, 2, 3});
  CHECK(copy.fire(get("/a"))->id == 1);
  CHECK(arm(copy, R"({"steps":[{"status":503}]})") == 4);
  CHECK(copy.with_steps_left() == std::vector<std::int64_t>{4});
  CHECK(faults.remove(2));
  CHECK_FALSE(faults.remove(2));
  CHECK_FALSE(faults.fire(get("/b")));
  faults.clear();
  CHECK(faults.size() == 0);
  CHECK(arm(faults, R"({"action":{"status":503}})") == 4);
}

TEST_CASE("faults: what cannot be armed is said, with its place") {
  const std::pair<std::string, std::string> cases[] = {
      {"[]", "1:1: this must be an object"},
      {"{}", "1:1: give either \"action\" (an object) or \"steps\" (an array)"},
      {R"({"action":{},"steps":[]})", "1:1: give either \"action\" (an object) or \"steps\" (an array)"},
      {R"({"action":5})", "1:2: action must be an object"},
      {R"({"steps":[]})", "1:2: steps must have 1 to 1000 items"},
      {R"({"steps":["abnormal"]})", "1:20: a step must be an object, or \"normal\""},
      {R"({"action":{"status":200}})", "1:12: status must be an integer from 400 to 599"},
      {R"({"action":{"status":"503"}})", "1:12: status must be an integer from 400 to 599"},
      {R"({"action":{"code":1}})", "1:11: code, message and html need a status"},
      {R"({"action":{"status":502,"html":true,"code":1}})", "1:11: html cannot be combined with code and message"},
      {R"({"action":{"fault":"RESET"}})",
       "1:12: fault must be one of CONNECTION_RESET_BY_PEER, EMPTY_RESPONSE, MALFORMED_RESPONSE_CHUNK, "
       "RANDOM_DATA_THEN_CLOSE"},
      {R"({"action":{"truncateAt":-1}})", "1:12: truncateAt must be an integer from 0 to 9223372036854775807"},
      {R"({"action":{"truncateAt":1,"fault":"EMPTY_RESPONSE"}})",
       "1:11: give only one of fault, truncateAt and chunkedDribble"},
      {R"({"action":{"chunkedDribble":{"numberOfChunks":1}}})", "1:29: give both numberOfChunks and totalDuration"},
      {R"({"action":{"delayMs":-1}})", "1:12: delayMs must be an integer from 0 to 3600000"},
      {R"({"action":{"delayMs":{"type":"normal"}}})",
       "1:23: type must be uniform or lognormal; did you mean 'lognormal'?"},
      {R"({"action":{"delayMs":{"typ":"uniform"}}})",
       "1:22: type is missing; it must be a string; did you mean 'type' by 'typ'?"},
      {R"({"action":{"delayMs":{"type":"uniform","lowr":5,"upper":6}}})",
       "1:40: 'lowr' is unknown here; known are lower, type, upper; did you mean 'lower'?"},
      {R"({"action":{"fault":"EMPTY_RESPONCE"}})",
       "1:12: fault must be one of CONNECTION_RESET_BY_PEER, EMPTY_RESPONSE, MALFORMED_RESPONSE_CHUNK, "
       "RANDOM_DATA_THEN_CLOSE; did you mean 'EMPTY_RESPONSE'?"},
      {R"({"action":{"code":1,"staus":503}})",
       "1:21: 'staus' is unknown here; known are chunkedDribble, code, delayMs, fault, html, message, retryAfter, "
       "status, task, truncateAt; did you mean 'status'?"},
      {R"({"actoin":{"status":503}})",
       "1:2: 'actoin' is unknown here; known are action, every, match, probability, seed, steps, times; did you mean "
       "'action'?"},
      {R"({"action":{"status":503},"match":{"method":"get"}})",
       "1:35: method is 'get'; methods are compared letter for letter, so it must be 'GET'"},
      {R"({"action":{"status":503},"match":{"path":"/__admin/health"}})",
       "1:35: path is '/__admin/health'; admin calls meet no faults and are in no journal"},
      {R"({"action":{"delayMs":{"type":"uniform","lower":5,"upper":4}}})", "1:50: upper must not be below lower"},
      {R"({"action":{"delayMs":{"type":"uniform","lower":5}}})", "1:22: upper is missing; it must be a number"},
      {R"({"action":{"status":503},"times":0})", "1:26: times must be an integer from 1 to 9223372036854775807"},
      {R"({"action":{"status":503},"every":2,"probability":0.5})", "1:26: every cannot be combined with probability"},
      {R"({"action":{"status":503},"probability":1.1})", "1:26: probability must be a number from 0 to 1"},
      {R"({"steps":[{"status":503}],"times":2})",
       "1:27: times cannot be combined with steps, each of which happens once"},
      {R"({"action":{"status":503},"match":{"pth":"/a"}})",
       "1:35: 'pth' is unknown here; known are body, headers, method, path, pathPrefix, pathTemplate, query, user; did "
       "you "
       "mean 'path'?"},
      {R"({"action":{"stats":503}})",
       "1:12: 'stats' is unknown here; known are chunkedDribble, code, delayMs, fault, html, message, retryAfter, "
       "status, task, truncateAt; did you mean 'status'?"},
      {R"({"action":{}})", "1:11: a step must do something, or be \"normal\""},
      {R"({"action":{"status":503,"fault":"EMPTY_RESPONSE"}})",
       "1:11: fault lets no answer through, so it cannot be combined with status or retryAfter"},
      {R"({"actions":{"status":503},"action":{"status":503}})",
       "1:2: 'actions' is unknown here; known are action, every, match, probability, seed, steps, times; did you mean "
       "'action'?"},
  };
  for (const auto& [json, text] : cases) {
    CAPTURE(json);
    CHECK(refusal(json) == text);
  }
  Faults faults;
  for (std::size_t i = 0; i < kMostFaults; ++i) arm(faults, R"({"action":{"status":503}})");
  CHECK_THROWS_WITH(arm(faults, R"({"action":{"status":503}})"),
                    "1:1: the limit of 1000 armed faults is reached; delete one first");
}

TEST_CASE("faults: without wire faults an answer can be delayed and replaced, and leaves as usual") {
  Faults faults(false);
  CHECK(arm(faults, R"({"action":{"status":503,"delayMs":5,"retryAfter":1}})") == 1);
  CHECK(arm(faults, R"({"steps":[{"status":502,"html":true},"normal"]})") == 2);
  for (const std::string step : {R"({"fault":"EMPTY_RESPONSE"})", R"({"truncateAt":1})",
                                 R"({"chunkedDribble":{"numberOfChunks":2,"totalDuration":10}})"}) {
    CAPTURE(step);
    CHECK_THROWS_WITH(arm(faults, R"({"action":)" + step + "}"),
                      "1:11: fault, truncateAt and chunkedDribble need --http-engine epoll");
    CHECK_THROWS_WITH(arm(faults, R"({"steps":["normal",)" + step + "]}"),
                      "1:20: fault, truncateAt and chunkedDribble need --http-engine epoll");
  }
  CHECK(faults.size() == 2);
}

TEST_CASE("faults: a subtask that no request can start does not fail") {
  const auto verdict = [](const std::string& json) -> std::string {
    Faults faults;
    try {
      RequestFacts facts;
      facts.router = &ocp_router();
      faults.add(read_json_text(json), facts);
    } catch (const JsonFieldError& error) {
      CHECK(faults.size() == 0);
      return error.what();
    }
    return "armed";
  };
  const auto of = [&](const std::string& match, const std::string& fails) {
    return verdict(R"({"match":{)" + match + R"(},"action":{"task":{"fails":)" + fails + "}}}");
  };
  const std::string create = R"("pathTemplate":"/api/v2/ob/clusters/{id}/tenants/createTenant")";
  CHECK(of(create, R"("Create ob tenant")") == "armed");
  CHECK(of(create, "0") == "armed");
  CHECK(of(create, "99").find("fails is '99'; it must be a place from 0 to ") != std::string::npos);
  const std::string misspelt = of(create, R"("Create ob tenat")");
  CHECK(misspelt.starts_with("1:117: fails is 'Create ob tenat'; it must be a place from 0 to "));
  CHECK(misspelt.find(", or one of ") != std::string::npos);
  CHECK(misspelt.ends_with("; did you mean 'Create ob tenant'?"));
  // By an alias, by a path, by a beginning, and by none.
  CHECK(of(R"("path":"/api/v2/ob/clusters/7/tenants","method":"POST")", R"("Create ob tenant")") == "armed");
  CHECK(of(R"("pathPrefix":"/api/v2/ob/clusters/7/ten")", R"("Create ob tenant")") == "armed");
  CHECK(verdict(R"({"action":{"task":{"fails":"Create ob tenant"}}})") == "armed");
  CHECK(verdict(R"({"steps":["normal",{"task":{"fails":"Create a tenant"}}]})")
            .find("the name of a subtask that a request that matches starts") != std::string::npos);
  // Of several endpoints one is enough.
  CHECK(of(R"("pathTemplate":"/api/v2/ob/clusters/{id}/{what}")", R"("Stop observer process")") == "armed");
  const std::string none = "task: no request that matches starts a task";
  CHECK(of(R"("pathTemplate":"/api/v2/ob/clusters/{id}/tenants/{tenantId}/lock")", "0").ends_with(none));
  CHECK(of(R"("pathTemplate":"/nowhere")", "0").ends_with(none));
  CHECK(of(create + R"(,"method":"GET")", "0").ends_with(none));
}
