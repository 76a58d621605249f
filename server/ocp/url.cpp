#include "ocp/url.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/utf8.h"
#include "json/text.h"

namespace ocp_mock {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// A character of a text that may be percent-encoded; a broken escape is its first character. No bytes past the end.
struct Character {
  char value = '\0';
  std::size_t bytes = 0;
};

Character character_at(std::string_view text, std::size_t at) {
  if (at >= text.size()) return {};
  if (text[at] != '%' || at + 2 >= text.size()) return {text[at], 1};
  const int high = hex_value(text[at + 1]);
  const int low = hex_value(text[at + 2]);
  if (high < 0 || low < 0) return {text[at], 1};
  return {static_cast<char>(high << 4 | low), 3};
}

}  // namespace

Target split_target(std::string_view target) {
  if (!target.starts_with('/')) {
    if (const auto scheme = target.find("://"); scheme != std::string_view::npos) {
      const auto path = target.find_first_of("/?", scheme + 3);
      target = path == std::string_view::npos ? std::string_view{} : target.substr(path);
    }
  }
  const auto question = target.find('?');
  std::string_view path = target.substr(0, question);
  if (path.empty()) path = "/";
  return {path, question == std::string_view::npos ? std::string_view{} : target.substr(question + 1)};
}

std::string without_user(std::string_view path) {
  const auto at = path.rfind('@');
  const bool is_path = path.starts_with('/') && !path.starts_with("//");
  if (is_path || at == std::string_view::npos) return std::string(path);
  return "***" + std::string(path.substr(at));
}

std::string without_user_info(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t host = at;
    bool is_encoded = false;
    const bool is_scheme_end = std::ranges::all_of(std::string_view("://"), [&](char wanted) {
      const Character next = character_at(text, host);
      host += next.bytes;
      is_encoded = is_encoded || next.bytes > 1;
      return next.value == wanted;
    });
    if (!is_scheme_end) {
      ++at;
      continue;
    }
    // What is encoded in a URL that is not is a part of its user, its password or its host.
    std::size_t user_end = 0;
    for (std::size_t i = host; i < text.size();) {
      const Character next = character_at(text, i);
      const bool may_end = next.bytes == 1 || is_encoded;
      if (may_end && std::string_view("/?#\\ \t\"<>").find(next.value) != std::string_view::npos) break;
      if (next.value == '@') user_end = i;
      i += next.bytes;
    }
    out.append(text.substr(0, host));
    if (user_end != 0) out.append("***");
    text.remove_prefix(std::max(user_end, host));
    at = 0;
  }
  return out.append(text);
}

std::string query_without_user_info(std::string_view query) {
  if (query.find('@') == std::string_view::npos && query.find("%40") == std::string_view::npos) {
    return std::string(query);
  }
  std::string out;
  for (;;) {
    const auto end = query.find('&');
    out.append(without_user_info(query.substr(0, end)));
    if (end == std::string_view::npos) return out;
    out += '&';
    query.remove_prefix(end + 1);
  }
}

std::optional<std::string> percent_decode_bytes(std::string_view text, Plus plus) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (text.size() - i < 3) return std::nullopt;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus == Plus::IsBlank) {
      c = ' ';
    }
    decoded.push_back(c);
  }
  return decoded;
}

std::optional<std::string> percent_decode(std::string_view text, Plus plus) {
  auto decoded = percent_decode_bytes(text, plus);
  if (decoded && (decoded->find('\0') != std::string::npos || !is_utf8(*decoded))) return std::nullopt;
  return decoded;
}

std::string percent_encode(std::string_view bytes) {
  std::string encoded;
  for (const char c : bytes) {
    const bool unreserved = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                            std::string_view("-._~").find(c) != std::string_view::npos;
    if (unreserved) {
      encoded += c;
    } else {
      fmt::format_to(std::back_inserter(encoded), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

std::vector<QueryPair> split_query(std::string_view query) {
  std::vector<QueryPair> pairs;
  while (!query.empty()) {
    const auto end = query.find('&');
    const std::string_view piece = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (piece.empty()) continue;
    const auto equals = piece.find('=');
    pairs.push_back(
        {piece.substr(0, equals), equals == std::string_view::npos ? std::string_view{} : piece.substr(equals + 1)});
  }
  return pairs;
}

std::optional<std::string> canonical_target(std::string_view path, std::string_view query) {
  std::string target;
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  for (;;) {
    const auto slash = path.find('/');
    const auto segment = percent_decode(path.substr(0, slash), Plus::Kept);
    if (!segment) return std::nullopt;
    target += percent_encode(*segment);
    if (slash == std::string_view::npos) break;
    target += '/';
    path.remove_prefix(slash + 1);
  }
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const QueryPair& pair : split_query(query)) {
    auto name = percent_decode(pair.name, Plus::IsBlank);
    auto value = percent_decode(pair.value, Plus::IsBlank);
    if (!name || !value) return std::nullopt;
    pairs.emplace_back(std::move(*name), std::move(*value));
  }
  std::ranges::stable_sort(pairs, {}, &std::pair<std::string, std::string>::first);
  char separator = '?';
  for (const auto& [name, value] : pairs) {
    target.append(1, separator).append(percent_encode(name)).append("=").append(percent_encode(value));
    separator = '&';
  }
  return target;
}

}  // namespace ocp_mock
