#include "ocp/signature.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <tuple>

#include "base/utf8.h"
#include "ocp/digest.h"
#include "ocp/instant.h"
#include "ocp/url.h"

namespace ocp_mock {
namespace {

constexpr std::string_view kHeaderPrefix = "x-ocp-";
constexpr std::string_view kDate = "Date";
constexpr std::string_view kOcpDate = "x-ocp-date";

// Explaining is some hundred signatures for single mistakes, and some thousand for pairs; it happens on a thread that
// others wait for. So of a long message less is tried, and of pairs only the likely mistakes.
constexpr std::size_t kLongMessage = 2048;
constexpr std::size_t kLongBody = 1024 * 1024;
constexpr std::size_t kMistakesInPairs = 16;

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), to_lower_ascii);
  return out;
}

// In the order sent.
Pairs ocp_headers(const SignedRequest& request) {
  Pairs found;
  for (const auto& [name, value] : request.headers) {
    if (equals_ignoring_case(name.substr(0, kHeaderPrefix.size()), kHeaderPrefix)) found.emplace_back(name, value);
  }
  return found;
}

// In the order sent, decoded. What does not decode is kept unchanged; authentication does not report it.
Pairs parameters(const SignedRequest& request, Plus plus = Plus::IsBlank) {
  const auto decoded = [plus](std::string_view text) {
    return percent_decode_bytes(text, plus).value_or(std::string(text));
  };
  Pairs found;
  for (const QueryPair& pair : split_query(request.query)) found.emplace_back(decoded(pair.name), decoded(pair.value));
  return found;
}

Pairs with_lower_names(Pairs pairs) {
  for (auto& [name, value] : pairs) name = lower(name);
  return pairs;
}

Pairs sorted(Pairs pairs) {
  std::ranges::sort(pairs);
  return pairs;
}

Pairs sorted_ignoring_case(Pairs pairs) {
  std::ranges::sort(pairs, {}, [](const auto& pair) { return std::pair(lower(pair.first), pair.second); });
  return pairs;
}

Pairs sorted_by_name(Pairs pairs) {
  std::ranges::stable_sort(pairs, {}, &Pairs::value_type::first);
  return pairs;
}

// Names in the order of the first of each, the values of each in order.
Pairs sorted_by_value(Pairs pairs) {
  std::map<std::string, std::size_t> places;
  for (const auto& [name, value] : pairs) places.try_emplace(name, places.size());
  std::ranges::sort(pairs, {}, [&](const auto& pair) { return std::pair(places.at(pair.first), pair.second); });
  return pairs;
}

// One pair a name, in the order of the first of each, its values joined by commas.
Pairs joined_by_name(const Pairs& pairs) {
  Pairs joined;
  std::map<std::string_view, std::size_t> places;
  for (const auto& [name, value] : pairs) {
    const auto [place, is_new] = places.try_emplace(name, joined.size());
    if (is_new) {
      joined.emplace_back(name, value);
    } else {
      joined[place->second].second.append(",").append(value);
    }
  }
  return joined;
}

// One pair a name, of several values the last one, as in a dictionary.
Pairs last_by_name(const Pairs& pairs) {
  std::map<std::string, std::string> last;
  for (const auto& [name, value] : pairs) last[name] = value;
  return {last.begin(), last.end()};
}

std::string text_of(const Pairs& pairs, std::string_view equals, std::string_view separator) {
  std::string text;
  for (const auto& [name, value] : pairs) {
    text.append(text.empty() ? "" : separator).append(name).append(equals).append(value);
  }
  return text;
}

std::string headers_part(const SignedRequest& request) {
  return text_of(joined_by_name(sorted(with_lower_names(ocp_headers(request)))), ":", "\n");
}

Pairs encoded(Pairs pairs, std::string (*encode)(std::string_view)) {
  for (auto& [name, value] : pairs) {
    name = encode(name);
    value = encode(value);
  }
  return pairs;
}

std::string path_part(const SignedRequest& request) {
  const std::string query = text_of(encoded(joined_by_name(sorted(parameters(request))), percent_encode), "=", "&");
  return fmt::format("{}{}{}", request.path, query.empty() ? "" : "?", query);
}

// What a client may have signed in place of a part, and what to say then.
struct Mistake {
  Message message = Message::SignedUnexplained;
  std::string part;
};

