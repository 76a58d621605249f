#include "client/diff_requests.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "base/text_file.h"
#include "base/utf8.h"
#include "fixtures/resources.h"
#include "json/reader.h"
#include "ocp/url.h"

namespace ocp_mock {
namespace {

constexpr std::int64_t kHour = 3600;

// A field of a row as a path or a query has it.
std::optional<std::string> text_of(const JsonValue& row, const Field* field) {
  const JsonMember* member = field == nullptr ? nullptr : row.find(field->name);
  if (member == nullptr || member->value.kind == JsonKind::Null || member->value.kind == JsonKind::Array ||
      member->value.kind == JsonKind::Object || member->value.text.empty()) {
    return std::nullopt;
  }
  return member->value.text;
}

std::string_view name_of(const Endpoint& endpoint, Match match) {
  return std::ranges::find(endpoint.parameters, match, &Parameter::match)->name;
}

bool is_time(const Parameter& parameter) {
  return parameter.required && (parameter.type == ParameterType::UtcTime || parameter.type == ParameterType::Time);
}

// The path and the required parameters, but for times, of the list or object that has the row; nothing if the row does
// not tell them.
std::optional<std::string> target_of(const Endpoint& endpoint, const JsonValue& row) {
  std::string target(endpoint.path);
  for (const PathParameter& parameter : endpoint.path_parameters) {
    const auto value = text_of(row, parameter.field);
    if (!value) return std::nullopt;
    const std::string placeholder = fmt::format("{{{}}}", parameter.name);
    target.replace(target.find(placeholder), placeholder.size(), percent_encode(*value));
  }
  char separator = '?';
  for (const Parameter& parameter : endpoint.parameters) {
    if (!parameter.required || is_time(parameter)) continue;
    const auto value = parameter.fields.size() == 1 ? text_of(row, parameter.fields[0]) : std::nullopt;
    if (!value) return std::nullopt;
    target += fmt::format("{}{}={}", separator, parameter.name, percent_encode(*value));
    separator = '&';
  }
  return target;
}

// The fields by whose times an endpoint selects rows that must be asked for by times; where it does not say, all times.
std::vector<const Field*> time_fields_of(const Endpoint& endpoint) {
  std::vector<const Field*> fields;
  for (const Parameter& parameter : endpoint.parameters) {
    if (is_time(parameter)) fields.insert(fields.end(), parameter.fields.begin(), parameter.fields.end());
  }
  if (!fields.empty()) return fields;
  for (const Field& field : endpoint.resource->fields) {
    if (field.type == FieldType::Time) fields.push_back(&field);
  }
  return fields;
}

struct Window {
  std::optional<Instant> first;
  std::optional<Instant> last;

