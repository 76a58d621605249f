// Objects of plain members, the quick way.
// Enters: bytes. Leaves: slices of them. Knows no fields and no positions.
// What is read here nlohmann/json reads to the same values. Whatever is unusual is left to it: values inside values, \u
// escapes, characters beyond U+FFFF, numbers that may be out of range, keys that stand twice, and all that is wrong.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "json/buffered_reader.h"

namespace ocp_mock {

enum class JsonKind { Null, Boolean, Integer, Float, String, Array, Object };

struct PlainMember {
  std::string_view key;
  std::string_view value;  // as it stands and as it is answered; of a string without the quotes
  JsonKind kind = JsonKind::Null;
  bool escaped = false;  // a string with escapes in it
};

struct PlainObject {
  std::vector<PlainMember> members;  // sorted by key, no key twice
  std::string_view text;
  bool canonical = false;  // the text is as it is answered
};

// Takes blanks away.
void skip_blanks(ByteSource& source);

// Looks for a plain object that is not empty ahead, so many bytes from the next one, behind blanks and, if so wanted, a
// comma and more blanks. Tells how many bytes all that is, or 0; takes none of them. The object is good until the bytes
// ahead move.
std::size_t find_plain_object(ByteSource& source, std::size_t from, bool behind_comma, PlainObject& object);

// Appends the object as append_canonical_json does.
void append_canonical_json(std::string& out, const PlainObject& object);

}  // namespace ocp_mock
