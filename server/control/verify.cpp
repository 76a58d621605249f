#include "control/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>

namespace ocp_mock {
namespace {

constexpr std::size_t kEntriesShown = 3;

struct Miss {
  const JournalEntry* entry;
  std::vector<Difference> differences;
};

JsonObject json_of(const Miss& miss, int offset_minutes) {
  const JsonArray differs(miss.differences, [](const Difference& difference) {
    return JsonObject()
        .add("actual", RawJson{difference.actual})
        .add("expected", RawJson{difference.expected})
        .add("field", difference.field);
  });
  return JsonObject().add("differs", differs).add("request", json_of(*miss.entry, offset_minutes));
}

// What could change the result.
std::string reason_of_doubt(const Journal::View& view, std::int64_t cut) {
  const struct {
    std::int64_t count;
    std::string_view text;
  } rows[] = {
      {view.evicted, "that the full journal has dropped, of which a larger --journal-size keeps more"},
      {view.in_flight, "not answered yet, so ask again later"},
      {cut, "of which the journal has cut what is asked for"},
  };
  std::string reason;
  for (const auto& [count, text] : rows) {
    if (count != 0) reason += fmt::format("{}{} {}", reason.empty() ? "" : ", ", count, text);
  }
  return "it depends on requests of which nothing is known: " + reason;
}

// Adds the body of an entry that has one.
void add_body(JsonObject& object, const JournalEntry& entry) {
  if (entry.body_bytes == 0) return;
  const bool is_cut = (entry.cut & static_cast<unsigned>(RequestPart::Body)) != 0;
  const RequestBody kept(entry.body);
  if (const JsonValue* json = is_cut ? nullptr : kept.json()) {
    std::string text;
    append_json(text, *json);
    object.add("body", RawJson{text});
  } else {
    object.add("body", entry.body);
  }
  object.add("bodyBytes", entry.body_bytes);
  if (!entry.body_sha256.empty()) object.add("bodySha256", entry.body_sha256);
}

}  // namespace

JsonObject json_of(const JournalEntry& entry, int offset_minutes) {
  JsonObject object;
  add_body(object, entry);
  object.add("bytes", entry.bytes);
  if (entry.client_left) object.add("clientLeft", true);
  object.add("durationMicroseconds", entry.microseconds);
  if (entry.fault != 0) object.add("fault", entry.fault);
  const JsonArray headers(entry.headers, [](const HeaderField& header) {
    return JsonObject().add("name", header.name).add("value", header.value);
  });
  object.add("headers", headers).add("method", entry.method).add("path", entry.path).add("query", entry.query);
  if (entry.replayed) object.add("replayed", true);
  return object.add("sequence", entry.sequence)
      .add("status", entry.status == 0 ? std::nullopt : std::optional(entry.status))
      .add("time", format_iso_offset(entry.time, offset_minutes))
      .add("traceId", entry.trace_id)
      .add("user", entry.user)
      .add("violations", JsonArray(entry.violations));
}

std::string verify_requests(const Journal& journal, const JsonValue& question, int offset_minutes,
                            const RequestFacts& facts, const std::optional<std::string>& note) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  JsonFields fields(question);
  const Matcher matcher = Matcher::parse(fields, Matcher::Use::Question, facts);
  const auto exactly = fields.integer("exactly", 0, kMost);
  const auto at_least = fields.integer("atLeast", 0, kMost);
  const auto at_most = fields.integer("atMost", 0, kMost);
  fields.refuse_others();
  if (exactly && (at_least || at_most)) fields.refuse("exactly", "cannot be combined with atLeast or atMost");
  const std::int64_t least = exactly.value_or(at_least.value_or(at_most ? 0 : 1));
  const std::int64_t most = exactly.value_or(at_most.value_or(kMost));
  if (least > most) fields.refuse("atLeast", "must not be above atMost");

  const bool is_nobodys = facts.guarded != nullptr && facts.user == "";
  if (is_nobodys && least == 0 && !matcher.user()) {
    fields.refuse(
        exactly    ? "exactly"
        : at_least ? "atLeast"
                   : "atMost",
        R"(would pass without a request: under --isolate-by user, the requests of each user are in a world of )"
        R"(their own; ask with ?user=NAME, or with "user":"" for requests without credentials)");
  }

  const Journal::View view = journal.view();
  std::int64_t matched = 0;
  std::int64_t cut = 0;
  JsonArray matches;
  std::vector<Miss> misses;
  for (const auto& entry : view.entries) {
    const RequestView request = view_of(*entry);
    if (matcher.is_unsure(request)) {
      ++cut;
      continue;
    }
    std::vector<Difference> differences = matcher.differences(request);
    if (differences.empty()) {
      if (++matched <= static_cast<std::int64_t>(kEntriesShown)) matches.add(json_of(*entry, offset_minutes));
    } else {
      misses.push_back({entry.get(), std::move(differences)});
    }
  }
  // Those that were evicted or cut, and those that are not answered yet, may match, all of them or none.
  const std::int64_t unknown = view.evicted + view.in_flight + cut;
  const bool failed = matched > most || matched + unknown < least;
  const bool passed = matched >= least && matched + unknown <= most;
  JsonObject answer;
  if (cut != 0) answer.add("cut", cut);
  answer.add("evicted", view.evicted).add("inFlight", view.in_flight).add("matched", matched);
  if (matched > most) {
    answer.add("matches", matches);
  } else if (!passed) {
    // The latest of those that differ least.
    std::ranges::reverse(misses);
    std::ranges::stable_sort(misses, {}, [](const Miss& miss) { return miss.differences.size(); });
    JsonArray nearest;
    for (std::size_t i = 0; i < misses.size() && i < kEntriesShown; ++i) {
      nearest.add(json_of(misses[i], offset_minutes));
    }
    answer.add("nearestMisses", nearest);
  }
  if (note) answer.add("note", *note);
  if (!passed && !failed) answer.add("reason", reason_of_doubt(view, cut));
  return answer.add("result", passed ? "passed" : failed ? "failed" : "inconclusive").text();
}

}  // namespace ocp_mock
