// JSON documents of fixtures, read piece by piece.
// Enters: bytes. Leaves: small trees that keep what answers need: the digits of numbers, sorted members, positions.
// Arrays of tasks are handed over item by item, so a file of any length takes the memory of one task.
// The grammar is nlohmann/json's; fixture_json.cpp is the only file that includes it.
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
  std::string text;                 // a string decoded, or the literal of a number or boolean as it stands
  std::vector<JsonValue> items;     // of an array that is not handed over item by item
  std::vector<JsonMember> members;  // of an object, sorted by key, no key twice
  Position position;                // of the first byte of an object or array, of the last byte of all else

  const JsonMember* find(std::string_view key) const;

  // Of an object: puts a member in the place of the one with its key, or takes that away.
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

  // Whether the array at this place is wanted item by item. The path is "" for a document that is an array, "key" for
  // a member of the document, "key.key" for a member of a member.
  virtual bool wants_items(std::string_view path) = 0;
  virtual void item(std::string_view path, JsonValue value) = 0;
  // An item that is a plain object is offered here first, and handed to item() unless this takes it.
  virtual bool plain_item(std::string_view, const PlainObject&) { return false; }

  // A defect that does not end the reading: a key that stands twice.
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

// Reads the next document of a source that may hold several, one after the other; false at its end. Arrays that the
// handler took item by item are empty in the document. Throws JsonSyntaxError, after which the source is spent.
bool read_json_document(ByteSource& source, JsonHandler& handler, JsonValue& document);

// The object of a text that append_canonical_json or append_json has made. Positions are not told.
JsonValue read_canonical_json(std::string_view text);

// The one document of a text. Throws JsonSyntaxError, also for an empty text, for a second document and for a key that
// stands twice in one object.
JsonValue read_json_text(std::string_view text);

}  // namespace ocp_mock
