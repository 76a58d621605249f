#include "catalogue/router.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/ascii.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "ocp/url.h"

namespace ocp_mock {
namespace {

constexpr std::size_t kNearestPaths = 3;
constexpr std::size_t kSegmentsCompared = 20;
constexpr std::size_t kUsualPlaceholders = 4;  // at most, of a path

// How far a path is from a template, summed over their segments.
constexpr int kSegmentInOtherCase = 1;
constexpr int kMisspeltSegment = 2;
constexpr int kFilledPlaceholder = 3;  // more than a misspelt one: a placeholder takes anything
constexpr int kMissingSegment = 4;     // also one too many
constexpr int kOtherSegment = 7;       // less than one missing and one too many

// The first segments of a path, without the empty one before its first slash.
std::vector<std::string> first_segments_of(std::string_view path) {
  std::vector<std::string> segments;
  if (path.starts_with('/')) path.remove_prefix(1);
  if (path.ends_with('/')) path.remove_suffix(1);
  for (;;) {
    const auto end = path.find('/');
    segments.emplace_back(PathSegment(path.substr(0, end)).text());
    if (end == std::string_view::npos || segments.size() == kSegmentsCompared) return segments;
    path.remove_prefix(end + 1);
  }
}

int distance_between(std::string_view segment, const PathTemplate::Segment& wanted) {
  if (wanted.is_placeholder) return segment.empty() ? kOtherSegment : kFilledPlaceholder;
  if (segment == wanted.text) return 0;
  if (equals_ignoring_case(segment, wanted.text)) return kSegmentInOtherCase;
  return nearest(segment, std::array{std::string_view(wanted.text)}) ? kMisspeltSegment : kOtherSegment;
}

// The edit distance, by segments.
int distance_between(const std::vector<std::string>& path, std::span<const PathTemplate::Segment> wanted) {
  // Of the segments of the template so far, to each beginning of the path.
  std::vector<int> row;
  for (std::size_t i = 0; i <= path.size(); ++i) row.push_back(static_cast<int>(i) * kMissingSegment);
  for (const PathTemplate::Segment& segment : wanted) {
    int diagonal = row[0];
    row[0] += kMissingSegment;
    for (std::size_t i = 0; i < path.size(); ++i) {
      const int changed = diagonal + distance_between(path[i], segment);
      diagonal = row[i + 1];
      row[i + 1] = std::min({changed, row[i] + kMissingSegment, row[i + 1] + kMissingSegment});
    }
  }
  return row.back();
}

bool decodes(std::string_view path) {
  const bool is_plain = std::ranges::all_of(path, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0 && byte < 0x80 && c != '%';
  });
  return is_plain || percent_decode(path, Plus::Kept);
}

}  // namespace

Router::Router(const Catalogue& catalogue) : catalogue_(catalogue) {
  for (const Endpoint& endpoint : catalogue.endpoints) {
    add(endpoint, endpoint.path);
    for (const std::string_view alias : endpoint.aliases) add(endpoint, alias);
    const auto known = std::ranges::find(listed_, endpoint.path, [](const auto& one) { return one.first; });
    if (endpoint.listed && known == listed_.end()) {
      listed_.emplace_back(endpoint.path, PathTemplate::of_template(endpoint.path));
    }
  }
}

void Router::add(const Endpoint& endpoint, std::string_view path) {
  tree_.update(PathTemplate::of_template(path), [&](Endpoints& endpoints) { endpoints.push_back(&endpoint); });
}

// Calls visit with the endpoints of each template that fits the path, literals first, until it returns true.
template <typename Visit>
void Router::visit_endpoints(std::string_view path, const Visit& visit, std::vector<std::string>* taken) const {
  if (path.starts_with('/') && decodes(path)) tree_.find(path, visit, taken);
}

std::optional<Route> Router::find(std::string_view method, std::string_view path) const {
  if (method == "HEAD") method = "GET";
  Route route;
  route.values.reserve(kUsualPlaceholders);
  bool is_known = false;
  const auto visit = [&](const Endpoints& endpoints) {
    const auto found = std::ranges::find(endpoints, method, [](const Endpoint* e) { return e->method; });
    is_known = true;
    if (found == endpoints.end()) return false;
    route.endpoint = *found;
    return true;
  };
  visit_endpoints(path, visit, &route.values);
  if (!is_known) return std::nullopt;
  return route;
}

std::string Router::allowed_methods(std::string_view path) const {
  std::set<std::string_view> methods;
  visit_endpoints(path, [&](const Endpoints& endpoints) {
    for (const Endpoint* endpoint : endpoints) {
      if (!endpoint->listed) continue;
      methods.insert(endpoint->method);
      if (endpoint->method == "GET") methods.insert("HEAD");
    }
    return false;
  });
  return fmt::format("{}", fmt::join(methods, ", "));
}

std::vector<std::string_view> Router::nearest(std::string_view path) const {
  const std::vector<std::string> segments = first_segments_of(path);
  std::vector<std::pair<int, std::string_view>> templates;
  for (const auto& [text, path_template] : listed_) {
    templates.emplace_back(distance_between(segments, std::span(path_template.segments()).subspan(1)), text);
  }
  std::ranges::stable_sort(templates, {}, [](const auto& t) { return t.first; });
  std::vector<std::string_view> best;
  for (std::size_t i = 0; i < std::min(kNearestPaths, templates.size()); ++i) best.push_back(templates[i].second);
  return best;
}

ApiError refusal_of(const Router& router, std::string_view method, std::string_view path,
                    std::vector<Sentence> explanation) {
  const std::string shown = printable(without_user(path));
  if (path.starts_with('/') && !decodes(path)) return ApiError(Message::BadPathEncoding, {shown});
  if (const std::string methods = router.allowed_methods(path); !methods.empty()) {
    return ApiError(Sentence{Message::MethodNotAllowed, {printable(method), shown, methods}}, std::move(explanation));
  }
  return ApiError(Sentence{Message::UnknownPath, {shown, fmt::format("{}", fmt::join(router.nearest(path), ", "))}},
                  std::move(explanation));
}

bool is_newer(std::string_view since, std::string_view ocp_version) {
  const auto numbers = [](std::string_view text) {
    std::array<int, 3> found{};
    if (text.starts_with('V')) text.remove_prefix(1);
    for (int& number : found) {
      const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error != std::errc{}) break;
      text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
      if (!text.starts_with('.')) break;
      text.remove_prefix(1);
    }
    return found;
  };
  const bool is_number = !ocp_version.empty() && ocp_version.front() >= '0' && ocp_version.front() <= '9';
  return !since.empty() && is_number && numbers(since) > numbers(ocp_version);
}

}  // namespace ocp_mock
