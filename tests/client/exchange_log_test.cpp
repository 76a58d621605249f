// What passes is in a file before anybody has its answer.
#include "client/exchange_log.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "temporary_folder.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

namespace {

PassedExchange exchange_of(int number) {
  return {{"POST", "/a?b=" + std::to_string(number), {}, std::string("body\n\0\xFF", 7)},
          {200 + number, {{"Content-Type", "text/plain"}, {"Set-Cookie", "a=\xE9: b"}}, std::string("7 7\r\n\0", 6)}};
}

std::vector<int> numbers_in(ExchangeLog& log) {
  std::vector<int> numbers;
  log.each([&](ExchangeLog::Place, const PassedExchange& one) {
    const int number = one.answer.status - 200;
    const PassedExchange expected = exchange_of(number);
    CHECK(one.request.method == expected.request.method);
    CHECK(one.request.target == expected.request.target);
    CHECK(one.request.body == expected.request.body);
    CHECK(one.answer.headers == expected.answer.headers);
    CHECK(one.answer.headers.find("set-cookie") == "a=\xE9: b");
    CHECK(one.answer.body == expected.answer.body);
    numbers.push_back(number);
  });
  return numbers;
}

}  // namespace

TEST_CASE("exchange log: what was appended is there for the next process, but for one that is not whole") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "log";
  std::vector<std::uintmax_t> ends;
  {
    ExchangeLog log(file);
    for (int number = 0; number < 3; ++number) {
      const auto place = log.append(exchange_of(number));
      ends.push_back(std::filesystem::file_size(file));
      CHECK(log.read(place).answer.status == 200 + number);
    }
  }
  CHECK(std::filesystem::status(file).permissions() ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  for (auto size = ends[2]; size-- > ends[1];) {
    CAPTURE(size);
    std::filesystem::resize_file(file, size);
    ExchangeLog log(file);
    CHECK(numbers_in(log) == std::vector<int>{0, 1});
    CHECK(std::filesystem::file_size(file) == ends[1]);
    // The next one stands behind the last whole one.
    log.append(exchange_of(2));
    CHECK(numbers_in(log) == std::vector<int>{0, 1, 2});
  }
}

TEST_CASE("exchange log: it is written anew with what still counts") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "log";
  ExchangeLog log(file);
  std::vector<ExchangeLog::Place> places;
  for (int number = 0; number < 4; ++number) places.push_back(log.append(exchange_of(number)));
  ExchangeLog::Place* const kept[] = {&places[3], &places[1]};
  log.keep_only(kept);
  CHECK(log.read(places[3]).answer.status == 203);
  CHECK(log.read(places[1]).answer.status == 201);
  CHECK(log.read(log.append(exchange_of(7))).answer.status == 207);
  CHECK(numbers_in(log) == std::vector<int>{3, 1, 7});
  ExchangeLog again(file);
  CHECK(numbers_in(again) == std::vector<int>{3, 1, 7});
  log.remove();
  CHECK_FALSE(std::filesystem::exists(file));
  CHECK_THROWS_AS(log.read(places[3]), std::system_error);
}
