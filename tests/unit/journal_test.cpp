#include "control/journal.h"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "control/verify.h"

using namespace ocp_mock;

namespace {

JournalEntry entry(std::string path, int status = 200) {
  JournalEntry made;
  made.time = {1723190762, 740'000'000};
  made.method = "GET";
  made.path = std::move(path);
  made.status = status;
  return made;
}

void record(Journal& journal, JournalEntry made) { journal.record(journal.begin(), std::move(made)); }

std::string verify(const Journal& journal, const std::string& question) {
  return verify_requests(journal, read_json_text(question), 480);
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("journal: it keeps the latest entries, and knows how many are gone") {
  Journal journal(3);
  for (int i = 1; i <= 5; ++i) record(journal, entry("/" + std::to_string(i)));
  const Journal::View view = journal.view();
  REQUIRE(view.entries.size() == 3);
  CHECK(view.entries.front()->path == "/3");
  CHECK(view.entries.front()->sequence == 3);
  CHECK(view.entries.back()->sequence == 5);
  CHECK(view.evicted == 2);
  CHECK(view.last == 5);
  journal.clear();
  CHECK(journal.view().entries.empty());
  CHECK(journal.view().evicted == 0);
  record(journal, entry("/6"));
  CHECK(journal.view().entries.front()->sequence == 6);
}

TEST_CASE("journal: of size 0 it keeps nothing and says so") {
  Journal journal(0);
  record(journal, entry("/a"));
  CHECK(journal.view().entries.empty());
  CHECK(journal.view().evicted == 1);
  CHECK(contains(verify(journal, R"({"exactly":0})"), R"("result":"inconclusive")"));
  CHECK(contains(verify(journal, R"({"atLeast":2})"), R"("result":"failed")"));
}

TEST_CASE("journal: an entry as JSON") {
  JournalEntry made = entry("/a\"b", 404);
  made.sequence = 7;
  made.user = "用户";
  made.query = "x=1";
  made.trace_id = "t";
  made.headers = {{"Host", "h"}};
  made.bytes = 12;
  made.microseconds = 34;
  made.fault = 5;
  made.violations = {"v"};
  CHECK(json_of(made, 480) ==
        R"({"bytes":12,"durationMicroseconds":34,"fault":5,"headers":[{"name":"Host","value":"h"}],"method":"GET",)"
        R"("path":"/a\"b","query":"x=1","sequence":7,"status":404,"time":"2024-08-09T16:06:02.74+08:00","traceId":"t",)"
        R"("user":"用户","violations":["v"]})");
  made = entry("/a", 0);
  made.client_left = true;
  CHECK(json_of(made, 480) ==
        R"({"bytes":0,"clientLeft":true,"durationMicroseconds":0,"headers":[],"method":"GET","path":"/a","query":"",)"
        R"("sequence":0,"status":null,"time":"2024-08-09T16:06:02.74+08:00","traceId":"","user":"","violations":[]})");
}

TEST_CASE("journal: a question is passed, failed, or inconclusive when what is gone could matter") {
  Journal journal(4);
  for (int i = 0; i < 3; ++i) record(journal, entry("/a"));
  const struct {
    std::string question;
    std::string whole;    // the result while nothing is gone
    std::string evicted;  // the result when one entry is gone
  } cases[] = {
      {R"({"path":"/a"})", "passed", "passed"},
      {R"({"path":"/b"})", "failed", "inconclusive"},
      {R"({"path":"/a","exactly":3})", "passed", "inconclusive"},
      {R"({"path":"/a","exactly":4})", "failed", "inconclusive"},
      {R"({"path":"/a","exactly":2})", "failed", "failed"},
      {R"({"path":"/a","exactly":5})", "failed", "failed"},
      {R"({"path":"/a","atLeast":3})", "passed", "passed"},
      {R"({"path":"/a","atLeast":4})", "failed", "inconclusive"},
      {R"({"path":"/a","atMost":3})", "passed", "inconclusive"},
      {R"({"path":"/a","atMost":4})", "passed", "passed"},
      {R"({"path":"/a","atMost":2})", "failed", "failed"},
      {R"({"path":"/a","atLeast":1,"atMost":9})", "passed", "passed"},
      {R"({"path":"/b","exactly":0})", "passed", "inconclusive"},
  };
  for (const auto& [question, whole, evicted] : cases) {
    CAPTURE(question);
    CHECK(contains(verify(journal, question), "\"result\":\"" + whole + "\"}"));
  }
  // One of "/c" is pushed out by the last of these.
  Journal other(3);
  record(other, entry("/c"));
  for (int i = 0; i < 3; ++i) record(other, entry("/a"));
  for (const auto& [question, whole, evicted] : cases) {
    CAPTURE(question);
    CHECK(contains(verify(other, question), "\"result\":\"" + evicted + "\"}"));
  }
}

TEST_CASE("journal: a question that fails shows the nearest misses, the latest of them first") {
  Journal journal(10);
  record(journal, entry("/a", 404));
  record(journal, entry("/b", 200));
  record(journal, entry("/b", 404));
  record(journal, entry("/a", 500));
  const std::string text = verify(journal, R"({"path":"/a","status":200})");
  CHECK(text.starts_with(
      R"({"evicted":0,"inFlight":0,"matched":0,"nearestMisses":[{"differs":[{"actual":500,"expected":200,"field":"status"}],"request":{)"));
  CHECK(contains(text, R"({"differs":[{"actual":"/b","expected":"/a","field":"path"}],"request":{)"));
  CHECK_FALSE(contains(text, R"({"actual":"/b","expected":"/a","field":"path"},{"actual":404)"));
  CHECK(text.ends_with(R"(],"result":"failed"})"));
  CHECK_THROWS_WITH(verify(journal, R"({"exactly":1,"atMost":2})"),
                    "1:2: exactly cannot stand beside atLeast and atMost");
  CHECK_THROWS_WITH(verify(journal, R"({"atLeast":3,"atMost":2})"), "1:2: atLeast must not be above atMost");
  CHECK_THROWS_WITH(verify(journal, R"({"exactly":-1})"),
                    "1:2: exactly must be an integer from 0 to 9223372036854775807");
}

TEST_CASE("journal: who waits is woken by the next entry, and at once if it has come already") {
  Journal journal(10);
  const auto pending = std::make_shared<http::Pending>([] { return http::Response{}; });
  journal.wake_after(0, pending);
  CHECK_FALSE(pending->ready());
  record(journal, entry("/a"));
  CHECK(pending->ready());
  const auto late = std::make_shared<http::Pending>([] { return http::Response{}; });
  journal.wake_after(0, late);
  CHECK(late->ready());
}

TEST_CASE("journal: several threads record, and every entry has a sequence of its own") {
  Journal journal(100'000);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) record(journal, entry("/a"));
    });
  }
  for (std::thread& thread : threads) thread.join();
  const Journal::View view = journal.view();
  REQUIRE(view.entries.size() == 4000);
  for (std::size_t i = 0; i < view.entries.size(); ++i)
    REQUIRE(view.entries[i]->sequence == static_cast<std::int64_t>(i + 1));
}

