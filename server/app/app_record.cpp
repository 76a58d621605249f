// The part of App that ends a request: what every answer gets, the journal's entry and the line of the log.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>

#include "app/app.h"
#include "app/journal_entry.h"
#include "base/utf8.h"
#include "http/paced_response.h"
#include "json/text.h"
#include "ocp/negotiation.h"
#include "ocp/url.h"

namespace ocp_mock {
namespace {

constexpr std::size_t kViolationsLogged = 10;

// For the log, behind the refusal, which may be one of them.
std::string describe(const std::vector<Violation>& violations, std::string_view refusal) {
  std::string text;
  for (std::size_t i = 0; i < violations.size() && i < kViolationsLogged; ++i) {
    const std::string violation = violations[i].text(Language::English);
    if (violation != refusal) text.append(" | ").append(violation);
  }
  if (violations.size() > kViolationsLogged)
    text += fmt::format(" | and {} more", violations.size() - kViolationsLogged);
  return text;
}

std::int64_t microseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

// What every answer gets, and what remains of it here.
void App::finish(const http::Request& request, Exchange& exchange, http::Response& response) const {
  if (options_.pretty && response.header("Content-Type").value_or("").starts_with(kJsonType)) {
    response.body = pretty_json(response.body);
  }
  if (!exchange.admission) exchange.admission = exchange.world->uncounted();
  if (exchange.admission) {
    const auto& [limit, decision] = *exchange.admission;
    response.headers.add("RateLimit-Limit", std::to_string(limit));
    response.headers.add("RateLimit-Remaining", std::to_string(decision.remaining));
    response.headers.add("RateLimit-Reset", std::to_string(decision.reset));
  }
  response.headers.add("Date", date(exchange));
  record(request, exchange, response);
  const auto level = exchange.violations.empty() ? spdlog::level::info : spdlog::level::warn;
  if (context_.logger->should_log(level)) {
    context_.logger->log(level, "{} {} {} {}B {}us {}{}{}{}", printable(request.method), shown_target(request),
                         response.status, response.body.size(), microseconds_since(exchange.start),
                         printable(exchange.values.trace_id), exchange.refusal.empty() ? "" : " | ",
                         without_user_info(exchange.refusal),
                         without_user_info(describe(exchange.violations, exchange.refusal)));
  }
}

// The entry of a request that was answered so, but for its sequence.
JournalEntry App::entry_of(const http::Request& request, const Exchange& exchange, const http::Response& response) {
  JournalEntry entry = journal_entry_of(request, exchange.user, exchange.values.trace_id);
  entry.time = exchange.time;
  if (response.wire.fault == http::WireBehavior::Fault::None) {
    entry.status = response.status;
    entry.bytes = std::min(response.body.size(), response.wire.truncate_at.value_or(response.body.size()));
  }
  entry.microseconds = microseconds_since(exchange.start);
  if (exchange.fault) entry.fault = exchange.fault->id;
  entry.replayed = exchange.replayed;
  for (const Violation& violation : exchange.violations) entry.violations.push_back(violation.text(Language::English));
  return entry;
}

// At once, so that a client that has its answer finds its entry. An answer that leaves in pieces is in flight until the
// last of them leaves.
void App::record(const http::Request& request, const Exchange& exchange, http::Response& response) const {
  if (!worlds_.options().keeps_journal) return;
  JournalEntry entry = entry_of(request, exchange, response);
  Journal& journal = exchange.world->journal();
  const Journal::Ticket ticket = exchange.ticket ? *exchange.ticket : journal.begin();
  if (http::is_default(response.wire)) return journal.record(ticket, std::move(entry));
  response.on_departed = [world = exchange.world, ticket, kept = std::make_shared<JournalEntry>(std::move(entry)),
                          logger = context_.logger, start = exchange.start,
                          target = shown_target(request)](bool whole, std::size_t body_bytes) {
    if (!whole) {
      kept->client_left = true;
      kept->status = 0;
      kept->bytes = std::min(kept->bytes, body_bytes);
      logger->info("{} {} - {}B {}us {} | the client left before it had the whole answer", printable(kept->method),
                   target, kept->bytes, microseconds_since(start), printable(kept->trace_id));
    }
    world->journal().record(ticket, std::move(*kept));
  };
}

// The client has left before there was an answer.
void App::record_leaving(const http::Request& request, Exchange& exchange) const {
  stamp(exchange);
  context_.logger->info("{} {} - 0B {}us {} | the client left before its answer", printable(request.method),
                        shown_target(request), microseconds_since(exchange.start), printable(exchange.values.trace_id));
  if (!worlds_.options().keeps_journal) return;
  JournalEntry entry = entry_of(request, exchange, {.status = 0});
  entry.client_left = true;
  Journal& journal = exchange.world->journal();
  journal.record(exchange.ticket ? *exchange.ticket : journal.begin(), std::move(entry));
}

}  // namespace ocp_mock
