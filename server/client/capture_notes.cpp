#include "client/capture_notes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/utf8.h"
#include "fixtures/files.h"
#include "ocp/url.h"

namespace ocp_mock {
namespace {

// The part of a step's query without which there would be more rows.
std::string filter_of(const CaptureStep& step) {
  std::vector<std::string> filters;
  for (const QueryPair& pair : split_query(step.query)) {
    const auto parameter = std::ranges::find(step.endpoint->parameters, pair.name, &Parameter::name);
    const bool leaves_out =
        parameter != step.endpoint->parameters.end() && !parameter->required && parameter->match != Match::Ignored;
    if (leaves_out) filters.push_back(fmt::format("{}={}", pair.name, pair.value));
  }
  return fmt::format("{}", fmt::join(filters, "&"));
}

}  // namespace

std::optional<std::string> note_of_others(const std::filesystem::path& out, std::string_view command,
                                          std::span<const std::string> own) {
  std::vector<std::string> others;
  for (const auto& file : find_fixture_files({out}).files) {
    const std::string name = file.lexically_relative(out).string();
    if (std::ranges::find(own, name) == own.end()) others.push_back(printable(name));
  }
  if (others.empty()) return std::nullopt;
  return fmt::format("{} has files that {} did not write, and --fixtures loads them too: {}", out.string(), command,
                     fmt::join(others, ", "));
}

std::vector<std::string> capture_notes(const CapturePlan& plan, const std::filesystem::path& out) {
  std::vector<std::string> notes;
  for (const CaptureStep& step : plan.steps) {
    const std::string filter = filter_of(step);
    if (!step.is_kept || filter.empty()) continue;
    notes.push_back(
        fmt::format("{} has only the rows of {}; served, it answers a request without that filter with the same rows",
                    step.file, printable(filter)));
  }
  std::vector<std::string> own;
  for (const CaptureStep& step : plan.steps) own.push_back(step.file);
  if (auto others = note_of_others(out, "capture", own)) notes.push_back(*std::move(others));
  return notes;
}

}  // namespace ocp_mock