TEST_CASE("journal: headers that hold secrets have no place in it") {
  for (const std::string name : {"Authorization", "authorization", "Proxy-Authorization", "Cookie", "Set-Cookie",
                                 "X-Api-Key", "X-Auth-Token", "x-password", "Client-Secret"}) {
    CHECK(is_secret_header(name));
  }
  CHECK_FALSE(is_secret_header("Host"));
}

TEST_CASE("journal: a request that is not answered yet may matter, and one from before a clear leaves nothing") {
  Journal journal(10);
  const Journal::Ticket early = journal.begin();
  CHECK(journal.view().in_flight == 1);
  CHECK(contains(verify(journal, R"({"exactly":0})"),
                 R"("inFlight":1,"matched":0,"nearestMisses":[],"result":"inconclusive"})"));
  CHECK(contains(verify(journal, R"({"atLeast":2})"), R"("result":"failed"})"));
  journal.clear();
  CHECK(contains(verify(journal, R"({"exactly":0})"), R"("result":"passed"})"));
  journal.record(early, entry("/a"));
  CHECK(journal.view().entries.empty());
  record(journal, entry("/b"));
  CHECK(journal.view().in_flight == 0);
  CHECK(journal.view(0).entries.size() == 1);
  CHECK(journal.view(1).entries.empty());
}

TEST_CASE("journal: of too many matches the first are shown") {
  Journal journal(10);
  for (int i = 0; i < 5; ++i) record(journal, entry("/a"));
  const std::string text = verify(journal, R"({"path":"/a","exactly":1})");
  CHECK(contains(text, R"("matched":5,"matches":[{)"));
  CHECK(contains(text, R"("sequence":3,)"));
  CHECK_FALSE(contains(text, R"("sequence":4,)"));
}
