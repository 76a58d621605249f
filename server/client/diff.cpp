#include "client/diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "base/ascii.h"
#include "base/utf8.h"
#include "json/reader.h"
#include "json/writer.h"

namespace ocp_mock {
namespace {

// CONTRACT: members of the envelope that differ from answer to answer.
constexpr std::array<std::string_view, 4> kVarying{"duration", "server", "timestamp", "traceId"};
constexpr std::size_t kShown = 80;

struct KindWord {
  DiffKind kind;
  std::string_view word;
};
constexpr KindWord kKinds[]{
    {DiffKind::Status, "status"}, {DiffKind::Header, "header"}, {DiffKind::Missing, "missing"},
    {DiffKind::Extra, "extra"},   {DiffKind::Type, "type"},     {DiffKind::Content, "value"},
    {DiffKind::Bytes, "bytes"},
};

std::optional<JsonValue> read(const std::string& body) {
  try {
    return read_json_text(body);
  } catch (const JsonSyntaxError&) {
    return std::nullopt;
  }
}

std::string_view type_of(const JsonValue& value) {
  switch (value.kind) {
    case JsonKind::Null: return "null";
    case JsonKind::Boolean: return "boolean";
    case JsonKind::Integer:
    case JsonKind::Float: return "number";
    case JsonKind::String: return "string";
    case JsonKind::Array: return "array";
    case JsonKind::Object: break;
  }
  return "object";
}

std::string shown(const JsonValue& value) {
  std::string text;
  append_json_in_order(text, value);
  return printable(text, kShown);
}

// A member's name in a path.
std::string step(std::string_view name) { return fmt::format(".{}", printable(name)); }

// The body without the values of the envelope that differ each time. They stand behind the data.
std::string without_varying(std::string body) {
  for (const std::string_view name : kVarying) {
    const std::string member = fmt::format("\"{}\":", name);
    const auto at = body.rfind(member);
    if (at == std::string::npos) continue;
    const auto begin = at + member.size();
    const auto end = body[begin] == '"' ? body.find('"', begin + 1) : body.find_first_of(",}", begin);
    if (end != std::string::npos) body.erase(begin, end - begin);
  }
  return body;
}

class Comparison {
 public:
  explicit Comparison(const Endpoint* endpoint) : endpoint_(endpoint) {}

  std::vector<AnswerDifference> compare(const DiffAnswer& ours, const DiffAnswer& theirs) {
    if (ours.status != theirs.status) {
      add(DiffKind::Status, "status", "status", std::to_string(ours.status), std::to_string(theirs.status));
    }
    const auto compare_header = [&](const std::string& name, const std::string& own, const std::string& other) {
      if (!equals_ignoring_case(own, other)) add(DiffKind::Header, name, name, printable(own), printable(other));
    };
    compare_header("Content-Type", ours.content_type, theirs.content_type);
    compare_header("WWW-Authenticate", ours.www_authenticate, theirs.www_authenticate);
    compare_bodies(ours.body, theirs.body);
    std::vector<AnswerDifference> all;
    for (auto& [key, difference] : found_) all.push_back(std::move(difference));
    std::ranges::stable_sort(all, {}, &AnswerDifference::kind);
    return all;
  }

 private:
  void compare_bodies(const std::string& ours, const std::string& theirs) {
    const auto own = read(ours);
    const auto other = read(theirs);
    if (own && other) {
      const std::size_t before = found_.size();
      compare_values("$", "$", *own, *other, own->find("successful") != nullptr);
      if (found_.size() != before) return;
    }
    const std::string own_text = without_varying(ours);
    const std::string other_text = without_varying(theirs);
    if (own_text == other_text) return;
    const auto differ = std::ranges::mismatch(own_text, other_text);
    const auto at = static_cast<std::size_t>(differ.in1 - own_text.begin());
    const std::size_t begin = at - std::min<std::size_t>(at, 20);
    add(DiffKind::Bytes, "$", fmt::format("$, byte {}", at + 1), printable(own_text.substr(begin, kShown), kShown),
        printable(other_text.substr(begin, kShown), kShown));
  }

  void compare_values(const std::string& path, const std::string& place, const JsonValue& ours, const JsonValue& theirs,
                      bool is_envelope = false) {
    if (type_of(ours) != type_of(theirs)) {
      return add(DiffKind::Type, path, place, fmt::format("{} {}", type_of(ours), shown(ours)),
                 fmt::format("{} {}", type_of(theirs), shown(theirs)));
    }
    if (ours.kind == JsonKind::Object) return compare_objects(path, place, ours, theirs, is_envelope);
    if (ours.kind == JsonKind::Array) return compare_arrays(path, place, ours, theirs);
    if (!same_json(ours, theirs)) {
      add(DiffKind::Content, path, place, shown(ours), shown(theirs));
    } else if (ours.text != theirs.text) {
      add(DiffKind::Bytes, path, place, shown(ours), shown(theirs));
    }
  }

