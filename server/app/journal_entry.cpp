#include "app/journal_entry.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "base/utf8.h"
#include "control/body.h"
#include "ocp/digest.h"
#include "ocp/url.h"

namespace ocp_mock {
namespace {

// A longer body is not read as a whole to find its secrets: other requests wait meanwhile.
constexpr std::size_t kMaskedBodyBytes = 256 * 1024;

// Of a text, what the journal keeps.
std::string cut(std::string text) {
  if (text.size() <= kJournalTextBytes) return text;
  text.resize(kJournalTextBytes);
  return text + "...";
}

std::string cut(std::string text, JournalEntry& entry, RequestPart part) {
  if (text.size() > kJournalTextBytes) entry.cut |= static_cast<unsigned>(part);
  return cut(std::move(text));
}

std::string lower_hex(std::string_view bytes) {
  std::string text = hex(bytes);
  std::ranges::transform(text, text.begin(), to_lower_ascii);
  return text;
}

// Of a request's headers, what the journal keeps.
void keep_headers(const Headers& headers, JournalEntry& entry) {
  const std::string& text = headers.text();
  const bool is_short = headers.size() <= kJournalHeaders && text.size() <= kJournalTextBytes;
  const bool may_name_user = text.find('@') != std::string::npos || text.find("%40") != std::string::npos;
  if (is_short && !may_name_user) {
    entry.headers = headers;
    entry.headers.erase_if([](const HeaderField& field) { return is_secret_header(field.name); });
    return;
  }
  for (const auto& [name, value] : headers) {
    if (entry.headers.size() == kJournalHeaders) {
      entry.cut |= static_cast<unsigned>(RequestPart::Headers);
      return;
    }
    if (is_secret_header(name)) continue;
    const std::string kept_name = cut(std::string(name), entry, RequestPart::Headers);
    entry.headers.add(kept_name, cut(without_user_info(value), entry, RequestPart::Headers));
  }
}

// Of a request's body, what the journal keeps.
void keep_body(std::string_view body, JournalEntry& entry) {
  entry.body_bytes = body.size();
  const bool is_long = body.size() > kMaskedBodyBytes;
  MaskedBody masked = masked_body(is_long ? body.substr(0, kJournalBodyBytes) : body);
  if (is_long || masked.text.size() > kJournalBodyBytes) {
    entry.cut |= static_cast<unsigned>(RequestPart::Body);
    masked.text.resize(std::min(masked.text.size(), kJournalBodyBytes));
    // Whoever knows all but the secret could guess it by the hash.
    const bool has_secret = masked.has_secret || (is_long && names_secret(body));
    if (!has_secret) entry.body_sha256 = lower_hex(sha256(body));
  }
  entry.body = std::move(masked.text);
}

}  // namespace

JournalEntry journal_entry_of(const http::Request& request, const std::string& user, const std::string& trace_id) {
  const auto [path, query] = split_target(request.target);
  JournalEntry entry;
  entry.user = cut(user, entry, RequestPart::User);
  entry.method = cut(request.method, entry, RequestPart::Method);
  entry.path = cut(without_user(path), entry, RequestPart::Path);
  entry.query = cut(query_without_user_info(query), entry, RequestPart::Query);
  entry.trace_id = cut(trace_id);
  keep_headers(request.headers, entry);
  keep_body(request.body, entry);
  return entry;
}

std::string shown_target(const http::Request& request) {
  const auto [path, query] = split_target(request.target);
  if (request.target.empty()) return "";
  return printable(fmt::format("{}{}{}", without_user(path), query.empty() ? "" : "?", query_without_user_info(query)),
                   2000);
}

}  // namespace ocp_mock
