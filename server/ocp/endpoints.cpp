#include "ocp/endpoints.h"

#include <algorithm>

#include "ocp/error.h"
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

// The page lists all but RUNNING; its example answer shows RUNNING.
constexpr std::string_view kLogBackupStatuses[] = {
    "STARTING", "INPROGRESS", "STOPPING", "STOPPED", "FAILED", "INTERRUPTED", "UNKNOWN", "RUNNING"};

constexpr std::string_view kLogBackupSorts[] = {"createTime", "modifyTime", "checkpoint", "delay", "status"};

constexpr Endpoint kEndpoints[] = {
    {"/api/v2/ob/clusters/{id}/tenants/{tenantId}/backup/task/logBackupTasks",
     "logBackupTasks", "log_backup_task", kLogBackupTaskFields, kLogBackupStatuses, kLogBackupSorts, "createTime"},
};

// clang-format on

// The segments of a path that starts with a slash, as they stand; one empty segment at the end, after a trailing slash,
// does not count.
std::vector<std::string_view> split_path(std::string_view path) {
  std::vector<std::string_view> segments;
  for (std::size_t begin = 1; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    segments.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  if (segments.back().empty()) segments.pop_back();
  return segments;
}

std::optional<PathMatch> match(const Endpoint& endpoint, std::span<const std::string> segments) {
  const std::vector<std::string_view> expected = split_path(endpoint.path);
  if (segments.size() != expected.size()) return std::nullopt;
  PathMatch found{&endpoint, {}};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (expected[i].starts_with('{')) {
      if (segments[i].empty()) return std::nullopt;
      found.values.push_back(segments[i]);
    } else if (segments[i] != expected[i]) {
      return std::nullopt;
    }
  }
  return found;
}

}  // namespace

const Field* Endpoint::find_field(std::string_view name) const {
  const auto found = std::ranges::find(fields, name, &Field::name);
  return found == fields.end() ? nullptr : &*found;
}

std::span<const Endpoint> endpoints() { return kEndpoints; }

const Endpoint* find_endpoint_of_fixture(std::string_view fixture) {
  const auto found = std::ranges::find(kEndpoints, fixture, &Endpoint::fixture);
  return found == std::end(kEndpoints) ? nullptr : &*found;
}

std::optional<PathMatch> match_path(std::string_view path) {
  if (!path.starts_with('/')) return std::nullopt;
  std::vector<std::string> segments;
  for (const std::string_view encoded : split_path(path)) {
    std::optional<std::string> segment = percent_decode(encoded, Plus::Kept);
    if (!segment) throw ApiError(Message::BadPathEncoding, {shown(path)});
    segments.push_back(std::move(*segment));
  }
  for (const Endpoint& endpoint : kEndpoints) {
    if (auto found = match(endpoint, segments)) return found;
  }
  return std::nullopt;
}

}  // namespace ocp_mock
