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

// The path and the required parameters for the list or object that has the row; nothing if the row does not tell them.
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
    if (!parameter.required) continue;
    const auto value = parameter.fields.size() == 1 ? text_of(row, parameter.fields[0]) : std::nullopt;
    if (!value) return std::nullopt;
    target += fmt::format("{}{}={}", separator, parameter.name, percent_encode(*value));
    separator = '&';
  }
  return target;
}

void add_targets(const Endpoint& endpoint, const Dataset& dataset, DiffRequests& requests) {
  std::vector<std::string> order;
  std::map<std::string, std::int64_t> rows;
  bool is_told = true;
  bool is_cut = false;
  dataset.each_row(*endpoint.resource, {}, [&](const StoredRow& stored) {
    const auto target = target_of(endpoint, read_canonical_json(stored.json));
    is_told = is_told && target.has_value();
    if (!target) return;
    const auto known = rows.find(*target);
    if (known != rows.end()) {
      ++known->second;
    } else if (rows.size() < kMostOfEndpoint) {
      order.push_back(*target);
      rows.emplace(*target, 1);
    } else {
      is_cut = true;
    }
  });
  if (!is_told) requests.notes.push_back(fmt::format("{}: its rows do not tell what to ask for", endpoint.path));
  if (is_cut)
    requests.notes.push_back(fmt::format("{}: only the first {} are asked for", endpoint.path, kMostOfEndpoint));
  for (const std::string& target : order) {
    if (endpoint.paging.kind == PagingKind::None) {
      requests.targets.push_back(target);
      continue;
    }
    const std::int64_t size = std::min(kDiffPageSize, endpoint.paging.maximum_size);
    const std::int64_t last = (rows.at(target) + size - 1) / size;
    for (const std::int64_t page : last == 1 ? std::vector<std::int64_t>{1} : std::vector<std::int64_t>{1, last}) {
      requests.targets.push_back(
          fmt::format("{}{}{}={}&{}={}", target, target.find('?') == std::string::npos ? '?' : '&',
                      name_of(endpoint, Match::Page), page, name_of(endpoint, Match::Size), size));
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

DiffRequests requests_of(const Dataset& dataset, const std::function<bool(const Endpoint&)>& is_asked) {
  DiffRequests requests;
  for (const Endpoint& endpoint : dataset.catalogue().endpoints) {
    if (answers_rows(endpoint) && is_asked(endpoint)) add_targets(endpoint, dataset, requests);
  }
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
