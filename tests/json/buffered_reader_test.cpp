#include "json/buffered_reader.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace ocp_mock;

TEST_CASE("buffered reader: positions are those of the last byte taken, whatever the pieces") {
  const std::string text = "a\n\n中é\nb\r\n" + std::string(3 * BufferedReader::kWindow, 'x') + "\n\xF0\x9F\x98\x80z";
  std::vector<Position> expected{{1, 0}};
  Position position{1, 0};
  bool newline = false;
  for (const char c : text) {
    if (newline) position = {position.line + 1, 0};
    newline = c == '\n';
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) ++position.column;
    expected.push_back(position);
  }
  const auto same = [](Position left, Position right) {
    return left.line == right.line && left.column == right.column;
  };
  for (const std::size_t piece : {std::size_t{0}, std::size_t{1000}, BufferedReader::kWindow}) {
    // Asked for now and then only, for the answer must not depend on what was asked before.
    for (const std::size_t step : {std::size_t{1}, std::size_t{3}, std::size_t{4099}}) {
      if (step == 1 && piece == 1000) continue;
      std::size_t given = 0;
      BufferedReader from_text(text);
      BufferedReader from_pieces([&](char* buffer, std::size_t size) {
        const std::size_t count = text.copy(buffer, std::min(piece, size), given);
        given += count;
        return count;
      });
      BufferedReader& reader = piece == 0 ? from_text : from_pieces;
      CHECK(same(reader.position(), expected[0]));
      std::size_t wrong = 0;
      for (std::size_t taken = 1; taken <= text.size(); ++taken) {
        if (reader.at_end()) ++wrong;
        reader.advance();
        if (taken % step != 0 && taken != text.size()) continue;
        if (taken % 2 == 0 && !same(reader.position(), expected[taken])) ++wrong;
        if (!same(reader.previous_position(), expected[taken - 1])) ++wrong;
        if (!same(reader.position(), expected[taken])) ++wrong;
        if (!same(reader.previous_position(), expected[taken - 1])) ++wrong;
      }
      CHECK(wrong == 0);
      CHECK(reader.at_end());
    }
  }
}
