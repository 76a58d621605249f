#include "client/recorded_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "fixtures/exchange.h"
#include "json/reader.h"
#include "json/text.h"
#include "ocp/negotiation.h"
#include "ocp/url.h"

namespace ocp_mock {
namespace {

// Where no resource is known, rules name what is in an answer so.
constexpr std::string_view kAnswers = "answers";

// JSON, or else nothing.
std::optional<JsonValue> json_of(std::string_view text) {
  try {
    return read_json_text(text);
  } catch (const JsonSyntaxError&) {
    return std::nullopt;
  }
}

JsonValue* find(JsonValue& object, std::string_view key) {
  const auto at = std::ranges::find(object.members, key, &JsonMember::key);
  return at == object.members.end() ? nullptr : &at->value;
}

// Calls `row` with each row that an answer has, `rest` with the name and value of each other member that may say
// something; an answer of no such form is one `rest` without a name.
template <typename Value, typename TakeRow, typename TakeRest>
void visit_answer(Value& answer, const TakeRow& take_row, const TakeRest& take_rest) {
  if (answer.kind != JsonKind::Object || answer.find("data") == nullptr) return take_rest(answer);
  for (auto& member : answer.members) {
    auto& value = member.value;
    if (member.key != "data") {
      // Those two differ from answer to answer.
      if (member.key != "timestamp" && member.key != "traceId") take_rest(member);
    } else if (value.kind == JsonKind::Object && value.find("contents") != nullptr) {
      for (auto& part : value.members) {
        if (part.key == "contents" && part.value.kind == JsonKind::Array) {
          for (auto& row : part.value.items) take_row(row);
        } else {
          take_rest(part);
        }
      }
    } else if (value.kind == JsonKind::Array) {
      for (auto& row : value.items) take_row(row);
    } else {
      take_row(value);
    }
  }
}

// Redacts one exchange, or lets the redactor learn from it.
class Redaction {
 public:
  Redaction(Redactor& redactor, const Router& router, const PassedRequest& request)
      : redactor_(redactor), target_(split_target(request.target)), route_(router.find(request.method, target_.path)) {
    if (route_ && route_->endpoint != nullptr) resource_ = route_->endpoint->resource;
  }

  void learn_request(const PassedRequest& request) {
    for_each_path_value([&](std::string_view name, const std::string& value) { learn(name, value); });
    for (const QueryPair& pair : split_query(target_.query)) {
      learn(pair.name, percent_decode(pair.value, Plus::IsBlank).value_or(""));
    }
    if (const auto body = json_of(request.body)) learn(*body);
  }

  void learn_answer(const JsonValue& answer) {
    const Rest rest{*this};
    visit_answer(
        answer, [&](const JsonValue& row) { learn(row); }, rest);
  }

  void redact_answer(JsonValue& answer) {
    const ChangedRest rest{*this};
    visit_answer(
        answer, [&](JsonValue& row) { redact(row); }, rest);
  }

  void redact(JsonValue& value) {
    if (resource_ != nullptr && value.kind == JsonKind::Object) return redactor_.redact(*resource_, value);
    redactor_.redact(name(), value);
  }

  std::string text(const std::string& text) { return redactor_.redact(nullptr, "body", text); }

  std::string path() {
    if (!route_ || route_->endpoint == nullptr) {
      std::string path;
      std::string_view rest = target_.path;
      while (!rest.empty()) {
        const auto end = std::min(rest.find('/', 1), rest.size());
        const std::string segment = percent_decode(rest.substr(1, end - 1), Plus::Kept).value_or("");
        path += "/" + encoded(rest.substr(1, end - 1), segment, redactor_.redact(nullptr, "path", segment));
        rest.remove_prefix(end);
      }
      return path;
    }
    std::string path(route_->endpoint->path);
    for_each_path_value([&](std::string_view field, const std::string& value) {
      const auto begin = path.find('{');
      const auto end = path.find('}', begin);
      path.replace(begin, end - begin + 1, percent_encode(redactor_.redact(resource_, field, value)));
    });
    return path;
  }

  std::string query() {
    std::string query;
    for (const QueryPair& pair : split_query(target_.query)) {
      const std::string value = percent_decode(pair.value, Plus::IsBlank).value_or("");
      query += fmt::format("{}{}={}", query.empty() ? "" : "&", pair.name,
                           encoded(pair.value, value, redactor_.redact(resource_, std::string(pair.name), value)));
    }
    return query;
  }

 private:
  struct Rest {
    Redaction& redaction;
    void operator()(const JsonValue& value) const { redaction.redactor_.learn(kAnswers, value); }
    void operator()(const JsonMember& member) const {
      redaction.redactor_.learn(kAnswers, object_of(member.key, member.value));
    }
  };
  struct ChangedRest {
    Redaction& redaction;
    void operator()(JsonValue& value) const { redaction.redactor_.redact(kAnswers, value); }
    void operator()(JsonMember& member) const {
      JsonValue object = object_of(member.key, std::move(member.value));
      redaction.redactor_.redact(kAnswers, object);
      member.value = std::move(object.members.front().value);
    }
  };

