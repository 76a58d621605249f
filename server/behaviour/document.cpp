#include <optional>
#include <utility>

#include "behaviour/behaviour.h"
#include "fixtures/field_rules.h"
#include "json/reader.h"
#include "store/query.h"

namespace ocp_mock {

// The field may be hidden, so the row is read as the fixtures have it.
Outcome document_of_row(const Request& request, const std::shared_ptr<const Dataset>& dataset) {
  const auto path = request.endpoint->path_parameters;
  RowSelection selection;
  for (std::size_t i = 0; i < path.size(); ++i) {
    selection.conditions.push_back({columns_of(*path[i].field).front(), column_values(request.path[i]).front()});
  }
  std::optional<std::string> text;
  dataset->each_row(*request.endpoint->resource, selection, [&](const StoredRow& row) {
    const JsonValue value = read_canonical_json(row.json);
    const JsonMember* member = value.find(request.endpoint->document->name);
    text = is_present(member) ? member->value.text : "";
  });
  if (!text) {
    const auto missing = dataset->find_missing(request);
    throw missing_row(request, missing.value_or(path.size() - 1));
  }
  return AnswerData{Form::Bare, {*std::move(text), 1, 1, 1}, false};
}

}  // namespace ocp_mock
