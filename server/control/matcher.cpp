#include "control/matcher.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <set>
#include <system_error>

#include "base/ascii.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "control/criteria_rules.h"
#include "control/journal.h"
#include "control/query_criterion.h"
#include "json/writer.h"
#include "ocp/error.h"
#include "ocp/url.h"

namespace ocp_mock {
namespace {

constexpr std::array<std::string_view, 9> kMethods{"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                                   "CONNECT", "OPTIONS", "TRACE", "PATCH"};

std::string values_json(const Texts& texts) {
  if (texts.empty()) return "null";
  return texts.size() == 1 ? json_string(texts.front()) : JsonArray(texts).text();
}

std::string shown_path(const RequestView& request) { return json_string(decoded_path(request.path)); }

Texts sorted(Texts texts) {
  std::ranges::sort(texts);
  return texts;
}

Texts header_values(const RequestView& request, std::string_view name) {
  Texts values;
  for (const auto& [key, value] : request.headers) {
    if (equals_ignoring_case(key, name)) values.emplace_back(value);
  }
  return sorted(std::move(values));
}

std::string shown_body(const RequestBody& body) {
  if (body.text().empty()) return "null";
  const JsonValue* json = body.json();
  if (json == nullptr) return json_string(body.text());
  std::string text;
  append_json(text, *json);
  return text;
}

}  // namespace

// Reads one object of criteria.
class Matcher::Parser : private CriteriaRules {
 public:
  Parser(JsonFields& fields, Use use, const RequestFacts& facts, Matcher& matcher)
      : CriteriaRules(fields, use, facts), matcher_(matcher) {}

  struct Row {
    std::string_view key;
    bool in_fault;
    bool in_question;
    bool in_filter;
    void (Parser::*add)();
  };
  static const Row kRows[];

  static bool is_in(const Row& row, Use use) {
    return use == Use::Fault ? row.in_fault : use == Use::Question ? row.in_question : row.in_filter;
  }

  void add_method() {
    const auto method = fields_.text("method");
    if (!method) return;
    if (!is_token(*method)) refuse("method", *method, "it must be one word, such as GET");
    std::string upper = *method;
    std::ranges::transform(upper, upper.begin(), to_upper_ascii);
    if (upper != *method && std::ranges::find(kMethods, upper) != kMethods.end()) {
      refuse("method", *method, fmt::format("methods are compared letter for letter, so it must be '{}'", upper));
    }
    if (use_ == Use::Fault && *method == "CONNECT") {
      refuse("method", *method, "this server is no proxy, and refuses such a request before any fault");
    }
    check_length("method", *method);
    count("method", method->size());
    matcher_.method_ = method;
    add(
        RequestPart::Method, "method", json_string(*method),
        [expected = *method](const RequestView& request) { return request.method == expected; },
        [](const RequestView& request) { return json_string(request.method); });
  }

  void add_path() {
    const auto path = text_of_path("path");
    if (!path) return;
    const std::string expected = decoded_path(without_end_slash(*path));
    set_path("path", criterion_of(PathTemplate::of_path(*path), *path), json_string(expected),
             [](const RequestView& request) { return json_string(decoded_path(without_end_slash(request.path))); });
  }

  void add_path_prefix() {
    const auto prefix = text_of_path("pathPrefix");
    if (!prefix) return;
    set_path("pathPrefix", PathCriterion(PathTemplate::of_beginning(*prefix)), json_string(decoded_path(*prefix)),
             shown_path);
  }

  void add_path_template() {
    const auto text = text_of_path("pathTemplate");
    if (!text) return;
    for (std::string_view rest = without_end_slash(*text).substr(1); rest.data() != nullptr;) {
      const auto end = rest.find('/');
      const std::string_view segment = rest.substr(0, end);
      rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
      const bool has_brace = segment.find_first_of("{}") != std::string_view::npos;
      const bool is_placeholder =
          segment.starts_with('{') && segment.find_first_of("{}", 1) == segment.size() - 1 && segment.ends_with('}');
      if (has_brace && !is_placeholder) {
        refuse("pathTemplate", *text,
               fmt::format("'{}' is no placeholder: '{{name}}' must be a whole segment ('%7B' and '%7D' stand for the "
                           "characters themselves)",
                           printable(segment)));
      }
      if (segment.empty() && *text != "/") {
        refuse("pathTemplate", *text, "no segment may be empty; '{name}' takes one segment, which is not empty either");
      }
    }
    set_path("pathTemplate", criterion_of(PathTemplate::of_template(*text), *text), json_string(*text), shown_path);
  }

