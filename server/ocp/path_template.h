// Paths by their segments: a route, a criterion for paths, the whole path of a request.
// Input: text as it was sent or written, still encoded. Output: segments, decoded one by one, so that %2F is a
// character of its segment and no end of one. Knows no endpoint.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ocp_mock {

// The segments of a path between its slashes, each decoded, or as sent where it does not decode. "/a/b" has three, of
// which the first is empty; "*" has one.
std::vector<std::string> segments_of(std::string_view path);

// Without one slash at the end, which OCP accepts; "/" and "//" stay.
std::string_view without_end_slash(std::string_view path);

// A path for people to see and to compare: decoded, but for segments that hold a slash or %2, which are
// percent-encoded. Two paths have the same text only if they have the same segments.
std::string decoded_path(std::string_view path);

// A segment of a path, as every template and tree of templates looks at it.
class PathSegment {
 public:
  explicit PathSegment(std::string_view sent);
  PathSegment(const PathSegment&) = delete;
  PathSegment& operator=(const PathSegment&) = delete;

  std::string_view sent() const { return sent_; }

  // Decoded, or as sent where it does not decode.
  std::string_view text() const { return text_; }

  // A placeholder takes any segment that is not empty.
  bool fills_placeholder() const { return !sent_.empty(); }

 private:
  const std::string_view sent_;
  std::string decoded_;  // where that is not what was sent
  std::string_view text_;
};

class PathTemplate {
 public:
  struct Segment {
    std::string text;             // decoded
    bool is_placeholder = false;  // then text means nothing

    bool operator==(const Segment&) const = default;
  };

  // What every path begins with.
  PathTemplate() : PathTemplate("", true) {}

  // One path, with or without a slash at the end.
  static PathTemplate of_path(std::string_view path) { return {without_end_slash(path), false}; }

  // All paths that begin so; the last segment may go on.
  static PathTemplate of_beginning(std::string_view beginning) { return {beginning, true}; }

  // "/api/{id}/x". A segment that begins and ends with a brace is a placeholder.
  static PathTemplate of_template(std::string_view text);

  // Takes a path as sent.
  bool fits(std::string_view path) const;

  // Where it fits: what its placeholders have taken, still encoded.
  std::optional<std::vector<std::string_view>> values(std::string_view path) const;

  // Whether some path may fit both. The other one must not be open.
  bool overlaps(const PathTemplate& other) const;

  const std::vector<Segment>& segments() const { return segments_; }
  bool is_open() const { return is_open_; }  // of a beginning

 private:
  PathTemplate(std::string_view path, bool is_open);

  template <typename Take>
  bool match(std::string_view path, const Take& take) const;

  std::vector<Segment> segments_;  // one at least
  bool is_open_;
};

}  // namespace ocp_mock
