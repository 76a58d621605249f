#include "json/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <ranges>

#include "base/utf8.h"
#include "json/text.h"

namespace ocp_mock {
namespace {

// Deep enough for any answer, and shallow enough for the functions here that call themselves.
constexpr std::size_t kMaximumDepth = 200;

// The position of the event is that of the byte last taken, so both sides share one reader.
class ByteIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = char;

  ByteIterator() = default;
  explicit ByteIterator(BufferedReader& input) : input_(&input) {}

  char operator*() const { return input_->peek(); }
  ByteIterator& operator++() {
    input_->advance();
    return *this;
  }
  void operator++(int) { input_->advance(); }
  bool operator==(const ByteIterator& other) const { return ends() == other.ends(); }

 private:
  bool ends() const { return input_ == nullptr || input_->at_end(); }
  BufferedReader* input_ = nullptr;
};

// long double reaches 1e4932, so that every number of a fixture with sensible digits passes; its value is not used.
using Json = nlohmann::basic_json<std::map, std::vector, std::string, bool, std::int64_t, std::uint64_t, long double>;

// nlohmann's sentence without its code and position.
std::string sentence(std::string_view what) {
  if (const auto bracket = what.find("] "); what.starts_with('[') && bracket != std::string_view::npos) {
    what.remove_prefix(bracket + 2);
  }
  if (const auto colon = what.find(": "); what.starts_with("parse error at ") && colon != std::string_view::npos) {
    what.remove_prefix(colon + 2);
  }
  return printable(what, 300);
}

// Builds trees from nlohmann's events.
class TreeBuilder {
 public:
  TreeBuilder(BufferedReader& input, JsonHandler& handler) : input_(input), handler_(handler) {}

  JsonValue take() { return std::move(document_); }

  bool null() { return add(JsonKind::Null, "null", input_.position()); }
  bool boolean(bool value) { return add(JsonKind::Boolean, value ? "true" : "false", input_.position()); }
  // Integers are told apart from floats by the grammar, so their digits are those of the value; "-0" alone is not.
  bool number_integer(std::int64_t value) {
    return add(JsonKind::Integer, value == 0 ? "-0" : std::to_string(value), number_position());
  }
  bool number_unsigned(std::uint64_t value) { return add(JsonKind::Integer, std::to_string(value), number_position()); }
  bool number_float(long double, const std::string& literal) {
    // An integer beyond 64 bits comes as a float too.
    const bool integer = literal.find_first_of(".eE") == std::string::npos;
    return add(integer ? JsonKind::Integer : JsonKind::Float, literal, number_position());
  }
  bool string(std::string& value) { return add(JsonKind::String, std::move(value), input_.position()); }
  bool binary(Json::binary_t&) { return false; }

  bool start_object(std::size_t) { return open(JsonKind::Object); }
  bool start_array(std::size_t) { return open(JsonKind::Array); }
  bool end_array() { return close(); }

