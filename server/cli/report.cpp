#include "cli/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "fixtures/problem.h"
#include "ocp/url.h"

namespace ocp_mock {
namespace {

std::string count_of(std::int64_t count, std::string_view noun) {
  return fmt::format("{} {}", count, count == 1 ? std::string(noun) : plural(noun));
}

std::string text_of(const SqlValue& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
  const auto* text = std::get_if<std::string>(&value);
  return text == nullptr ? "" : *text;
}

// ": WORD n, WORD n"
std::string words_of(const Resource& resource, const Outline& outline) {
  std::string text;
  for (const WordCount& count : outline.words) {
    text += fmt::format("{} {} {}", text.empty() ? ":" : ",", count.word, count.rows);
    if (resource.indexed_words->words->find(count.word) == WordList::npos) {
      text += fmt::format(" (no {} that a client can ask for)", resource.indexed_words->name);
    }
  }
  return text;
}

// Adds a line for each parent, with the rows of the innermost ones.
void add_lines(std::string& text, const Resource& resource, std::size_t depth, const Outline& outline) {
  for (const Outline& child : outline.children) {
    text += fmt::format("{:{}}{} {}", "", 2 * depth + 2, resource.parents[depth].resource->noun, text_of(child.key));
    if (child.label) text += " " + *child.label;
    if (depth + 1 == resource.parents.size()) {
      text += fmt::format(": {}{}", count_of(child.rows, resource.noun), words_of(resource, child));
    }
    text += '\n';
    add_lines(text, resource, depth + 1, child);
  }
  if (depth == 0 && resource.parents.empty()) {
    text += fmt::format("  {}{}\n", count_of(outline.rows, resource.noun), words_of(resource, outline));
  }
}

// A word that a shell takes as it is.
std::string shell_word(std::string_view text) {
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

// The keys of the first parents, outermost first, below which there may be rows, or are rows; empty if there are none.
std::vector<SqlValue> find_parents(const Outline& outline, std::size_t depth, bool with_rows) {
  for (const Outline& child : outline.children) {
    if (with_rows && child.rows == 0) continue;
    std::vector<SqlValue> keys{child.key};
    if (depth > 1) {
      const std::vector<SqlValue> inner = find_parents(child, depth - 1, with_rows);
      if (inner.empty()) continue;
      keys.insert(keys.end(), inner.begin(), inner.end());
    }
    return keys;
  }
  return {};
}

// The first page of a list of the default resource, or else of the first list that has rows; empty if there is none.
std::string list_to_try(const Dataset& dataset) {
  for (const auto& [of_default, with_rows] : {std::pair(true, true), {true, false}, {false, true}}) {
    for (const Endpoint& endpoint : dataset.catalogue().endpoints) {
      if (endpoint.does != Does::List || endpoint.method != "GET") continue;
      if (of_default && !endpoint.resource->is_default) continue;
      if (std::ranges::any_of(endpoint.parameters, &Parameter::required)) continue;
      const auto& parents = endpoint.resource->parents;
      const Outline outline = dataset.outline(*endpoint.resource);
      const std::vector<SqlValue> keys = find_parents(outline, parents.size(), with_rows);
      if (keys.size() != parents.size() || (with_rows && outline.rows == 0)) continue;
      std::string path(endpoint.path);
      for (const PathParameter& parameter : endpoint.path_parameters) {
        const auto parent = std::ranges::find(parents, parameter.field, &Parent::field);
        const std::string placeholder = fmt::format("{{{}}}", parameter.name);
        if (parent == parents.end()) continue;
        const SqlValue& key = keys[static_cast<std::size_t>(parent - parents.begin())];
        path.replace(path.find(placeholder), placeholder.size(), percent_encode(text_of(key)));
      }
      if (path.find('{') != std::string::npos) continue;
      return path + (endpoint.paging.kind == PagingKind::None ? "" : "?page=1&size=10");
    }
  }
  return "";
}

}  // namespace

std::string describe(const FixtureFile& file) {
  constexpr std::size_t kResourcesTold = 8;  // of more only their number is told
  std::string rows;
  if (file.counts.size() > kResourcesTold) {
    rows = fmt::format("{} of {} resources", count_of(file.count(), "row"), file.counts.size());
  }
  for (const auto& [resource, count] : file.counts) {
    if (file.counts.size() > kResourcesTold) break;
    rows += fmt::format("{}{}", rows.empty() ? "" : ", ", count_of(count, resource->noun));
  }
  if (file.exchanges != 0) rows += fmt::format("{}{}", rows.empty() ? "" : ", ", count_of(file.exchanges, "exchange"));
  if (file.shared != 0) {
    rows += fmt::format("{}{} that another capture has too", rows.empty() ? "" : " and ", count_of(file.shared, "row"));
  }
  std::string text = fmt::format("{}: {}, {}", file.name, file.form, rows.empty() ? "no rows" : rows);
  if (file.rows_of_answers > file.count() + file.shared) {
    text += fmt::format(" of {}; the other pages were not captured in it", file.rows_of_answers);
  }
  return text;
}

std::string describe(const Resource& resource, const Outline& outline) {
  std::string text = fmt::format("{}\n", resource.name);
  add_lines(text, resource, 0, outline);
  return text;
}

std::string request_to_try(const ServeOptions& options, const std::string& url, const Dataset& dataset) {
  std::string command = "curl";
  if (options.tls_self_signed) {
    command += options.tls_ca_out ? " --cacert " + shell_word(options.tls_ca_out->string()) : " --insecure";
  }
  const Credentials& credentials = options.credentials;
  std::string target = "/api/v2/info";
  if (options.auth == AuthMode::Any && credentials.empty()) {
    command += " -u admin:secret";
  } else if (options.auth == AuthMode::Any && !credentials.passwords.empty()) {
    command += " -u " + shell_word(credentials.passwords.begin()->first);
  } else if (options.auth == AuthMode::Any) {
    return fmt::format("{} {}", command, shell_word(url + "/api/v2/time"));  // curl cannot sign, and this needs nothing
  }
  if (std::string list = list_to_try(dataset); !list.empty()) target = std::move(list);
  return fmt::format("{} {}", command, shell_word(url + target));
}

}  // namespace ocp_mock
