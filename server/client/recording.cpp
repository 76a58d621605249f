#include "client/recording.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "base/temporary_file.h"
#include "base/text_file.h"
#include "base/utf8.h"
#include "client/recorded_text.h"
#include "fixtures/exchange.h"
#include "fixtures/forms.h"
#include "fixtures/resources.h"
#include "json/fields.h"
#include "json/text.h"
#include "ocp/digest.h"
#include "ocp/negotiation.h"
#include "ocp/url.h"

namespace ocp_mock {
namespace {

namespace fs = std::filesystem;

const fs::path kRequests = fs::path(CaptureState::kFolder) / "requests";

// Bytes of answers in whose place later ones were kept, before the log is written anew.
constexpr std::int64_t kMostReplaced = 64 << 20;

// Why a text is no JSON; empty if it is.
std::string flaw_of_json(std::string_view text) {
  try {
    read_json_text(text);
    return "";
  } catch (const JsonSyntaxError& error) {
    return error.what();
  }
}

RedactRules read_rules(const std::optional<fs::path>& file) {
  RedactRules rules;
  if (file) rules.add_file(*file);
  return rules;
}

// A text of bounded length for each body.
std::string body_key(const std::string& body) { return body.empty() ? "" : hex(sha256(body)); }

// What the file says of a request, as Recording::key_of() says it of one that is sent.
std::string file_key(const Exchange& exchange) {
  return exchange.replayed->request + '\n' + body_key(exchange.replayed->request_body);
}

std::string id_of(const std::string& key) { return hex(sha256(key)); }

std::string identity_of(const RecordingOptions& options) {
  return options.redact ? "a recording, redacted" : "a recording, not redacted";
}

bool answers_object(const Exchange& exchange) {
  return exchange.endpoint != nullptr && exchange.endpoint->form == Form::Object;
}

}  // namespace

Recording::Recording(const RecordingOptions& options, const Router& router)
    : options_(options),
      router_(router),
      state_(options.out, identity_of(options), "recording"),
      stand_in_key_(state_.key()),
      log_(options.out / CaptureState::kFolder / "passed"),
      earlier_texts_(SpoolFile::without_name(options.out / CaptureState::kFolder)) {
  const RedactRules checked = read_rules(options_.redact_rules);
  read_earlier();
  read_requests();
  recover();
}

Recording::~Recording() {
  if (has_news()) return;
  try {
    log_.remove();
  } catch (const std::system_error&) {
    // A later session reads it again, which changes nothing.
  }
  if (last_ == 0 && in_file_ == 0) state_.release();
}

// Brings what a killed process has logged into the file, as if it were an earlier session's that has ended.
void Recording::recover() {
  log_.each([&](ExchangeLog::Place place, const PassedExchange& exchange) {
    if (const auto key = key_of(exchange.request)) put(*key, classified(exchange), place);
  });
  if (!has_news()) return;
  recovered_ = kept_.size();
  write();
  log_.clear();
  kept_.clear();
  earlier_.clear();
  earlier_texts_.cut(0);
  requests_.clear();
  read_earlier();
  read_requests();
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
      const Exchange exchange = read_exchange(router_, item);
      if (!exchange.replayed) refuse("it has an exchange without \"replay\"");
      std::string text;
      append_json_in_order(text, item);
      earlier_[id_of(file_key(exchange))] = {earlier_texts_.append(text), answers_object(exchange)};
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
  return fmt::format("{} {}\n{}", request.method, *canonical, body_key(request_body_key(request.body)));
}

// Lines "DIGEST ID".
void Recording::read_requests() {
  std::error_code ignored;
  const fs::path file = options_.out / kRequests;
  if (!fs::exists(file, ignored)) return;
  const std::string text = read_text_file(file, "the requests of the recording");
  std::string_view rest = text;
  while (!rest.empty()) {
    std::string_view line = next_piece(rest, '\n');
    std::string digest(next_piece(line, ' '));
    const std::string id(line);
    if (earlier_.contains(id)) requests_[std::move(digest)] = id;
  }
}

void Recording::write_requests(const Requests& requests) const {
  TemporaryFile out(options_.out / kRequests);
  for (const auto& [digest, id] : requests) out.write(fmt::format("{} {}\n", digest, id));
  out.commit();
}

std::string Recording::digest_of(const std::string& key) const { return hex(hmac_sha256(stand_in_key_, key)); }

// An exchange of an earlier session. What is learned later may stand in its request too.
std::string Recording::without_learned(Redactor& redactor, std::string text, Requests& requests) const {
  JsonValue exchange = read_json_text(text);
  const std::string before = file_key(read_exchange(router_, exchange));
  replace_learned(redactor, router_, exchange);
  const std::string after = file_key(read_exchange(router_, exchange));
  text.clear();
  append_json_in_order(text, exchange);
  if (after == before) return text;
  bool is_known = false;
  for (auto& [digest, id] : requests) {
    if (id != id_of(before)) continue;
    id = id_of(after);
    is_known = true;
  }
  if (!is_known) requests.emplace(digest_of(before), id_of(after));
  return text;
}

const Recording::Earlier* Recording::find_earlier(const std::string& key) const {
  const auto said = requests_.find(digest_of(key));
  const auto found = earlier_.find(said == requests_.end() ? id_of(key) : said->second);
  return found == earlier_.end() ? nullptr : &found->second;
}

bool Recording::has(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  return kept_.contains(key) || find_earlier(key) != nullptr;
}

UpstreamAnswer Recording::answer(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  if (const auto kept = kept_.find(key); kept != kept_.end()) return log_.read(kept->second.place).answer;
  const StoredExchange found =
      *read_exchange(router_, read_json_text(earlier_texts_.read(find_earlier(key)->place))).replayed;
  UpstreamAnswer answer{static_cast<int>(found.status), {}, found.body};
  if (!found.content_type.empty()) answer.headers.add("Content-Type", found.content_type);
  return answer;
}

std::string Recording::keep(const std::string& key, const PassedRequest& request, const UpstreamAnswer& answer) {
  const std::string type = content_type_of(answer);
  if (request.method == "HEAD") return "a HEAD, which the answer to GET serves";
  if (answer.body.size() > kLargestBody) return "its answer is longer than 16 MiB";
  if (!is_utf8(answer.body)) return "its answer is binary";
  if (is_json_type(type) && !answer.body.empty()) {
    const std::string flaw = flaw_of_json(answer.body);
    if (!flaw.empty()) return fmt::format("its answer is {}, but no valid JSON: {}", printable(type), flaw);
  }
  if (type.empty() && !answer.body.empty()) return "its answer has no Content-Type";
  const PassedExchange exchange{{request.method, request.target, {}, request.body}, answer};
  const Kind kind = classified(exchange);
  const std::lock_guard lock(mutex_);
  try {
    put(key, kind, log_.append(exchange));
  } catch (const std::system_error& error) {
    return fmt::format("it cannot be written: {}", error.code().message());
  }
  return "";
}

// Rows that the mock would refuse must not keep the file from being loaded.
Recording::Kind Recording::classified(const PassedExchange& exchange) const {
  try {
    NoSink sink;
    load_fixture_text(router_, kFile, recorded_text(router_, exchange, kReplayAlso, nullptr), sink);
    const auto route = router_.find(exchange.request.method, split_target(exchange.request.target).path);
    return {kReplayAlso, route && route->endpoint != nullptr && route->endpoint->form == Form::Object};
  } catch (const FixtureError&) {
    return {kReplayOnly, false};
  }
}

void Recording::put(const std::string& key, Kind kind, ExchangeLog::Place place) {
  kept_[key] = {place, ++last_, kind};
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
  std::ranges::sort(all, std::greater<>(), &Kept::number);

  // Made anew each time: what is learned now may stand in texts that came before.
  std::optional<Redactor> made;
  if (options_.redact) made.emplace(read_rules(options_.redact_rules), stand_in_key_);
  Redactor* const redactor = made ? &*made : nullptr;
  std::size_t count = 0;
  try {
    for (const Kept& kept : all) {
      if (redactor != nullptr) learn_exchange(*redactor, router_, log_.read(kept.place));
    }
    Requests requests = requests_;
    std::map<Id, Earlier> earlier = earlier_;
    for (const Kept& kept : all) {
      const PassedExchange request{log_.read(kept.place).request, {204, {}, ""}};
      const std::string text = recorded_text(router_, request, kept.kind.replay, redactor);
      const std::string key = *key_of(request.request);
      const Id id = id_of(file_key(read_exchange(router_, read_json_text(text))));
      const std::string digest = digest_of(key);
      const auto said = requests.find(digest);
      earlier.erase(said == requests.end() ? id_of(key) : said->second);
      earlier.erase(id);
      requests.erase(digest);
      if (id != id_of(key)) requests.emplace(digest, id);
    }
    count = all.size() + earlier.size();
    TemporaryFile out(file());
    usual_mode_ = fs::status(out.path()).permissions();
    if (redactor != nullptr) fs::permissions(out.path(), fs::perms::owner_read | fs::perms::owner_write);
    std::string_view before = "[\n";
    const auto add = [&](std::string_view text) {
      out.write(std::exchange(before, ",\n"));
      out.write(text);
    };
    for (const bool objects : {true, false}) {
      for (const Kept& kept : all) {
        if (kept.kind.is_object != objects) continue;
        add(recorded_text(router_, log_.read(kept.place), kept.kind.replay, redactor));
      }
      for (const auto& [key, one] : earlier) {
        if (one.is_object != objects) continue;
        std::string text = earlier_texts_.read(one.place);
        add(redactor == nullptr ? text : without_learned(*redactor, std::move(text), requests));
      }
    }
    out.write(count == 0 ? "[]\n" : "\n]\n");
    write_requests(requests);
    out.commit();
  } catch (const std::system_error& error) {
    throw std::runtime_error(fmt::format("cannot write {}: {}", file().string(), error.code().message()));
  }
  const std::lock_guard lock(mutex_);
  written_ = last;
  in_file_ = count;
  replaced_ = redactor != nullptr ? redactor->report() : "";
  drop_replaced();
}

void Recording::finish() {
  if (has_news()) write();
  std::error_code ignored;
  if (usual_mode_) fs::permissions(file(), *usual_mode_, ignored);
}

// Answers in whose place later ones were kept.
void Recording::drop_replaced() {
  std::int64_t used = 0;
  std::vector<Kept*> all;
  for (auto& [key, kept] : kept_) {
    used += static_cast<std::int64_t>(kept.place.size);
    all.push_back(&kept);
  }
  if (log_.size() <= 2 * used + kMostReplaced) return;
  std::ranges::sort(all, std::less<>(), [](const Kept* kept) { return kept->number; });
  std::vector<ExchangeLog::Place*> places;
  for (Kept* kept : all) places.push_back(&kept->place);
  try {
    log_.keep_only(places);
  } catch (const std::system_error&) {
    // It is only longer than it need be.
  }
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
