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

// A poll of a journal, as a call makes one.
struct Poll {
  Poll(Journal& journal, const std::string& criteria, std::int64_t after = 0) {
    const JsonValue value = read_json_text(criteria);
    JsonFields fields(value);
    wait = journal.wait(std::make_shared<const Matcher>(Matcher::parse(fields, Matcher::Use::Filter)), after, deferred);
  }

  std::shared_ptr<http::DeferredResponse> deferred =
      std::make_shared<http::DeferredResponse>([] { return http::Response{}; });
  std::unique_ptr<Journal::Wait> wait;
};

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

TEST_CASE("journal: it knows how many bytes of bodies it keeps") {
  Journal journal(3);
  CHECK(journal.body_bytes() == 0);
  for (const std::size_t size : {1, 10, 100, 1000}) {
    JournalEntry made = entry("/a");
    made.body.assign(size, 'x');
    record(journal, std::move(made));
  }
  CHECK(journal.body_bytes() == 1110);
  journal.clear();
  CHECK(journal.body_bytes() == 0);
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
  CHECK(json_of(made, 480).text() ==
        R"({"bytes":12,"durationMicroseconds":34,"fault":5,"headers":[{"name":"Host","value":"h"}],"method":"GET",)"
        R"("path":"/a\"b","query":"x=1","sequence":7,"status":404,"time":"2024-08-09T16:06:02.74+08:00","traceId":"t",)"
        R"("user":"用户","violations":["v"]})");
  made = entry("/a");
  const struct {
    std::string body;
    std::string json;
  } bodies[] = {
      {R"({ "b":null,"a":1.0 })", R"({"a":1.0,"b":null})"},
      {"[\"\xC3\xA9\"]", "[\"\xC3\xA9\"]"},
      {"a=b", R"("a=b")"},
      {"\xFF", "\"\xEF\xBF\xBD\""},
  };
  for (const auto& [body, json] : bodies) {
    made.body = body;
    made.body_bytes = 9;
    CHECK(json_of(made, 480).text().starts_with("{\"body\":" + json + R"(,"bodyBytes":9,"bytes":0,)"));
  }
  made.body = "7";
  made.body_sha256 = "ab";
  made.cut = static_cast<unsigned>(RequestPart::Body);
  CHECK(json_of(made, 480).text().starts_with(R"({"body":"7","bodyBytes":9,"bodySha256":"ab","bytes":0,)"));
  made = entry("/a", 0);
  made.client_left = true;
  CHECK(json_of(made, 480).text() ==
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
                    "1:2: exactly cannot be combined with atLeast or atMost");
  CHECK_THROWS_WITH(verify(journal, R"({"atLeast":3,"atMost":2})"), "1:2: atLeast must not be above atMost");
  CHECK_THROWS_WITH(verify(journal, R"({"exactly":-1})"),
                    "1:2: exactly must be an integer from 0 to 9223372036854775807");
}

TEST_CASE("journal: only the entry that is waited for wakes who waits") {
  Journal journal(10);
  record(journal, entry("/early"));
  Poll exact(journal, R"({"path":"/a","status":200})");
  Poll encoded(journal, R"({"path":"/b/%63/"})");
  Poll prefix(journal, R"({"pathPrefix":"/b/"})");
  Poll pattern(journal, R"({"pathTemplate":"/b/{x}"})");
  Poll any(journal, R"({"status":503})");
  Poll later(journal, R"({"path":"/a"})", 4);
  CHECK(journal.waits() == 6);
  record(journal, entry("/a", 404));
  record(journal, entry("/ab"));
  record(journal, entry("/b"));
  for (const Poll* poll : {&exact, &encoded, &prefix, &pattern, &any, &later})
    CHECK_FALSE(poll->deferred->is_complete());
  record(journal, entry("/a"));  // sequence 5
  CHECK(exact.deferred->is_complete());
  CHECK(exact.wait->entry()->sequence == 5);
  CHECK(later.wait->entry()->sequence == 5);
  CHECK(journal.waits() == 4);
  record(journal, entry("/%62/c"));
  CHECK(encoded.wait->entry()->sequence == 6);
  CHECK(prefix.wait->entry()->sequence == 6);
  CHECK(pattern.wait->entry()->sequence == 6);
  CHECK_FALSE(any.deferred->is_complete());
  CHECK_FALSE(any.wait->entry());
  record(journal, entry("/a"));
  CHECK(exact.wait->entry()->sequence == 5);
  record(journal, entry("/x", 503));
  CHECK(any.deferred->is_complete());
  CHECK(journal.waits() == 0);
}

