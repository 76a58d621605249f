#include "catalogue/params.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <span>

#include "base/ascii.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "json/text.h"
#include "ocp/url.h"

namespace ocp_mock {
namespace {

constexpr std::array<std::string_view, 6> kListParameters{"startTime", "endTime", "status", "page", "size", "sort"};

// RFC 3986's characters of a query, which are those that Tomcat 9 takes in one; % begins an escape.
constexpr std::array<bool, 256> kQueryCharacters = [] {
  std::array<bool, 256> set{};
  for (std::size_t c = 0; c < set.size(); ++c) {
    set[c] = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  }
  for (const char c : std::string_view("-._~!$&'()*+,;=:@/?%")) set[static_cast<unsigned char>(c)] = true;
  return set;
}();

constexpr std::size_t kRawCharactersShown = 20;

struct Parameter {
  std::string name;
  std::string value;
};

void note(std::vector<Violation>& violations, Violation violation) {
  if (violations.size() < kMaximumViolations) violations.push_back(std::move(violation));
}

// The decoded parameters of a query, and what a client should know about them.
class Query {
 public:
  // Of an endpoint the path's own names may stand in the query too, as OCP's page of the endpoint shows it; nothing
  // reads them there.
  Query(std::string_view text, std::span<const std::string_view> known, const Endpoint* endpoint,
        std::vector<Violation>& violations)
      : violations_(violations) {
    for (const QueryPair& pair : split_query(text)) {
      std::optional<std::string> name = percent_decode(pair.name, Plus::IsBlank);
      std::optional<std::string> value = percent_decode(pair.value, Plus::IsBlank);
      if (!name || !value) {
        throw ApiError(Message::BadQueryEncoding, {printable(std::string(pair.name) + "=" + std::string(pair.value))});
      }
      if (std::ranges::find(known, *name) == known.end()) {
        if (endpoint != nullptr && endpoint->has_placeholder(*name)) continue;
        note(violations_, known.empty() ? Violation{Message::NoParameters, {printable(*name)}}
                                        : Violation{Message::UnknownParameter,
                                                    {printable(*name), fmt::format("{}", fmt::join(known, ", "))}});
        continue;
      }
      parameters_.push_back({std::move(*name), std::move(*value)});
    }
  }

  std::vector<std::string_view> all(std::string_view name) const {
    std::vector<std::string_view> values;
    for (const Parameter& parameter : parameters_) {
      if (parameter.name == name) values.push_back(parameter.value);
    }
    return values;
  }

  // A scalar that is given twice: the first counts, as in Spring.
  std::optional<std::string_view> first(std::string_view name) {
    const std::vector<std::string_view> values = all(name);
    if (values.empty()) return std::nullopt;
    for (std::size_t i = 1; i < values.size(); ++i) {
      note(violations_, {Message::RepeatedParameter, {std::string(name), printable(values[i])}});
    }
    return values.front();
  }

