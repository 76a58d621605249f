#include "store/where.h"

#include <algorithm>

#include "fixtures/field_rules.h"
#include "ocp/instant.h"

namespace ocp_mock {

Candidates candidates(const Resource& resource, const JsonValue& where) {
  Candidates found;
  RowSelection& selection = found.selection;
  for (const JsonMember& member : where.members) {
    const Field* field = resource.find_field(member.key);
    if (field == nullptr || field->column.empty()) {
      found.exact = false;
      continue;
    }
    const std::vector<std::string> columns = columns_of(*field);
    if (member.value.kind == JsonKind::Null) {
      selection.conditions.push_back({columns[0], {}});
    } else if (field->type == FieldType::String && member.value.kind == JsonKind::String) {
      selection.conditions.push_back({columns[0], member.value.text});
    } else if (const auto integer = to_int64(member.value); integer && field->type == FieldType::Integer) {
      selection.conditions.push_back({columns[0], *integer});
    } else {
      found.exact = false;
      const bool may_be_time = field->type == FieldType::Time && member.value.kind == JsonKind::String;
      if (const auto instant = may_be_time ? parse_rfc3339(member.value.text) : std::nullopt) {
        selection.conditions.push_back({columns[0], instant->second});
        selection.conditions.push_back({columns[1], std::int64_t{instant->nano}});
      }
    }
  }
  return found;
}

bool picks(const Resource& resource, const JsonValue& where, const JsonValue& row) {
  return std::ranges::all_of(where.members, [&](const JsonMember& member) {
    const JsonMember* own = row.find(member.key);
    if (own == nullptr) return member.value.kind == JsonKind::Null;
    const Field* field = resource.find_field(member.key);
    const bool is_time = field != nullptr && field->type == FieldType::Time && member.value.kind == JsonKind::String &&
                         own->value.kind == JsonKind::String;
    if (!is_time) return same_json(member.value, own->value);
    const auto wanted = parse_rfc3339(member.value.text);
    return wanted && wanted == parse_rfc3339(own->value.text);
  });
}

}  // namespace ocp_mock
