#include "cli/credentials.h"

#include <doctest/doctest.h>

#include <string>

#include "temporary_folder.h"

using namespace ocp_mock;
using ocp_mock::test::TemporaryFolder;

TEST_CASE("credentials: a file of users and access keys") {
  const TemporaryFolder folder;
  const auto file = folder.write("c.json", R"({
    "users": [{"name": "admin", "password": "a:b\"中"}, {"password": "", "name": "用户"}],
    "accessKeys": [{"accessKey": "AK", "secretKey": "S:K", "user": "admin"}, {"accessKey": "AK2", "secretKey": "x"}]
  })");
  Credentials credentials;
  add_user(credentials, "first", "x");
  add_credentials_of_file(credentials, file);
  CHECK(credentials.passwords.size() == 3);
  CHECK(credentials.passwords.at("admin") == "a:b\"中");
  CHECK(credentials.passwords.at("用户").empty());
  CHECK(credentials.access_keys.size() == 2);
  CHECK(credentials.access_keys.at("AK").secret_key == "S:K");
  CHECK(credentials.access_keys.at("AK").user == "admin");
  CHECK(credentials.access_keys.at("AK2").user == "AK2");
}

TEST_CASE("credentials: what is wrong with a file is said with its place and without its secrets") {
  const struct {
    std::string text;
    std::string mistake;
  } cases[] = {
      {"", ": the file is empty"},
      {"geheim", ":1:1: this is not JSON"},
      {"{\"users\":[{\"name\":\"a\",\n\"password\":\"geheim}]}", ":2:21: this is not JSON"},
      {"{\"users\":[]} \"geheim\"", ":1:21: the file must hold one JSON object"},
      {"[\"geheim\"]", ":1:1: this must be an object with accessKeys, users"},
      {R"({"users":["geheim"]})", ":1:18: this must be an object with name, password"},
      {R"({"users":"geheim"})", ":1:2: users must be an array"},
      {R"({"user":[]})", ":1:2: 'user' is unknown here; known are accessKeys, users"},
      {R"({"users":[{"name":"a","pasword":"geheim"}]})", ":1:23: 'pasword' is unknown here; known are name, password"},
      {R"({"users":[{"name":"a"}]})", ":1:11: password is missing; it must be a string"},
      {R"({"users":[{"name":"a","password":123456}]})", ":1:23: password must be a string"},
      {R"({"users":[{"name":"a","password":null}]})", ":1:23: password must be a string"},
      {R"({"users":[{"name":"a","password":"geheim","password":"geheim"}]})",
       ":1:43: password stands twice in one object; it must stand once"},
      {R"({"users":[{"name":"a","password":"geheim"},{"name":"a","password":"geheim"}]})",
       ":1:44: user 'a' is given twice"},
      {R"({"users":[{"name":"a:b","password":"geheim"}]})",
       ":1:11: the user's name must be UTF-8 text without colon and control characters, and not empty"},
      {"{}", ":1:1: the file holds no user and no access key, so nobody could pass"},
      {R"({"users":[],"accessKeys":[]})", ":1:1: the file holds no user and no access key, so nobody could pass"},
      {R"({"accessKeys":[{"accessKey":"A","secretKey":"geheim","user":""}]})",
       ":1:16: the user of access key 'A' must be UTF-8 text without control characters, and not empty"},
      {R"({"accessKeys":[{"accessKey":"A","secretKey":""}]})", ":1:16: access key 'A' has no secret key"},
      {R"({"accessKeys":[{"accessKey":"A","secretKey":"geheim","user":1}]})", ":1:54: user must be a string"},
  };
  const TemporaryFolder folder;
  for (const auto& [text, mistake] : cases) {
    CAPTURE(text);
    const auto file = folder.write("c.json", text);
    Credentials credentials;
    CHECK_THROWS_WITH(add_credentials_of_file(credentials, file), (file.string() + mistake).c_str());
  }
}

TEST_CASE("credentials: a file that cannot be read is said") {
  const TemporaryFolder folder;
  Credentials credentials;
  CHECK_THROWS_WITH(
      add_credentials_of_file(credentials, folder.path() / "none"),
      ("cannot read the credentials file " + (folder.path() / "none").string() + ": No such file or directory")
          .c_str());
  CHECK_THROWS_WITH(add_credentials_of_file(credentials, folder.path()),
                    ("cannot read the credentials file " + folder.path().string() + ": it is a folder").c_str());
}