 private:
  std::vector<Parameter> parameters_;
  std::vector<Violation>& violations_;
};

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

std::int64_t path_integer(std::string_view name, std::string_view text) {
  const auto value = parse_integer(text);
  if (!value) throw ApiError(Message::NotAnInteger, {std::string(name), printable(text)});
  return *value;
}

std::int64_t positive_integer(Query& query, std::string_view name, std::int64_t otherwise) {
  const auto text = query.first(name);
  if (!text) return otherwise;
  const auto value = parse_integer(*text);
  if (!value || *value < 1) throw ApiError(Message::NotAPositiveInteger, {std::string(name), printable(*text)});
  return *value;
}

// Whether a time has a blank where the sign of its offset would be, which is what becomes of a + that is not encoded.
bool has_blank_for_sign(std::string_view text) {
  const auto blank = text.rfind(' ');
  if (blank == std::string_view::npos) return false;
  std::string offset(text.substr(blank + 1));
  std::erase(offset, ':');
  return (offset.size() == 2 || offset.size() == 4) && offset.find_first_not_of("0123456789") == std::string::npos &&
         parse_rfc3339(std::string(text.substr(0, blank)) + 'Z');
}

std::optional<Instant> time(Query& query, std::string_view name) {
  const auto text = query.first(name);
  if (!text) return std::nullopt;
  const auto instant = parse_query_time(*text);
  if (!instant) {
    throw ApiError(has_blank_for_sign(*text) ? Message::TimeWithRawPlus : Message::NotATime,
                   {std::string(name), printable(*text)});
  }
  return instant;
}

// What a word was probably meant to be.
std::vector<Sentence> did_you_mean_one_of(std::string_view word, const std::vector<std::string_view>& known) {
  const auto meant = nearest(word, known);
  if (!meant || *meant == word) return {};
  return {{Message::DidYouMean, {std::string(*meant)}}};
}

StatusSet with_same_meaning(const Endpoint& endpoint, StatusSet statuses) {
  StatusSet found = 0;
  for (StatusSet rest = statuses; rest != 0; rest &= rest - 1) {
    const std::string_view meaning = endpoint.statuses[static_cast<std::size_t>(std::countr_zero(rest))].meaning;
    for (const Status& status : endpoint.statuses) {
      if (status.meaning == meaning) found |= endpoint.find_status(status.word);
    }
  }
  return found;
}

// Given again, comma-separated, or both, with blanks around a word or not. An empty word filters nothing.
StatusSet statuses(const Endpoint& endpoint, const Query& query, std::vector<Violation>& violations) {
  const std::vector<std::string_view> values = query.all("status");
  const auto with_commas =
      std::ranges::find_if(values, [](std::string_view value) { return value.find(',') != std::string_view::npos; });
  if (values.size() > 1 && with_commas != values.end()) {
    note(violations, {Message::CommasAndRepetition, {"status", printable(*with_commas)}});
  }
  StatusSet chosen = 0;
  for (const std::string_view value : values) {
    bool has_empty_word = false;
    for (std::size_t begin = 0; begin <= value.size();) {
      const std::size_t end = std::min(value.find(',', begin), value.size());
      const std::string_view word = trim_blanks(value.substr(begin, end - begin));
      begin = end + 1;
      const StatusSet found = endpoint.find_status(word);
      chosen |= found;
      if (word.empty()) {
        has_empty_word = true;
      } else if (found == 0) {
        const auto all = endpoint.words_of(~StatusSet{0});
        throw ApiError(Sentence{Message::UnknownStatus, {printable(word), fmt::format("{}", fmt::join(all, ", "))}},
                       did_you_mean_one_of(word, all));
      }
    }
    if (has_empty_word) note(violations, {Message::EmptyValue, {"status", printable(value)}});
  }
  return chosen;
}

// field, or field and a direction in either case, as Spring Data reads it. A field that comes again orders nothing
// more.
std::vector<SortKey> sort_keys(const Endpoint& endpoint, const Query& query) {
  std::vector<SortKey> keys;
  for (const std::string_view value : query.all("sort")) {
    const auto comma = value.find(',');
    const std::string_view name = value.substr(0, comma);
    const std::string_view direction = comma == std::string_view::npos ? "asc" : value.substr(comma + 1);
    const bool descending = equals_ignoring_case(direction, "desc");
    if (std::ranges::find(endpoint.sorts, name) == endpoint.sorts.end() ||
        (!descending && !equals_ignoring_case(direction, "asc"))) {
      throw ApiError(
          Sentence{Message::UnknownSort, {printable(value), fmt::format("{}", fmt::join(endpoint.sorts, ", "))}},
          did_you_mean_one_of(name, {endpoint.sorts.begin(), endpoint.sorts.end()}));
    }
    const Field* field = endpoint.find_field(name);
    if (std::ranges::find(keys, field, &SortKey::field) == keys.end()) keys.push_back({field, descending});
  }
  return keys;
}

}  // namespace

ListRequest parse_list_request(const PathMatch& path, std::string_view query_text, std::vector<Violation>& violations,
                               const ListRules& rules) {
  ListRequest request;
  request.cluster_id = path_integer("id", path.values.at(0));
  request.tenant_id = path_integer("tenantId", path.values.at(1));

  Query query(query_text, kListParameters, path.endpoint, violations);
  request.start_time = time(query, "startTime");
  request.end_time = time(query, "endTime");
  request.window = rules.window;
  request.statuses = statuses(*path.endpoint, query, violations);
  if (rules.status_match == StatusMatch::Meaning) {
    request.statuses = with_same_meaning(*path.endpoint, request.statuses);
  }
  request.page = positive_integer(query, "page", 1);
  request.size = positive_integer(query, "size", kDefaultPageSize);
  request.sort = sort_keys(*path.endpoint, query);

  if (request.start_time && request.end_time && *request.start_time > *request.end_time) {
    throw ApiError(Message::StartAfterEnd,
                   {std::string(*query.first("startTime")), std::string(*query.first("endTime"))});
  }
  if (request.size > kMaximumPageSize) {
    note(violations,
         {Message::SizeOverMaximum, {"size", std::to_string(request.size), std::to_string(kMaximumPageSize)}});
    request.size = kMaximumPageSize;
  }
  return request;
}

void note_raw_characters(std::string_view query, std::vector<Violation>& violations) {
  const auto is_raw = [](char c) { return !kQueryCharacters[static_cast<unsigned char>(c)]; };
  if (std::ranges::none_of(query, is_raw)) return;
  // Each once, in the order of the first of each.
  std::vector<std::string_view> raw;
  while (!query.empty()) {
    const std::string_view character = query.substr(0, std::max<std::size_t>(utf8_length(query), 1));
    query.remove_prefix(character.size());
    if (is_raw(character.front()) && std::ranges::find(raw, character) == raw.end()) raw.push_back(character);
    if (raw.size() == kRawCharactersShown) break;
  }
  std::string characters;
  std::string encoded;
  for (const std::string_view character : raw) {
    characters.append(characters.empty() ? "" : " ").append(printable(character));
    encoded.append(encoded.empty() ? "" : " ").append(percent_encode(character));
  }
  note(violations, {Message::RawCharacters, {characters, encoded}});
}

void parse_no_parameters(std::string_view query, std::vector<Violation>& violations) {
  Query(query, {}, nullptr, violations);
}

}  // namespace ocp_mock
