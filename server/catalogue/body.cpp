#include "catalogue/body.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "base/ascii.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "json/reader.h"
#include "ocp/instant.h"
#include "ocp/url.h"

namespace ocp_mock {
namespace {

// clang-format off
constexpr struct {
  Media media;
  std::string_view type;
} kMediaTypes[] = {
    {Media::Json,      "application/json"},
    {Media::Form,      "application/x-www-form-urlencoded"},
    {Media::Multipart, "multipart/form-data"},
};

constexpr struct {
  BodyType type;
  std::string_view english;
  std::string_view chinese;
} kRightValues[] = {
    {BodyType::Integer, "an integer",            "整数"},
    {BodyType::Number,  "a number",              "数字"},
    {BodyType::Boolean, "true or false",         "true 或 false"},
    {BodyType::String,  "a string",              "字符串"},
    {BodyType::Word,    "a string",              "字符串"},
    {BodyType::Time,    "a time of RFC 3339, such as 2024-07-10T00:00:00+08:00", "RFC 3339 时间，例如 2024-07-10T00:00:00+08:00"},
    {BodyType::Array,   "an array",              "数组"},
    {BodyType::Object,  "an object",             "对象"},
    {BodyType::Any,     "a value",               "任意值"},
};
// clang-format on

template <typename Number>
bool reads_as(std::string_view text) {
  Number number{};
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && stop == text.data() + text.size();
}

bool is_scalar(const JsonValue& value) {
  return value.kind != JsonKind::Array && value.kind != JsonKind::Object && value.kind != JsonKind::Null;
}

bool fits(const BodyField& field, const JsonValue& value) {
  switch (field.type) {
    case BodyType::Integer: return is_scalar(value) && reads_as<std::int64_t>(value.text);
    case BodyType::Number: return is_scalar(value) && value.kind != JsonKind::Boolean && reads_as<double>(value.text);
    case BodyType::Boolean:
      return is_scalar(value) &&
             (equals_ignoring_case(value.text, "true") || equals_ignoring_case(value.text, "false"));
    case BodyType::String:
    case BodyType::Word: return is_scalar(value);
    case BodyType::Time: return value.kind == JsonKind::String && parse_rfc3339(value.text);
    case BodyType::Array: return value.kind == JsonKind::Array;
    case BodyType::Object: return value.kind == JsonKind::Object;
    case BodyType::Any: return true;
  }
  return false;
}

// What the least of a field must be, in both languages.
Argument least_value(const BodyField& field) {
  switch (field.type) {
    case BodyType::Integer:
      return {fmt::format("an integer of at least {}", field.least), fmt::format("不小于 {} 的整数", field.least)};
    case BodyType::Number:
      return {fmt::format("a number of at least {}", field.least), fmt::format("不小于 {} 的数字", field.least)};
    case BodyType::Array:
      return {fmt::format("an array of at least {} item{}", field.least, field.least == 1 ? "" : "s"),
              fmt::format("至少包含 {} 个元素的数组", field.least)};
    default: return {"a string that is not empty", "非空字符串"};
  }
}

// An array and a string with the length that is wrong of them.
std::string described(const JsonValue& value) {
  if (value.kind == JsonKind::Array && value.items.empty()) return "an empty array";
  if (value.kind == JsonKind::Array) return fmt::format("an array of {}", value.items.size());
  return value.text.empty() ? "an empty string" : describe(value);
}

bool is_long_enough(const BodyField& field, const JsonValue& value) {
  switch (field.type) {
    case BodyType::Integer:
    case BodyType::Number: {
      double number{};
      std::from_chars(value.text.data(), value.text.data() + value.text.size(), number);
      return number >= field.least;
    }
    case BodyType::String: return static_cast<double>(value.text.size()) >= field.least;
    case BodyType::Array: return static_cast<double>(value.items.size()) >= field.least;
    default: return true;
  }
}

// Of a member, or without a path of the whole body.
ApiError refusal(const std::string& path, const Argument& given, const Argument& right) {
  const Argument whole{"The body", "请求体"};
  const Argument member{fmt::format("Parameter '{}' of the body", path), fmt::format("请求体参数 {} ", path)};
  return ApiError(Message::WrongBodyType, {path.empty() ? whole : member, given, right});
}

class Checker {
 public:
  explicit Checker(std::vector<Violation>& violations) : violations_(violations) {}

  void check(const BodyField& field, const JsonValue& value, const std::string& path) {
    if (!fits(field, value)) {
      const auto right = std::ranges::find(kRightValues, field.type, [](const auto& row) { return row.type; });
      throw refusal(path, printable(describe(value)), {std::string(right->english), std::string(right->chinese)});
    }
    if (!is_long_enough(field, value)) {
      throw refusal(path, printable(described(value)), least_value(field));
    }
    if (field.type == BodyType::Word) check_word(field, value, path);
    if (field.type == BodyType::Object && !field.fields.empty()) check_members(field, value, path);
    if (field.type == BodyType::Array && !field.fields.empty()) {
      for (std::size_t i = 0; i < value.items.size(); ++i) {
        check(field.fields.front(), value.items[i], fmt::format("{}[{}]", path, i));
      }
    }
  }

