// The API as data: what schema/api/*.json says of resources and endpoints, as the generator compiles it in.
// Input: nothing. Output: constant tables, whose pointers stay valid for the program's life. Knows no SQL text beyond
// the one that the generator made, and no request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ocp_mock {

struct Resource;

// What a field of a row holds, and how it is stored for filters and orders.
enum class FieldType {
  Integer,  // 64-bit; one column
  Number,   // any JSON number; one column
  String,   // one column
  Boolean,  // one column, 0 or 1
  Time,     // RFC 3339; two columns, COLUMN_second and COLUMN_nano
  Array,    // of strings, integers or objects; one column, its JSON text
  Object,   // one column, its JSON text
};

// A word of an enumeration.
struct Word {
  std::string_view word;
  std::size_t meaning;  // words with one meaning find each other's rows, unless words are compared exactly
};

// The words of an enumeration in the order in which messages name them.
struct WordList {
  std::string_view name;
  std::span<const Word> words;

  // Its index in words; nothing for npos.
  std::size_t find(std::string_view word) const;
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);
};

struct Field {
  std::string_view name;  // in JSON
  FieldType type;
  bool required;             // in fixtures
  bool keeps_null;           // a null is answered; of other fields it is left out
  bool hidden;               // fixtures have it and answers do not
  std::string_view column;   // empty: the field lives in the stored JSON only
  const WordList* words;     // of an enumeration, else null
  std::size_t first_column;  // index of its first column in a row; meaningless without a column
};

// The row that another row belongs to.
struct Parent {
  const Field* field;        // of this resource; holds the parent's key
  const Resource* resource;  // the parent's
  const Field* label;        // of this resource; holds the parent's label; null if none does
};

struct SortKey {
  const Field* field;
  bool descending;

  bool operator==(const SortKey&) const = default;
};

// A field whose value is computed for each answer, where a fixture says "$FIELD":"computed": the time of the answer,
// cut to whole seconds, less another field.
struct ComputedField {
  const Field* field = nullptr;  // null: the resource has none
  const Field* from = nullptr;
};

struct Resource {
  std::string_view name;  // in fixtures
  std::string_view noun;  // what messages call a row, "task"
  std::string_view noun_chinese;
  std::string_view table;           // its SQL table
  std::span<const Field> fields;    // what the mock knows of a row; fixtures may have more
  std::size_t columns;              // of all fields together
  std::span<const Parent> parents;  // outermost first; each parent's own parents are the ones before it
  const Field* key;                 // identifies a row among those of the same parents; null if nothing does
  const Field* qualifier;  // tells rows with one key apart, and rows may lack it; null: there is one row of a key
  const Field* label;      // its name for people, which rows below it may tell, see Parent; null if it has none
  std::span<const SortKey> order;  // default order; rows that tie keep the order of the fixtures
  const Field* lasts_until;        // until when a row lasts that began at its first order field; null if unknown
  ComputedField computed;
  const Field* indexed_words;  // rows of one parent are counted by this field's words; null: no sparse index
  bool keeps_null;             // nulls of members that no field here is called as are answered
  bool is_default;             // it is meant where fixtures and admin calls name no resource
  std::string_view sql;        // makes the table and its indexes

  const Field* find_field(std::string_view name) const;
};

enum class ParameterType {
  Integer,  // 64-bit, decimal
  Number,
  Boolean,  // true or false, in either case
  String,
  Word,     // of words
  UtcTime,  // YYYY-MM-DDThh:mm:ssZ
  Time,     // RFC 3339 with an offset
};

// What a parameter of the query does.
enum class Match {
  Equal,     // field = value; of an array parameter, one of the values
  Contains,  // a substring of one of the fields, ASCII letters of either case
  Member,    // the field is an array that has the value; of an array parameter, one of the values
  NoMember,  // the field is no array that has one of the values
  From,      // field >= value
  Until,     // field <= value
  // Three that filter together, and not where one is missing.
  Attribute,   // the name of a field, a number or a text
  Comparison,  // by index of its word: equal, not equal, greater, greater or equal, less, less or equal
  Operand,     // what the field is compared with
  Expression,  // comparisons of fields, joined by and, or and parentheses
  Length,      // cuts the field's text in the answer to so many characters
  Ignored,     // read and checked, filters nothing
  Page,
  Size,
  Sort,
  // of Does::Series
  Start,
  End,
  Metrics,
  Step,       // seconds between two points
  LeastStep,  // seconds; the step is at least that
  MostPoints,
  Labels,   // NAME:VALUE or NAME=VALUE, which the values depend on
  GroupBy,  // names of labels: a series for each combination of their values
};

struct Parameter {
  std::string_view name;
  std::string_view alias;  // another name of it, as OCP's pages misprint it; empty: none
  ParameterType type;
  bool required;
  bool repeats;  // an array: given again, or comma-separated
  Match match;
  std::span<const Field* const> fields;  // that it compares with; several for Contains only
  const WordList* words;                 // of the type Word
  std::string_view inside;  // the member of an object, or of each item of an array, that is compared; empty: all of it
  bool or_missing;          // rows without the field pass, too
};

// A {placeholder} of a path, in the order of the path.
struct PathParameter {
  std::string_view name;
  ParameterType type;  // Integer or String
  const Field* field;  // of the endpoint's resource that it selects by; null where the endpoint reads no rows
  const Resource* of;  // whose key it is: a 404 where there is no such row; null: any value will do
  int missing_code;    // error.code of that 404
};

