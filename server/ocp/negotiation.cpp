#include "ocp/negotiation.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>

#include "base/ascii.h"

namespace ocp_mock {
namespace {

// As next_piece, but for separators in quoted strings.
std::string_view next_unquoted_piece(std::string_view& rest, char separator) {
  if (rest.substr(0, rest.find(separator)).find('"') == std::string_view::npos) return next_piece(rest, separator);
  bool quoted = false;
  std::size_t end = 0;
  for (; end < rest.size() && (quoted || rest[end] != separator); ++end) {
    if (rest[end] == '"') quoted = !quoted;
    if (rest[end] == '\\' && quoted) ++end;
  }
  end = std::min(end, rest.size());
  const std::string_view piece = trim_blanks(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return piece;
}

// The value of "q=0.8"; 1 where there is none; nothing where it is malformed.
std::optional<double> quality(std::string_view parameters) {
  while (!parameters.empty()) {
    std::string_view parameter = next_unquoted_piece(parameters, ';');
    const std::string_view name = next_piece(parameter, '=');
    if (!equals_ignoring_case(name, "q")) continue;
    const std::string_view number = trim_blanks(parameter);
    double value = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (error != std::errc{} || end != number.data() + number.size() || !(value >= 0 && value <= 1)) {
      return std::nullopt;
    }
    return value;
  }
  return 1;
}

struct MediaRange {
  std::string_view type;
  std::string_view subtype;
  double quality;
};

// Nothing where it is malformed. A lone asterisk, which old Java clients send, means */*.
std::optional<MediaRange> parse_range(std::string_view text) {
  std::string_view name = next_unquoted_piece(text, ';');
  const std::optional<double> value = quality(text);
  if (!value) return std::nullopt;
  if (name == "*") return MediaRange{"*", "*", *value};
  const bool has_one_slash = std::ranges::count(name, '/') == 1;
  const std::string_view type = next_piece(name, '/');
  if (!has_one_slash || type.empty() || name.empty() || name.find_first_of(" \t\"") != std::string_view::npos ||
      type.find_first_of(" \t\"") != std::string_view::npos || (type == "*" && name != "*")) {
    return std::nullopt;
  }
  return MediaRange{type, name, *value};
}

// How specific the range is of those that fit the type: 0 for */*, 1 for TYPE/*, 2 for the type itself; nothing where
// it does not fit.
std::optional<std::size_t> fit(const MediaRange& range, std::string_view type) {
  const auto slash = type.find('/');
  if (range.type == "*") return 0;
  if (!equals_ignoring_case(range.type, type.substr(0, slash))) return std::nullopt;
  if (range.subtype == "*") return 1;
  if (equals_ignoring_case(range.subtype, type.substr(slash + 1))) return 2;
  constexpr std::string_view kJsonSuffix = "+json";
  const bool asks_for_json =
      type == kJsonType && range.quality > 0 && range.subtype.size() > kJsonSuffix.size() &&
      equals_ignoring_case(range.subtype.substr(range.subtype.size() - kJsonSuffix.size()), kJsonSuffix);
  return asks_for_json ? std::optional<std::size_t>(2) : std::nullopt;
}

}  // namespace

Language choose_language(std::string_view accept_language) {
  Language chosen = Language::English;
  double best = 0;
  while (!accept_language.empty()) {
    std::string_view range = next_piece(accept_language, ',');
    const std::string_view tag = next_piece(range, ';');
    // A tag of a language and a country has a hyphen; as Java names its locales, zh_CN, it passes too.
    const std::string_view primary = trim_blanks(tag.substr(0, tag.find_first_of("-_")));
    const bool chinese = equals_ignoring_case(primary, "zh");
    if (!chinese && primary != "*" && !equals_ignoring_case(primary, "en")) continue;
    if (const double value = quality(range).value_or(0); value > best) {
      best = value;
      chosen = chinese ? Language::Chinese : Language::English;
    }
  }
  return chosen;
}

bool is_json_type(std::string_view content_type) {
  const std::string_view type = next_piece(content_type, ';');
  constexpr std::string_view kSuffix = "+json";
  return equals_ignoring_case(type, kJsonType) ||
         (type.size() > kSuffix.size() && equals_ignoring_case(type.substr(type.size() - kSuffix.size()), kSuffix));
}

bool accepts(const Headers& headers, std::string_view type) {
  bool has_range = false;
  std::array<std::optional<double>, 3> best;  // by how specific the ranges are
  for (const auto& [name, value] : headers) {
    if (!equals_ignoring_case(name, "Accept")) continue;
    for (std::string_view rest = value; !rest.empty();) {
      const std::string_view text = next_unquoted_piece(rest, ',');
      if (text.empty()) continue;
      has_range = true;
      const std::optional<MediaRange> range = parse_range(text);
      if (!range) return true;
      if (const auto specific = fit(*range, type)) {
        auto& quality_there = best.at(*specific);
        quality_there = std::max(quality_there.value_or(0), range->quality);
      }
    }
  }
  const auto decides = std::find_if(best.rbegin(), best.rend(), [](const auto& value) { return value.has_value(); });
  return !has_range || (decides != best.rend() && **decides > 0);
}

}  // namespace ocp_mock
