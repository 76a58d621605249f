// Takes out of captured answers what must not be told, so that they can be given away.
// Input: rows, first all of them to learn from, then one by one. Output: the same rows with stand-ins for credentials,
// addresses, hosts, URIs and names, and a report. Numbers and times stay, so that relations hold.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "catalogue/catalogue.h"
#include "client/redact_rules.h"
#include "client/stand_in.h"
#include "json/reader.h"

namespace ocp_mock {

class Redactor {
 public:
  Redactor(RedactRules rules, std::string key);
  Redactor(const Redactor&) = delete;
  Redactor& operator=(const Redactor&) = delete;

  // Notes what the rules find in the row: it is replaced in all other texts as well.
  void learn(const Resource& resource, const JsonValue& row);

  // Replaces in the row.
  void redact(const Resource& resource, JsonValue& row);

  // The same of any JSON, whose members rules name behind this name.
  void learn(std::string_view name, const JsonValue& value);
  void redact(std::string_view name, JsonValue& value);

  // A text that is the value of a field, or, where the resource is null, of a member of the envelope.
  std::string redact(const Resource* resource, std::string_view field, const std::string& text);

  // Whether redact() replaces only what was learned, as in rows that have stand-ins already.
  void replace_only_learned(bool only) { only_learned_ = only; }

  // Lines about what was replaced so far, by resource, field and kind; of nothing a line that says so.
  std::string report() const;

 private:
  struct Count {
    std::int64_t values = 0;
    std::unordered_set<std::size_t> distinct;
  };
  using Path = std::vector<std::string_view>;

  void learn_value(Path& path, const Field* field, const JsonValue& value);
  void learn_text(const std::string& text, RedactKind kind);
  void learn_uri(std::string_view text);
  void add_word(std::string_view word, RedactKind kind);
  void redact_value(Path& path, const Field* field, JsonValue& value);
  std::string redact_text(const Path& path, const std::string& text);
  std::optional<RedactKind> kind_of(const Path& path);

  std::string as(RedactKind kind, std::string_view text);
  std::string as_pieces(std::string_view text, std::string_view separators);
  std::string as_uri(std::string_view text);
  std::string as_text(std::string_view text);
  std::string with_secrets(std::string_view text);
  std::string with_uris(std::string_view text);
  std::string with_addresses(std::string_view text);
  std::string with_words(std::string_view text);
  std::string piece(std::string_view text);

  const RedactRules rules_;
  bool only_learned_ = false;
  std::unordered_map<std::string, RedactKind> words_;                 // what was learned
  std::vector<std::vector<std::string>> words_by_start_;              // by their first two bytes, the longest first
  std::unordered_map<std::string, std::optional<RedactKind>> kinds_;  // of paths that were asked for
  StandIns stand_ins_;
  std::map<std::pair<std::string, std::string_view>, Count> counts_;
};

}  // namespace ocp_mock
