#include "catalogue/request.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>
#include <utility>

#include "base/ascii.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "catalogue/comparison.h"
#include "catalogue/expression.h"
#include "ocp/url.h"

namespace ocp_mock {
namespace {

// What a word was probably meant to be.
std::vector<Sentence> did_you_mean_one_of(std::string_view word, const std::vector<std::string_view>& known) {
  const auto meant = nearest(word, known);
  if (!meant || *meant == word) return {};
  return {{Message::DidYouMean, {*meant}}};
}

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

void note(std::vector<Violation>& violations, Violation violation) {
  if (violations.size() < kMaximumViolations) violations.push_back(std::move(violation));
}

// Whether the query has a member of the body by this name.
bool is_body_in_query(const Endpoint& endpoint, std::string_view name) {
  return std::ranges::find(endpoint.media, Media::Query) != endpoint.media.end() &&
         std::ranges::any_of(endpoint.body.fields, [&](const BodyField& one) { return one.is_called(name); });
}

// The decoded parameters of a query, and what a client should know about them.
class Query {
 public:
  // The placeholders of the path may be in the query too, as OCP's page of the log backup tasks has it; nothing reads
  // them there.
  Query(std::string_view text, const Endpoint& endpoint, std::vector<Violation>& violations) : violations_(violations) {
    for (const QueryPair& pair : split_query(text)) {
      std::optional<std::string> name = percent_decode(pair.name, Plus::IsBlank);
      std::optional<std::string> value = percent_decode(pair.value, Plus::IsBlank);
      if (!name || !value) {
        throw ApiError(Message::BadQueryEncoding, {printable(std::string(pair.name) + "=" + std::string(pair.value))});
      }
      const auto is_called = [&](const Parameter& parameter) {
        return parameter.name == *name || (!parameter.alias.empty() && parameter.alias == *name);
      };
      const auto parameter = std::ranges::find_if(endpoint.parameters, is_called);
      if (parameter != endpoint.parameters.end()) {
        pairs_.emplace_back(parameter->name, *std::move(value));
      } else if (!endpoint.has_placeholder(*name) && !is_body_in_query(endpoint, *name)) {
        note_unknown(endpoint, *name);
      }
    }
  }

  std::vector<std::string_view> all(std::string_view name) const {
    std::vector<std::string_view> values;
    for (const auto& [given, value] : pairs_) {
      if (given == name) values.push_back(value);
    }
    return values;
  }

  // Of a parameter that takes one value: the first counts, as in Spring.
  std::optional<std::string_view> first(std::string_view name) const {
    const std::vector<std::string_view> values = all(name);
    if (values.empty()) return std::nullopt;
    for (std::size_t i = 1; i < values.size(); ++i) {
      note(violations_, {Message::RepeatedParameter, {std::string(name), printable(values[i])}});
    }
    return values.front();
  }

 private:
  void note_unknown(const Endpoint& endpoint, std::string_view name) {
    if (endpoint.parameters.empty()) {
      note(violations_, {Message::NoParameters, {printable(name)}});
      return;
    }
    std::vector<std::string_view> known;
    for (const Parameter& parameter : endpoint.parameters) known.push_back(parameter.name);
    note(violations_, {Message::UnknownParameter, {printable(name), fmt::format("{}", fmt::join(known, ", "))}});
  }

