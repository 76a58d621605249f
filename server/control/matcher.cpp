#include "control/matcher.h"

#include <algorithm>

#include "ascii.h"
#include "control/journal.h"
#include "ocp/error.h"
#include "ocp/json_text.h"
#include "ocp/url.h"

namespace ocp_mock {
namespace {

using Texts = std::vector<std::string>;

std::string json(std::string_view text) { return json_string(text); }

std::string json(const Texts& texts) {
  if (texts.empty()) return "null";
  if (texts.size() == 1) return json(texts.front());
  std::string out = "[";
  for (const std::string& text : texts) out.append(out.size() == 1 ? "" : ",").append(json(text));
  return out + "]";
}

std::string decoded(std::string_view text, Plus plus) { return percent_decode(text, plus).value_or(std::string(text)); }

Texts query_values(std::string_view query, std::string_view name) {
  Texts values;
  for (const QueryPair& pair : split_query(query)) {
    if (decoded(pair.name, Plus::IsBlank) == name) values.push_back(decoded(pair.value, Plus::IsBlank));
  }
  std::ranges::sort(values);
  return values;
}

Texts header_values(const RequestView& request, std::string_view name) {
  Texts values;
  for (const auto& [key, value] : request.headers) {
    if (equals_ignoring_case(key, name)) values.emplace_back(value);
  }
  std::ranges::sort(values);
  return values;
}

// OCP accepts one trailing slash.
std::string_view without_slash(std::string_view path) {
  return path.size() > 1 && path.ends_with('/') ? path.substr(0, path.size() - 1) : path;
}

Texts segments_of(std::string_view path) {
  path = without_slash(path);
  Texts segments;
  for (std::string_view rest = path.starts_with('/') ? path.substr(1) : path;;) {
    const auto end = std::min(rest.find('/'), rest.size());
    segments.push_back(decoded(rest.substr(0, end), Plus::Kept));
    if (end == rest.size()) break;
    rest.remove_prefix(end + 1);
  }
  return segments;
}

bool fits_template(std::string_view path, const Texts& pattern) {
  const Texts segments = segments_of(path);
  return std::ranges::equal(segments, pattern, [](const std::string& segment, const std::string& expected) {
    const bool place = expected.starts_with('{') && expected.ends_with('}');
    return place ? !segment.empty() : segment == expected;
  });
}

// The values that a member asks for, in order; none for null.
Texts expected_values(const JsonMember& member, bool with_arrays) {
  Texts values;
  const auto add = [&](const JsonValue& value) {
    const bool scalar = value.kind == JsonKind::String || value.kind == JsonKind::Integer ||
                        value.kind == JsonKind::Float || value.kind == JsonKind::Boolean;
    if (!scalar) {
      throw JsonFieldError(member.position,
                           shown(member.key) + (with_arrays ? " must be a value, an array of values, or null"
                                                            : " must be a value or null"));
    }
    values.push_back(value.text);
  };
  if (member.value.kind == JsonKind::Null) return values;
  if (with_arrays && member.value.kind == JsonKind::Array) {
    for (const JsonValue& item : member.value.items) add(item);
  } else {
    add(member.value);
  }
  std::ranges::sort(values);
  return values;
}

}  // namespace

Matcher Matcher::parse(JsonFields& fields, bool with_status) {
  Matcher matcher;
  matcher.add_text(fields, "method", [](const RequestView& request) { return std::string(request.method); });
  matcher.add_text(fields, "path",
                   [](const RequestView& request) { return decoded(without_slash(request.path), Plus::Kept); });
  matcher.add_text(fields, "user", [](const RequestView& request) { return std::string(request.user); });
  if (const auto prefix = fields.text("pathPrefix")) {
    matcher.criteria_.push_back({"pathPrefix", json(*prefix), [prefix = *prefix](const RequestView& request) {
                                   const std::string path = decoded(request.path, Plus::Kept);
                                   return path.starts_with(prefix) ? std::nullopt : std::optional(json(path));
                                 }});
  }
  if (const auto pattern = fields.text("pathTemplate")) {
    matcher.criteria_.push_back(
        {"pathTemplate", json(*pattern), [segments = segments_of(*pattern)](const RequestView& request) {
           return fits_template(request.path, segments) ? std::nullopt
                                                        : std::optional(json(decoded(request.path, Plus::Kept)));
         }});
  }
  if (const JsonValue* query = fields.object("query")) {
    for (const JsonMember& member : query->members) {
      const Texts expected = expected_values(member, true);
      matcher.criteria_.push_back(
          {"query." + member.key, json(expected), [name = member.key, expected](const RequestView& request) {
             const Texts values = query_values(request.query, name);
             return values == expected ? std::nullopt : std::optional(json(values));
           }});
    }
  }
  if (const JsonValue* headers = fields.object("headers")) {
    for (const JsonMember& member : headers->members) {
      if (with_status && is_secret_header(member.key)) {
        throw JsonFieldError(member.position,
                             shown(member.key) + " is not kept in the journal, for it may be a secret");
      }
      const Texts expected = expected_values(member, false);
      matcher.criteria_.push_back(
          {"headers." + member.key, json(expected), [name = member.key, expected](const RequestView& request) {
             const Texts values = header_values(request, name);
             return values == expected ? std::nullopt : std::optional(json(values));
           }});
    }
  }
  if (with_status) {
    if (const auto status = fields.integer("status", 100, 599)) {
      matcher.criteria_.push_back({"status", std::to_string(*status), [status = *status](const RequestView& request) {
                                     return request.status == status
                                                ? std::nullopt
                                                : std::optional(std::to_string(request.status.value_or(0)));
                                   }});
    }
  }
  return matcher;
}

void Matcher::add_text(JsonFields& fields, std::string_view key, std::string (*actual)(const RequestView&)) {
  if (const auto expected = fields.text(key)) {
    criteria_.push_back({std::string(key), json(*expected), [expected = *expected, actual](const RequestView& request) {
                           const std::string text = actual(request);
                           return text == expected ? std::nullopt : std::optional(json(text));
                         }});
  }
}

bool Matcher::matches(const RequestView& request) const {
  return std::ranges::none_of(criteria_,
                              [&](const Criterion& criterion) { return criterion.differs(request).has_value(); });
}

std::vector<Difference> Matcher::differences(const RequestView& request) const {
  std::vector<Difference> found;
  for (const Criterion& criterion : criteria_) {
    if (auto actual = criterion.differs(request))
      found.push_back({criterion.field, criterion.expected, std::move(*actual)});
  }
  return found;
}

}  // namespace ocp_mock
