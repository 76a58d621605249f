#include "control/body.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "ocp/url.h"

namespace ocp_mock {
namespace {

constexpr std::array<std::string_view, 5> kSecretWords{"passphrase", "passwd", "password", "secret", "token"};
constexpr std::string_view kMask = "***";

bool has_secret_word(std::string_view text) {
  return std::ranges::any_of(kSecretWords, [&](std::string_view word) {
    return !std::ranges::search(text, word, {}, to_lower_ascii).empty();
  });
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
    const auto decoded = percent_decode_bytes(pair, Plus::IsBlank);
    if (!has_secret_word(pair) && !(decoded && has_secret_word(*decoded))) {
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

void mask(JsonValue& value, Masked& masked) {
  if (value.kind == JsonKind::String &&
      (value.text.find('@') != std::string::npos || value.text.find("%40") != std::string::npos)) {
    std::string text = without_user_info(value.text);
    masked.is_changed = masked.is_changed || text != value.text;
    value.text = std::move(text);
  }
  for (JsonValue& item : value.items) mask(item, masked);
  for (JsonMember& member : value.members) {
    const bool is_masked = member.value.kind == JsonKind::String && member.value.text == kMask;
    if (!is_secret_key(member.key)) {
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

bool is_secret_key(std::string_view key) { return has_secret_word(key); }

bool mask_secrets(JsonValue& value) {
  Masked masked;
  mask(value, masked);
  return masked.has_secret;
}

MaskedBody masked_body(std::string_view text) {
  if (text.empty()) return {};
  try {
    JsonValue value = read_json_text(text);
    Masked masked;
    mask(value, masked);
    if (!masked.is_changed) return {std::string(text), false};
    MaskedBody body{"", masked.has_secret};
    append_json(body.text, value);
    return body;
  } catch (const JsonSyntaxError&) {
    // It is some other text.
  }
  if (auto form = masked_form(text)) return *std::move(form);
  if (text != kMask && has_secret_word(text)) return {std::string(kMask), true};
  return {without_user_info(text), false};
}

}  // namespace ocp_mock
