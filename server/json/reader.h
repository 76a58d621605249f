// JSON documents, read piece by piece.
// Input: bytes. Output: small trees that keep what answers need: the digits of numbers, sorted members, positions.
// A handler may take arrays item by item; a file of any length then needs the memory of one item.
// The grammar is nlohmann/json's; reader.cpp is the only file that includes it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "json/buffered_reader.h"
#include "json/flat_json.h"

namespace ocp_mock {

struct JsonMember;

struct JsonValue {
  JsonKind kind = JsonKind::Null;
  std::string text;                 // a string decoded, or the literal of a number or boolean
  std::vector<JsonValue> items;     // of an array that is not handed over item by item
  std::vector<JsonMember> members;  // of an object, sorted by key, no key twice
  Position position;                // of the first byte of an object or array, of the last byte of all else

  const JsonMember* find(std::string_view key) const;

  // Of an object: adds a member or replaces the one with its key; removes the one with a key.
  void set(const JsonMember& member);
  void erase(std::string_view key);
};

struct JsonMember {
  std::string key;
  Position position;
  JsonValue value;
};

// Appends the compact form of OCP's answers: members in alphabetical order, none that is null, numbers with their
// digits, strings as append_json_string writes them.
void append_canonical_json(std::string& out, const JsonValue& value);

// Appends the same with the members that are null.
void append_json(std::string& out, const JsonValue& value);

// Appends the same with the members of each object in the order of their positions, which is that of the text they were
// read from.
void append_json_in_order(std::string& out, const JsonValue& value);

// Whether two values are the same: numbers by value (100.1 is 100.10, "1" is not 1), strings and keys by their
// characters, arrays item by item, objects as sets in which null is as absent.
bool same_json(const JsonValue& left, const JsonValue& right);

// What a message may show of a value: its kind, and the value where it is short.
std::string describe(const JsonValue& value);

class JsonHandler {
 public:
  virtual ~JsonHandler() = default;

  // Each key of the document, if it is an object, before its value.
  virtual void document_key(std::string_view key) = 0;

  // Whether the array at this path is wanted item by item. The path is "" for a document that is an array, "key" for
  // a member of the document, "key.key" for a member of a member.
  virtual bool wants_items(std::string_view path) = 0;
  virtual void item(std::string_view path, JsonValue value) = 0;
  // An item that is a flat object is offered here first, and handed to item() unless this returns true.
  virtual bool flat_item(std::string_view, const FlatObject&) { return false; }

  // A defect that does not end the reading: a duplicate key.
  virtual void problem(Position position, std::string text) = 0;
};

class JsonSyntaxError : public std::exception {
 public:
  JsonSyntaxError(Position position, std::string text) : position_(position), text_(std::move(text)) {}
  Position position() const { return position_; }
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  Position position_;
  std::string text_;
};

// Reads the next document of an input that may hold several, one after the other; false at its end. Arrays that the
// handler took item by item are empty in the document. Throws JsonSyntaxError, after which the reader must not be used.
bool read_json_document(BufferedReader& input, JsonHandler& handler, JsonValue& document);

// The object of a text that append_canonical_json or append_json made. Its positions are meaningless.
JsonValue read_canonical_json(std::string_view text);

// The one document of a text. Throws JsonSyntaxError, also for an empty text, a second document and a duplicate key.
JsonValue read_json_text(std::string_view text);

}  // namespace ocp_mock