TEST_CASE("journal: each wait is found by the paths, methods and statuses that it means, and by no other") {
  const std::vector<std::string> filters = {
      "{}",
      R"({"method":"GET"})",
      R"({"method":"PUT"})",
      R"({"status":404})",
      R"({"status":200,"method":"GET"})",
      R"({"clientLeft":true})",
      R"({"path":"/"})",
      R"({"path":"*"})",
      R"({"path":"/a"})",
      R"({"path":"/a/b/","status":404})",
      R"({"path":"/a%2Fb"})",
      R"({"pathPrefix":"/"})",
      R"({"pathPrefix":"/a"})",
      R"({"pathPrefix":"/a/"})",
      R"({"pathPrefix":"/a/b","method":"PUT"})",
      R"({"pathTemplate":"/{x}"})",
      R"({"pathTemplate":"/{y}","status":200})",
      R"({"pathTemplate":"/{x}/b"})",
      R"({"pathTemplate":"/a/{x}"})",
      R"({"pathTemplate":"/a/{x}/c"})",
      R"({"pathTemplate":"/{x}/{y}/{z}"})",
  };
  const std::vector<std::string> paths = {"/",     "*",      "//",     "/a",     "/a/",    "/a//",     "/a/b",
                                          "/a/b/", "/a%2Fb", "/%61/b", "/ab",    "/a/b/c", "/a/bc/d",  "/a//c",
                                          "/%zz",  "",       "h:443",  "/a/%2F", "/b/b",   "/a/b/c/d", "/a%2fb/c"};
  for (const std::string& path : paths) {
    for (const char* method : {"GET", "PUT"}) {
      for (const int status : {200, 404, 0}) {
        Journal journal(10);
        std::vector<std::unique_ptr<Poll>> polls;
        for (const std::string& filter : filters) polls.push_back(std::make_unique<Poll>(journal, filter));
        JournalEntry made = entry(path, status);
        made.method = method;
        made.client_left = status == 0;
        const JournalEntry kept = made;
        record(journal, std::move(made));
        for (std::size_t i = 0; i < filters.size(); ++i) {
          CAPTURE(path);
          CAPTURE(filters[i]);
          const JsonValue value = read_json_text(filters[i]);
          JsonFields fields(value);
          const bool matches = Matcher::parse(fields, Matcher::Use::Filter).matches(view_of(kept));
          CHECK(polls[i]->deferred->is_complete() == matches);
        }
        polls.clear();
        CHECK(journal.waits() == 0);
      }
    }
  }
}

TEST_CASE("journal: who waits gets the entry even if the journal keeps none") {
  Journal journal(0);
  Poll poll(journal, "{}");
  record(journal, entry("/a"));
  REQUIRE(poll.deferred->is_complete());
  CHECK(poll.wait->entry()->path == "/a");
  CHECK(journal.view().entries.empty());
}

