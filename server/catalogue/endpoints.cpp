#include "catalogue/endpoints.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/utf8.h"
#include "ocp/url.h"

namespace ocp_mock {
namespace {

// clang-format off

// OCP's page of the endpoint: LogBackupWrapperTask, and agentServerIp from its example.
constexpr Field kLogBackupTaskFields[] = {
    // name             type                required  column
    {"clusterId",       FieldType::Integer, true,     "cluster_id"},
    {"tenantId",        FieldType::Integer, true,     "tenant_id"},
    {"createTime",      FieldType::Time,    true,     "create_time"},
    {"status",          FieldType::String,  true,     "status"},
    {"modifyTime",      FieldType::Time,    false,    "modify_time"},
    {"checkpoint",      FieldType::Time,    false,    "checkpoint"},
    {"delay",           FieldType::Number,  false,    "delay"},
    {"agentServerIp",   FieldType::String,  false,    ""},
    {"backupDimension", FieldType::String,  false,    ""},
    {"backupMode",      FieldType::String,  false,    ""},
    {"backupUri",       FieldType::String,  false,    ""},
    {"clusterName",     FieldType::String,  false,    ""},
    {"clusterType",     FieldType::String,  false,    ""},
    {"errorMsg",        FieldType::String,  false,    ""},
    {"obClusterId",     FieldType::Integer, false,    ""},
    {"obTenantId",      FieldType::Integer, false,    ""},
    {"tenantName",      FieldType::String,  false,    ""},
};

// The page's parameter has all but the last two; its example answer shows RUNNING. The constants of OCP's own user
// interface, which are left in OCP Express, are the words of answers with their labels: BEGINNING is one of them, and the
// meanings are those labels.
constexpr Status kLogBackupStatuses[] = {
    // word          meaning
    {"STARTING",    "starting"},
    {"INPROGRESS",  "in progress"},
    {"STOPPING",    "stopping"},
    {"STOPPED",     "stopped"},
    {"FAILED",      "failed"},
    {"INTERRUPTED", "interrupted"},
    {"UNKNOWN",     "unknown"},
    {"RUNNING",     "in progress"},
    {"BEGINNING",   "starting"},
};

constexpr std::string_view kLogBackupSorts[] = {"createTime", "modifyTime", "checkpoint", "delay", "status"};

constexpr Endpoint kEndpoints[] = {
    {"/api/v2/ob/clusters/{id}/tenants/{tenantId}/backup/task/logBackupTasks",
     "logBackupTasks", "log_backup_task", kLogBackupTaskFields, kLogBackupStatuses, kLogBackupSorts, "createTime", "checkpoint", "delay"},
};

// OCP API reference: /api/v2/time needs no credentials, deployment tools poll it.
constexpr Companion kCompanions[] = {
    {"/api/v2/time", Companion::Answer::Time,    true},
    {"/api/v2/info", Companion::Answer::Info,    false},
    {"/api/status",  Companion::Answer::Status,  false},
    {"/",            Companion::Answer::Welcome, true},
};

// clang-format on

// The first segment; the rest follows it, and has no data if there is none.
std::string_view next_segment(std::string_view& rest) {
  const auto end = rest.find('/');
  const std::string_view segment = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return segment;
}

bool equals_decoded(std::string_view encoded, std::string_view text) {
  if (encoded.find('%') == std::string_view::npos) return encoded == text;
  return percent_decode(encoded, Plus::Kept) == text;
}

// Whether a path fits the template; then the values of its {places}. Nothing is decoded before it must be.
bool match(std::string_view expected, std::string_view path, std::vector<std::string>& values) {
  values.clear();
  if (expected == "/") return path == "/";
  if (path.ends_with('/')) path.remove_suffix(1);
  // Most paths begin as the template does, letter for letter.
  const std::size_t literal = std::min(expected.find('{'), expected.size());
  if (path.starts_with(expected.substr(0, literal))) {
    expected.remove_prefix(literal);
    path.remove_prefix(literal);
  }
  while (expected.data() != nullptr && path.data() != nullptr) {
    const std::string_view wanted = next_segment(expected);
    const std::string_view segment = next_segment(path);
    if (!wanted.starts_with('{')) {
      if (!equals_decoded(segment, wanted)) return false;
    } else if (auto value = percent_decode(segment, Plus::Kept); value && !value->empty()) {
      values.push_back(std::move(*value));
    } else {
      return false;
    }
  }
  return expected.data() == nullptr && path.data() == nullptr;
}

}  // namespace

const Field* Endpoint::find_field(std::string_view name) const {
  const auto found = std::ranges::find(fields, name, &Field::name);
  return found == fields.end() ? nullptr : &*found;
}

StatusSet Endpoint::find_status(std::string_view word) const {
  const auto found = std::ranges::find(statuses, word, &Status::word);
  return found == statuses.end() ? 0 : StatusSet{1} << (found - statuses.begin());
}

std::vector<std::string_view> Endpoint::words_of(StatusSet set) const {
  std::vector<std::string_view> words;
  for (const Status& status : statuses) {
    if ((set >> (&status - statuses.data()) & 1U) != 0) words.push_back(status.word);
  }
  return words;
}

bool Endpoint::has_placeholder(std::string_view name) const {
  for (std::string_view rest = path; rest.data() != nullptr;) {
    const std::string_view segment = next_segment(rest);
    if (segment.starts_with('{') && segment.substr(1, segment.size() - 2) == name) return true;
  }
  return false;
}

std::span<const Endpoint> endpoints() { return kEndpoints; }
std::span<const Companion> companions() { return kCompanions; }

const Endpoint* find_endpoint_of_fixture(std::string_view fixture) {
  const auto found = std::ranges::find(kEndpoints, fixture, &Endpoint::fixture);
  return found == std::end(kEndpoints) ? nullptr : &*found;
}

std::optional<PathMatch> match_path(std::string_view path) {
  if (!path.starts_with('/')) return std::nullopt;
  PathMatch found;
  found.values.reserve(2);
  for (const Endpoint& endpoint : kEndpoints) {
    found.endpoint = &endpoint;
    if (match(endpoint.path, path, found.values)) return found;
  }
  found.endpoint = nullptr;
  for (const Companion& companion : kCompanions) {
    found.companion = &companion;
    if (match(companion.path, path, found.values)) return found;
  }
  return std::nullopt;
}

ApiError refusal_of_path(std::string_view path, std::vector<Sentence> explanation) {
  if (path.starts_with('/') && !percent_decode(path, Plus::Kept)) {
    return ApiError(Message::BadPathEncoding, {printable(without_user(path))});
  }
  std::string known;
  for (const Endpoint& endpoint : kEndpoints) known.append(known.empty() ? "" : ", ").append(endpoint.path);
  for (const Companion& companion : kCompanions) {
    if (companion.answer != Companion::Answer::Welcome) known.append(", ").append(companion.path);
  }
  return ApiError(Sentence{Message::UnknownPath, {printable(without_user(path)), known}}, std::move(explanation));
}

std::vector<std::string> columns_of(const Field& field) {
  if (field.column.empty()) return {};
  if (field.type != FieldType::Time) return {std::string(field.column)};
  return {fmt::format("{}_second", field.column), fmt::format("{}_nano", field.column)};
}

}  // namespace ocp_mock
