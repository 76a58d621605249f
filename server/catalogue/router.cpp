#include "catalogue/router.h"

#include <algorithm>
#include <array>
#include <set>
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
constexpr int kFilledPlaceholder = 1;
constexpr int kSegmentInOtherCase = 1;
constexpr int kMisspeltSegment = 2;
constexpr int kMissingSegment = 4;  // also one too many
constexpr int kOtherSegment = 6;    // less than one missing and one too many

// Cuts the first segment off. The rest has no data when there is none.
std::string_view next_segment(std::string_view& rest) {
  const auto end = rest.find('/');
  const std::string_view segment = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return segment;
}

bool is_placeholder(std::string_view segment) { return segment.starts_with('{'); }

std::string_view without_slashes(std::string_view path) {
  if (path.ends_with('/')) path.remove_suffix(1);
  if (path.starts_with('/')) path.remove_prefix(1);
  return path;
}

std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> segments;
  std::string_view rest = without_slashes(path);
  while (rest.data() != nullptr && segments.size() < kSegmentsCompared) segments.push_back(next_segment(rest));
  return segments;
}

int distance_between(std::string_view segment, std::string_view wanted) {
  if (is_placeholder(wanted)) return segment.empty() ? kOtherSegment : kFilledPlaceholder;
  if (segment == wanted) return 0;
  if (equals_ignoring_case(segment, wanted)) return kSegmentInOtherCase;
  return nearest(segment, std::array{wanted}) ? kMisspeltSegment : kOtherSegment;
}

// The edit distance, by segments.
int distance_between(const std::vector<std::string_view>& path, const std::vector<std::string_view>& wanted) {
  // Of the segments of the template so far, to each beginning of the path.
  std::vector<int> row;
  for (std::size_t i = 0; i <= path.size(); ++i) row.push_back(static_cast<int>(i) * kMissingSegment);
  for (const std::string_view segment : wanted) {
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

}  // namespace

Router::Router(const Catalogue& catalogue) : catalogue_(catalogue) {
  for (const Endpoint& endpoint : catalogue.endpoints) {
    add(endpoint, endpoint.path);
    for (const std::string_view alias : endpoint.aliases) add(endpoint, alias);
  }
}

void Router::add(const Endpoint& endpoint, std::string_view path) {
  Node* node = &root_;
  std::string_view rest = path == "/" ? std::string_view() : path.substr(1);
  while (rest.data() != nullptr) {
    const std::string_view segment = next_segment(rest);
    if (is_placeholder(segment)) {
      if (!node->placeholder) node->placeholder = std::make_unique<Node>();
      node = node->placeholder.get();
      continue;
    }
    const auto found = std::ranges::find(node->literals, segment, &Node::literal);
    node = found != node->literals.end() ? &*found : &node->literals.emplace_back(Node{segment, {}, nullptr, {}});
  }
  node->endpoints.push_back(&endpoint);
}

// Calls visit(node) for each node at the end of a rest, literals first, until it returns true.
template <typename Visit>
bool Router::walk(const Node& node, std::string_view rest, std::vector<std::string>& values, const Visit& visit) {
  if (rest.data() == nullptr) return visit(node);
  const std::string_view segment = next_segment(rest);
  std::optional<std::string> decoded;
  std::string_view text = segment;
  if (segment.find('%') != std::string_view::npos) {
    decoded = percent_decode(segment, Plus::Kept);
    if (!decoded) return false;
    text = *decoded;
  }
  const auto literal = std::ranges::find(node.literals, text, &Node::literal);
  if (literal != node.literals.end() && walk(*literal, rest, values, visit)) return true;
  if (!node.placeholder || text.empty()) return false;
  if (!decoded) decoded = percent_decode(segment, Plus::Kept);
  if (!decoded) return false;
  values.push_back(*std::move(decoded));
  if (walk(*node.placeholder, rest, values, visit)) return true;
  values.pop_back();
  return false;
}

template <typename Visit>
void Router::visit_nodes(std::string_view path, std::vector<std::string>& values, const Visit& visit) const {
  if (!path.starts_with('/')) return;
  if (path == "/") {
    visit(root_);
    return;
  }
  if (path.ends_with('/')) path.remove_suffix(1);
  path.remove_prefix(1);
  walk(root_, path, values, visit);
}

std::optional<Route> Router::find(std::string_view method, std::string_view path) const {
  if (method == "HEAD") method = "GET";
  Route route;
  route.values.reserve(kUsualPlaceholders);
  bool is_known = false;
  visit_nodes(path, route.values, [&](const Node& node) {
    const auto found = std::ranges::find(node.endpoints, method, [](const Endpoint* e) { return e->method; });
    is_known = is_known || !node.endpoints.empty();
    if (found == node.endpoints.end()) return false;
    route.endpoint = *found;
    return true;
  });
  if (!is_known) return std::nullopt;
  return route;
}

std::string Router::allowed_methods(std::string_view path) const {
  std::set<std::string_view> methods;
  std::vector<std::string> values;
  visit_nodes(path, values, [&](const Node& node) {
    for (const Endpoint* endpoint : node.endpoints) {
      if (!endpoint->listed) continue;
      methods.insert(endpoint->method);
      if (endpoint->method == "GET") methods.insert("HEAD");
    }
    return false;
  });
  return fmt::format("{}", fmt::join(methods, ", "));
}

std::vector<std::string_view> Router::nearest(std::string_view path) const {
  const std::string decoded = percent_decode(path, Plus::Kept).value_or(std::string(path));
  const std::vector<std::string_view> segments = segments_of(decoded);
  std::vector<std::pair<int, std::string_view>> templates;
  for (const Endpoint& endpoint : catalogue_.endpoints) {
    if (!endpoint.listed) continue;
    const bool is_there =
        std::ranges::find(templates, endpoint.path, [](const auto& t) { return t.second; }) != templates.end();
    if (!is_there) templates.emplace_back(distance_between(segments, segments_of(endpoint.path)), endpoint.path);
  }
  std::ranges::stable_sort(templates, {}, [](const auto& t) { return t.first; });
  std::vector<std::string_view> best;
  for (std::size_t i = 0; i < std::min(kNearestPaths, templates.size()); ++i) best.push_back(templates[i].second);
  return best;
}

ApiError refusal_of(const Router& router, std::string_view method, std::string_view path,
                    std::vector<Sentence> explanation) {
  const std::string shown = printable(without_user(path));
  if (path.starts_with('/') && !percent_decode(path, Plus::Kept)) return ApiError(Message::BadPathEncoding, {shown});
  if (const std::string methods = router.allowed_methods(path); !methods.empty()) {
    return ApiError(Sentence{Message::MethodNotAllowed, {printable(method), shown, methods}}, std::move(explanation));
  }
  return ApiError(Sentence{Message::UnknownPath, {shown, fmt::format("{}", fmt::join(router.nearest(path), ", "))}},
                  std::move(explanation));
}

}  // namespace ocp_mock
