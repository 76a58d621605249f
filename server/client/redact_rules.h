// Which values of a capture are replaced, and by what kind of stand-in: the built-in rules, and the user's before them.
// Input: JSON. Output: for each string of an answer a kind, or nothing. Changes no value.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ocp_mock {

enum class RedactKind {
  Secret,   // letters and digits, of the next length of 8, 16, 32, ...
  Name,     // the same length and characters of the same kinds, piece by piece
  Host,     // the same; what is an address becomes one
  Address,  // an address of the same family
  Uri,      // its scheme stays
  Text,     // as all other text: only what is known to be one of the above
  Keep,     // nothing of it is replaced
};

std::string_view word_of(RedactKind kind);

class RedactRules {
 public:
  // The built-in ones.
  RedactRules();
  RedactRules(RedactRules&&) noexcept;
  ~RedactRules();

  // Puts those of a JSON file before the others: {"keep":["VALUE"],"rules":[{"field":"GLOB","as":"KIND"},
  // {"value":"REGEX","as":"KIND"}]}. Throws std::runtime_error, "FILE:LINE:COLUMN: ...", or that it cannot be read.
  void add_file(const std::filesystem::path& file);

  // The kind of the first rule that names the field; names of secrets come before the built-in ones. The path has the
  // resource, then the names of members; a rule with dots names its end. Letters of either case are the same, * is any
  // text and ? any character.
  std::optional<RedactKind> kind_of(const std::vector<std::string_view>& path) const;

  // Whether the value is never replaced.
  bool keeps(std::string_view value) const { return keep_.contains(value); }

  // A piece of a text: [begin, end).
  struct Match {
    std::size_t begin;
    std::size_t end;
    RedactKind kind;
  };
  // The pieces that rules on values find, in order, none in another; see Pattern::search().
  std::vector<Match> matches(std::string_view text) const;

 private:
  struct FieldRule {
    std::vector<std::string> glob;  // its parts, in small letters
    RedactKind kind;
  };
  struct ValueRules;

  void add(std::string_view text, const std::string& name);

  std::vector<FieldRule> fields_;
  std::size_t built_in_ = 0;  // of them, the last ones
  std::unique_ptr<ValueRules> values_;
  std::set<std::string, std::less<>> keep_;
};

}  // namespace ocp_mock
