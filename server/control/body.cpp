#include "control/body.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/ascii.h"
#include "base/secret_names.h"
#include "ocp/url.h"

namespace ocp_mock {
namespace {

constexpr std::string_view kMask = "***";

// With ASCII characters in the place of their escapes, %XX and \uXXXX, and without NULs, of which UTF-16 has one beside
// each ASCII character. What is no such escape stays.
std::string unescaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const bool is_unicode = text.starts_with("\\u00") || text.starts_with("\\U00");
    const std::size_t prefix = is_unicode ? 4 : text.front() == '%' ? 1 : 0;
    unsigned value = 0;
    const char* const digits = text.data() + prefix;
    const bool is_escape = prefix != 0 && text.size() >= prefix + 2 &&
                           std::from_chars(digits, digits + 2, value, 16).ptr == digits + 2 && value < 0x80;
    const char c = is_escape ? static_cast<char>(value) : text.front();
    if (c != '\0') out += c;
    text.remove_prefix(is_escape ? prefix + 2 : 1);
  }
  return out;
}

// Of the text, or of what its escapes stand for.
template <typename Ask>
bool as_it_is_or_unescaped(std::string_view text, const Ask& ask) {
  if (ask(text)) return true;
  const bool has_escapes = text.find_first_of(std::string_view("%\\\0", 3)) != std::string_view::npos;
  return has_escapes && ask(unescaped(text));
}

bool is_secret_key(std::string_view name) { return as_it_is_or_unescaped(name, is_secret_name); }

// Whether a value may be a secret by itself: no flag, and nothing with members of their own.
bool may_be_secret(const JsonValue& value) {
  if (value.kind == JsonKind::Array) return std::ranges::all_of(value.items, may_be_secret);
  return value.kind == JsonKind::String || value.kind == JsonKind::Integer || value.kind == JsonKind::Float;
}

// A name that needs no quotes: of a pair of a form, never of a member of JSON.
bool is_plain_name(std::string_view name) {
  return std::ranges::all_of(name, [](char c) {
    const char lower = to_lower_ascii(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~%+[]*").find(c) != std::string_view::npos;
  });
}

// Nothing for a text that is no form.
std::optional<MaskedBody> masked_form(std::string_view text) {
  if (text.find('=') == std::string_view::npos) return std::nullopt;
  MaskedBody masked;
  for (bool is_first = true; is_first || text.data() != nullptr; is_first = false) {
    const auto end = text.find('&');
    const std::string_view pair = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    const auto equals = pair.find('=');
    const std::string_view name = pair.substr(0, equals);
    if (!is_plain_name(name)) return std::nullopt;
    if (!is_first) masked.text += '&';
    if (!names_secret(pair) && !is_secret_key(name)) {
      masked.text += without_user_info(pair);
      continue;
    }
    masked.text.append(name);
    if (equals == std::string_view::npos) continue;
    masked.text.append("=").append(kMask);
    masked.has_secret = masked.has_secret || pair.substr(equals + 1) != kMask;
  }
  return masked;
}

struct Masked {
  bool has_secret = false;
  bool is_changed = false;
};

void mask(JsonValue& value, Masked& masked);

// Nothing for a text that is no JSON document.
std::optional<MaskedBody> masked_json(std::string_view text) {
  try {
    JsonValue value = read_json_text(text);
    Masked masked;
    mask(value, masked);
    if (!masked.is_changed) return MaskedBody{std::string(text), false};
    MaskedBody body{"", masked.has_secret};
    append_json(body.text, value);
    return body;
  } catch (const JsonSyntaxError&) {
    return std::nullopt;
  }
}

// A URL with the values of secrets in its query replaced, as a backup destination has its keys; nothing where it has
// none.
std::optional<std::string> masked_url(std::string_view text) {
  const auto question = text.find('?');
  if (question == std::string_view::npos) return std::nullopt;
  std::string out(text.substr(0, question + 1));
  bool is_masked = false;
  for (std::string_view rest = text.substr(question + 1);;) {
    const auto end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    const auto equals = pair.find('=');
    const bool has_secret =
        equals != std::string_view::npos && is_secret_key(pair.substr(0, equals)) && pair.substr(equals + 1) != kMask;
    if (has_secret) {
      out.append(pair.substr(0, equals + 1)).append(kMask);
    } else {
      out.append(pair);
    }
    is_masked = is_masked || has_secret;
    if (end == std::string_view::npos) break;
    out += '&';
    rest.remove_prefix(end + 1);
  }
  return is_masked ? std::optional(std::move(out)) : std::nullopt;
}

void mask_string(std::string& text, Masked& masked) {
  if (auto url = masked_url(text)) {
    masked.has_secret = masked.is_changed = true;
    text = std::move(*url);
  }
  // A document in a string, as some clients nest them.
  const bool may_be_json = text.find_first_of("{[") != std::string::npos;
  auto inner = may_be_json ? masked_json(text) : std::nullopt;
  const bool may_name_user = text.find('@') != std::string::npos || text.find("%40") != std::string::npos;
  if (!inner && !may_name_user) return;
  if (!inner) inner = MaskedBody{without_user_info(text), false};
  masked.has_secret = masked.has_secret || inner->has_secret;
  masked.is_changed = masked.is_changed || inner->text != text;
  text = std::move(inner->text);
}

void mask(JsonValue& value, Masked& masked) {
  if (value.kind == JsonKind::String) mask_string(value.text, masked);
  for (JsonValue& item : value.items) mask(item, masked);
  for (JsonMember& member : value.members) {
    const bool is_masked = member.value.kind == JsonKind::String && member.value.text == kMask;
    const bool is_secret = names_secret(member.key) || (may_be_secret(member.value) && is_secret_key(member.key));
    if (!is_secret) {
      mask(member.value, masked);
    } else if (member.value.kind != JsonKind::Null && !is_masked) {
      masked.has_secret = masked.is_changed = true;
      JsonValue mark;
      mark.kind = JsonKind::String;
      mark.text = kMask;
      mark.position = member.value.position;
      member.value = std::move(mark);
    }
  }
}

}  // namespace

const JsonValue* RequestBody::json() const {
  if (!is_parsed_) {
    is_parsed_ = true;
    try {
      json_ = read_json_text(text_);
    } catch (const JsonSyntaxError&) {
      // It is some other text.
    }
  }
  return json_ ? &*json_ : nullptr;
}

bool contains_json(const JsonValue& whole, const JsonValue& part) {
  if (whole.kind != JsonKind::Object || part.kind != JsonKind::Object) return same_json(whole, part);
  return std::ranges::all_of(part.members, [&](const JsonMember& wanted) {
    const JsonMember* found = whole.find(wanted.key);
    const bool is_absent = found == nullptr || found->value.kind == JsonKind::Null;
    if (wanted.value.kind == JsonKind::Null || is_absent) return wanted.value.kind == JsonKind::Null && is_absent;
    return contains_json(found->value, wanted.value);
  });
}

bool names_secret(std::string_view text) { return as_it_is_or_unescaped(text, has_secret_word); }

bool mask_secrets(JsonValue& value) {
  Masked masked;
  mask(value, masked);
  return masked.has_secret;
}

MaskedBody masked_body(std::string_view text) {
  if (text.empty()) return {};
  if (auto json = masked_json(text)) return *std::move(json);
  if (auto form = masked_form(text)) return *std::move(form);
  if (names_secret(text)) return {std::string(kMask), true};
  return {without_user_info(text), false};
}

}  // namespace ocp_mock