  std::vector<std::pair<std::string, std::string>> pairs_;
  std::vector<Violation>& violations_;
};

// Of the whole text; nothing for any other, and for what is out of range.
template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

[[noreturn]] void refuse(Message message, std::string_view name, std::string_view text) {
  throw ApiError(message, {std::string(name), printable(text)});
}

std::int64_t read_integer(std::string_view name, std::string_view text) {
  const auto value = parse_number<std::int64_t>(text);
  if (!value) refuse(Message::NotAnInteger, name, text);
  return *value;
}

double read_number(std::string_view name, std::string_view text) {
  const auto value = parse_number<double>(text);
  if (!value || !std::isfinite(*value)) refuse(Message::NotANumber, name, text);
  return *value;
}

std::int64_t read_boolean(std::string_view name, std::string_view text) {
  if (equals_ignoring_case(text, "true")) return 1;
  if (equals_ignoring_case(text, "false")) return 0;
  refuse(Message::NotABoolean, name, text);
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

Instant read_utc_time(std::string_view name, std::string_view text) {
  const auto instant = parse_query_time(text);
  if (!instant) refuse(has_blank_for_sign(text) ? Message::TimeWithRawPlus : Message::NotATime, name, text);
  return *instant;
}

Instant read_time(std::string_view name, std::string_view text) {
  const auto instant = parse_rfc3339(text);
  if (!instant) refuse(Message::NotATimeWithOffset, name, text);
  return *instant;
}

Value read_value(const Parameter& parameter, std::string_view text) {
  switch (parameter.type) {
    case ParameterType::Integer: {
      const std::int64_t value = read_integer(parameter.name, text);
      const bool is_number = !parameter.fields.empty() && parameter.fields[0]->type == FieldType::Number;
      return is_number ? Value(static_cast<double>(value)) : Value(value);
    }
    case ParameterType::Number: return read_number(parameter.name, text);
    case ParameterType::Boolean: return read_boolean(parameter.name, text);
    case ParameterType::UtcTime: return read_utc_time(parameter.name, text);
    case ParameterType::Time: return read_time(parameter.name, text);
    case ParameterType::String:
    case ParameterType::Word: break;
  }
  return std::string(text);
}

std::size_t read_word(const Parameter& parameter, std::string_view text) {
  const std::size_t index = parameter.words->find(text);
  if (index == WordList::npos) {
    std::vector<std::string_view> words;
    for (const Word& word : parameter.words->words) words.push_back(word.word);
    throw ApiError(
        Sentence{Message::UnknownWord, {parameter.name, printable(text), fmt::format("{}", fmt::join(words, ", "))}},
        did_you_mean_one_of(text, words));
  }
  return index;
}

// The values of one parameter, each once: words in the order of their list, others as they were given.
class ValueList {
 public:
  ValueList(const Parameter& parameter, WordMatch word_match) : parameter_(parameter), word_match_(word_match) {}

  void add(std::string_view text) {
    if (parameter_.type == ParameterType::Word) {
      const std::size_t word = read_word(parameter_, text);
      chosen_.resize(parameter_.words->words.size());
      chosen_[word] = true;
    } else if (Value value = read_value(parameter_, text); std::ranges::find(values_, value) == values_.end()) {
      if (values_.size() == kMaximumValues) {
        throw ApiError(Message::TooManyValues, {std::string(parameter_.name), std::to_string(kMaximumValues)});
      }
      values_.push_back(std::move(value));
    }
  }

  std::vector<Value> take() {
    for (std::size_t i = 0; i < chosen_.size(); ++i) {
      if (is_wanted(i)) values_.emplace_back(std::string(parameter_.words->words[i].word));
    }
    return std::move(values_);
  }

 private:
  bool is_wanted(std::size_t index) const {
    if (chosen_[index] || word_match_ == WordMatch::Exact) return chosen_[index];
    const std::span<const Word> words = parameter_.words->words;
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (chosen_[i] && words[i].meaning == words[index].meaning) return true;
    }
    return false;
  }

  const Parameter& parameter_;
  WordMatch word_match_;
  std::vector<bool> chosen_;  // of the words; empty before the first
  std::vector<Value> values_;
};

// Given again, comma-separated, or both, with blanks around a value or not. An empty value filters nothing.
void read_array(const Parameter& parameter, const Query& query, std::vector<Violation>& violations, ValueList& list) {
  const std::string name(parameter.name);
  const std::vector<std::string_view> given = query.all(parameter.name);
  const auto with_commas =
      std::ranges::find_if(given, [](std::string_view text) { return text.find(',') != std::string_view::npos; });
  if (given.size() > 1 && with_commas != given.end()) {
    note(violations, {Message::CommasAndRepetition, {name, printable(*with_commas)}});
  }
  for (const std::string_view text : given) {
    bool has_empty_value = false;
    for (std::size_t begin = 0; begin <= text.size();) {
      const std::size_t end = std::min(text.find(',', begin), text.size());
      const std::string_view value = trim_blanks(text.substr(begin, end - begin));
      begin = end + 1;
      if (value.empty()) {
        has_empty_value = true;
      } else {
        list.add(value);
      }
    }
    if (has_empty_value) note(violations, {Message::EmptyValue, {name, printable(text)}});
  }
}

// An empty text or word filters nothing.
void read_single(const Parameter& parameter, const Query& query, std::vector<Violation>& violations, ValueList& list) {
  const auto given = query.first(parameter.name);
  if (!given) return;
  const bool is_word = parameter.type == ParameterType::Word;
  const std::string_view value = is_word ? trim_blanks(*given) : *given;
  if (value.empty() && (is_word || parameter.type == ParameterType::String)) {
    note(violations, {Message::EmptyValue, {std::string(parameter.name), printable(*given)}});
  } else {
    list.add(value);
  }
}

std::vector<Value> read_values(const Parameter& parameter, const Query& query, WordMatch word_match,
                               std::vector<Violation>& violations) {
  ValueList list(parameter, word_match);
  (parameter.repeats ? read_array : read_single)(parameter, query, violations, list);
  std::vector<Value> values = list.take();
  if (parameter.match == Match::Length && !values.empty() && std::get<std::int64_t>(values.front()) < 1) {
    refuse(Message::NotAPositiveInteger, parameter.name, *query.first(parameter.name));
  }
  if (values.empty() && parameter.required) throw ApiError(Message::MissingParameter, {std::string(parameter.name)});
  return values;
}

// A page or a size.
std::int64_t read_positive_integer(const Parameter& parameter, const Query& query, PagingKind kind,
                                   std::int64_t otherwise, std::vector<Violation>& violations) {
  const auto text = query.first(parameter.name);
  if (!text) return otherwise;
  const auto value = parse_number<std::int64_t>(*text);
  if (value && *value >= 1) return *value;
  if (kind == PagingKind::Strict) refuse(Message::NotAPositiveInteger, parameter.name, *text);
  note(violations,
       {Message::CountsAsDefault, {std::string(parameter.name), printable(*text), std::to_string(otherwise)}});
  return otherwise;
}

// A direction in either case, as Spring Data reads it: whether it is the descending one.
std::optional<bool> parse_direction(std::string_view text) {
  if (equals_ignoring_case(text, "desc")) return true;
  if (equals_ignoring_case(text, "asc")) return false;
  return std::nullopt;
}

// "FIELD" or "FIELD,DIRECTION", and of the Pageable kind "DIRECTION,FIELD" too.
std::optional<SortKey> parse_sort_key(const Paging& paging, std::string_view text) {
  const auto comma = text.find(',');
  std::string_view name = text.substr(0, comma);
  std::string_view direction = comma == std::string_view::npos ? "asc" : text.substr(comma + 1);
  if (paging.kind == PagingKind::Pageable && !parse_direction(direction)) std::swap(name, direction);
  const auto descending = parse_direction(direction);
  const auto field = std::ranges::find(paging.sorts, name, &Field::name);
  if (!descending || field == paging.sorts.end()) return std::nullopt;
  return SortKey{*field, *descending};
}

// The half that is no direction, of a text that is no sort key.
std::string_view field_of_sort(const Paging& paging, std::string_view text) {
  const auto comma = text.find(',');
  const std::string_view first = text.substr(0, comma);
  const bool may_follow = paging.kind == PagingKind::Pageable && comma != std::string_view::npos;
  return may_follow && parse_direction(first) ? text.substr(comma + 1) : first;
}

// A field that comes again orders nothing more.
std::vector<SortKey> read_sort(const Parameter& parameter, const Query& query, const Paging& paging) {
  std::vector<SortKey> keys;
  for (const std::string_view text : query.all(parameter.name)) {
    const auto key = parse_sort_key(paging, text);
    if (!key) {
      std::vector<std::string_view> names;
      for (const Field* field : paging.sorts) names.push_back(field->name);
      throw ApiError(
          Sentence{Message::UnknownSort, {parameter.name, printable(text), fmt::format("{}", fmt::join(names, ", "))}},
          did_you_mean_one_of(field_of_sort(paging, text), names));
    }
    if (std::ranges::find(keys, key->field, &SortKey::field) == keys.end()) keys.push_back(*key);
  }
  return keys;
}

// That no time is bounded from below by a later one than from above.
void check_bounds(const std::vector<Condition>& conditions, const Query& query) {
  for (const Condition& from : conditions) {
    for (const Condition& until : conditions) {
      const Parameter& start = *from.parameter;
      const Parameter& end = *until.parameter;
      const bool is_pair = start.match == Match::From && end.match == Match::Until && start.fields[0] == end.fields[0];
      if (!is_pair || start.fields[0]->type != FieldType::Time || from.values[0] <= until.values[0]) continue;
      throw ApiError(Message::StartAfterEnd, {std::string(start.name), printable(query.all(start.name)[0]),
                                              std::string(end.name), printable(query.all(end.name)[0])});
    }
  }
}

}  // namespace

Request read_parameters(const Endpoint& endpoint, const std::vector<std::string>& path, std::string_view query_text,
                        const ListRules& rules, std::vector<Violation>& violations) {
  Request request;
  request.endpoint = &endpoint;
  request.window = rules.window;
  request.size = endpoint.paging.default_size;
  request.path.reserve(endpoint.path_parameters.size());
  for (std::size_t i = 0; i < endpoint.path_parameters.size(); ++i) {
    const PathParameter& parameter = endpoint.path_parameters[i];
    request.path.push_back(parameter.type == ParameterType::Integer ? Value(read_integer(parameter.name, path.at(i)))
                                                                    : Value(path.at(i)));
  }
  const Query query(query_text, endpoint, violations);
  std::string_view name_of_size;
  for (const Parameter& parameter : endpoint.parameters) {
    switch (parameter.match) {
      case Match::Page:
        request.page = read_positive_integer(parameter, query, endpoint.paging.kind, 1, violations);
        break;
      case Match::Size:
        name_of_size = parameter.name;
        request.size =
            read_positive_integer(parameter, query, endpoint.paging.kind, endpoint.paging.default_size, violations);
        break;
      case Match::Sort: request.sort = read_sort(parameter, query, endpoint.paging); break;
      default: {
        std::vector<Value> values = read_values(parameter, query, rules.word_match, violations);
        if (!values.empty() && parameter.match != Match::Ignored) {
          request.conditions.push_back({&parameter, std::move(values)});
        }
      }
    }
  }
  check_bounds(request.conditions, query);
  read_comparison(request);
  for (const Condition& one : request.conditions) {
    if (one.parameter->match != Match::Expression) continue;
    read_expression(*endpoint.resource, *one.parameter, std::get<std::string>(one.values.front()));
  }
  if (const std::int64_t maximum = endpoint.paging.maximum_size; maximum > 0 && request.size > maximum) {
    note(violations, {Message::SizeOverMaximum,
                      {std::string(name_of_size), std::to_string(request.size), std::to_string(maximum)}});
    request.size = maximum;
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

}  // namespace ocp_mock