 private:
  static void check_word(const BodyField& field, const JsonValue& value, const std::string& path) {
    if (field.words->find(value.text) != WordList::npos) return;
    std::vector<std::string_view> words;
    for (const Word& word : field.words->words) words.push_back(word.word);
    std::vector<Sentence> meant;
    if (const auto near = nearest(value.text, words); near && *near != value.text) {
      meant.push_back({Message::DidYouMean, {*near}});
    }
    throw ApiError(
        Sentence{Message::UnknownWord, {path, printable(value.text), fmt::format("{}", fmt::join(words, ", "))}},
        std::move(meant));
  }

  void check_members(const BodyField& field, const JsonValue& value, const std::string& path) {
    const auto path_of = [&](std::string_view name) {
      return path.empty() ? std::string(name) : fmt::format("{}.{}", path, name);
    };
    for (const BodyField& one : field.fields) {
      const JsonMember* member = value.find(one.name);
      if (member != nullptr && member->value.kind != JsonKind::Null) {
        check(one, member->value, path_of(one.name));
      } else if (one.required) {
        throw ApiError(Message::MissingParameter, {path_of(one.name)});
      }
    }
    for (const JsonMember& member : value.members) {
      if (std::ranges::find(field.fields, member.key, &BodyField::name) != field.fields.end()) continue;
      if (violations_.size() >= kMaximumViolations) return;
      std::vector<std::string_view> known;
      for (const BodyField& one : field.fields) known.push_back(one.name);
      violations_.push_back(
          {Message::UnknownBodyMember, {printable(path_of(member.key)), fmt::format("{}", fmt::join(known, ", "))}});
    }
  }