std::vector<Mistake> method_mistakes(const SignedRequest& request) {
  std::vector<Mistake> found{{Message::SignedMethod, lower(request.method)}};
  for (const char* method : {"GET", "POST", "HEAD", "PUT", "DELETE", "PATCH"}) {
    found.push_back({Message::SignedMethod, method});
  }
  return found;
}

std::vector<Mistake> body_mistakes(const SignedRequest& request, const std::string& right) {
  const std::string empty_hash = hex(md5(""));
  const std::string of_empty_body = base64_encode(md5(""));
  // Of a long body one hash is enough work.
  const std::string hash = request.body.size() <= kLongBody ? md5(request.body) : "";
  return {{Message::SignedEmptyBodyHash, empty_hash},
          {Message::SignedEmptyBodyHash, lower(empty_hash)},
          {Message::SignedEmptyBodyHash, of_empty_body},
          {Message::SignedBody, lower(right)},
          {Message::SignedBody, base64_encode(hash)},
          {Message::SignedBody, base64_encode(right)},
          {Message::SignedBody, ""},
          {Message::SignedBody, std::string(request.body.substr(0, kLongMessage))}};
}

std::vector<Mistake> content_type_mistakes(const SignedRequest& request) {
  const std::string_view sent = request.header("Content-Type");
  std::vector<Mistake> found;
  for (const std::string& text :
       {std::string(), std::string(trim_blanks(sent.substr(0, sent.find(';')))), lower(sent),
        std::string("application/json"), std::string("application/json;charset=UTF-8"),
        std::string("application/json; charset=UTF-8"), std::string("application/json; charset=utf-8"),
        std::string("application/x-www-form-urlencoded"), std::string("text/plain")}) {
    found.push_back({Message::SignedContentType, text});
  }
  return found;
}

std::vector<Mistake> date_mistakes(const SignedRequest& request) {
  std::vector<Mistake> found{{Message::SignedDate, ""}, {Message::SignedDate, std::string(request.header(kOcpDate))}};
  if (const auto date = parse_http_date(signing_date(request).value)) {
    const auto add = [&](std::int64_t distance) {
      found.push_back({Message::SignedDate, format_http_date({date->second + distance, 0})});
    };
    // A client that reads its clock twice.
    for (const int second : {-1, 1, -2, 2, -3, 3, -4, 4, -5, 5}) add(second);
    found.push_back({Message::SignedDate, format_iso_offset(*date, 0)});
    // Local time that says GMT.
    for (int quarters = -14 * 4; quarters <= 14 * 4; ++quarters) add(quarters * 15 * 60);
  }
  return found;
}

std::vector<Mistake> host_mistakes(const SignedRequest& request) {
  const std::string_view sent = request.header("Host");
  const std::string_view name = sent.substr(0, sent.rfind(':'));
  const std::string_view port = name.size() == sent.size() ? std::string_view() : sent.substr(name.size());
  std::vector<Mistake> found;
  for (const std::string& text :
       {std::string(), std::string(name), lower(sent), fmt::format("{}:80", name), fmt::format("{}:443", name),
        fmt::format("{}:8080", name), fmt::format("localhost{}", port), fmt::format("127.0.0.1{}", port),
        std::string("localhost"), std::string("127.0.0.1"), fmt::format("http://{}", sent),
        fmt::format("https://{}", sent)}) {
    found.push_back({Message::SignedHost, text});
  }
  return found;
}

