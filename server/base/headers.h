// Header fields of a request or a response, in the order sent.
// Input: names and values. Output: the fields one by one, or all of them as the text that is sent.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ascii.h"

namespace ocp_mock {

struct HeaderField {
  std::string_view name;
  std::string_view value;  // without blanks around it

  bool operator==(const HeaderField&) const = default;
};

// Held as one text, so that fields cost no memory of their own and the text can be sent as it is.
class Headers {
 public:
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = HeaderField;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = HeaderField;

    Iterator() = default;
    Iterator(const Headers& headers, std::size_t index) : headers_(&headers), index_(index) {}

    HeaderField operator*() const { return (*headers_)[index_]; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    Iterator operator++(int) { return {*headers_, index_++}; }
    bool operator==(const Iterator&) const = default;

   private:
    const Headers* headers_ = nullptr;
    std::size_t index_ = 0;
  };

  Headers() = default;
  // With room for some more.
  Headers(std::initializer_list<HeaderField> fields) {
    text_.reserve(kRoom);
    lines_.reserve(kRoom / sizeof(Line));
    for (const HeaderField& field : fields) add(field.name, field.value);
  }

  // The name has no colon.
  void add(std::string_view name, std::string_view value) {
    lines_.push_back({text_.size(), name.size()});
    text_.append(name).append(": ").append(value).append("\r\n");
  }

  // A line "name: value\r\n".
  void add_line(std::string_view line, std::size_t name_size) {
    lines_.push_back({text_.size(), name_size});
    text_.append(line);
  }

  // Reserves memory for `size` bytes of text().
  void reserve(std::size_t size) { text_.reserve(size); }

  // Removes the fields that meet the condition.
  template <typename Condition>
  void erase_if(const Condition& condition) {
    for (std::size_t index = size(); index-- > 0;) {
      if (condition((*this)[index])) erase(index);
    }
  }

  // Keeps its memory.
  void clear() {
    text_.clear();
    lines_.clear();
  }

  std::size_t size() const { return lines_.size(); }
  bool empty() const { return lines_.empty(); }
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size()}; }

  HeaderField operator[](std::size_t index) const {
    const Line line = lines_[index];
    const std::string_view text(text_.data() + line.start, end_of(index) - 2 - line.start);
    return {text.substr(0, line.name_size), text.substr(line.name_size + 2)};
  }

  // The value of the first field of a name, in any case; nothing without one.
  std::optional<std::string_view> find(std::string_view name) const {
    for (const HeaderField field : *this) {
      if (equals_ignoring_case(field.name, name)) return field.value;
    }
    return std::nullopt;
  }

  // Bytes that it holds, used or not.
  std::size_t memory() const { return text_.capacity() + lines_.capacity() * sizeof(Line); }

  // Each field as a line "name: value\r\n".
  const std::string& text() const { return text_; }

  bool operator==(const Headers& other) const { return text_ == other.text_; }

 private:
  struct Line {
    std::size_t start;
    std::size_t name_size;
  };

  std::size_t end_of(std::size_t index) const {
    return index + 1 < lines_.size() ? lines_[index + 1].start : text_.size();
  }

  void erase(std::size_t index) {
    const std::size_t size = end_of(index) - lines_[index].start;
    text_.erase(lines_[index].start, size);
    lines_.erase(lines_.begin() + static_cast<std::ptrdiff_t>(index));
    for (; index < lines_.size(); ++index) lines_[index].start -= size;
  }

  static constexpr std::size_t kRoom = 128;  // bytes, enough for what most answers have

  std::string text_;
  std::vector<Line> lines_;
};

}  // namespace ocp_mock
