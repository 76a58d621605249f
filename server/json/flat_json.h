// The fast reader of flat objects: those whose values are neither objects nor arrays.
// Input: bytes. Output: slices of them. Knows no fields and no positions.
// nlohmann/json reads everything that is read here to the same values. All unusual input is left to it: nested values,
// \u escapes, characters beyond U+FFFF, numbers that may be out of range, duplicate keys, and everything malformed.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "json/buffered_reader.h"

namespace ocp_mock {

enum class JsonKind { Null, Boolean, Integer, Float, String, Array, Object };

struct FlatMember {
  std::string_view key;
  std::string_view value;  // as in the input, and as it is answered; of a string without the quotes
  JsonKind kind = JsonKind::Null;
  bool escaped = false;  // a string that has escapes
};

struct FlatObject {
  std::vector<FlatMember> members;  // sorted by key, no key twice
  std::string_view text;
  bool canonical = false;  // the text is what append_canonical_json would append
};

// Takes the blanks that come next.
void skip_blanks(BufferedReader& input);

// Looks for a flat object with at least one member, `from` bytes after the next byte. Blanks may precede it; with
// behind_comma, a comma must, with blanks on either side. Returns the length of all that, or 0 if there is no such
// object. Takes no bytes. The object is valid until the buffered bytes move.
std::size_t peek_flat_object(BufferedReader& input, std::size_t from, bool behind_comma, FlatObject& object);

// Appends the object as append_canonical_json does.
void append_canonical_json(std::string& out, const FlatObject& object);

}  // namespace ocp_mock
