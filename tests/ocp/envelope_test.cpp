#include "ocp/envelope.h"

#include <doctest/doctest.h>

#include <limits>
#include <string>

using namespace ocp_mock;

namespace {

const EnvelopeValues kValues{79, "a24d13ce67", "2024-08-09T16:06:02.743+08:00", "8e1e79e260d12bba"};

}  // namespace

TEST_CASE("envelope: a page is compact JSON with its keys in alphabetical order") {
  CHECK(page_envelope({R"({"a":1},{"b":2})", 1, 10, 2}, kValues) ==
        R"({"data":{"contents":[{"a":1},{"b":2}],"page":{"number":1,"size":10,"totalElements":2,"totalPages":1}},)"
        R"("duration":79,"server":"a24d13ce67","status":200,"successful":true,)"
        R"("timestamp":"2024-08-09T16:06:02.743+08:00","traceId":"8e1e79e260d12bba"})");
}

TEST_CASE("envelope: totalPages is the ceiling, 0 for none, at any size") {
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  const struct {
    std::int64_t size, total;
    std::string pages;
  } cases[] = {
      {10, 0, "\"totalPages\":0}"},
      {10, 1, "\"totalPages\":1}"},
      {10, 10, "\"totalPages\":1}"},
      {10, 11, "\"totalPages\":2}"},
      {1, 3, "\"totalPages\":3}"},
      {2000, 1'000'000, "\"totalPages\":500}"},
      {1, most, "\"totalPages\":9223372036854775807}"},
  };
  for (const auto& [size, total, pages] : cases) {
    CHECK(page_envelope({"", 1, size, total}, kValues).find(pages) != std::string::npos);
  }
}

TEST_CASE("envelope: an error stands in place of data") {
  CHECK(error_envelope(ApiError(Message::RowMissing, {"Cluster", "7", "a cluster"}), Language::English, kValues) ==
        R"({"duration":79,"error":{"code":10002,"message":"Cluster '7' does not exist; ask for a cluster that the )"
        R"(fixtures name."},"server":"a24d13ce67","status":404,"successful":false,)"
        R"("timestamp":"2024-08-09T16:06:02.743+08:00","traceId":"8e1e79e260d12bba"})");
}

TEST_CASE("envelope: server and trace id cannot break the JSON") {
  const EnvelopeValues values{0, "a\"b", "t", "x\\\n\xFF"};
  const std::string answer = error_envelope(ApiError(Message::Unexpected), Language::Chinese, values);
  CHECK(answer.find(R"("server":"a\"b")") != std::string::npos);
  CHECK(answer.find("\"traceId\":\"x\\\\\\n\uFFFD\"}") != std::string::npos);
}

TEST_CASE("envelope: a captured answer is refreshed in its own order, and nothing inside it") {
  const struct {
    std::string captured;
    std::string refreshed;
  } cases[] = {
      {R"({"traceId":"x","data":{"server":"in","a":[{"duration":1}]},"server":"o","duration":1,"status":200,"timestamp":"t"})",
       R"({"traceId":"8e1e79e260d12bba","data":{"server":"in","a":[{"duration":1}]},"server":"a24d13ce67","duration":79,)"
       R"("status":200,"timestamp":"2024-08-09T16:06:02.743+08:00"})"},
      {R"({"error":{"message":"}],\"server\":\"\\"},"traceId":null})",
       R"({"error":{"message":"}],\"server\":\"\\"},"traceId":"8e1e79e260d12bba"})"},
      {R"({"a\"traceId":1,"\"":"","b":-1.5e3})", R"({"a\"traceId":1,"\"":"","b":-1.5e3})"},
      {R"({"successful":true})", R"({"successful":true})"},
      {"{}", "{}"},
  };
  for (const auto& [captured, refreshed] : cases) {
    CAPTURE(captured);
    CHECK(refreshed_envelope(captured, kValues) == refreshed);
  }
}