  void add_query() {
    const JsonValue* query = fields_.object("query");
    if (query == nullptr) return;
    std::set<std::string> names;
    for (const JsonMember& member : query->members) {
      const std::string field = "query." + printable(member.key);
      const std::string name = decoded(member.key, Plus::Kept);
      check_no_nul(field, name, member.position);
      count("query", name.size());
      if (!names.insert(name).second) throw JsonFieldError(member.position, field + " stands twice, once encoded");
      const QueryCriterion parameter(name, facts_.router);
      const auto actual = [parameter](const RequestView& request) {
        return values_json(sorted(parameter.values(request)));
      };
      if (member.value.kind == JsonKind::Object) {
        const Texts words = any_order(field, member.value);
        for (const std::string& word : words) count("query", word.size());
        add(
            RequestPart::Query, "query." + name, JsonObject().add("anyOrder", JsonArray(words)).text(),
            [parameter, words](const RequestView& request) { return words_of(parameter.values(request)) == words; },
            actual);
        continue;
      }
      Texts values = values_of(field, member, true);
      for (std::string& value : values) {
        value = decoded(value, Plus::Kept);
        count("query", value.size());
        // As the journal keeps it.
        if (use_ != Use::Fault) value = without_user_info(value);
      }
      values = sorted(std::move(values));
      add(
          RequestPart::Query, "query." + name, values_json(values),
          [parameter, values](const RequestView& request) { return sorted(parameter.values(request)) == values; },
          actual);
    }
  }

  void add_headers() {
    const JsonValue* headers = fields_.object("headers");
    if (headers == nullptr) return;
    std::set<std::string> names;
    for (const JsonMember& member : headers->members) {
      const std::string& name = member.key;
      const std::string field = "headers." + printable(name);
      if (!is_token(name)) {
        throw JsonFieldError(member.position, field +
                                                  " is no name of a header: it must be letters, digits and "
                                                  "hyphens, without blanks and without a colon");
      }
      std::string lower = name;
      std::ranges::transform(lower, lower.begin(), to_lower_ascii);
      if (!names.insert(lower).second) {
        throw JsonFieldError(member.position, field + " stands twice; names of headers are the same in any case");
      }
      if (use_ != Use::Fault && is_secret_header(name)) {
        throw JsonFieldError(
            member.position,
            printable(name) +
                " is not kept in the journal, for it may be a secret; user tells who asked, and a fault may "
                "match this header");
      }
      Texts values = values_of(field, member, false);
      for (std::string& value : values) {
        check_header_value(field, value, member.position);
        count("headers", name.size() + value.size());
        // As the journal keeps it.
        if (use_ != Use::Fault) value = without_user_info(value);
      }
      add(
          RequestPart::Headers, "headers." + name, values_json(values),
          [name, values](const RequestView& request) { return header_values(request, name) == values; },
          [name](const RequestView& request) { return values_json(header_values(request, name)); });
    }
  }

  void add_user() {
    matcher_.user_ = fields_.text("user");
    if (!matcher_.user_) return;
    check_user(*matcher_.user_);
    add(
        RequestPart::User, "user", json_string(*matcher_.user_),
        [expected = *matcher_.user_](const RequestView& request) { return request.user == expected; },
        [](const RequestView& request) { return json_string(request.user); });
  }

  void add_status() {
    const JsonValue* value = fields_.any("status");
    if (value == nullptr || value->kind == JsonKind::Null) return;
    int status = -1;
    const std::string& text = value->text;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), status);
    const bool is_number =
        value->kind == JsonKind::Integer && error == std::errc{} && stop == text.data() + text.size();
    const int least = facts_.any_status ? 200 : 400;
    if (!is_number || (status != 0 && status != 200 && (status < least || status > 599))) {
      fields_.refuse("status", fmt::format("is {}; it must be {}an integer from {} to 599, which are all that "
                                           "this server answers with, or 0 for requests that got no answer",
                                           use_ == Use::Filter ? "'" + printable(text) + "'" : describe(*value),
                                           facts_.any_status ? "" : "200 or ", least));
    }
    matcher_.status_ = status;
    add(
        RequestPart::Status, "status", std::to_string(status),
        [status](const RequestView& request) { return request.status == status; },
        [](const RequestView& request) { return std::to_string(request.status.value_or(0)); });
  }

  void add_client_left() {
    const auto left = fields_.boolean("clientLeft");
    if (!left) return;
    if (*left && matcher_.status_.value_or(0) != 0) {
      fields_.refuse("clientLeft", "is true, and a client that has left got no answer: status must be 0 or absent");
    }
    add(
        RequestPart::ClientLeft, "clientLeft", *left ? "true" : "false",
        [expected = *left](const RequestView& request) { return request.client_left == expected; },
        [](const RequestView& request) { return request.client_left ? "true" : "false"; });
  }

  void add_body() {
    const JsonValue* body = fields_.object("body");
    if (body == nullptr) return;
    JsonFields form(*body);
    const JsonValue* equal = form.any("equal");
    const JsonValue* contains = form.any("contains");
    const auto text = form.text("text");
    form.refuse_others();
    if ((equal != nullptr) + (contains != nullptr) + text.has_value() != 1) {
      fields_.refuse("body", "must have one of equal (a value), contains (a value) and text (a string)");
    }
    const auto actual = [](const RequestView& request) { return shown_body(request.body); };
    if (text) {
      const std::string expected = kept_text(*text);
      return add(
          RequestPart::Body, "body.text", json_string(expected),
          [expected](const RequestView& request) { return request.body.text() == expected; }, actual);
    }
    const bool whole = equal != nullptr;
    const auto expected = std::make_shared<const JsonValue>(kept_value(whole ? *equal : *contains));
    std::string shown;
    append_json(shown, *expected);
    add(
        RequestPart::Body, whole ? "body.equal" : "body.contains", std::move(shown),
        [expected, whole](const RequestView& request) {
          const JsonValue* json = request.body.json();
          return json != nullptr && (whole ? same_json(*json, *expected) : contains_json(*json, *expected));
        },
        actual);
  }

