// Bytes in order, with the position of the last one taken.
// Input: a text, or a function that reads on. Output: bytes one by one, or the window of those that are buffered.
// Only the window is held, however long the input is. Lines are counted when a position is asked for.
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

class BufferedReader {
 public:
  // Fills a buffer, returns how many bytes it has put there; 0 at the end, after which it is not called again.
  using Refill = std::function<std::size_t(char* buffer, std::size_t size)>;

  static constexpr std::size_t kWindow = 256 * 1024;

  explicit BufferedReader(Refill refill);
  // The text must outlive the reader.
  explicit BufferedReader(std::string_view text);

  bool at_end() { return next_ == end_ && !read_more(); }
  char peek() const { return *next_; }  // requires !at_end()
  void advance() { ++next_; }           // requires !at_end()

  // The bytes in the window from the next one on. Valid until the reader is used again.
  std::string_view buffered() const { return {next_, static_cast<std::size_t>(end_ - next_)}; }
  // Appends more bytes to the window; false if there are none or the window is full.
  bool read_more();
  // Takes the next count bytes. Requires that they are buffered.
  void skip(std::size_t count) { next_ += count; }
  // The same without counting them in positions. Requires that no byte was taken yet.
  void drop(std::size_t count) { mark_ = next_ += count; }
  // Whether the last byte taken is this one. Requires that one was taken.
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
