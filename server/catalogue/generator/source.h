// What schema/api/*.json says, read and checked.
// Input: the texts of the files. Output: a Source, in which names are resolved to indexes. schema/api/README.md has the
// vocabulary.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "catalogue/catalogue.h"

namespace ocp_mock::generator {

struct SourceFile {
  std::string name;
  std::string text;
};

// What it says is "FILE:LINE:COLUMN: ", then the text.
class SourceError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// An index that may be missing.
using Index = std::optional<std::size_t>;

struct SourceWord {
  std::string word;
  std::size_t meaning;  // the index of the first word that means the same
};

struct SourceWordList {
  std::string name;
  std::vector<SourceWord> words;
};

struct SourceField {
  std::string name;
  FieldType type;
  bool required;
  bool keeps_null;
  bool hidden;
  Index words;
  Index computed_from;      // a field of the same resource
  bool has_column = false;  // something compares it or sorts by it
};

struct SourceParent {
  std::size_t field;
  std::size_t resource;
  Index label;  // a field of the resource below
};

struct SourceSortKey {
  std::size_t field;
  bool descending;
};

struct SourceResource {
  std::string name;
  std::string noun;
  std::string noun_chinese;
  std::string table;
  std::vector<SourceField> fields;
  std::vector<SourceParent> parents;
  Index key;
  Index qualifier;
  Index label;
  std::vector<SourceSortKey> order;
  Index lasts_until;
  Index indexed_words;
  int missing_code;
  bool keeps_null;
  bool is_default;

  Index find_field(std::string_view field) const;
};

struct SourcePathParameter {
  std::string name;
  ParameterType type;
  Index field;     // of the endpoint's resource
  Index resource;  // whose key it is
};

struct SourceBodyField {
  std::string name;
  std::string alias;
  BodyType type;
  bool required;
  std::optional<double> least;
  std::string keeps_before;
  Index words;
  std::vector<SourceBodyField> fields;
};

// Members that several bodies have.
struct SourceMembers {
  std::string name;
  std::vector<SourceBodyField> fields;
  bool is_used = false;
};

struct SourceParameter {
  std::string name;
  std::string alias;
  ParameterType type;
  bool required;
  bool repeats;
  Match match;
  std::vector<std::size_t> fields;
  Index words;
  std::string inside;
  bool or_missing;
};

struct SourceEndpoint {
  std::string method;
  std::string path;
  Does does;
  Constant constant;
  Form form;
  Index resource;
  std::vector<SourcePathParameter> path_parameters;
  std::vector<SourceParameter> parameters;
  PagingKind paging = PagingKind::None;
  std::int64_t default_size = 0;
  std::int64_t maximum_size = 0;
  std::vector<std::size_t> sorts;
  std::vector<std::string> aliases;
  Index answer;         // of the answers
  std::string effects;  // JSON
  std::string answers;  // JSON; empty: no data
  Index document;
  std::optional<SourceBodyField> body;
  std::vector<Media> media;
  bool open;
  bool listed;
  std::string since;
};

// The data of an answer, which endpoints and their effects refer to.
struct SourceAnswer {
  std::string name;
  std::string json;
  bool is_used = false;
};

// What steps make, those that they run included.
struct SourceMade {
  std::set<std::string, std::less<>> inserted;  // names of resources
  bool has_row = false;                         // inserted or set
  bool has_task = false;
};

// Steps that others run by their name.
struct SourceSteps {
  std::string name;
  std::string json;
  std::set<std::string, std::less<>> with;  // what they need to be given
  SourceMade made;
  bool is_used = false;
};

// How tasks are told; the texts are in the order of TaskRules.
struct SourceTaskRules {
  std::size_t resource;
  std::size_t logs;
  std::size_t due;
  std::size_t plan;
  std::size_t log;
  std::vector<std::string> members;  // the name is the second
  std::vector<std::string> subtasks;
  std::vector<std::string> graph;
  std::vector<std::string> statuses;
  std::vector<std::string> operations;
  std::vector<std::string> templates;       // JSON
  std::set<std::string, std::less<>> with;  // what a task may belong to
};

struct Source {
  std::vector<SourceWordList> word_lists;
  std::vector<SourceMembers> members;
  std::vector<SourceAnswer> answers;
  std::vector<SourceResource> resources;  // parents before their children
  std::vector<SourceEndpoint> endpoints;
  std::vector<SourceSteps> steps;
  std::optional<SourceTaskRules> tasks;
};

// Reads the files as one catalogue, in their order. A file in a folder answers/ is the data of an answer, which
// endpoints and their effects call by its name without .json. Throws SourceError for the first thing that does not hold
// together.
Source read_source(const std::vector<SourceFile>& files);

// The SQL identifier of a name in camelCase: in snake_case, with a _ behind it where the table or SQL itself has taken
// the word.
std::string sql_identifier(std::string_view name);

}  // namespace ocp_mock::generator
