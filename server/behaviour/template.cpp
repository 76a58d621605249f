#include "behaviour/template.h"

#include "behaviour/operators.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "fixtures/field_rules.h"

namespace ocp_mock {
namespace {

using Late = std::set<std::string, std::less<>>;

// A text in pieces: those at even places stand for themselves, those at odd places are references.
std::vector<std::string> pieces_of(std::string_view text) {
  std::vector<std::string> pieces(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("$$")) {
      pieces.back() += text[i++];
    } else if (const auto end = text.find('}', i); text.substr(i).starts_with("${") && end != std::string_view::npos) {
      pieces.emplace_back(text.substr(i + 2, end - i - 2));
      pieces.emplace_back();
      i = end;
    } else {
      pieces.back() += text[i];
    }
  }
  return pieces;
}

bool is_one_reference(const std::vector<std::string>& pieces) {
  return pieces.size() == 3 && pieces[0].empty() && pieces[2].empty();
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) out.append(c == '$' ? 2 : 1, c);
  return out;
}

std::string_view root_of(std::string_view reference) { return reference.substr(0, reference.find('.')); }

std::optional<JsonValue> value_of(std::string_view reference, const Scope& scope) {
  const std::string_view root = root_of(reference);
  const JsonValue* value = scope.find(root);
  std::string_view rest = reference.substr(root.size());
  while (value != nullptr && !rest.empty()) {
    rest.remove_prefix(1);
    const std::string_view step = rest.substr(0, rest.find('.'));
    rest.remove_prefix(step.size());
    if (value->kind == JsonKind::Array) {
      std::int64_t index = 0;
      const auto [stop, error] = std::from_chars(step.data(), step.data() + step.size(), index);
      const auto size = static_cast<std::int64_t>(value->items.size());
      if (index < 0) index += size;
      const bool is_there = error == std::errc{} && stop == step.data() + step.size() && index >= 0 && index < size;
      value = is_there ? &value->items[static_cast<std::size_t>(index)] : nullptr;
    } else {
      const JsonMember* member = value->find(step);
      value = member == nullptr ? nullptr : &member->value;
    }
  }
  if (value == nullptr || value->kind == JsonKind::Null) return std::nullopt;
  return *value;
}

// The operator that an object is; null for any other value.
const JsonMember* operator_of(const JsonValue& form) {
  if (form.kind != JsonKind::Object) return nullptr;
  const auto found = std::ranges::find_if(form.members, [](const JsonMember& m) { return m.key.starts_with('$'); });
  return found == form.members.end() ? nullptr : &*found;
}

// A value that a template stands for as it is.
JsonValue literal(JsonValue value) {
  if (value.kind == JsonKind::String) value.text = escaped(value.text);
  if (value.kind != JsonKind::Array && value.kind != JsonKind::Object) return value;
  JsonValue wrapped = json_object();
  wrapped.set({"$literal", {}, std::move(value)});
  return wrapped;
}

JsonValue filled_text(const JsonValue& form, Scope& scope, const Late& late) {
  const std::vector<std::string> pieces = pieces_of(form.text);
  if (pieces.size() == 1) return form;
  const auto is_late = [&](const std::string& reference) {
    const std::string_view root = root_of(reference);
    const auto member_end = std::min(reference.find('.', root.size() + 1), reference.size());
    return late.contains(root) || late.contains(std::string_view(reference).substr(0, member_end)) ||
           (root == "new" && !value_of(reference, scope));
  };
  if (is_one_reference(pieces)) {
    if (is_late(pieces[1])) return form;
    if (auto value = value_of(pieces[1], scope)) return literal(*std::move(value));
    JsonValue nothing = json_object();
    nothing.set({"$nothing", {}, {JsonKind::Boolean, "true", {}, {}, {}}});
    return nothing;
  }
  std::string text;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (i % 2 == 0) {
      text += escaped(pieces[i]);
    } else if (is_late(pieces[i])) {
      text += "${" + pieces[i] + "}";
    } else if (const auto value = value_of(pieces[i], scope)) {
      text += escaped(text_of(*value));
    }
  }
  return json_text(text);
}

}  // namespace

