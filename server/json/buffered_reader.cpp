#include "json/buffered_reader.h"

#include <algorithm>
#include <cstring>

namespace ocp_mock {
namespace {

std::int64_t count_characters(const char* begin, const char* end) {
  return std::count_if(begin, end, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

}  // namespace

BufferedReader::BufferedReader(Refill refill) : refill_(std::move(refill)), buffer_(new char[kWindow]) {
  next_ = end_ = mark_ = buffer_.get();
}

BufferedReader::BufferedReader(std::string_view text)
    : next_(text.data()), end_(text.data() + text.size()), read_all_(true), mark_(text.data()) {}

bool BufferedReader::read_more() {
  if (read_all_) return false;
  char* begin = buffer_.get();
  if (next_ - begin > 1) {
    move_mark(next_ - 1);
    const auto kept = static_cast<std::size_t>(end_ - mark_);
    const auto taken = next_ - mark_;
    std::memmove(begin, mark_, kept);
    mark_ = begin;
    next_ = begin + taken;
    end_ = begin + kept;
  }
  const auto used = static_cast<std::size_t>(end_ - begin);
  if (used == kWindow) return false;
  const std::size_t got = refill_(begin + used, kWindow - used);
  read_all_ = got == 0;
  end_ += got;
  return !read_all_;
}

Position BufferedReader::position() {
  if (next_ - mark_ > 1) move_mark(next_ - 1);
  return position_before(next_);
}

Position BufferedReader::previous_position() const { return position_before(std::max(mark_, next_ - 1)); }

// Of the last byte before the end, which is not before the mark.
Position BufferedReader::position_before(const char* end) const {
  if (end == mark_) return at_mark_;
  Position position = at_mark_;
  if (newline_before_mark_) position = {position.line + 1, 0};
  const char* line = mark_;
  // The last byte is of its own line even if it ends it.
  if (const auto newlines = std::count(mark_, end - 1, '\n'); newlines > 0) {
    position = {position.line + newlines, 0};
    line = std::find(std::reverse_iterator(end - 1), std::reverse_iterator(mark_), '\n').base();
  }
  position.column += count_characters(line, end);
  return position;
}

void BufferedReader::move_mark(const char* to) {
  if (to <= mark_) return;
  at_mark_ = position_before(to);
  newline_before_mark_ = to[-1] == '\n';
  mark_ = to;
}

}  // namespace ocp_mock
