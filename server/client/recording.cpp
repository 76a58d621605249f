#include "client/recording.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "base/temporary_file.h"
#include "base/text_file.h"
#include "base/utf8.h"
#include "fixtures/exchange.h"
#include "fixtures/forms.h"
#include "fixtures/resources.h"
#include "json/fields.h"
#include "json/text.h"
#include "ocp/negotiation.h"
#include "ocp/url.h"

namespace ocp_mock {
namespace {

namespace fs = std::filesystem;

// Where no resource is known, rules name what is in an answer so.
constexpr std::string_view kAnswers = "answers";

// Takes what a load brings, to see whether it can be loaded.
class NoSink : public FixtureSink {
 public:
  bool add_row(const Resource&, Row&) override { return true; }
  void add_implied(const Resource&, std::span<const SqlValue>, std::optional<std::string>) override {}
  void add_envelope(CapturedEnvelope) override {}
  void add_exchange(StoredExchange) override {}
};

RedactRules read_rules(const std::optional<fs::path>& file) {
  RedactRules rules;
  if (file) rules.add_file(*file);
  return rules;
}

std::string content_type_of(const UpstreamAnswer& answer) {
  return std::string(answer.headers.find("Content-Type").value_or(""));
}

// JSON, or else nothing.
std::optional<JsonValue> json_of(std::string_view text) {
  try {
    return read_json_text(text);
  } catch (const JsonSyntaxError&) {
    return std::nullopt;
  }
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

// What the file says of a request.
std::string file_key(const Exchange& exchange) {
  return exchange.replayed->request + '\n' + exchange.replayed->request_body;
}

bool answers_object(const Exchange& exchange) {
  return exchange.endpoint != nullptr && exchange.endpoint->form == Form::Object;
}

}  // namespace

Recording::Recording(const RecordingOptions& options, const Router& router)
    : options_(options), router_(router), state_(options.out, options.identity) {
  const RedactRules checked = read_rules(options_.redact_rules);
  read_earlier();
}

void Recording::read_earlier() {
  std::error_code ignored;
  if (!fs::exists(file(), ignored)) return;
  const auto refuse = [&](std::string_view why) {
    throw std::runtime_error(
        fmt::format("{} is no recording: {}; move it away, or name another folder by --out", file().string(), why));
  };
  try {
    const JsonValue all = read_json_text(read_text_file(file(), "the recording"));
    if (all.kind != JsonKind::Array) refuse("it must be an array of exchanges");
    for (const JsonValue& item : all.items) {
      JsonValue replayed = item;
      const Exchange exchange = read_exchange(router_, item);
      Earlier earlier;
      append_json_in_order(earlier.text, item);
      earlier.is_object = answers_object(exchange);
      if (!exchange.replayed) refuse("it has an exchange without \"replay\"");
      earlier_[file_key(exchange)] = std::move(earlier);
    }
  } catch (const JsonSyntaxError& error) {
    refuse(fmt::format("{}:{}: {}", error.position().line, error.position().column, error.what()));
  } catch (const JsonFieldError& error) {
    refuse(fmt::format("{}:{}: {}", error.position().line, error.position().column, error.text()));
  }
  in_file_ = earlier_.size();
}

std::optional<std::string> Recording::key_of(const PassedRequest& request) {
  const Target target = split_target(request.target);
  const auto canonical = canonical_target(target.path, target.query);
  if (!canonical || !target.path.starts_with('/') || request.body.size() > kLargestBody || !is_utf8(request.body)) {
    return std::nullopt;
  }
  return fmt::format("{} {}\n{}", request.method, *canonical, request_body_key(request.body));
}

std::shared_ptr<const UpstreamAnswer> Recording::find(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(key);
  return found == kept_.end() ? nullptr : found->second.answer;
}

std::string Recording::keep(const std::string& key, const PassedRequest& request,
                            std::shared_ptr<const UpstreamAnswer> answer) {
  const std::string type = content_type_of(*answer);
  if (request.method == "HEAD") return "a HEAD, which the answer to GET serves";
  if (answer->body.size() > kLargestBody) return "its answer is longer than 16 MiB";
  if (!is_utf8(answer->body)) return "its answer is binary";
  if (is_json_type(type) && !answer->body.empty() && !json_of(answer->body)) {
    return fmt::format("its answer is {}, but no JSON", printable(type));
  }
  if (type.empty() && !answer->body.empty()) return "its answer has no Content-Type";
  Kept kept{{request.method, request.target, {}, request.body}, std::move(answer), 0, false, kReplayAlso};
  classify(kept);
  const std::lock_guard lock(mutex_);
  kept.number = ++last_;
  kept_[key] = std::move(kept);
  return "";
}

// Rows that the mock would refuse must not keep the file from being loaded.
void Recording::classify(Kept& kept) const {
  try {
    NoSink sink;
    load_fixture_text(router_, kFile, text_of(kept, nullptr), sink);
    const auto route = router_.find(kept.request.method, split_target(kept.request.target).path);
    kept.is_object = route && route->endpoint != nullptr && route->endpoint->form == Form::Object;
  } catch (const FixtureError&) {
    kept.replay = kReplayOnly;
  }
}

std::string Recording::text_of(const Kept& kept, Redactor* redactor) const {
  const PassedRequest& request = kept.request;
  const Target target = split_target(request.target);
  std::optional<Redaction> redaction;
  if (redactor != nullptr) redaction.emplace(*redactor, router_, request);
  std::string out = "{\"replay\":" + json_string(kept.replay) +
                    ",\"request\":{\"method\":" + json_string(request.method) +
                    ",\"path\":" + json_string(redaction ? redaction->path() : std::string(target.path));
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
  const UpstreamAnswer& answer = *kept.answer;
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

bool Recording::has_news() const {
  const std::lock_guard lock(mutex_);
  return written_ != last_;
}

void Recording::write() {
  std::vector<Kept> all;
  std::uint64_t last = 0;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, kept] : kept_) all.push_back(kept);
    last = last_;
  }
  // Of the rows of one object the first that is read counts, which so is the latest.
  std::ranges::sort(all, [](const Kept& a, const Kept& b) { return a.number > b.number; });