TEST_CASE("journal: a wait ends with who waits, with a limit, and with the journal's closing") {
  Journal journal(10);
  {
    std::vector<std::unique_ptr<Poll>> polls;
    for (std::size_t i = 0; i < Journal::kMostWaits; ++i) {
      polls.push_back(std::make_unique<Poll>(journal, i % 2 == 0 ? "{}" : R"({"path":"/)" + std::to_string(i) + "\"}"));
    }
    CHECK(journal.waits() == Journal::kMostWaits);
    CHECK_FALSE(Poll(journal, "{}").wait);
    polls.pop_back();
    CHECK(Poll(journal, "{}").wait);
    CHECK(journal.waits() == Journal::kMostWaits - 1);
  }
  CHECK(journal.waits() == 0);
  Poll open(journal, R"({"path":"/a"})");
  journal.clear();
  CHECK_FALSE(open.deferred->is_complete());
  journal.close();
  CHECK(open.deferred->is_complete());
  CHECK_FALSE(open.wait->entry());
  CHECK(Poll(journal, "{}").deferred->is_complete());
}

TEST_CASE("journal: waits come and go while entries are recorded") {
  Journal journal(10);
  std::atomic<int> found{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) record(journal, entry("/" + std::to_string(i % 5)));
    });
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        Poll poll(journal, t == 0 ? R"({"path":"/3"})" : R"({"pathPrefix":"/4"})");
        if (poll.wait->entry()) ++found;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(journal.waits() == 0);
}

TEST_CASE("journal: what was cut off an entry makes a question that depends on it inconclusive") {
  Journal journal(10);
  JournalEntry cut_entry = entry("/a");
  cut_entry.query = "x=1...";
  cut_entry.cut = static_cast<unsigned>(RequestPart::Query);
  record(journal, std::move(cut_entry));
  const std::pair<std::string, std::string> cases[] = {
      {R"({"query":{"y":null},"exactly":1})", R"({"cut":1,"evicted":0,"inFlight":0,"matched":0,)"},
      {R"({"query":{"y":"1"},"exactly":0})", R"({"cut":1,"evicted":0,"inFlight":0,"matched":0,)"},
      {R"({"path":"/b","query":{"y":"1"},"exactly":0})", R"({"evicted":0,"inFlight":0,"matched":0,"result":"passed"})"},
      {R"({"path":"/a","exactly":1})", R"({"evicted":0,"inFlight":0,"matched":1,"result":"passed"})"},
  };
  for (const auto& [question, answer] : cases) {
    CAPTURE(question);
    CHECK(verify(journal, question).starts_with(answer));
    CHECK(contains(verify(journal, question), answer.starts_with(R"({"cut")") ? "inconclusive" : "passed"));
  }
}

TEST_CASE("journal: a question about a body that was cut is inconclusive") {
  Journal journal(10);
  JournalEntry cut_entry = entry("/a");
  cut_entry.body = "7";
  cut_entry.body_bytes = 20'000;
  cut_entry.cut = static_cast<unsigned>(RequestPart::Body);
  record(journal, std::move(cut_entry));
  for (const std::string criterion : {R"({"equal":7})", R"({"contains":{}})", R"({"text":"7"})"}) {
    CAPTURE(criterion);
    const std::string text = verify(journal, R"({"path":"/a","body":)" + criterion + R"(,"exactly":0})");
    CHECK(text.starts_with(R"({"cut":1,"evicted":0,"inFlight":0,"matched":0,)"));
    CHECK(contains(text, R"(1 of which the journal has cut what is asked for","result":"inconclusive"})"));
    CHECK(contains(verify(journal, R"({"path":"/b","body":)" + criterion + R"(,"exactly":0})"), R"("passed"})"));
  }
}

TEST_CASE("journal: requests without an answer can be asked for") {
  Journal journal(10);
  record(journal, entry("/a", 0));
  record(journal, entry("/a", 200));
  CHECK(contains(verify(journal, R"({"status":0,"exactly":1})"), R"("result":"passed"})"));
  CHECK(contains(verify(journal, R"({"status":200,"exactly":1})"), R"("result":"passed"})"));
  CHECK(contains(verify(journal, R"({"status":null,"exactly":2})"), R"("result":"passed"})"));
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
  CHECK(contains(
      verify(journal, R"({"exactly":0})"),
      R"("inFlight":1,"matched":0,"nearestMisses":[],"reason":"it depends on requests of which nothing is known: )"
      R"(1 not answered yet, so ask again later","result":"inconclusive"})"));
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