  void include(Instant time) {
    first = std::min(first.value_or(time), time);
    last = std::max(last.value_or(time), time);
  }
};

struct AskedList {
  std::int64_t rows = 0;
  Window window;  // of its rows
};

// The required times, such that all rows are between them; of rows without times, the hour before now.
std::string times_of(const Endpoint& endpoint, Window window, Instant now) {
  if (!window.first) window = {Instant{now.second - kHour, 0}, now};
  // Whole seconds, which is all that queries have.
  const std::string first = format_iso_offset({window.first->second, 0}, 0);
  const std::string last = format_iso_offset({window.last->second + (window.last->nano > 0 ? 1 : 0), 0}, 0);
  std::string query;
  for (const Parameter& parameter : endpoint.parameters) {
    if (!is_time(parameter)) continue;
    // Where it is not said which one begins, the first does.
    const bool is_first = parameter.match == Match::From || (parameter.match != Match::Until && query.empty());
    query += fmt::format("{}{}={}", query.empty() ? "" : "&", parameter.name, percent_encode(is_first ? first : last));
  }
  return query;
}

std::string with_query(const std::string& target, const std::string& query) {
  if (query.empty()) return target;
  return fmt::format("{}{}{}", target, target.find('?') == std::string::npos ? '?' : '&', query);
}

void add_targets(const Endpoint& endpoint, const Dataset& dataset, Instant now, DiffRequests& requests) {
  std::vector<std::string> order;
  std::map<std::string, AskedList> asked;
  bool is_told = true;
  bool is_cut = false;
  const bool needs_times = std::ranges::any_of(endpoint.parameters, is_time);
  const std::vector<const Field*> times = needs_times ? time_fields_of(endpoint) : std::vector<const Field*>();
  dataset.each_row(*endpoint.resource, {}, [&](const StoredRow& stored) {
    const JsonValue row = read_canonical_json(stored.json);
    const auto target = target_of(endpoint, row);
    is_told = is_told && target.has_value();
    if (!target) return;
    if (!asked.contains(*target)) {
      is_cut = is_cut || asked.size() == kMostOfEndpoint;
      if (asked.size() == kMostOfEndpoint) return;
      order.push_back(*target);
    }
    AskedList& list = asked[*target];
    ++list.rows;
    for (const Field* field : times) {
      const auto text = text_of(row, field);
      const auto time = text ? parse_rfc3339(*text) : std::nullopt;
      if (time) list.window.include(*time);
    }
  });
  if (!is_told) requests.notes.push_back(fmt::format("{}: its rows do not tell what to ask for", endpoint.path));
  if (is_cut)
    requests.notes.push_back(fmt::format("{}: only the first {} are asked for", endpoint.path, kMostOfEndpoint));
  for (const std::string& path : order) {
    const AskedList& list = asked.at(path);
    const std::string target = needs_times ? with_query(path, times_of(endpoint, list.window, now)) : path;
    if (endpoint.paging.kind == PagingKind::None) {
      requests.targets.push_back(target);
      continue;
    }
    const std::int64_t size = std::min(kDiffPageSize, endpoint.paging.maximum_size);
    const std::int64_t last = (list.rows + size - 1) / size;
    for (const std::int64_t page : last == 1 ? std::vector<std::int64_t>{1} : std::vector<std::int64_t>{1, last}) {
      requests.targets.push_back(with_query(target, fmt::format("{}={}&{}={}", name_of(endpoint, Match::Page), page,
                                                                name_of(endpoint, Match::Size), size)));
    }
  }
}

}  // namespace

bool is_captured(const std::string& identity, const Endpoint& endpoint) {
  if (!endpoint.path_parameters.empty() || identity.find(", cluster ") == std::string::npos) return true;
  std::string_view rest = identity;
  while (!rest.empty()) {
    const auto end = std::min(rest.find_first_of(" ,"), rest.size());
    if (rest.substr(0, end) == endpoint.resource->name) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

DiffRequests requests_of(const Dataset& dataset, Instant now, const std::function<bool(const Endpoint&)>& is_asked) {
  DiffRequests requests;
  for (const Endpoint& endpoint : dataset.catalogue().endpoints) {
    if (answers_rows(endpoint) && is_asked(endpoint)) add_targets(endpoint, dataset, now, requests);
  }
  const DiffRequests exchanges = exchanges_of(dataset);
  requests.targets.insert(requests.targets.end(), exchanges.targets.begin(), exchanges.targets.end());
  return requests;
}

DiffRequests exchanges_of(const Dataset& dataset) {
  DiffRequests requests;
  constexpr std::string_view kGet = "GET ";
  dataset.each_exchange([&](const StoredExchange& exchange) {
    if (exchange.request.starts_with(kGet)) requests.targets.push_back(exchange.request.substr(kGet.size()));
  });
  return requests;
}

DiffRequests read_targets(const std::filesystem::path& file) {
  DiffRequests requests;
  const std::string text = read_text_file(file, "the file of paths");
  std::string_view rest = text;
  for (int number = 1; !rest.empty(); ++number) {
    const auto end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    const Target target = split_target(line);
    const auto is_raw = [](char c) { return c <= ' ' || c == 0x7F; };
    if (!line.starts_with('/') || std::ranges::any_of(line, is_raw) || !canonical_target(target.path, target.query)) {
      throw std::runtime_error(
          fmt::format("{}:{}: '{}' is no path; it must begin with a slash and be percent-encoded, such "
                      "as /api/v2/ob/clusters?page=1",
                      file.string(), number, printable(line)));
    }
    requests.targets.emplace_back(line);
  }
  if (requests.targets.empty()) throw std::runtime_error(fmt::format("{}: it has no path", file.string()));
  return requests;
}

}  // namespace ocp_mock
