#include "ocp/path_template.h"

#include <utility>

#include "ocp/url.h"

namespace ocp_mock {
namespace {

bool is_plain(std::string_view segment) { return segment.find('%') == std::string_view::npos; }

}  // namespace

PathSegment::PathSegment(std::string_view sent) : sent_(sent), text_(sent) {
  if (is_plain(sent)) return;
  if (auto decoded = percent_decode(sent, Plus::Kept)) text_ = decoded_ = *std::move(decoded);
}

std::vector<std::string> segments_of(std::string_view path) {
  std::vector<std::string> segments;
  for (;;) {
    const auto end = path.find('/');
    segments.emplace_back(PathSegment(path.substr(0, end)).text());
    if (end == std::string_view::npos) return segments;
    path.remove_prefix(end + 1);
  }
}

std::string_view without_end_slash(std::string_view path) {
  return path.ends_with('/') && path.size() > 1 && path != "//" ? path.substr(0, path.size() - 1) : path;
}

std::string decoded_path(std::string_view path) {
  if (is_plain(path)) return std::string(path);
  std::string out;
  bool is_first = true;
  for (const std::string& segment : segments_of(path)) {
    if (!std::exchange(is_first, false)) out += '/';
    const bool is_unclear = segment.find('/') != std::string::npos || segment.find("%2") != std::string::npos;
    out += is_unclear ? percent_encode(segment) : segment;
  }
  return out;
}

PathTemplate::PathTemplate(std::string_view path, bool is_open) : is_open_(is_open) {
  for (std::string& segment : segments_of(path)) segments_.push_back({std::move(segment)});
}

PathTemplate PathTemplate::of_template(std::string_view text) {
  PathTemplate made("", false);
  made.segments_.clear();
  text = without_end_slash(text);
  for (;;) {
    const auto end = text.find('/');
    const std::string_view segment = text.substr(0, end);
    const bool is_placeholder = segment.starts_with('{') && segment.ends_with('}');
    made.segments_.push_back({std::string(is_placeholder ? "" : PathSegment(segment).text()), is_placeholder});
    if (end == std::string_view::npos) return made;
    text.remove_prefix(end + 1);
  }
}

// Calls take with each segment that a placeholder takes.
template <typename Take>
bool PathTemplate::match(std::string_view path, const Take& take) const {
  if (!is_open_) path = without_end_slash(path);
  for (std::size_t i = 0;; ++i) {
    const Segment& wanted = segments_[i];
    const bool is_last = i + 1 == segments_.size();
    const auto end = path.find('/');
    const PathSegment segment(path.substr(0, end));
    if (is_last && is_open_) return segment.text().starts_with(wanted.text);
    if (is_last != (end == std::string_view::npos)) return false;
    if (wanted.is_placeholder ? !segment.fills_placeholder() : segment.text() != wanted.text) return false;
    if (wanted.is_placeholder) take(segment.sent());
    if (is_last) return true;
    path.remove_prefix(end + 1);
  }
}

bool PathTemplate::overlaps(const PathTemplate& other) const {
  if (is_open_ ? segments_.size() > other.segments_.size() : segments_.size() != other.segments_.size()) return false;
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    const Segment& own = segments_[i];
    const Segment& its = other.segments_[i];
    if (own.is_placeholder || its.is_placeholder) continue;
    const bool may_go_on = is_open_ && i + 1 == segments_.size();
    if (may_go_on ? !its.text.starts_with(own.text) : its.text != own.text) return false;
  }
  return true;
}

bool PathTemplate::fits(std::string_view path) const {
  return match(path, [](std::string_view) {});
}

std::optional<std::vector<std::string_view>> PathTemplate::values(std::string_view path) const {
  std::vector<std::string_view> values;
  if (!match(path, [&](std::string_view segment) { values.push_back(segment); })) return std::nullopt;
  return values;
}

}  // namespace ocp_mock
