#include "cli/credentials.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/text_file.h"
#include "base/utf8.h"
#include "json/reader.h"

namespace ocp_mock {
namespace {

// Reads the file's one document. What is wrong is named by its place and its kind only: any text may be a secret.
class CredentialsReader : JsonHandler {
 public:
  CredentialsReader(Credentials& credentials, std::string name) : credentials_(credentials), name_(std::move(name)) {}

  void read(std::string_view text) {
    BufferedReader source(text);
    JsonValue document;
    try {
      if (!read_json_document(source, *this, document)) throw std::runtime_error(name_ + ": the file is empty");
      JsonValue rest;
      if (read_json_document(source, *this, rest)) refuse(rest.position, "the file must hold one JSON object");
    } catch (const JsonSyntaxError& error) {
      refuse(error.position(), "this is not JSON");
    }
    take(document);
  }

 private:
  void document_key(std::string_view) override {}
  bool wants_items(std::string_view) override { return false; }
  void item(std::string_view, JsonValue) override {}
  void problem(Position position, std::string text) override { refuse(position, text); }

  [[noreturn]] void refuse(Position position, std::string_view text) const {
    throw std::runtime_error(fmt::format("{}:{}:{}: {}", name_, position.line, position.column, text));
  }

  void take(const JsonValue& document) {
    check_keys(document, {"accessKeys", "users"});
    if (list(document, "users").empty() && list(document, "accessKeys").empty()) {
      refuse(document.position, "the file holds no user and no access key, so nobody could pass");
    }
    for (const JsonValue& user : list(document, "users")) {
      check_keys(user, {"name", "password"});
      std::string name = text(user, "name");
      add(user, [&] { add_user(credentials_, std::move(name), text(user, "password")); });
    }
    for (const JsonValue& key : list(document, "accessKeys")) {
      check_keys(key, {"accessKey", "secretKey", "user"});
      std::string access_key = text(key, "accessKey");
      std::string secret_key = text(key, "secretKey");
      std::string user = key.find("user") == nullptr ? access_key : text(key, "user");
      add(key, [&] { add_access_key(credentials_, std::move(access_key), {std::move(secret_key), std::move(user)}); });
    }
  }

  template <typename Action>
  void add(const JsonValue& value, const Action& action) const {
    try {
      action();
    } catch (const std::invalid_argument& error) {
      refuse(value.position, error.what());
    }
  }

  void check_keys(const JsonValue& value, std::initializer_list<std::string_view> known) const {
    if (value.kind != JsonKind::Object)
      refuse(value.position, fmt::format("this must be an object with {}", names(known)));
    for (const JsonMember& member : value.members) {
      if (std::ranges::find(known, member.key) == known.end()) {
        refuse(member.position, fmt::format("'{}' is unknown here; known are {}", printable(member.key), names(known)));
      }
    }
  }

  static std::string names(std::initializer_list<std::string_view> known) {
    return fmt::format("{}", fmt::join(known, ", "));
  }

  const std::vector<JsonValue>& list(const JsonValue& document, std::string_view key) const {
    static const std::vector<JsonValue> none;
    const JsonMember* member = document.find(key);
    if (member == nullptr) return none;
    if (member->value.kind != JsonKind::Array) refuse(member->position, fmt::format("{} must be an array", key));
    return member->value.items;
  }

  std::string text(const JsonValue& value, std::string_view key) const {
    const JsonMember* member = value.find(key);
    if (member == nullptr) refuse(value.position, fmt::format("{} is missing; it must be a string", key));
    if (member->value.kind != JsonKind::String) refuse(member->position, fmt::format("{} must be a string", key));
    return member->value.text;
  }

  Credentials& credentials_;
  const std::string name_;
};

}  // namespace

void add_credentials_of_file(Credentials& credentials, const std::filesystem::path& file) {
  CredentialsReader(credentials, file.string()).read(read_text_file(file, "the credentials file"));
}

}  // namespace ocp_mock
