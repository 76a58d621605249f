// What the log and the journal keep of a request.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "app/fixed_app.h"
#include "ocp/digest.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

TEST_CASE("app: a log line cannot be forged by a request") {
  Fixed app;
  app.get("/a\nb\x7F\xFF", {{"x-trace-id", "evil\xE9"}});
  CHECK(contains(app.log(), "GET /a%0Ab%7F%FF 400 "));
}

TEST_CASE("app: at log level debug a refused access key shows the string that the server signed, and no secret") {
  AppOptions options;
  add_access_key(options.credentials, "AK", {"geheim", "AK"});
  Fixed app(options);
  app.set_level(spdlog::level::debug);
  const Headers headers{{"Host", "h"},
                        {"Date", "Tue, 01 Jan 2030 00:00:00 GMT"},
                        {"Authorization", "OCP-ACCESS-KEY-HMACSHA1 AK:" + sign("other", "x")}};
  CHECK(app.get(kPath + "?page=1", headers).status == 401);
  CHECK(contains(app.log(), "the string that the server signed, trace id 0123456789abcdef: \"GET\\n\\n\\n"));
  CHECK(contains(app.log(), "Tue, 01 Jan 2030 00:00:00 GMT\\nh\\n\\n" + kPath + "?page=1\"\n"));
  CHECK_FALSE(contains(app.log(), "geheim"));
  CHECK_FALSE(contains(app.log(), sign("other", "x")));
}

TEST_CASE("app: the log shows no password of a target in absolute form") {
  Fixed app;
  app.get("http://admin:geheim@ocp.example" + kPath + "?page=1");
  CHECK(contains(app.log(), "GET " + kPath + "?page=1 200 "));
  for (const std::string target : {"//admin:geheim@h/api/status", "http:admin:geheim@h/", "admin:geheim@h:80",
                                   "https://admin:geheim@h", "//admin:geheim@h/%zz"}) {
    CHECK_FALSE(contains(app.get(target).body, "geheim"));
  }
  CHECK_FALSE(contains(app.log(), "geheim"));
  app.get("/a@b");
  CHECK(contains(app.log(), "GET /a@b 404 "));
}

TEST_CASE("app: the journal keeps a beginning of each text, and no user of a URL") {
  Fixed app;
  const std::string long_text(5000, 'x');
  const std::string cut_text = std::string(4096, 'x') + "...";
  app.get("/" + long_text + "?q=" + long_text, {{"x-trace-id", long_text},
                                                {"Authorization", "Basic " + base64_encode(long_text + ":secret")},
                                                {"X-Long", long_text},
                                                {"Referer", "https://user:geheim@host/" + long_text}});
  app.get("/short", {{"Referer", "https://user:geheim@host/a?b=c@d"}, {"X-From", "me@host"}, {"Origin", "http://h"}});
  const Journal::View view = app.worlds().base().journal().view();
  REQUIRE(view.entries.size() == 2);
  const JournalEntry& entry = *view.entries[0];
  CHECK(entry.trace_id == cut_text);
  CHECK(entry.user == cut_text);
  CHECK(entry.path == "/" + std::string(4095, 'x') + "...");
  CHECK(entry.query == "q=" + std::string(4094, 'x') + "...");
  CHECK(entry.headers.find("X-Long") == cut_text);
  CHECK(entry.headers.find("Referer")->starts_with("https://***@host/xxx"));
  CHECK(entry.headers.find("Referer")->size() == 4099);
  const auto parts = [](auto... part) { return (static_cast<unsigned>(part) | ...); };
  CHECK(entry.cut == parts(RequestPart::Path, RequestPart::Query, RequestPart::Headers, RequestPart::User));
  const JournalEntry& other = *view.entries[1];
  CHECK(other.cut == 0);
  CHECK(other.headers.find("Referer") == "https://***@host/a?b=c@d");
  CHECK(other.headers.find("X-From") == "me@host");
  CHECK(other.headers.find("Origin") == "http://h");
  Headers many;
  for (int i = 0; i < 150; ++i) many.add("X-" + std::to_string(i), "y");
  app.get("/many", many);
  const auto last = app.worlds().base().journal().view().entries.back();
  CHECK(last->headers.size() == 100);
  CHECK(last->cut == parts(RequestPart::Headers));
}

TEST_CASE("app: nothing in the log steers a terminal or hides what follows") {
  Fixed app;
  app.get("/a\u009b2J\u202eb", {{"x-trace-id", "t\u2028\u200b"}});
  app.set_level(spdlog::level::debug);
  const std::string log = app.log();
  CHECK(contains(log, "/a%C2%9B2J%E2%80%AEb"));
  CHECK(contains(log, "t%E2%80%A8%E2%80%8B"));
  for (const std::string sign : {"\u009b", "\u202e", "\u2028", "\u200b"}) CHECK_FALSE(contains(log, sign));
}

TEST_CASE("app: neither journal nor log has a password of a URL in a query") {
  Fixed app;
  app.get(kPath + "?status=https://user:geheim@host/&u=https%3A%2F%2Fuser%3Ageheim%40host%2F",
          {{"X-Back", "http://h/?u=https%3A%2F%2Fuser%3Ageheim%40host%2F"}});
  const auto entry = app.worlds().base().journal().view().entries.back();
  CHECK(entry->query == "status=https://***@host/&u=https%3A%2F%2F***%40host%2F");
  CHECK(entry->headers.find("X-Back") == "http://h/?u=https%3A%2F%2F***%40host%2F");
  CHECK(contains(app.log(), "?status=https://***@host/&u=https%3A%2F%2F***%40host%2F"));
  CHECK(contains(app.log(), "Parameter 'status' is 'https://***@host/'"));
  CHECK_FALSE(contains(app.log(), "geheim"));
}

TEST_CASE("app: a refusal is in its log line once") {
  AppOptions options;
  options.strict = true;
  Fixed app(options);
  app.get(kPath + "?pagesize=1&other=2");
  const std::string log = app.log();
  const std::string refusal = "Parameter 'pagesize' is unknown;";
  CHECK(contains(log, refusal));
  CHECK(log.find(refusal) == log.rfind(refusal));
  CHECK(contains(log, "Parameter 'other' is unknown;"));
}

TEST_CASE("app: a client that leaves while its answer is dribbled has no status, and the log says so") {
  Fixed app;
  app.worlds().base().faults().add(
      read_json_text(R"({"action":{"chunkedDribble":{"numberOfChunks":2,"totalDuration":1000}}})"));
  const http::Response response = app.get("/api/status");
  REQUIRE(response.on_departed);
  response.on_departed(false, 2);
  const auto entry = app.worlds().base().journal().view().entries.back();
  CHECK(entry->status == 0);
  CHECK(entry->client_left);
  CHECK(entry->bytes == 2);
  CHECK(contains(app.log(), "GET /api/status - 2B "));
  CHECK(contains(app.log(), " | the client left before it had the whole answer"));
}
