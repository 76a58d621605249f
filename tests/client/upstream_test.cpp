// Who is asked, as whom, and how often.
#include "client/upstream.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "client/capture_run.h"

using namespace ocp_mock;
using namespace ocp_mock::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

std::string captured(const std::string& url, const std::filesystem::path& out, std::vector<std::string> more) {
  more.insert(more.begin(), {"capture", "--from", url, "--out", out.string(), "hosts", "--lists-only"});
  Process process(kBinary, more);
  const std::string error = process.read_error();
  return std::to_string(process.wait()) + " " + error;
}

}  // namespace

TEST_CASE("upstream: waits follow what the answer asks for, else they grow, and end") {
  const std::chrono::system_clock::time_point now{seconds(1'700'000'000)};
  Patience asked;
  CHECK(asked.wait_after(429, {{"RateLimit-Reset", "7"}, {"Retry-After", "3"}}, now) == seconds(7));
  CHECK(asked.wait_after(503, {{"Retry-After", "3"}}, now) == seconds(3));
  CHECK(asked.wait_after(503, {{"Retry-After", "Tue, 14 Nov 2023 22:13:25 GMT"}}, now) == seconds(5));
  CHECK(asked.wait_after(503, {{"Retry-After", "Tue, 14 Nov 2023 22:13:10 GMT"}}, now) == milliseconds(200));
  CHECK(asked.wait_after(429, {{"RateLimit-Reset", "0"}}, now) == milliseconds(200));
  CHECK(asked.wait_after(429, {{"RateLimit-Reset", "86400"}}, now) == std::nullopt);

  Patience grows;
  milliseconds whole{0};
  int tries = 0;
  for (auto wait = grows.wait_after(0, {}, now); wait; wait = grows.wait_after(0, {}, now)) {
    whole += *wait;
    ++tries;
  }
  CHECK(tries == Patience::kMostTries - 1);
  CHECK(whole == milliseconds(25'400));
  CHECK(grows.wait_after(0, {{"Retry-After", "soon"}}, now) == std::nullopt);
}

TEST_CASE("upstream: a URL that is none is refused with what would be right") {
  for (const char* good : {"http://a", "https://a.b:8443/ocp/", "http://[::1]:8080", "http://127.0.0.1:1"})
    CHECK(flaw_of_url(good).empty());
  for (const char* bad :
       {"", "a:80", "ftp://a", "http://", "http://a:0", "http://a:x", "http://a b", "http://a:65536"}) {
    CHECK(flaw_of_url(bad).starts_with("it must be http://HOST[:PORT]"));
  }
  CHECK(contains(flaw_of_url("http://u:p@h"), "--credentials or --user"));
  CHECK(contains(flaw_of_url("http://h/?a=b"), "without a query"));
}

TEST_CASE("upstream: users, access keys and files of either are taken") {
  const TemporaryFolder folder;
  const RunningProgram source({"--user", "me:s:ecret", "--access-key", "AK:SK"});
  const std::string url = "http://127.0.0.1:" + std::to_string(source.port());
  int number = 0;
  const auto code = [&](const std::vector<std::string>& login) {
    return captured(url, folder.path() / std::to_string(++number), login).substr(0, 2);
  };
  CHECK(code({"--user", "me:s:ecret"}) == "0 ");
  CHECK(code({"--user", "me", "--password-file", folder.write("password", "s:ecret\n").string()}) == "0 ");
  CHECK(code({"--access-key", "AK:SK"}) == "0 ");
  const auto file = folder.write("login.json", R"({"accessKeys":[{"accessKey":"AK","secretKey":"SK"}]})").string();
  CHECK(code({"--credentials", file}) == "0 ");
  const std::string refused = captured(url, folder.path() / "no", {"--user", "me:wrong-one"});
  CHECK(contains(refused, url + " refuses the credentials: 401, an error of OCP: status 401, code 0, "));
  CHECK_FALSE(contains(refused, "wrong-one"));
  const auto two =
      folder.write("two.json", R"({"users":[{"name":"a","password":"b"},{"name":"c","password":"d"}]})").string();
  CHECK(contains(captured(url, folder.path() / "no", {"--credentials", two}), "has several users or access keys"));
}

TEST_CASE("upstream: HTTPS is spoken to whom the CA has signed, and to nobody else") {
  const TemporaryFolder folder;
  const std::string ca = (folder.path() / "ca.pem").string();
  const RunningProgram source({"--tls-self-signed", "--tls-ca-out", ca, "--auth", "off"});
  const std::string url = "https://127.0.0.1:" + std::to_string(source.port());
  CHECK(captured(url, folder.path() / "a", {"--ca", ca}).starts_with("0 "));
  CHECK(contains(captured(url, folder.path() / "b", {}),
                 "its certificate is not trusted; name who has signed it by --ca FILE"));
  CHECK(
      contains(captured(url, folder.path() / "c", {"--ca", folder.write("x", "x").string()}), "holds no certificate"));
}

TEST_CASE("upstream: a port where nobody listens is said soon") {
  const TemporaryFolder folder;
  int port = 0;
  {
    const RunningProgram gone({});
    port = gone.port();
  }
  const std::string error = captured("http://127.0.0.1:" + std::to_string(port), folder.path() / "a", {});
  CHECK(error.starts_with("1 the connection cannot be made; asking again in 0.2 s\n"));
  CHECK(contains(error, "cannot ask http://127.0.0.1:" + std::to_string(port) +
                            "/api/v2/compute/hosts?page=1&size=2000: the connection cannot be made"));
}
