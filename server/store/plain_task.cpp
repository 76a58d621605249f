#include "store/plain_task.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "ocp/instant.h"

namespace ocp_mock {
namespace {

// Sets a text without giving up the memory of the one before.
void set_text(SqlValue& column, std::string_view text) {
  if (auto* known = std::get_if<std::string>(&column)) {
    known->assign(text);
  } else {
    column.emplace<std::string>(text);
  }
}

void set_text(std::optional<std::string>& name, const PlainMember* member) {
  if (member == nullptr) {
    name.reset();
  } else if (name) {
    name->assign(member->value);
  } else {
    name.emplace(member->value);
  }
}

// Of all the text.
template <typename Number>
std::optional<Number> parse(std::string_view text) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return number;
}

}  // namespace

bool PlainTasks::read(const Endpoint& endpoint, const PlainObject& task, TaskRow& row) {
  if (endpoint_ != &endpoint) learn(endpoint);
  for (Place& place : places_) place.member = nullptr;
  for (std::size_t i = 0; i < task.members.size(); ++i) {
    const PlainMember& member = task.members[i];
    if (member.key.starts_with('$')) return false;
    const Field* field = field_of(i, member.key);
    if (field == nullptr || member.kind == JsonKind::Null) continue;
    places_[static_cast<std::size_t>(field - endpoint.fields.data())].member = &member;
  }
  row.columns.resize(columns_);
  for (const Place& place : places_) {
    if (!set_columns(place, row.columns)) return false;
  }
  row.cluster_id = std::get<std::int64_t>(row.columns[cluster_id_]);
  row.tenant_id = std::get<std::int64_t>(row.columns[tenant_id_]);
  const PlainMember* cluster_name = places_[cluster_name_].member;
  const PlainMember* tenant_name = places_[tenant_name_].member;
  for (const PlainMember* name : {cluster_name, tenant_name}) {
    if (name != nullptr && name->escaped) return false;
  }
  set_text(row.cluster_name, cluster_name);
  set_text(row.tenant_name, tenant_name);
  row.timeline.reset();
  row.computes = false;
  row.later_tenants.clear();
  row.json.clear();
  append_canonical_json(row.json, task);
  return true;
}

void PlainTasks::learn(const Endpoint& endpoint) {
  endpoint_ = &endpoint;
  keys_.clear();
  places_.clear();
  columns_ = 0;
  for (const Field& field : endpoint.fields) {
    places_.push_back({&field, columns_, nullptr});
    columns_ += columns_of(field).size();
  }
  const auto place = [&](std::string_view name) {
    return static_cast<std::size_t>(endpoint.find_field(name) - endpoint.fields.data());
  };
  cluster_id_ = places_[place("clusterId")].column;
  tenant_id_ = places_[place("tenantId")].column;
  cluster_name_ = place("clusterName");
  tenant_name_ = place("tenantName");
}

const Field* PlainTasks::field_of(std::size_t place, std::string_view key) {
  if (place == keys_.size()) keys_.emplace_back();
  Key& known = keys_[place];
  if (known.text != key) {
    known.text = key;
    known.field = endpoint_->find_field(key);
  }
  return known.field;
}

// Sets the columns of a field; false if its member is not what the field must hold.
bool PlainTasks::set_columns(const Place& place, std::vector<SqlValue>& columns) const {
  const Field& field = *place.field;
  const PlainMember* member = place.member;
  const bool stored = !field.column.empty();
  SqlValue* column = stored ? &columns[place.column] : nullptr;
  if (member == nullptr) {
    if (field.required) return false;
    if (!stored) return true;
    column[0] = {};
    if (field.type == FieldType::Time) column[1] = {};
    return true;
  }
  switch (field.type) {
    case FieldType::Integer: {
      const auto integer = member->kind == JsonKind::Integer ? parse<std::int64_t>(member->value) : std::nullopt;
      if (integer && stored) *column = *integer;
      return integer.has_value();
    }
    case FieldType::Number: {
      if (member->kind != JsonKind::Integer && member->kind != JsonKind::Float) return false;
      if (!stored) return true;
      if (member->kind == JsonKind::Integer) {
        *column = parse<std::int64_t>(member->value).value();
      } else {
        *column = parse<double>(member->value).value();
      }
      return true;
    }
    case FieldType::String:
      if (member->kind != JsonKind::String || (field.required && member->value.empty())) return false;
      if (!stored) return true;
      set_text(*column, member->value);
      return !member->escaped;
    case FieldType::Time: {
      const auto instant = member->kind == JsonKind::String ? parse_rfc3339(member->value) : std::nullopt;
      if (!instant) return false;
      if (stored) {
        column[0] = instant->second;
        column[1] = std::int64_t{instant->nano};
      }
      return true;
    }
  }
  return false;
}

}  // namespace ocp_mock