std::vector<Mistake> header_mistakes(const SignedRequest& request) {
  const Pairs sent = ocp_headers(request);
  const Pairs lowered = with_lower_names(sent);
  Pairs upper = sent;
  for (auto& [name, value] : upper) std::ranges::transform(name, name.begin(), to_upper_ascii);
  std::vector<Mistake> found{{Message::SignedHeaders, ""}, {Message::SignedHeaders, headers_part(request) + "\n"}};
  for (const Pairs& pairs :
       {sent, sorted_by_name(sent), sorted(sent), lowered, sorted_by_name(lowered), sorted(lowered), sorted(upper)}) {
    for (const std::string_view colon : {":", ": ", "="}) {
      found.push_back({Message::SignedHeaders, text_of(pairs, colon, "\n")});
      found.push_back({Message::SignedHeaders, text_of(joined_by_name(pairs), colon, "\n")});
    }
  }
  return found;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// How HTTP libraries encode queries, beside percent_encode.
std::string encode_form(std::string_view text) { return replaced(percent_encode(text), "%20", "+"); }
std::string encode_but_comma(std::string_view text) { return replaced(percent_encode(text), "%2C", ","); }
std::string encode_but_colon(std::string_view text) { return replaced(percent_encode(text), "%3A", ":"); }
std::string encode_nothing(std::string_view text) { return std::string(text); }
std::string encode_twice(std::string_view text) { return percent_encode(percent_encode(text)); }
std::string encode_as_java(std::string_view text) {
  return replaced(replaced(encode_form(text), "%2A", "*"), "~", "%7E");
}
std::string encode_in_lower_hex(std::string_view text) {
  std::string encoded = percent_encode(text);
  for (std::size_t at = 0; (at = encoded.find('%', at)) != std::string::npos; at += 3) {
    encoded.replace(at, 3, lower(encoded.substr(at, 3)));
  }
  return encoded;
}

// The likely ones first.
std::vector<std::string> query_mistakes(const SignedRequest& request) {
  const Pairs sent = parameters(request);
  const Pairs with_plus = parameters(request, Plus::Kept);
  Pairs with_values = sent;
  std::erase_if(with_values, [](const auto& pair) { return pair.second.empty(); });
  std::vector<std::string> found{std::string(request.query)};
  const auto add = [&](const Pairs& pairs) {
    const std::string query = text_of(pairs, "=", "&");
    found.push_back(query);
    // A parameter without a value, without its equals sign.
    std::string bare = replaced(query, "=&", "&");
    if (bare.ends_with('=')) bare.pop_back();
    found.push_back(std::move(bare));
  };
  for (const auto encode : {percent_encode, encode_but_comma, encode_form, encode_as_java, encode_nothing,
                            encode_but_colon, encode_in_lower_hex, encode_twice}) {
    for (const Pairs& pairs : {sent, sorted(sent), sorted_by_name(sent), sorted_by_value(sent), with_values,
                               sorted(with_values), sorted_ignoring_case(sent), sorted(with_plus)}) {
      add(encoded(pairs, encode));
      add(encoded(joined_by_name(pairs), encode));
      add(joined_by_name(encoded(pairs, encode)));
    }
    add(encoded(last_by_name(sent), encode));
  }
  return found;
}

std::vector<Mistake> path_mistakes(const SignedRequest& request) {
  const std::string path(request.path);
  std::vector<Mistake> found;
  const auto add = [&](const std::string& start, const std::string& query) {
    found.push_back({Message::SignedPath, fmt::format("{}{}{}", start, query.empty() ? "" : "?", query)});
  };
  if (!request.query.empty()) found.push_back({Message::SignedWithoutQuery, path});
  if (path.size() + request.query.size() > kLongMessage) {
    add(path, std::string(request.query));
    return found;
  }
  for (const std::string& query : query_mistakes(request)) add(path, query);
  const std::string right_query = path_part(request).substr(path.size());
  const std::string decoded = percent_decode_bytes(path, Plus::Kept).value_or(path);
  const auto host = request.header("Host");
  for (const std::string& start :
       {path, fmt::format("http://{}{}", host, path), fmt::format("https://{}{}", host, path),
        fmt::format("{}{}", host, path), path.substr(1), decoded, percent_encode(path),
        replaced(percent_encode(decoded), "%2F", "/"),
        path.ends_with('/') ? path.substr(0, path.size() - 1) : fmt::format("{}/", path)}) {
    add(start, "");
    add(start, std::string(request.query));
    found.push_back({Message::SignedPath, start + right_query});
    found.push_back({Message::SignedPath, fmt::format("{}?", start)});
  }
  return found;
}

Sentence sentence_of(const Mistake& mistake, std::string_view right) {
  // The lines of part 6, as the log of the server and most languages write them.
  const auto text = [](std::string_view part) { return printable(replaced(std::string(part), "\n", "\\n"), 300); };
  return {mistake.message, {text(mistake.part), text(right)}};
}

// The message put together otherwise than by signed_message.
std::vector<std::string> other_messages(const SignedParts& parts) {
  const std::string right = signed_message(parts);
  std::vector<std::string> found{right + "\n"};
  for (const std::string_view separator : {"\r\n", "\\n", " ", ""})
    found.push_back(fmt::format("{}", fmt::join(parts, separator)));
  // With some of the empty parts, or all, left out rather than empty.
  for (unsigned left_out = 1; left_out < 1U << parts.size(); ++left_out) {
    std::vector<std::string_view> kept;
    bool only_empty = true;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if ((left_out >> i & 1U) == 0) {
        kept.push_back(parts[i]);
      } else {
        only_empty = only_empty && parts[i].empty();
      }
    }
    if (only_empty) found.push_back(fmt::format("{}", fmt::join(kept, "\n")));
  }
  return found;
}

