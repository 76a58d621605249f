#include "catalogue/comparison.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/nearest.h"
#include "base/utf8.h"
#include "catalogue/expression.h"

namespace ocp_mock {
namespace {

// Null where the request has none; constant if the request is.
template <typename Asked>
auto find_condition(Asked& request, Match match) -> decltype(request.conditions.data()) {
  const auto found =
      std::ranges::find(request.conditions, match, [](const Condition& one) { return one.parameter->match; });
  return found == request.conditions.end() ? nullptr : &*found;
}

const std::string& text_of(const Condition& condition) { return std::get<std::string>(condition.values.front()); }

bool is_number(const Field& field) { return field.type == FieldType::Integer || field.type == FieldType::Number; }

[[noreturn]] void refuse_attribute(const Resource& resource, const Condition& attribute) {
  std::vector<std::string_view> names;
  for (const Field& field : resource.fields) {
    if (is_compared_by_name(field)) names.push_back(field.name);
  }
  const std::string& given = text_of(attribute);
  std::vector<Sentence> meant;
  if (const auto name = nearest(given, names)) meant.push_back({Message::DidYouMean, {*name}});
  throw ApiError(Sentence{Message::UnknownWord,
                          {attribute.parameter->name, printable(given), fmt::format("{}", fmt::join(names, ", "))}},
                 std::move(meant));
}

}  // namespace

void read_comparison(Request& request) {
  const Condition* const attribute = find_condition(request, Match::Attribute);
  if (attribute == nullptr) return;
  const Resource& resource = *request.endpoint->resource;
  const Field* const field = resource.find_field(text_of(*attribute));
  if (field == nullptr || !is_compared_by_name(*field)) refuse_attribute(resource, *attribute);
  Condition* const operand = find_condition(request, Match::Operand);
  if (operand == nullptr || !is_number(*field)) return;
  const std::string& text = text_of(*operand);
  double number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || stop != text.data() + text.size() || !std::isfinite(number)) {
    throw ApiError(Message::NotANumber, {operand->parameter->name, printable(text)});
  }
  operand->values.front() = number;
}

std::optional<Comparison> comparison_of(const Request& request) {
  const Condition* const attribute = find_condition(request, Match::Attribute);
  const Condition* const comparison = find_condition(request, Match::Comparison);
  const Condition* const operand = find_condition(request, Match::Operand);
  if (attribute == nullptr || comparison == nullptr || operand == nullptr) return std::nullopt;
  return Comparison{request.endpoint->resource->find_field(text_of(*attribute)),
                    comparison->parameter->words->find(text_of(*comparison)), &operand->values.front()};
}

}  // namespace ocp_mock