  // Made anew each time: what is learned now may stand in texts that came before.
  std::optional<Redactor> redactor;
  if (options_.redact) {
    redactor.emplace(read_rules(options_.redact_rules), state_.key());
    for (const Kept& kept : all) {
      Redaction redaction(*redactor, router_, kept.request);
      redaction.learn_request(kept.request);
      if (!is_json_type(content_type_of(*kept.answer))) continue;
      if (const auto answer = json_of(kept.answer->body)) redaction.learn_answer(*answer);
    }
  }

  std::vector<std::string> objects;
  std::vector<std::string> others;
  std::map<std::string, Earlier> earlier = earlier_;
  for (const Kept& kept : all) {
    std::string text = text_of(kept, redactor ? &*redactor : nullptr);
    const Exchange exchange = read_exchange(router_, read_json_text(text));
    earlier.erase(file_key(exchange));
    (kept.is_object ? objects : others).push_back(std::move(text));
  }
  for (auto& [key, one] : earlier) (one.is_object ? objects : others).push_back(std::move(one.text));
  const std::size_t count = objects.size() + others.size();
  try {
    TemporaryFile out(file());
    std::string_view before = "[\n";
    for (const std::vector<std::string>* texts : {&objects, &others}) {
      for (const std::string& text : *texts) {
        out.write(std::exchange(before, ",\n"));
        out.write(text);
      }
    }
    out.write(count == 0 ? "[]\n" : "\n]\n");
    out.commit();
  } catch (const std::system_error& error) {
    throw std::runtime_error(fmt::format("cannot write {}: {}", file().string(), error.code().message()));
  }
  const std::lock_guard lock(mutex_);
  written_ = last;
  in_file_ = count;
  replaced_ = redactor ? redactor->report() : "";
}

std::size_t Recording::kept() const {
  const std::lock_guard lock(mutex_);
  return kept_.size();
}

std::size_t Recording::in_file() const {
  const std::lock_guard lock(mutex_);
  return in_file_;
}

std::string Recording::replaced() const {
  const std::lock_guard lock(mutex_);
  return replaced_;
}

}  // namespace ocp_mock