  // What the criteria together leave nothing of.
  void check_all() const {
    if (facts_.guarded == nullptr || matcher_.user_ != "") return;
    // A request that is refused is in the journal too, but meets no fault.
    if (use_ != Use::Fault && matcher_.status_ != 200) return;
    std::vector<std::string_view> open;
    for (const Endpoint& endpoint : facts_.guarded->endpoints) {
      if (!endpoint.open) continue;
      const auto is_meant = [&](std::string_view path) { return matcher_.path_.fits(endpoint.method, path); };
      if (is_meant(endpoint.path) || std::ranges::any_of(endpoint.aliases, is_meant)) return;
      open.push_back(endpoint.path);
    }
    refuse(
        "user", "",
        fmt::format("without --auth off a request without credentials is refused with 401{}; only {} are open to all",
                    use_ == Use::Fault ? " and meets no fault" : "", fmt::join(open, " and ")));
  }

 private:
  void add(RequestPart part, std::string field, std::string expected, std::function<bool(const RequestView&)> meets,
           std::function<std::string(const RequestView&)> actual) {
    const bool is_other = part != RequestPart::Path && part != RequestPart::Method && part != RequestPart::Status;
    if (is_other) matcher_.others_.append(json_string(field)).append(expected);
    matcher_.criteria_.push_back({part, std::move(field), std::move(expected), std::move(meets), std::move(actual)});
  }

  PathCriterion criterion_of(PathTemplate path, std::string_view text) const {
    return facts_.router == nullptr ? PathCriterion(std::move(path))
                                    : PathCriterion(std::move(path), text, *facts_.router);
  }

  void set_path(std::string_view key, PathCriterion path, std::string expected,
                std::function<std::string(const RequestView&)> actual) {
    std::size_t bytes = 0;
    for (const PathTemplate::Segment& segment : path.templates().front().segments()) bytes += 1 + segment.text.size();
    count(key, bytes);
    if (path.has_others()) matcher_.others_.append(json_string(key)).append(expected);
    matcher_.path_ = path;
    add(
        RequestPart::Path, std::string(key), std::move(expected),
        [path = std::move(path)](const RequestView& request) { return path.fits(request.method, request.path); },
        std::move(actual));
  }

  Matcher& matcher_;
};

// clang-format off
constinit const Matcher::Parser::Row Matcher::Parser::kRows[] = {
    // key            fault  question filter
    {"method",        true,  true,    true,  &Parser::add_method},
    {"path",          true,  true,    true,  &Parser::add_path},
    {"pathPrefix",    true,  true,    true,  &Parser::add_path_prefix},
    {"pathTemplate",  true,  true,    true,  &Parser::add_path_template},
    {"query",         true,  true,    false, &Parser::add_query},
    {"headers",       true,  true,    false, &Parser::add_headers},
    {"user",          true,  true,    false, &Parser::add_user},
    {"status",        false, true,    true,  &Parser::add_status},
    {"clientLeft",    false, true,    true,  &Parser::add_client_left},
    {"body",          true,  true,    false, &Parser::add_body},  // the last, for it costs the most
};
// clang-format on

Matcher Matcher::parse(JsonFields& fields, Use use, const RequestFacts& facts) {
  Matcher matcher;
  Parser parser(fields, use, facts, matcher);
  for (const Parser::Row& row : Parser::kRows) {
    if (Parser::is_in(row, use)) (parser.*row.add)();
  }
  parser.check_all();
  return matcher;
}

std::vector<std::string_view> Matcher::keys(Use use) {
  std::vector<std::string_view> keys;
  for (const Parser::Row& row : Parser::kRows) {
    if (Parser::is_in(row, use)) keys.push_back(row.key);
  }
  return keys;
}

bool Matcher::matches(const RequestView& request) const {
  return std::ranges::all_of(criteria_, [&](const Criterion& criterion) { return criterion.meets(request); });
}

std::vector<Difference> Matcher::differences(const RequestView& request) const {
  std::vector<Difference> found;
  for (const Criterion& criterion : criteria_) {
    if (!criterion.meets(request)) found.push_back({criterion.field, criterion.expected, criterion.actual(request)});
  }
  return found;
}

bool Matcher::is_unsure(const RequestView& request) const {
  if (request.cut == 0) return false;
  bool unsure = false;
  for (const Criterion& criterion : criteria_) {
    if ((request.cut & static_cast<unsigned>(criterion.part)) != 0) {
      unsure = true;
    } else if (!criterion.meets(request)) {
      return false;
    }
  }
  return unsure;
}

}  // namespace ocp_mock
