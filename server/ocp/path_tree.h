// Many path templates with a value each, found by one walk along a path.
// Input: templates and their values; then paths as sent. Output: the values of all templates that fit. A walk costs a
// few lookups for each segment of the path, however many templates there are. Readers may share a tree that nobody
// changes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ocp/path_template.h"

namespace ocp_mock {

// A value must be empty() when it is made; where it is empty, nothing is there.
template <typename Value>
class PathTree {
 public:
  // Calls change(value) with the value of the template.
  template <typename Change>
  void update(const PathTemplate& path, const Change& change) {
    update_below(root_, path, 0, change);
  }

  // Calls visit(value) for each template that fits the path, literals before placeholders, until one returns true;
  // tells whether one did. With taken, that has meanwhile what the placeholders took, decoded.
  template <typename Visit>
  bool find(std::string_view path, const Visit& visit, std::vector<std::string>* taken = nullptr) const {
    return find_below(root_, 0, {path, without_end_slash(path).size(), taken}, visit);
  }

  // Calls visit(value) for each template.
  template <typename Visit>
  void each(const Visit& visit) const {
    each_below(root_, visit);
  }

 private:
  using Values = std::map<std::string, Value, std::less<>>;

  // Below it: what goes on with the next segment.
  struct Node {
    std::map<std::string, Node, std::less<>> literals;
    std::unique_ptr<Node> placeholder;
    Value end = {};                            // of the template that ends here
    std::map<std::size_t, Values> beginnings;  // of open templates, by the length of their last text, by that

    bool empty() const { return literals.empty() && !placeholder && end.empty() && beginnings.empty(); }
  };

  struct Asked {
    std::string_view path;
    std::size_t size;  // without a slash at its end, which is nothing to templates that are not open
    std::vector<std::string>* taken;
  };

  // Nodes that hold nothing any more go.
  template <typename Change>
  static void update_below(Node& node, const PathTemplate& path, std::size_t depth, const Change& change) {
    if (depth == path.segments().size()) return change(node.end);
    const PathTemplate::Segment& segment = path.segments()[depth];
    if (path.is_open() && depth + 1 == path.segments().size()) {
      Values& values = node.beginnings[segment.text.size()];
      Value& value = values[segment.text];
      change(value);
      if (value.empty()) values.erase(segment.text);
      if (values.empty()) node.beginnings.erase(segment.text.size());
    } else if (segment.is_placeholder) {
      if (!node.placeholder) node.placeholder = std::make_unique<Node>();
      update_below(*node.placeholder, path, depth + 1, change);
      if (node.placeholder->empty()) node.placeholder.reset();
    } else {
      const auto child = node.literals.try_emplace(segment.text).first;
      update_below(child->second, path, depth + 1, change);
      if (child->second.empty()) node.literals.erase(child);
    }
  }

  // With the segment of the path that begins at from.
  template <typename Visit>
  static bool find_below(const Node& node, std::size_t from, const Asked& asked, const Visit& visit) {
    const std::size_t end = std::min(asked.path.find('/', from), asked.path.size());
    const PathSegment segment(asked.path.substr(from, end - from));
    if (from <= asked.size) {
      const auto go_on = [&](const Node& child) {
        if (end >= asked.size && !child.end.empty() && visit(child.end)) return true;
        return end < asked.path.size() && find_below(child, end + 1, asked, visit);
      };
      const auto literal = node.literals.find(segment.text());
      if (literal != node.literals.end() && go_on(literal->second)) return true;
      if (node.placeholder && segment.fills_placeholder()) {
        if (asked.taken != nullptr) asked.taken->emplace_back(segment.text());
        if (go_on(*node.placeholder)) return true;
        if (asked.taken != nullptr) asked.taken->pop_back();
      }
    }
    for (const auto& [length, values] : node.beginnings) {
      if (length > segment.text().size()) break;
      const auto found = values.find(segment.text().substr(0, length));
      if (found != values.end() && visit(found->second)) return true;
    }
    return false;
  }

  template <typename Visit>
  static void each_below(const Node& node, const Visit& visit) {
    if (!node.end.empty()) visit(node.end);
    for (const auto& [length, values] : node.beginnings) {
      for (const auto& [text, value] : values) visit(value);
    }
    for (const auto& [text, child] : node.literals) each_below(child, visit);
    if (node.placeholder) each_below(*node.placeholder, visit);
  }

  Node root_;
};

}  // namespace ocp_mock
