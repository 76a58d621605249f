#include "catalogue/catalogue.h"

#include <algorithm>

#include <fmt/format.h>

namespace ocp_mock {

std::size_t WordList::find(std::string_view word) const {
  const auto found = std::ranges::find(words, word, &Word::word);
  return found == words.end() ? npos : static_cast<std::size_t>(found - words.begin());
}

const Field* Resource::find_field(std::string_view field) const {
  const auto found = std::ranges::find(fields, field, &Field::name);
  return found == fields.end() ? nullptr : &*found;
}

bool Endpoint::has_placeholder(std::string_view name) const {
  return std::ranges::find(path_parameters, name, &PathParameter::name) != path_parameters.end();
}

const Resource* Catalogue::find_resource(std::string_view name) const {
  const auto found = std::ranges::find(resources, name, &Resource::name);
  return found == resources.end() ? nullptr : &*found;
}

std::string_view Catalogue::find_steps(std::string_view name) const {
  const auto found = std::ranges::find(steps, name, &NamedJson::name);
  return found == steps.end() ? std::string_view() : found->json;
}

std::string_view Catalogue::find_answer(std::string_view name) const {
  const auto found = std::ranges::find(answers, name, &NamedJson::name);
  return found == answers.end() ? std::string_view() : found->json;
}

std::vector<std::string> columns_of(const Field& field) {
  if (field.column.empty()) return {};
  if (field.type != FieldType::Time) return {std::string(field.column)};
  return {fmt::format("{}_second", field.column), fmt::format("{}_nano", field.column)};
}

}  // namespace ocp_mock
