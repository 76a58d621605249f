// THE TABLES: what the mock knows of each endpoint, a row an endpoint.
// Enters: a path. Leaves: the row it belongs to and the values of its {places}. Knows no SQL text and no HTTP library.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ocp/error.h"

namespace ocp_mock {

// What a field of a fixture must hold, and how it is stored for filters and orders.
enum class FieldType {
  Integer,  // 64-bit; one column
  Number,   // any JSON number; one column
  String,   // one column
  Time,     // RFC 3339; two columns, COLUMN_second and COLUMN_nano
};

struct Field {
  std::string_view name;  // in JSON
  FieldType type;
  bool required;
  std::string_view column;  // empty: the field lives in the stored JSON only
};

// A word that the status parameter may name.
struct Status {
  std::string_view word;
  std::string_view meaning;  // of words with one meaning each finds the tasks of all, see StatusMatch
};

// Statuses of an endpoint, a bit each in the order of its table; 0 for any status, also those that it does not list.
using StatusSet = std::uint32_t;

struct Endpoint {
  std::string_view path;                    // template; {names} take one segment each
  std::string_view fixture;                 // the resource's name in fixtures
  std::string_view table;                   // the resource's table in schema/*.sql
  std::span<const Field> fields;            // what a fixture's task may hold that the mock knows
  std::span<const Status> statuses;         // what the status parameter may name, at most 32
  std::span<const std::string_view> sorts;  // fields that the sort parameter may name
  std::string_view time_field;              // startTime and endTime compare with it; the default order, descending
  std::string_view end_field;               // until when a task has come, a time, where it has one
  std::string_view delay_field;             // a number that a fixture may have computed, see delay_between

  const Field* find_field(std::string_view name) const;

  // The set of one word; 0 for a word that is not listed.
  StatusSet find_status(std::string_view word) const;
  std::vector<std::string_view> words_of(StatusSet statuses) const;

  // Whether the path's template has a {name}.
  bool has_placeholder(std::string_view name) const;
};

std::span<const Endpoint> endpoints();

// An endpoint that answers no list but something about the server. It has no parameters.
struct Companion {
  enum class Answer {
    Time,
    Info,
    Status,
    Welcome,  // the mock's own: what this server is
  };

  std::string_view path;
  Answer answer;
  bool open;  // to those without credentials
};

std::span<const Companion> companions();

// The endpoint whose fixtures are called so, or null.
const Endpoint* find_endpoint_of_fixture(std::string_view fixture);

struct PathMatch {
  const Endpoint* endpoint = nullptr;    // either this
  std::vector<std::string> values;       // of its {places}, in order, decoded once
  const Companion* companion = nullptr;  // or this
};

// Finds the endpoint of a path as sent. One trailing slash is accepted. Nothing for a path that is unknown or does not
// decode.
std::optional<PathMatch> match_path(std::string_view path);

// Why a path has no match: 400 for one that does not decode, else 404 with the explanation.
ApiError refusal_of_path(std::string_view path, std::vector<Sentence> explanation = {});

// The columns that a field is stored in; none for a field that lives in the JSON only.
std::vector<std::string> columns_of(const Field& field);

}  // namespace ocp_mock