  static JsonValue object_of(std::string_view key, JsonValue value) {
    JsonValue object{JsonKind::Object, "", {}, {}, {}};
    object.members.push_back({std::string(key), {}, std::move(value)});
    return object;
  }

  // A value that is not replaced stays as it was sent.
  static std::string encoded(std::string_view sent, const std::string& value, const std::string& made) {
    return value == made ? std::string(sent) : percent_encode(made);
  }

  std::string_view name() const { return resource_ == nullptr ? kAnswers : resource_->name; }

  void learn(const JsonValue& value) {
    if (resource_ != nullptr && value.kind == JsonKind::Object) return redactor_.learn(*resource_, value);
    redactor_.learn(name(), value);
  }

  void learn(std::string_view key, const std::string& value) {
    learn(object_of(key, {JsonKind::String, value, {}, {}, {}}));
  }

  template <typename Take>
  void for_each_path_value(const Take& take) const {
    if (!route_ || route_->endpoint == nullptr) return;
    const auto& parameters = route_->endpoint->path_parameters;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      take(parameters[i].field == nullptr ? parameters[i].name : parameters[i].field->name, route_->values.at(i));
    }
  }

  Redactor& redactor_;
  const Target target_;
  const std::optional<Route> route_;
  const Resource* resource_ = nullptr;
};

}  // namespace

std::string content_type_of(const UpstreamAnswer& answer) {
  return std::string(answer.headers.find("Content-Type").value_or(""));
}

std::string recorded_text(const Router& router, const PassedExchange& exchange, std::string_view replay,
                          Redactor* redactor) {
  const auto& [request, answer] = exchange;
  const Target target = split_target(request.target);
  std::optional<Redaction> redaction;
  if (redactor != nullptr) redaction.emplace(*redactor, router, request);
  std::string out = fmt::format("{{\"replay\":{},{}\"request\":{{\"method\":{},\"path\":{}", json_string(replay),
                                redaction ? kRedactedMember : "", json_string(request.method),
                                json_string(redaction ? redaction->path() : std::string(target.path)));
  if (!target.query.empty()) {
    out += ",\"query\":" + json_string(redaction ? redaction->query() : std::string(target.query));
  }
  if (!request.body.empty()) {
    out += ",\"body\":";
    auto body = json_of(request.body);
    if (body && redaction) redaction->redact(*body);
    if (body) {
      append_json_in_order(out, *body);
    } else {
      append_json_string(out, redaction ? redaction->text(request.body) : request.body);
    }
  }
  const std::string type = content_type_of(answer);
  out += fmt::format("}},\"response\":{{\"status\":{}", answer.status);
  if (!type.empty() && answer.status != 204) {
    out += ",\"headers\":{\"Content-Type\":" + json_string(type) + "}";
    if (is_json_type(type) && !answer.body.empty()) {
      JsonValue body = read_json_text(answer.body);
      if (redaction) redaction->redact_answer(body);
      append_json_in_order(out += ",\"body\":", body);
    } else {
      out += ",\"body\":" + json_string(redaction ? redaction->text(answer.body) : answer.body);
    }
  }
  return out + "}}";
}

void learn_exchange(Redactor& redactor, const Router& router, const PassedExchange& exchange) {
  Redaction redaction(redactor, router, exchange.request);
  redaction.learn_request(exchange.request);
  if (!is_json_type(content_type_of(exchange.answer))) return;
  if (const auto answer = json_of(exchange.answer.body)) redaction.learn_answer(*answer);
}

void replace_learned(Redactor& redactor, const Router& router, JsonValue& recorded) {
  JsonValue* request = find(recorded, "request");
  JsonValue* response = find(recorded, "response");
  if (request == nullptr || response == nullptr) return;
  const auto text_of = [&](std::string_view key) {
    const JsonValue* value = find(*request, key);
    return value == nullptr ? std::string() : value->text;
  };
  const std::string query = text_of("query");
  const PassedRequest passed{text_of("method"), text_of("path") + (query.empty() ? "" : "?" + query), {}, ""};
  Redaction redaction(redactor, router, passed);
  redactor.replace_only_learned(true);
  if (JsonValue* path = find(*request, "path")) path->text = redaction.path();
  if (JsonValue* old = find(*request, "query")) old->text = redaction.query();
  if (JsonValue* body = find(*request, "body")) redaction.redact(*body);
  if (JsonValue* body = find(*response, "body")) redaction.redact_answer(*body);
  redactor.replace_only_learned(false);
}

}  // namespace ocp_mock
