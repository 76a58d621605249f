#include "control/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string_view>

#include "json/text.h"

namespace ocp_mock {
namespace {

constexpr std::size_t kEntriesShown = 3;

struct Miss {
  const JournalEntry* entry;
  std::vector<Difference> differences;
};

std::string json_of(const Miss& miss, int offset_minutes) {
  std::string differs;
  for (const Difference& difference : miss.differences) {
    differs += fmt::format("{}{{\"actual\":{},\"expected\":{},\"field\":{}}}", differs.empty() ? "" : ",",
                           difference.actual, difference.expected, json_string(difference.field));
  }
  return fmt::format("{{\"differs\":[{}],\"request\":{}}}", differs, json_of(*miss.entry, offset_minutes));
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

// The members of an entry that has a body.
std::string body_json(const JournalEntry& entry) {
  if (entry.body_bytes == 0) return "";
  const bool is_cut = (entry.cut & static_cast<unsigned>(RequestPart::Body)) != 0;
  std::string body;
  const RequestBody kept(entry.body);
  if (const JsonValue* json = is_cut ? nullptr : kept.json()) {
    append_json(body, *json);
  } else {
    body = json_string(entry.body);
  }
  return fmt::format("\"body\":{},\"bodyBytes\":{},{}", body, entry.body_bytes,
                     entry.body_sha256.empty() ? "" : fmt::format("\"bodySha256\":\"{}\",", entry.body_sha256));
}

}  // namespace

std::string json_of(const JournalEntry& entry, int offset_minutes) {
  std::string headers;
  for (const auto& [name, value] : entry.headers) {
    headers += fmt::format("{}{{\"name\":{},\"value\":{}}}", headers.empty() ? "" : ",", json_string(name),
                           json_string(value));
  }
  std::string violations;
  for (const std::string& text : entry.violations)
    violations.append(violations.empty() ? "" : ",").append(json_string(text));
  return fmt::format(
      R"({{{}"bytes":{},{}"durationMicroseconds":{},{}"headers":[{}],"method":{},"path":{},"query":{},{}"sequence":{},)"
      R"("status":{},"time":{},"traceId":{},"user":{},"violations":[{}]}})",
      body_json(entry), entry.bytes, entry.client_left ? "\"clientLeft\":true," : "", entry.microseconds,
      entry.fault == 0 ? "" : fmt::format("\"fault\":{},", entry.fault), headers, json_string(entry.method),
      json_string(entry.path), json_string(entry.query), entry.replayed ? "\"replayed\":true," : "", entry.sequence,
      entry.status == 0 ? "null" : std::to_string(entry.status),
      json_string(format_iso_offset(entry.time, offset_minutes)), json_string(entry.trace_id), json_string(entry.user),
      violations);
}

std::string verify_requests(const Journal& journal, const JsonValue& question, int offset_minutes,
                            const RequestFacts& facts) {
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
  std::string matches;
  std::vector<Miss> misses;
  for (const auto& entry : view.entries) {
    const RequestView request = view_of(*entry);
    if (matcher.is_unsure(request)) {
      ++cut;
      continue;
    }
    std::vector<Difference> differences = matcher.differences(request);
    if (differences.empty()) {
      if (++matched <= static_cast<std::int64_t>(kEntriesShown)) {
        matches.append(matches.empty() ? "" : ",").append(json_of(*entry, offset_minutes));
      }
    } else {
      misses.push_back({entry.get(), std::move(differences)});
    }
  }
  // Those that were evicted or cut, and those that are not answered yet, may match, all of them or none.
  const std::int64_t unknown = view.evicted + view.in_flight + cut;
  const bool failed = matched > most || matched + unknown < least;
  const bool passed = matched >= least && matched + unknown <= most;
  std::string text =
      fmt::format("{{{}\"evicted\":{},\"inFlight\":{},\"matched\":{}", cut == 0 ? "" : fmt::format("\"cut\":{},", cut),
                  view.evicted, view.in_flight, matched);
  if (matched > most) {
    text += fmt::format(",\"matches\":[{}]", matches);
  } else if (!passed) {
    // The latest of those that differ least.
    std::ranges::reverse(misses);
    std::ranges::stable_sort(misses, {}, [](const Miss& miss) { return miss.differences.size(); });
    std::string nearest;
    for (std::size_t i = 0; i < misses.size() && i < kEntriesShown; ++i) {
      nearest.append(nearest.empty() ? "" : ",").append(json_of(misses[i], offset_minutes));
    }
    text += fmt::format(",\"nearestMisses\":[{}]", nearest);
  }
  if (!passed && !failed) text += fmt::format(R"(,"reason":{})", json_string(reason_of_doubt(view, cut)));
  return text + fmt::format(",\"result\":\"{}\"}}", passed ? "passed" : failed ? "failed" : "inconclusive");
}

}  // namespace ocp_mock
