#include "base/packed_text.h"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <string_view>

#include "embedded/admin_openapi.h"
#include "embedded/installation.h"
#include "temporary_folder.h"

using namespace ocp_mock;
using ocp_mock::test::read_file;

TEST_CASE("a compressed text is the file that it was made of") {
  CHECK(unpack(embedded::admin_openapi) == read_file("schema/admin.openapi.json"));
  CHECK(unpack(embedded::installation) ==
        read_file("fixtures/logBackupTasks.json") + read_file("fixtures/installation.json"));
}

TEST_CASE("a compressed text that is damaged is refused") {
  const std::string gzip(embedded::admin_openapi.gzip);
  const std::size_t size = embedded::admin_openapi.size;
  std::string flipped = gzip;
  flipped[gzip.size() / 2] ^= 1;
  const auto refused = [](std::string_view bytes, std::size_t text_size) {
    CHECK_THROWS_WITH_AS(unpack({bytes, text_size}), "a compressed text of the program is damaged", std::runtime_error);
  };
  refused("", size);
  refused(std::string_view(gzip).substr(0, gzip.size() - 1), size);
  refused(gzip + "x", size);
  refused(flipped, size);
  refused(gzip, size - 1);
  refused(gzip, size + 1);
}
