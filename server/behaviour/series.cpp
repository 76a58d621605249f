#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "behaviour/behaviour.h"
#include "json/text.h"

namespace ocp_mock {
namespace {

// OCP API reference: maxPoints, and the size that the page of a series tells.
constexpr std::int64_t kMostPoints = 1440;
constexpr std::int64_t kSizeOfPage = 2147483647;

// In one answer, which is made on a connection's thread: many metrics and labels get fewer points.
constexpr std::int64_t kMostValues = 100'000;

using Labels = std::vector<std::pair<std::string, std::string>>;

const std::vector<Value>* find_values(const Request& request, Match match) {
  const auto found =
      std::ranges::find(request.conditions, match, [](const Condition& one) { return one.parameter->match; });
  return found == request.conditions.end() ? nullptr : &found->values;
}

std::int64_t integer_of(const Request& request, Match match, std::int64_t otherwise) {
  const std::vector<Value>* values = find_values(request, match);
  return std::max<std::int64_t>(1, values == nullptr ? otherwise : std::get<std::int64_t>(values->front()));
}

// Whether the answer has a series for each combination of labels, and names them.
bool has_groups(const Request& request) {
  return std::ranges::find(request.endpoint->parameters, Match::GroupBy, &Parameter::match) !=
         request.endpoint->parameters.end();
}

bool is_grouped_by(const Request& request, const std::string& name) {
  const std::vector<Value>* names = find_values(request, Match::GroupBy);
  return names != nullptr && std::ranges::find(*names, Value(name)) != names->end();
}

struct GivenLabels {
  std::vector<std::pair<std::string, std::vector<std::string>>> grouped;  // each with its values
  Labels others;
};

// Labels are NAME:VALUE or NAME=VALUE; a text with neither is passed over.
GivenLabels read_labels(const Request& request) {
  GivenLabels labels;
  if (const std::vector<Value>* texts = find_values(request, Match::Labels)) {
    for (const Value& value : *texts) {
      const std::string& text = std::get<std::string>(value);
      const auto end = text.find_first_of(":=");
      if (end == std::string::npos) continue;
      const std::string name = text.substr(0, end);
      if (!is_grouped_by(request, name)) {
        labels.others.emplace_back(name, text.substr(end + 1));
        continue;
      }
      auto known = std::ranges::find(labels.grouped, name, [](const auto& one) { return one.first; });
      if (known == labels.grouped.end()) known = labels.grouped.insert(labels.grouped.end(), {name, {}});
      known->second.push_back(text.substr(end + 1));
    }
  }
  return labels;
}

// Each combination of the values of the grouped labels.
std::vector<Labels> combinations(const GivenLabels& labels) {
  const auto& given = labels.grouped;
  constexpr std::size_t kMostCombinations = 100;
  std::size_t count = 1;
  for (const auto& [name, values] : given) count = std::min(count * values.size(), kMostCombinations);
  std::vector<Labels> all(count);
  for (std::size_t i = 0; i < count; ++i) {
    // The digits of i, the last label's first.
    std::size_t rest = i;
    for (auto label = given.rbegin(); label != given.rend(); ++label) {
      all[i].emplace_back(label->first, label->second[rest % label->second.size()]);
      rest /= label->second.size();
    }
    std::ranges::reverse(all[i]);
  }
  return all;
}

std::uint64_t mixed(std::uint64_t hash, std::string_view text) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return hash;
}

std::uint64_t mixed(std::uint64_t hash, const Labels& labels) {
  for (const auto& [name, value] : labels) hash = mixed(mixed(hash, name), value);
  return hash;
}

// In hundredths: a level of the metric and its labels, and what moves around it from point to point.
std::int64_t value_of(std::string_view metric, const Labels& labels, const Labels& others, std::int64_t second) {
  std::uint64_t hash = mixed(mixed(mixed(14695981039346656037U, metric), labels), others);
  const auto level = static_cast<std::int64_t>(hash % 9'000) + 1'000;
  hash = mixed(hash, std::to_string(second));
  return level + static_cast<std::int64_t>((hash >> 20U) % 1'000) * level / 10'000;
}

// The points of one of so many series, joined by commas, and how many they are.
std::pair<std::string, std::int64_t> points_of(const Request& request, const Labels& labels, const Labels& others,
                                               std::int64_t series) {
  const std::vector<Value>& metrics = *find_values(request, Match::Metrics);
  const std::int64_t start = std::get<Instant>(find_values(request, Match::Start)->front()).second;
  const std::int64_t end =
      std::min(std::get<Instant>(find_values(request, Match::End)->front()).second, request.now.second);
  const std::int64_t room = std::max<std::int64_t>(1, kMostValues / (std::ssize(metrics) * series));
  const std::int64_t most = std::min({integer_of(request, Match::MostPoints, kMostPoints), kMostPoints, room});
  const std::int64_t span = std::max<std::int64_t>(0, end - start);
  const std::int64_t step = std::max(
      {integer_of(request, Match::Step, 1), integer_of(request, Match::LeastStep, 1), (span + most - 1) / most});
  std::string points;
  std::int64_t count = 0;
  // At whole multiples of the step, so that a later request has the same points.
  const std::int64_t first = (start / step + (start % step > 0 ? 1 : 0)) * step;
  for (std::int64_t second = first; second <= end && count < most; second += step, ++count) {
    points += count == 0 ? "{" : ",{";
    for (const Value& metric : metrics) {
      const std::string& name = std::get<std::string>(metric);
      append_json_string(points, name);
      const std::int64_t value = value_of(name, labels, others, second);
      points += fmt::format(":{}.{:02},", value / 100, value % 100);
    }
    points += fmt::format("\"timestamp\":{}}}", second);
  }
  return {std::move(points), count};
}

}  // namespace

// Values that depend on the metric, the labels and the second only, up to the time of the answer.
Outcome series_answer(const Request& request) {
  std::string contents;
  std::int64_t total = 0;
  const GivenLabels given = read_labels(request);
  if (!has_groups(request)) {
    std::tie(contents, total) = points_of(request, {}, given.others, 1);
  } else {
    const std::vector<Labels> all = combinations(given);
    for (const Labels& labels : all) {
      contents += total == 0 ? "{" : ",{";
      for (const auto& [name, value] : labels) {
        append_json_string(contents, name);
        contents += ':';
        append_json_string(contents, value);
        contents += ',';
      }
      contents += fmt::format("\"data\":[{}]}}", points_of(request, labels, given.others, std::ssize(all)).first);
      ++total;
    }
  }
  return AnswerData{Form::Page, {std::move(contents), 1, kSizeOfPage, total}, true};
}

}  // namespace ocp_mock