void Scope::erase(std::string_view root) {
  if (const auto found = values_.find(root); found != values_.end()) values_.erase(found);
}

const JsonValue* Scope::find(std::string_view root) const {
  const auto found = values_.find(root);
  return found == values_.end() ? nullptr : &found->second;
}

Shadow::Shadow(Scope& scope, std::string_view root, JsonValue value) : scope_(scope), root_(root) {
  if (const JsonValue* before = scope.find(root)) before_ = *before;
  scope.set(root, std::move(value));
}

Shadow::~Shadow() {
  if (before_) {
    scope_.set(root_, *std::move(before_));
  } else {
    scope_.erase(root_);
  }
}

const Resource& named_resource(const Catalogue& catalogue, std::string_view name) {
  if (const Resource* resource = catalogue.find_resource(name)) return *resource;
  throw RowRefused(fmt::format("there is no resource {}", printable(name)));
}

std::string text_of(const JsonValue& value) {
  if (value.kind != JsonKind::Array && value.kind != JsonKind::Object) return value.text;
  std::string text;
  append_json(text, value);
  return text;
}

std::optional<JsonValue> evaluate(const JsonValue& form, Scope& scope) {
  if (form.kind == JsonKind::String) {
    const std::vector<std::string> pieces = pieces_of(form.text);
    if (is_one_reference(pieces)) return value_of(pieces[1], scope);
    std::string text;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      if (i % 2 == 0) {
        text += pieces[i];
      } else if (const auto value = value_of(pieces[i], scope)) {
        text += text_of(*value);
      }
    }
    return json_text(text);
  }
  if (form.kind == JsonKind::Array) {
    JsonValue out = json_array();
    for (const JsonValue& item : form.items) {
      if (auto value = evaluate(item, scope)) out.items.push_back(*std::move(value));
    }
    return out;
  }
  if (form.kind != JsonKind::Object) return form;
  if (const JsonMember* operation = operator_of(form)) return evaluate_operator(form, *operation, scope);
  return evaluate_members(form, scope);
}

JsonValue evaluate_members(const JsonValue& form, Scope& scope) {
  JsonValue out = json_object();
  for (const JsonMember& member : form.members) {
    if (auto value = evaluate(member.value, scope)) out.members.push_back({member.key, {}, *std::move(value)});
  }
  return out;
}

JsonValue fill_in(const JsonValue& form, Scope& scope, const Late& late) {
  if (form.kind == JsonKind::String) return filled_text(form, scope, late);
  JsonValue out = form;
  for (JsonValue& item : out.items) item = fill_in(item, scope, late);
  const JsonMember* operation = operator_of(form);
  if (operation != nullptr && operation->key == "$literal") return form;
  for (JsonMember& member : out.members) {
    Late inner = late;
    if (operation != nullptr && operation->key == "$map" && member.key == "to") inner.insert("item");
    member.value = fill_in(member.value, scope, inner);
  }
  return out;
}

bool holds(const JsonValue& form, const JsonValue* is, Scope& scope) {
  const auto value = evaluate(form, scope);
  if (is == nullptr) return value && !(value->kind == JsonKind::Boolean && value->text == "false");
  const auto other = evaluate(*is, scope);
  return value.has_value() == other.has_value() && (!value || same_json(*value, *other));
}

JsonValue json_text(std::string_view text) { return {JsonKind::String, std::string(text), {}, {}, {}}; }
JsonValue json_integer(std::int64_t number) { return {JsonKind::Integer, std::to_string(number), {}, {}, {}}; }

JsonValue json_array() {
  JsonValue value;
  value.kind = JsonKind::Array;
  return value;
}

JsonValue json_object() {
  JsonValue value;
  value.kind = JsonKind::Object;
  return value;
}

}  // namespace ocp_mock