enum class BodyType { Integer, Number, Boolean, String, Word, Time, Array, Object, Any };

// A member of a request's body, or what each item of an array must be.
inline constexpr double kNoLeast = -std::numeric_limits<double>::infinity();

struct BodyField {
  std::string_view name;   // empty: an item
  std::string_view alias;  // another name of it, as clients call it; empty: none
  BodyType type;
  bool required;
  double least;                       // of an Integer and a Number the least value, of a String and an Array the length
  std::string_view keeps_before;      // of a String: what the part that counts ends at; empty: all counts
  const WordList* words;              // of the type Word
  std::span<const BodyField> fields;  // of an Object its members; of an Array one, its items; none: any

  bool is_called(std::string_view text) const { return text == name || (!alias.empty() && text == alias); }
};

// What a request's body may be written in.
enum class Media {
  Json,
  Form,       // application/x-www-form-urlencoded
  Multipart,  // multipart/form-data
  Query,      // no body: its members are in the query
};

enum class Does {
  List,      // rows of the resource
  Get,       // one row, by its key; of a resource without a key the only one of its parents
  Constant,  // an answer that needs no row
  Fixed,     // the same data for every request whose path, parameters and body are right
  Series,    // values of metrics over time, made of the request
  Document,  // a field of one row, as HTML
  Write,     // changes rows, as its effects say
};

// What Does::Constant answers.
enum class Constant { Time, Info, Status, Welcome };

// The form of an answer's data.
enum class Form {
  Page,     // data has contents and page
  List,     // data has contents
  Object,   // data is the row
  Nothing,  // no data
  Bare,     // no envelope
};

enum class PagingKind {
  None,      // all rows
  Strict,    // a wrong page or size is refused
  Pageable,  // a wrong page or size counts as the default, and is a violation
};

struct Paging {
  PagingKind kind;
  std::int64_t default_size;
  std::int64_t maximum_size;
  std::span<const Field* const> sorts;  // fields that the sort parameter may name, in the order of messages
};

struct Endpoint {
  std::string_view method;  // "GET"; HEAD is answered wherever GET is
  std::string_view path;    // template; {names} take one segment each
  Does does;
  Constant constant;  // of Does::Constant
  Form form;
  const Resource* resource;  // null for Does::Constant
  std::span<const PathParameter> path_parameters;
  std::span<const Parameter> parameters;
  Paging paging;
  std::span<const std::string_view> aliases;  // other paths of it, as OCP's pages misprint it
  std::string_view answer;                    // of Does::Fixed: the data as JSON; of a list its contents
  const Field* document;                      // of Does::Document
  std::string_view effects;                   // of Does::Write: its steps, a JSON array; schema/api/README.md has them
  std::string_view answers;                   // of Does::Write: the template of the data as JSON; empty: no data
  std::span<const Media> media;               // that its body may be written in; none: it has no body
  BodyField body;                             // an Object or an Array
  bool open;                                  // to those without credentials
  bool listed;                                // named in messages about unknown paths
  std::string_view since;                     // the first OCP version that has it, "V4.0.0"; empty: all

  bool has_placeholder(std::string_view name) const;
};

// JSON that others refer to by its name.
struct NamedJson {
  std::string_view name;
  std::string_view json;
};

// How what OCP does in the background is told: the words and members of the resource that has its tasks.
struct TaskRules {
  const Resource* resource;
  const Resource* logs;  // of subtasks: a row has the keys of the task and the subtask, and a text
  const Field* due;      // when the task changes next; rows without it do not
  const Field* plan;     // what happens then
  const Field* log;      // of logs: the text
  // Members of a task, of its subtasks, or of both.
  std::string_view id, name, status, operation, run_count, creator, executor, created, started, finished, no_rollback;
  std::span<const std::string_view> subtasks;  // the array's name, and what pages call it elsewhere
  std::string_view before, after;              // ids of the subtasks that one waits for, and that wait for it
  // Values of status.
  std::string_view pending, ready, running, cancelling, failed, successful;
  // Values of operation.
  std::string_view execute, retry, rollback, skip, cancel;
  std::string_view row;      // template: members of a new task's row beside those of its page
  std::string_view answer;   // template: members of the answer, where the page has them
  std::string_view subtask;  // template: members of each subtask that pages leave out
};

struct Catalogue {
  std::span<const Resource> resources;  // parents before their children
  std::span<const Endpoint> endpoints;
  std::span<const NamedJson> steps;    // that effects run by name
  std::span<const NamedJson> answers;  // the data of answers, by the name of their file
  const TaskRules* tasks;              // null: no endpoint starts one
  std::int64_t version;  // a hash of all sql and of the words that rows are counted by, positive and below 2^31

  // The resource whose fixtures are called so, or null.
  const Resource* find_resource(std::string_view name) const;

  // The JSON with that name; empty if there is none.
  std::string_view find_steps(std::string_view name) const;
  std::string_view find_answer(std::string_view name) const;
};

// OCP's.
const Catalogue& ocp_catalogue();

// The columns that a field is stored in; none for a field that lives in the JSON only.
std::vector<std::string> columns_of(const Field& field);

}  // namespace ocp_mock