  std::vector<Violation>& violations_;
};

// Keeps a member of a form or of a multipart body, once: one that is known, or one of the first others, of which no
// more are noted.
void keep(JsonValue& object, const BodyField& known, std::string name, std::string value) {
  const bool is_known = std::ranges::find(known.fields, name, &BodyField::name) != known.fields.end();
  if (!is_known && object.members.size() >= known.fields.size() + kMaximumViolations) return;
  if (object.find(name) == nullptr) object.set({std::move(name), {}, {JsonKind::String, std::move(value), {}, {}, {}}});
}

// Adds the comma-separated items to the member, which is an array.
void add_items(JsonValue& object, const std::string& name, std::string_view text) {
  if (object.find(name) == nullptr) object.set({name, {}, {JsonKind::Array, {}, {}, {}, {}}});
  JsonValue& array = std::ranges::find(object.members, name, &JsonMember::key)->value;
  while (true) {
    const auto comma = text.find(',');
    const std::string_view item = trim_blanks(text.substr(0, comma));
    if (!item.empty()) array.items.push_back({JsonKind::String, std::string(item), {}, {}, {}});
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
}

// A form's members are strings, those that are arrays given again or comma-separated; of another name that comes again
// the first one counts. With only_known others are left out.
JsonValue object_of_pairs(std::string_view text, const BodyField& known, bool only_known) {
  JsonValue object;
  object.kind = JsonKind::Object;
  for (const QueryPair& pair : split_query(text)) {
    const auto name = percent_decode(pair.name, Plus::IsBlank);
    const auto value = percent_decode(pair.value, Plus::IsBlank);
    if (!name || !value) {
      throw ApiError(Message::BadQueryEncoding, {printable(std::string(pair.name) + "=" + std::string(pair.value))});
    }
    const auto field = std::ranges::find_if(known.fields, [&](const BodyField& one) { return one.is_called(*name); });
    if (field != known.fields.end() && field->type == BodyType::Array) {
      add_items(object, std::string(field->name), *value);
    } else if (field != known.fields.end() || !only_known) {
      keep(object, known, *name, *value);
    }
  }
  return object;
}

// The parts of a multipart body: of each the name of its file, without folders, or an empty string.
JsonValue object_of_parts(std::string_view content_type, std::string_view body, const BodyField& known) {
  JsonValue object;
  object.kind = JsonKind::Object;
  constexpr std::string_view kBoundary = "boundary=";
  const auto begin = content_type.find(kBoundary);
  if (begin == std::string_view::npos) return object;
  std::string_view boundary = content_type.substr(begin + kBoundary.size());
  boundary = trim_blanks(boundary.substr(0, boundary.find(';')));
  if (boundary.size() > 1 && boundary.front() == '"') boundary = boundary.substr(1, boundary.size() - 2);
  const std::string delimiter = fmt::format("--{}", boundary);
  for (auto part = body.find(delimiter); part != std::string_view::npos;) {
    const auto start = part + delimiter.size();
    const auto next = body.find(delimiter, start);
    const std::string_view text = body.substr(start, next == std::string_view::npos ? next : next - start);
    part = next;
    const auto head_end = text.find("\r\n\r\n");
    if (head_end == std::string_view::npos) continue;
    const std::string_view head = text.substr(0, head_end);
    constexpr std::string_view kName = " name=\"";
    const auto name = head.find(kName);
    if (name == std::string_view::npos) continue;
    const auto quoted = [&](std::string_view rest) { return std::string(rest.substr(0, rest.find('"'))); };
    constexpr std::string_view kFileName = " filename=\"";
    const auto file = head.find(kFileName);
    std::string file_name = file == std::string_view::npos ? "" : quoted(head.substr(file + kFileName.size()));
    file_name.erase(0, file_name.find_last_of("/\\") + 1);
    keep(object, known, quoted(head.substr(name + kName.size())), std::move(file_name));
  }
  return object;
}

// Members that go by another name get the one of the catalogue, which counts where both are there.
void use_names(const BodyField& field, JsonValue& value) {
  for (const BodyField& one : field.fields) {
    if (field.type == BodyType::Array) {
      for (JsonValue& item : value.items) use_names(one, item);
      continue;
    }
    if (const JsonMember* other = one.alias.empty() ? nullptr : value.find(one.alias)) {
      JsonMember renamed{std::string(one.name), {}, other->value};
      value.erase(one.alias);
      const JsonMember* known = value.find(one.name);
      if (known == nullptr || known->value.kind == JsonKind::Null) value.set(renamed);
    }
    const auto member = std::ranges::find(value.members, one.name, &JsonMember::key);
    if (member != value.members.end()) use_names(one, member->value);
  }
}

// Gives a value that fits the kind that its field has, and takes members away that are not known.
void give_types(const BodyField& field, JsonValue& value) {
  switch (field.type) {
    case BodyType::Integer:
    case BodyType::Number:
      // A text that only C++ takes for a number stays a text.
      if (value.kind != JsonKind::String) break;
      try {
        value = read_json_text(value.text);
      } catch (const JsonSyntaxError&) {
      }
      break;
    case BodyType::Boolean:
      value.kind = JsonKind::Boolean;
      std::ranges::transform(value.text, value.text.begin(), to_lower_ascii);
      break;
    case BodyType::String:
      if (!field.keeps_before.empty())
        value.text.resize(std::min(value.text.find(field.keeps_before), value.text.size()));
      value.kind = JsonKind::String;
      break;
    case BodyType::Word: value.kind = JsonKind::String; break;
    case BodyType::Array:
      if (field.fields.empty()) break;
      for (JsonValue& item : value.items) give_types(field.fields.front(), item);
      break;
    case BodyType::Object:
      std::erase_if(value.members, [&](const JsonMember& member) {
        return !field.fields.empty() &&
               std::ranges::find(field.fields, member.key, &BodyField::name) == field.fields.end();
      });
      for (const BodyField& one : field.fields) {
        const auto member = std::ranges::find(value.members, one.name, &JsonMember::key);
        if (member != value.members.end() && member->value.kind != JsonKind::Null) give_types(one, member->value);
      }
      break;
    case BodyType::Time:
    case BodyType::Any: break;
  }
}

Media media_of(const Endpoint& endpoint, std::string_view content_type) {
  const std::string_view type = trim_blanks(content_type.substr(0, content_type.find(';')));
  std::vector<std::string_view> taken;
  for (const auto& row : kMediaTypes) {
    if (std::ranges::find(endpoint.media, row.media) == endpoint.media.end()) continue;
    taken.push_back(row.type);
    const bool is_default = type.empty() && row.media == Media::Json;
    if (is_default || equals_ignoring_case(type, row.type)) return row.media;
  }
  throw ApiError(Message::BodyMediaType, {printable(content_type), fmt::format("{}", fmt::join(taken, ", "))});
}

JsonValue value_of(const Endpoint& endpoint, std::string_view content_type, std::string_view query,
                   std::string_view body) {
  JsonValue none;
  none.kind = endpoint.body.type == BodyType::Array ? JsonKind::Array : JsonKind::Object;
  if (body.empty()) {
    const bool in_query = std::ranges::find(endpoint.media, Media::Query) != endpoint.media.end();
    return in_query ? object_of_pairs(query, endpoint.body, true) : none;
  }
  switch (media_of(endpoint, content_type)) {
    case Media::Form: return object_of_pairs(body, endpoint.body, false);
    case Media::Multipart: return object_of_parts(content_type, body, endpoint.body);
    case Media::Json:
    case Media::Query: break;
  }
  try {
    return read_json_text(body);
  } catch (const JsonSyntaxError& error) {
    throw ApiError(Message::BodyNotJson, {fmt::format("line {}, column {}, {}", error.position().line,
                                                      error.position().column, printable(error.what()))});
  }
}

}  // namespace

JsonValue read_body(const Endpoint& endpoint, std::string_view content_type, std::string_view query,
                    std::string_view body, std::vector<Violation>& violations) {
  if (endpoint.media.empty()) return {};
  if (body.empty() && endpoint.body.type == BodyType::Array && !endpoint.body.required) return {};
  JsonValue value = value_of(endpoint, content_type, query, body);
  use_names(endpoint.body, value);
  Checker(violations).check(endpoint.body, value, "");
  give_types(endpoint.body, value);
  return value;
}

}  // namespace ocp_mock