  void compare_objects(const std::string& path, const std::string& place, const JsonValue& ours,
                       const JsonValue& theirs, bool is_envelope) {
    for (const JsonMember& member : ours.members) {
      const std::string name = step(member.key);
      const JsonMember* other = theirs.find(member.key);
      if (other == nullptr) {
        add(DiffKind::Missing, path + name, place + name, shown(member.value), "");
      } else if (is_envelope && std::ranges::find(kVarying, member.key) != kVarying.end() &&
                 type_of(member.value) == type_of(other->value)) {
        continue;
      } else {
        compare_values(path + name, place + name, member.value, other->value);
      }
    }
    for (const JsonMember& member : theirs.members) {
      const std::string name = step(member.key);
      if (ours.find(member.key) == nullptr) add(DiffKind::Extra, path + name, place + name, "", shown(member.value));
    }
  }

  void compare_arrays(const std::string& path, const std::string& place, const JsonValue& ours,
                      const JsonValue& theirs) {
    const std::string all = path + "[*]";
    const bool are_rows = path == "$.data.contents" && endpoint_ != nullptr && endpoint_->resource != nullptr;
    const Field* key = are_rows && endpoint_->resource->qualifier == nullptr ? endpoint_->resource->key : nullptr;
    std::vector<bool> met(theirs.items.size());
    for (std::size_t i = 0; i < ours.items.size(); ++i) {
      const JsonValue& own = ours.items[i];
      const JsonMember* id = key == nullptr ? nullptr : own.find(key->name);
      const std::string at = fmt::format(
          "{}[{}]", place, id == nullptr ? std::to_string(i) : fmt::format("{}={}", key->name, shown(id->value)));
      std::size_t other = i;
      if (id != nullptr) {
        const auto is_same = [&](const JsonValue& row) {
          const JsonMember* its = row.find(key->name);
          return its != nullptr && same_json(its->value, id->value);
        };
        other = static_cast<std::size_t>(std::ranges::find_if(theirs.items, is_same) - theirs.items.begin());
      }
      if (other >= theirs.items.size()) {
        add(DiffKind::Missing, all, at, shown(own), "");
        continue;
      }
      met[other] = true;
      compare_values(all, at, own, theirs.items[other]);
    }
    for (std::size_t i = 0; i < theirs.items.size(); ++i) {
      if (!met[i]) add(DiffKind::Extra, all, fmt::format("{}[{}]", place, i), "", shown(theirs.items[i]));
    }
  }

  void add(DiffKind kind, const std::string& path, const std::string& first, std::string ours, std::string theirs) {
    const auto [at, is_new] =
        found_.try_emplace({path, kind}, AnswerDifference{kind, path, first, std::move(ours), std::move(theirs), 1});
    if (!is_new) ++at->second.count;
  }

  const Endpoint* const endpoint_;
  std::map<std::pair<std::string, DiffKind>, AnswerDifference> found_;
};

std::string describe(const AnswerDifference& one) {
  const std::string times = one.count == 1 ? "" : fmt::format(", {} times, first at {}", one.count, one.first);
  const std::string& where = one.count == 1 ? one.first : one.path;
  switch (one.kind) {
    case DiffKind::Missing: return fmt::format("{}: missing there{}; here {}", where, times, one.ours);
    case DiffKind::Extra: return fmt::format("{}: only there{}: {}", where, times, one.theirs);
    case DiffKind::Bytes:
      return fmt::format("{}: the same JSON in other bytes{}: here {}, there {}", where, times, one.ours, one.theirs);
    case DiffKind::Type:
    case DiffKind::Status:
    case DiffKind::Header:
    case DiffKind::Content: break;
  }
  return fmt::format("{}{}{}: here {}, there {}", where, one.kind == DiffKind::Type ? ": another type" : "", times,
                     one.ours.empty() ? "none" : one.ours, one.theirs.empty() ? "none" : one.theirs);
}

}  // namespace

std::string_view word_of(DiffKind kind) { return std::ranges::find(kKinds, kind, &KindWord::kind)->word; }

std::vector<AnswerDifference> compare_answers(const Endpoint* endpoint, const DiffAnswer& ours,
                                              const DiffAnswer& theirs) {
  return Comparison(endpoint).compare(ours, theirs);
}

std::string describe(const std::vector<ComparedRequest>& compared) {
  std::string text;
  std::size_t differing = 0;
  for (const ComparedRequest& request : compared) {
    if (request.differences.empty()) continue;
    ++differing;
    text += fmt::format("GET {}\n", printable(request.target, 300));
    for (const AnswerDifference& one : request.differences) text += fmt::format("  {}\n", describe(one));
  }
  return text + fmt::format("{} {} compared, {} of them answered otherwise\n", compared.size(),
                            compared.size() == 1 ? "request" : "requests",
                            differing == 0 ? "none" : std::to_string(differing));
}

std::string diff_json(const std::vector<ComparedRequest>& compared) {
  JsonArray requests;
  for (const ComparedRequest& request : compared) {
    if (request.differences.empty()) continue;
    const auto object_of = [](const AnswerDifference& one) {
      JsonObject object;
      object.add("kind", word_of(one.kind)).add("path", one.path).add("first", one.first).add("count", one.count);
      if (!one.ours.empty()) object.add("here", one.ours);
      if (!one.theirs.empty()) object.add("there", one.theirs);
      return object;
    };
    requests.add(JsonObject()
                     .add("method", "GET")
                     .add("target", request.target)
                     .add("differences", JsonArray(request.differences, object_of)));
  }
  return JsonObject().add("compared", compared.size()).add("differing", requests).text() + "\n";
}

}  // namespace ocp_mock