  bool key(std::string& key) {
    Position position = input_.position();
    const auto characters = static_cast<std::int64_t>(
        std::ranges::count_if(key, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
    position.column = std::max<std::int64_t>(1, position.column - characters - 1);
    if (frames_.size() == 1) handler_.document_key(key);
    frames_.back().value.members.push_back({std::move(key), position, {}});
    return true;
  }

  bool end_object() {
    std::vector<JsonMember>& members = frames_.back().value.members;
    std::ranges::stable_sort(members, {}, &JsonMember::key);
    for (std::size_t i = 1; i < members.size(); ++i) {
      if (members[i].key == members[i - 1].key) {
        handler_.problem(members[i].position,
                         fmt::format("{} stands twice in one object; it must stand once", printable(members[i].key)));
      }
    }
    return close();
  }

  bool parse_error(std::size_t, const std::string&, const Json::exception& error) {
    // nlohmann takes it for the end.
    if (input_.just_took('\0')) {
      throw JsonSyntaxError(input_.position(),
                            "a NUL byte; JSON is text and has none, so make the file again or take it out");
    }
    std::string text = sentence(error.what());
    if (text.find("ill-formed UTF-8 byte") != std::string::npos) {
      text = "a byte that is no UTF-8; convert the text first, of GBK with iconv -f GB18030 -t UTF-8";
    }
    throw JsonSyntaxError(input_.position(), text);
  }

 private:
  struct Frame {
    JsonValue value;
    bool handed_over = false;  // an array whose items go to the handler
    std::string path;
  };

  // A number in an array or object ends with the byte before the one that told so.
  Position number_position() const { return frames_.empty() ? input_.position() : input_.previous_position(); }

  std::string path_of_next() const {
    std::string path;
    for (const Frame& frame : frames_) {
      if (frame.value.kind != JsonKind::Object) return "[]";
      if (!path.empty()) path += '.';
      path += frame.value.members.back().key;
    }
    return path;
  }

  bool open(JsonKind kind) {
    if (frames_.size() >= kMaximumDepth) {
      throw JsonSyntaxError(input_.position(), fmt::format("the value is nested deeper than {} levels", kMaximumDepth));
    }
    Frame frame;
    frame.value.kind = kind;
    frame.value.position = input_.position();
    if (kind == JsonKind::Array && frames_.size() <= 2) {
      frame.path = path_of_next();
      frame.handed_over = handler_.wants_items(frame.path);
    }
    frames_.push_back(std::move(frame));
    if (frames_.back().handed_over && take_flat_items(false)) {
      // The parser waits for the first item still.
      skip_blanks(input_);
      input_.advance();
    }
    return true;
  }

  bool close() {
    JsonValue value = std::move(frames_.back().value);
    frames_.pop_back();
    const bool was_item = !frames_.empty() && frames_.back().handed_over;
    attach(std::move(value));
    if (was_item) take_flat_items(true);
    return true;
  }

  // Hands items over that the parser need not see, as many as follow each other here, and tells whether there were any.
  // Behind them are a comma and another flat object, which is the parser's: what it tells of a later error begins
  // with the last string or number that it has read. Needs a parser that has taken the bytes up to the bracket or the
  // item before, and no more.
  bool take_flat_items(bool behind_comma) {
    bool taken = false;
    std::size_t size = peek_flat_object(input_, 0, behind_comma, flat_);
    while (size != 0) {
      const char* window = input_.buffered().data();
      const std::size_t next_size = peek_flat_object(input_, size, true, next_flat_);
      if (next_size == 0) break;
      if (input_.buffered().data() != window) peek_flat_object(input_, 0, behind_comma, flat_);
      if (!handler_.flat_item(frames_.back().path, flat_)) break;
      input_.skip(size);
      taken = behind_comma = true;
      std::swap(flat_, next_flat_);
      size = next_size;
    }
    return taken;
  }

  bool add(JsonKind kind, std::string text, Position position) {
    attach({kind, std::move(text), {}, {}, position});
    return true;
  }

  void attach(JsonValue value) {
    if (frames_.empty()) {
      document_ = std::move(value);
    } else if (Frame& parent = frames_.back(); parent.value.kind == JsonKind::Object) {
      parent.value.members.back().value = std::move(value);
    } else if (parent.handed_over) {
      handler_.item(parent.path, std::move(value));
    } else {
      parent.value.items.push_back(std::move(value));
    }
  }

  BufferedReader& input_;
  JsonHandler& handler_;
  std::vector<Frame> frames_;
  JsonValue document_;
  FlatObject flat_;
  FlatObject next_flat_;
};

enum class Members {
  Canonical,  // by key, without those that are null
  Sorted,     // by key
  AsRead,     // by position
};

void append_value(std::string& out, const JsonValue& value, Members form) {
  bool first = true;
  const auto separate = [&] {
    if (!first) out += ',';
    first = false;
  };
  const auto append_member = [&](const JsonMember& member) {
    if (form == Members::Canonical && member.value.kind == JsonKind::Null) return;
    separate();
    append_json_string(out, member.key);
    out += ':';
    append_value(out, member.value, form);
  };
  switch (value.kind) {
    case JsonKind::Object:
      out += '{';
      if (form == Members::AsRead) {
        std::vector<const JsonMember*> order;
        for (const JsonMember& member : value.members) order.push_back(&member);
        std::ranges::sort(order, {}, [](const JsonMember* member) {
          return std::pair(member->position.line, member->position.column);
        });
        for (const JsonMember* member : order) append_member(*member);
      } else {
        for (const JsonMember& member : value.members) append_member(member);
      }
      out += '}';
      break;
    case JsonKind::Array:
      out += '[';
      for (const JsonValue& item : value.items) {
        separate();
        append_value(out, item, form);
      }
      out += ']';
      break;
    case JsonKind::String: append_json_string(out, value.text); break;
    default: out += value.text;
  }
}

// A number as 0.DIGITS * 10^exponent, with neither leading nor trailing zeros; no digits for zero.
struct Decimal {
  bool negative = false;
  std::string digits;
  std::int64_t exponent = 0;

  bool operator==(const Decimal&) const = default;
};

// Nothing if the exponent has too many digits.
std::optional<Decimal> to_decimal(std::string_view literal) {
  Decimal decimal;
  decimal.negative = literal.starts_with('-');
  if (decimal.negative) literal.remove_prefix(1);
  const std::string_view mantissa = literal.substr(0, literal.find_first_of("eE"));
  if (mantissa.size() < literal.size()) {
    std::string_view exponent = literal.substr(mantissa.size() + 1);
    if (exponent.starts_with('+')) exponent.remove_prefix(1);
    if (exponent.size() > 15) return std::nullopt;
    std::from_chars(exponent.data(), exponent.data() + exponent.size(), decimal.exponent);
  }
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  decimal.digits = mantissa.substr(0, point);
  if (point < mantissa.size()) decimal.digits += mantissa.substr(point + 1);
  decimal.exponent += static_cast<std::int64_t>(point);
  const std::size_t zeros = std::min(decimal.digits.find_first_not_of('0'), decimal.digits.size());
  decimal.digits.erase(0, zeros);
  decimal.digits.erase(decimal.digits.find_last_not_of('0') + 1);
  if (decimal.digits.empty()) return Decimal{};
  decimal.exponent -= static_cast<std::int64_t>(zeros);
  return decimal;
}

bool same_number(std::string_view left, std::string_view right) {
  if (left == right) return true;
  const auto decimal = to_decimal(left);
  return decimal && decimal == to_decimal(right);
}

// Of a text whose arrays are not handed over.
class WholeDocument : public JsonHandler {
 public:
  void document_key(std::string_view) override {}
  bool wants_items(std::string_view) override { return false; }
  void item(std::string_view, JsonValue) override {}
  void problem(Position position, std::string text) override { throw JsonSyntaxError(position, std::move(text)); }
};

}  // namespace

const JsonMember* JsonValue::find(std::string_view key) const {
  const auto found =
      std::ranges::lower_bound(members, key, {}, [](const JsonMember& member) { return std::string_view(member.key); });
  return found == members.end() || found->key != key ? nullptr : &*found;
}

void JsonValue::set(const JsonMember& member) {
  const auto found = std::ranges::lower_bound(members, member.key, {}, &JsonMember::key);
  if (found != members.end() && found->key == member.key) {
    *found = member;
  } else {
    members.insert(found, member);
  }
}

void JsonValue::erase(std::string_view key) {
  std::erase_if(members, [&](const JsonMember& member) { return member.key == key; });
}

void append_canonical_json(std::string& out, const JsonValue& value) { append_value(out, value, Members::Canonical); }
void append_json(std::string& out, const JsonValue& value) { append_value(out, value, Members::Sorted); }
void append_json_in_order(std::string& out, const JsonValue& value) { append_value(out, value, Members::AsRead); }

bool same_json(const JsonValue& left, const JsonValue& right) {
  const auto is_number = [](JsonKind kind) { return kind == JsonKind::Integer || kind == JsonKind::Float; };
  if (is_number(left.kind) && is_number(right.kind)) return same_number(left.text, right.text);
  if (left.kind != right.kind) return false;
  if (left.kind == JsonKind::Array) return std::ranges::equal(left.items, right.items, same_json);
  if (left.kind != JsonKind::Object) return left.text == right.text;
  const auto present = [](const JsonMember& member) { return member.value.kind != JsonKind::Null; };
  return std::ranges::equal(
      left.members | std::views::filter(present), right.members | std::views::filter(present),
      [](const JsonMember& a, const JsonMember& b) { return a.key == b.key && same_json(a.value, b.value); });
}

std::string describe(const JsonValue& value) {
  switch (value.kind) {
    case JsonKind::Null: return "null";
    case JsonKind::Boolean: return value.text;
    case JsonKind::Integer:
    case JsonKind::Float: return fmt::format("the number {}", printable(value.text));
    case JsonKind::String: {
      std::string quoted = "the string ";
      append_json_string(quoted, printable(value.text));
      return quoted;
    }
    case JsonKind::Array: return "an array";
    case JsonKind::Object: return "an object";
  }
  return "";
}

bool read_json_document(BufferedReader& input, JsonHandler& handler, JsonValue& document) {
  skip_blanks(input);
  if (input.at_end()) return false;
  TreeBuilder builder(input, handler);
  Json::sax_parse(ByteIterator(input), ByteIterator(), &builder, Json::input_format_t::json, false);
  document = builder.take();
  return true;
}

JsonValue read_canonical_json(std::string_view text) {
  BufferedReader input(text);
  FlatObject flat;
  const std::size_t size = peek_flat_object(input, 0, false, flat);
  const bool as_it_stands = size == text.size() && std::ranges::none_of(flat.members, &FlatMember::escaped);
  if (!as_it_stands) return read_json_text(text);
  JsonValue object;
  object.kind = JsonKind::Object;
  object.members.reserve(flat.members.size());
  for (const FlatMember& member : flat.members) {
    object.members.push_back({std::string(member.key), {}, {member.kind, std::string(member.value), {}, {}, {}}});
  }
  return object;
}

JsonValue read_json_text(std::string_view text) {
  BufferedReader input(text);
  WholeDocument handler;
  JsonValue document;
  if (!read_json_document(input, handler, document)) {
    throw JsonSyntaxError({}, "the text is empty; it must be one JSON document");
  }
  if (JsonValue second; read_json_document(input, handler, second)) {
    throw JsonSyntaxError(input.position(), "a second document follows the first; there must be one");
  }
  return document;
}

}  // namespace ocp_mock
