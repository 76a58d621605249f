#include "client/captured_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "fixtures/captured.h"
#include "fixtures/field_rules.h"
#include "ocp/digest.h"

namespace ocp_mock {
namespace {

JsonValue* find(JsonValue* object, std::string_view key) {
  if (object == nullptr) return nullptr;
  const auto member = std::ranges::find(object->members, key, &JsonMember::key);
  return member == object->members.end() ? nullptr : &member->value;
}

std::optional<JsonValue> read(std::string_view body) {
  try {
    return read_json_text(body);
  } catch (const JsonSyntaxError&) {
    return std::nullopt;
  }
}

}  // namespace

CapturedPage::CapturedPage(const Endpoint& endpoint, std::string_view body)
    : endpoint_(endpoint), value_(read_json_text(body)) {}

std::string CapturedPage::what_is_wrong() const {
  if (value_.kind != JsonKind::Object) return fmt::format("it is {}, not an object", describe(value_));
  if (is_error_answer(value_)) return "it is " + describe_error(value_);
  const JsonMember* data = value_.find("data");
  if (data == nullptr || data->value.kind != JsonKind::Object) return "it has no data";
  if (endpoint_.form != Form::Object && contents() == nullptr) return "its data has no contents";
  return "";
}

const JsonValue* CapturedPage::contents() const {
  const JsonMember* data = value_.find("data");
  const JsonMember* contents = data == nullptr ? nullptr : data->value.find("contents");
  return contents == nullptr || contents->value.kind != JsonKind::Array ? nullptr : &contents->value;
}

std::size_t CapturedPage::rows() const { return endpoint_.form == Form::Object ? 1 : contents()->items.size(); }

void CapturedPage::for_each_row(const std::function<void(const JsonValue& row)>& take) const {
  if (endpoint_.form == Form::Object) return take(value_.find("data")->value);
  for (const JsonValue& row : contents()->items) take(row);
}

std::optional<std::int64_t> CapturedPage::number_of_page(std::string_view key) const {
  const JsonMember* data = value_.find("data");
  const JsonMember* page = data == nullptr ? nullptr : data->value.find("page");
  const JsonMember* member = page == nullptr ? nullptr : page->value.find(key);
  return member == nullptr ? std::nullopt : to_int64(member->value);
}

bool CapturedPage::is_last(int number, std::int64_t size) const {
  if (rows() == 0) return true;
  if (const auto pages = number_of_page(kTotalPages)) return number >= *pages;
  return static_cast<std::int64_t>(rows()) < size;
}

void CapturedPage::change_rows(const std::function<bool(JsonValue& row)>& keep) {
  JsonValue* data = find(&value_, "data");
  if (endpoint_.form == Form::Object) {
    keep(*data);
    return;
  }
  std::erase_if(find(data, "contents")->items, [&](JsonValue& row) { return !keep(row); });
}

std::string* CapturedPage::envelope_text(std::string_view key) {
  JsonValue* value = find(&value_, key);
  return value == nullptr || value->kind != JsonKind::String ? nullptr : &value->text;
}

std::string CapturedPage::body() const {
  std::string out;
  append_json_in_order(out, value_);
  return out;
}

bool RepeatedRows::is_new(const JsonValue& row) {
  if (row.kind != JsonKind::Object || (resource_.key == nullptr && !moves_)) return true;
  std::string identity;
  for (const JsonMember& member : row.members) {
    if (!identifies(resource_.find_field(member.key))) continue;
    identity += member.key + '=';
    append_canonical_json(identity, member.value);
  }
  // 64 bits tell the rows of a list apart.
  return seen_.insert(sha256(identity).substr(0, 8)).second;
}

// Of a row without a key all that does not change while a task runs: texts, integers and what it is sorted by.
bool RepeatedRows::identifies(const Field* field) const {
  if (field == nullptr) return false;
  if (resource_.key != nullptr) {
    const bool is_parent = std::ranges::find(resource_.parents, field, &Parent::field) != resource_.parents.end();
    return is_parent || field == resource_.key || field == resource_.qualifier;
  }
  if (std::ranges::find(resource_.order, field, &SortKey::field) != resource_.order.end()) return true;
  return field->words == nullptr && (field->type == FieldType::Integer || field->type == FieldType::String);
}

std::optional<std::int64_t> error_code_of(std::string_view body) {
  const auto value = read(body);
  const JsonMember* error = value ? value->find("error") : nullptr;
  const JsonMember* code = error == nullptr ? nullptr : error->value.find("code");
  return code == nullptr ? std::nullopt : to_int64(code->value);
}

std::string describe_refusal(int status, std::string_view body) {
  const auto value = read(body);
  if (value && value->kind == JsonKind::Object && is_error_answer(*value)) {
    return fmt::format("{}, {}", status, describe_error(*value));
  }
  return fmt::format("{}{}{}", status, body.empty() ? "" : ": ", printable(body));
}

}  // namespace ocp_mock
