// Bytes in order, with the position of the last one taken.
// Enters: a text, or a function that reads on. Leaves: bytes one by one, or a window of those that are there already.
// However many bytes there are, only the window is held. Lines are counted when a position is asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

namespace ocp_mock {

// Of a byte in a file: both count from 1, columns in characters.
struct Position {
  std::int64_t line = 1;
  std::int64_t column = 1;
};

class ByteSource {
 public:
  // Fills a buffer, returns how many bytes it has put there; 0 at the end, after which it is not called again.
  using Refill = std::function<std::size_t(char* buffer, std::size_t size)>;

  static constexpr std::size_t kWindow = 256 * 1024;

  explicit ByteSource(Refill refill);
  // The text must outlive the source.
  explicit ByteSource(std::string_view text);

  bool at_end() { return next_ == end_ && !read_more(); }
  char peek() const { return *next_; }  // needs !at_end()
  void take() { ++next_; }              // needs !at_end()

  // The bytes that are there, from the next on, until the source is used again.
  std::string_view ahead() const { return {next_, static_cast<std::size_t>(end_ - next_)}; }
  // Puts more bytes behind those; false if there are none, or if the window is full.
  bool read_more();
  // Takes so many of the bytes ahead.
  void skip(std::size_t count) { next_ += count; }
  // Takes so many of the bytes ahead as if they were not there: positions do not count them. Needs that none was taken.
  void drop(std::size_t count) { mark_ = next_ += count; }
  // Whether the last byte taken is this one. Needs that one was taken.
  bool just_took(char byte) const { return next_[-1] == byte; }

  Position position();
  // Of the byte before the last one taken.
  Position previous_position() const;

 private:
  Position position_before(const char* end) const;
  void move_mark(const char* to);

  Refill refill_;
  std::unique_ptr<char[]> buffer_;
  const char* next_ = nullptr;
  const char* end_ = nullptr;
  bool read_all_ = false;

  // What lies before the mark is counted. The mark is at most one byte before the next one, once bytes were discarded,
  // so that the last two bytes taken can still be told.
  const char* mark_ = nullptr;
  Position at_mark_{1, 0};  // of the last byte before the mark
  bool newline_before_mark_ = false;
};

}  // namespace ocp_mock