std::vector<std::string> other_keys(std::string_view access_key, std::string_view secret_key) {
  std::vector<std::string> keys{std::string(access_key), fmt::format("{}&", secret_key),
                                fmt::format("{}\n", secret_key), std::string(trim_blanks(secret_key)),
                                base64_encode(secret_key)};
  if (const auto decoded = base64_decode(secret_key)) keys.push_back(*decoded);
  const std::string in_percents = [&] {
    std::string text;
    for (std::size_t i = 0; i + 1 < secret_key.size(); i += 2) text.append("%").append(secret_key.substr(i, 2));
    return text;
  }();
  // A secret key of hex digits taken for the bytes that they could stand for.
  if (const auto bytes = percent_decode_bytes(in_percents, Plus::Kept)) keys.push_back(*bytes);
  return keys;
}

}  // namespace

HeaderField signing_date(const SignedRequest& request) {
  const std::string_view date = request.header(kDate);
  const std::string_view ocp_date = request.header(kOcpDate);
  return date.empty() && !ocp_date.empty() ? HeaderField{kOcpDate, ocp_date} : HeaderField{kDate, date};
}

SignedParts signed_parts(const SignedRequest& request) {
  std::string method(request.method);
  std::ranges::transform(method, method.begin(), to_upper_ascii);
  return {method,
          request.body.empty() ? "" : hex(md5(request.body)),
          std::string(request.header("Content-Type")),
          std::string(request.header(kDate)),
          std::string(request.header("Host")),
          headers_part(request),
          path_part(request)};
}

std::string signed_message(const SignedParts& parts) { return fmt::format("{}", fmt::join(parts, "\n")); }

std::string sign(std::string_view secret_key, std::string_view message) {
  return base64_encode(hmac_sha1(secret_key, message));
}

std::vector<Sentence> explain_signature(const SignedRequest& request, const SignedParts& right,
                                        std::string_view access_key, std::string_view secret_key,
                                        std::string_view signature) {
  const auto matches = [&](const SignedParts& parts) { return sign(secret_key, signed_message(parts)) == signature; };
  std::array<std::vector<Mistake>, std::tuple_size_v<SignedParts>> mistakes{
      method_mistakes(request), body_mistakes(request, right[1]), content_type_mistakes(request),
      date_mistakes(request),   host_mistakes(request),           header_mistakes(request),
      path_mistakes(request)};

  for (std::size_t i = 0; i < right.size(); ++i) {
    std::set<std::string> seen{right[i]};
    std::erase_if(mistakes[i], [&](const Mistake& mistake) { return !seen.insert(mistake.part).second; });
    for (const Mistake& mistake : mistakes[i]) {
      SignedParts parts = right;
      parts[i] = mistake.part;
      if (matches(parts)) return {sentence_of(mistake, right[i])};
    }
  }
  for (const std::string& message : other_messages(right)) {
    if (sign(secret_key, message) == signature) return {{Message::SignedOtherLines, {}}};
  }
  for (const std::string& key : other_keys(access_key, secret_key)) {
    if (sign(key, signed_message(right)) == signature) return {{Message::SignedOtherKey, {}}};
  }
  if (signed_message(right).size() > kLongMessage) return {{Message::SignedUnexplained, {}}};
  for (auto& of_part : mistakes) of_part.resize(std::min(of_part.size(), kMistakesInPairs));
  for (std::size_t i = 0; i < right.size(); ++i) {
    for (std::size_t j = i + 1; j < right.size(); ++j) {
      for (const Mistake& first : mistakes[i]) {
        for (const Mistake& second : mistakes[j]) {
          SignedParts parts = right;
          parts[i] = first.part;
          parts[j] = second.part;
          if (matches(parts)) return {sentence_of(first, right[i]), sentence_of(second, right[j])};
        }
      }
    }
  }
  return {{Message::SignedUnexplained, {}}};
}

}  // namespace ocp_mock
