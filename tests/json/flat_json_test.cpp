#include "json/flat_json.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "fixtures/recorder.h"
#include "json/reader.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

namespace {

// What peek_flat_object makes of a text: its canonical form, "*" before it if the text has it already; nothing if it
// is left to the other reader.
std::string found(const std::string& text, bool behind_comma = false) {
  BufferedReader reader(text);
  FlatObject object;
  const std::size_t size = peek_flat_object(reader, 0, behind_comma, object);
  if (size == 0) return "";
  CHECK(text.substr(size - object.text.size(), object.text.size()) == object.text);
  CHECK(reader.buffered().size() == text.size());
  std::string out = object.canonical ? "*" : "";
  append_canonical_json(out, object);
  return out;
}

// Writes down what a document consists of, and where it ends.
class EventRecorder : public JsonHandler {
 public:
  explicit EventRecorder(bool takes_flat) : takes_flat_(takes_flat) {}

  std::string record(BufferedReader& reader) {
    JsonValue document;
    try {
      while (read_json_document(reader, *this, document)) {
        text_ += "document ";
        append_json(text_, document);
        note(reader.position());
      }
    } catch (const JsonSyntaxError& error) {
      text_ += error.what();
      note(error.position());
    }
    return text_;
  }

  int flat_items = 0;

 private:
  void document_key(std::string_view key) override { text_.append("key ").append(key).append("\n"); }
  bool wants_items(std::string_view path) override { return path.empty() || path == "a" || path == "a.b"; }
  void item(std::string_view path, JsonValue value) override {
    text_.append("item of ").append(path).append(" ");
    append_canonical_json(text_, value);
    text_ += '\n';
  }
  bool flat_item(std::string_view path, const FlatObject& object) override {
    if (!takes_flat_) return false;
    ++flat_items;
    text_.append("item of ").append(path).append(" ");
    append_canonical_json(text_, object);
    text_ += '\n';
    return true;
  }
  void problem(Position position, std::string text) override {
    text_ += text;
    note(position);
  }
  void note(Position position) {
    text_ += " at " + std::to_string(position.line) + ":" + std::to_string(position.column) + "\n";
  }

  const bool takes_flat_;
  std::string text_;
};

// Writes down rows with all that is in them.
std::string show_rows(const Recorder& sink) {
  std::string text;
  for (std::size_t i = 0; i < sink.rows.size(); ++i) {
    const Row& row = sink.rows[i];
    text += sink.answered[i];
    for (const SqlValue& value : row.columns) {
      text += " | " + std::to_string(value.index()) + " ";
      if (const auto* real = std::get_if<double>(&value)) {
        text.append(reinterpret_cast<const char*>(real), sizeof *real);
      } else {
        text += show(value);
      }
    }
    for (const auto& label : row.parent_labels) text += " | " + label.value_or("-");
    if (row.timeline) text += " | " + row.timeline->since.value_or("-") + " " + row.timeline->points;
    for (const auto& parents : row.later_parents) text += " | " + show(parents);
    text += '\n';
  }
  for (const std::string& implied : sink.implied) text += implied + '\n';
  for (const CapturedEnvelope& envelope : sink.envelopes) text += "envelope " + envelope.server.value_or("-") + "\n";
  return text;
}

struct Loaded {
  std::string text;
  std::size_t rows = 0;
  bool failed = false;
};

Loaded load(const std::string& text, ParseMode mode) {
  Recorder sink;
  try {
    const FixtureFile file = load_fixture_text(ocp_router(), "f.json", text, sink, mode);
    const std::string counts = std::to_string(file.count()) + " of " + std::to_string(file.rows_of_answers);
    return {show_rows(sink) + file.form + " " + counts, sink.rows.size(), false};
  } catch (const FixtureError& error) {
    return {show_rows(sink) + error.what(), sink.rows.size(), true};
  }
}

// Makes documents that are fixtures, or nearly.
class Documents {
 public:
  explicit Documents(std::uint32_t seed) : random_(seed) {}

  std::string next() {
    std::string text;
    switch (below(8)) {
      case 0:
      case 1:
      case 2: text = array(); break;
      case 3: text = R"({"data":{"contents":)" + array() + R"(,"page":{"totalElements":7}},"server":"s"})"; break;
      case 4: text = R"({"clusters":[{"id":1,"name":"c"}],"logBackupTasks":)" + array() + "}"; break;
      default:
        for (std::size_t i = below(5); i-- > 0;) text += task() + pick({"\n", "\r\n", "", " \n\n"});
    }
    if (below(40) == 0) text.insert(0, "\xEF\xBB\xBF");
    if (below(3) == 0) mutate(text);
    return text;
  }

  // The same documents for EventRecorder, which hands over the arrays "", "a" and "a.b".
  std::string next_of_any_form() {
    std::string text =
        below(2) == 0 ? array() : R"({"x":1,"a":)" + (below(2) == 0 ? array() : R"({"b":)" + array() + "}") + "}";
    if (below(3) == 0) text += pick({" ", "\n", ""}) + array();
    if (below(2) == 0) mutate(text);
    return text;
  }

  std::size_t below(std::size_t limit) { return random_() % limit; }

 private:
  using Choices = std::initializer_list<const char*>;
  std::string pick(Choices choices) { return *(choices.begin() + below(choices.size())); }

  std::string blank() { return below(12) == 0 ? pick({" ", "\n", "\t", "\r\n", "  "}) : ""; }

  std::string any_value() {
    switch (below(10)) {
      case 0: return pick({"null", "true", "false", "[]", "{}", R"([1,{"a":null}])", R"({"b":null,"a":[2]})"});
      case 1:
      case 2:
        return pick({"0",
                     "-0",
                     "1",
                     "-1",
                     "1.50",
                     "1e5",
                     "1E-7",
                     "0.1234567890123456789",
                     "9223372036854775807",
                     "-9223372036854775808",
                     "9223372036854775808",
                     "123456789012345678",
                     "999999999999999999",
                     "1e400",
                     "1e99999",
                     "100.10",
                     "-0.0",
                     "0.1e-2",
                     "12345678901234567890123456789.5",
                     "01",
                     "1.",
                     "-",
                     "+1",
                     ".5",
                     "NaN",
                     "0x1"});
      default: return string();
    }
  }

  std::string string() {
    std::string text = "\"";
    for (std::size_t i = below(4); i-- > 0;) {
      text +=
          pick({"a",   "disk full", "file:///obbackup", "é",       "中文", "\xF0\x9F\x98\x80", "\\n", "\\\\", "\\\"",
                "\\/", "\\u4e2d",   "\\ud83d\\ude00",   "\\u0000", "\x7F", "0123456789abcdef", "{",   "}",    "[",
                ",",   ":"});
      if (below(60) == 0) {
        text += pick(
            {"\xFF", "\xC3", "\xE4\xB8", "\xF0\x9F\x98", "\xED\xA0\x80", "\xC0\x80", "\n", "\x01", "\\x", "\\ud83d"});
      }
    }
    return text + '"';
  }

  std::string time() {
    return pick({"\"2024-08-09T15:58:21.716899+08:00\"", "\"2024-08-09T15:58:21Z\"", "\"2024-02-30T00:00:00Z\"",
                 "\"1969-12-31T23:59:59.999999999-03:30\"", "\"2024-08-09t15:58:21.100z\"", "\"0000-01-01T00:00:00Z\"",
                 "\"2024-08-09T15:58:21\\u005a\""});
  }

  std::string member(const std::string& key, const std::string& value) {
    return blank() + '"' + key + '"' + blank() + ':' + blank() + value + blank();
  }

  std::string task() {
    std::vector<std::string> members;
    const auto add = [&](std::size_t one_in, const std::string& key, const std::string& value) {
      if (below(one_in) != 0) members.push_back(member(key, below(60) == 0 ? any_value() : value));
    };
    add(100, "clusterId", pick({"1", "2", "1000005"}));
    add(100, "createTime", below(4) == 0 ? time() : "\"2024-08-09T15:58:21.716899+08:00\"");
    add(100, "status", pick({"\"RUNNING\"", "\"FAILED\"", "\"中\""}));
    add(100, "tenantId", pick({"1", "-5"}));
    if (below(2) == 0) add(20, "delay", pick({"100.1899", "5", "-0", "0.1", "123456789012345678.5", "1e3", "17e-1"}));
    if (below(3) == 0) add(20, "checkpoint", time());
    if (below(3) == 0) add(20, "modifyTime", below(2) == 0 ? time() : "null");
    if (below(3) == 0) add(20, "clusterName", string());
    if (below(3) == 0) add(20, "tenantName", string());
    if (below(3) == 0) add(20, "errorMsg", string());
    if (below(4) == 0)
      add(20, pick({"zeta", "Alpha", "é", "", "a\\u0062", "a\\\"b", "data", "clusters", "$x"}), any_value());
    if (below(25) == 0) add(20, "$timeline", R"([{"at":"PT1S","status":"B","tenantId":9}])");
    if (below(25) == 0) add(20, "$since", time());
    if (below(50) == 0 && !members.empty()) members.push_back(members[below(members.size())]);
    if (below(3) == 0) {
      std::ranges::shuffle(members, random_);
    } else {
      std::ranges::sort(members);
    }
    std::string text = "{";
    for (const std::string& one : members) text += (text.size() > 1 ? "," : "") + one;
    return text + '}';
  }

  std::string array() {
    std::string text = "[";
    for (std::size_t i = 0, count = below(6); i < count; ++i) {
      text += (i == 0 ? "" : ",") + blank() + (below(40) == 0 ? any_value() : task()) + blank();
    }
    return text + ']';
  }

  void mutate(std::string& text) {
    for (std::size_t i = 1 + below(3); i-- > 0 && !text.empty();) {
      const std::size_t place = below(text.size());
      switch (below(4)) {
        case 0: text.erase(place, 1 + below(2)); break;
        case 1:
          text.insert(place,
                      pick({"{", "}", "[", "]", ",", ":", "\"", "\\", "0", " ", "\n", "null", "\xFF", "{}", "/"}));
          break;
        case 2: text[place] = static_cast<char>(below(256)); break;
        default:
          if (below(3) == 0) text.resize(place);
      }
    }
  }

  std::mt19937 random_;
};

}  // namespace

TEST_CASE("flat json: what is flat is found, sorted and kept as it stands") {
  const struct {
    std::string text;
    std::string canonical;
  } cases[] = {
      {R"({"a":1})", R"(*{"a":1})"},
      {R"({"a":1} {"b":2})", R"(*{"a":1})"},
      {" \t\r\n{\"a\":1}", R"(*{"a":1})"},
      {R"({"a": 1})", R"({"a":1})"},
      {R"({"b":1,"a":"x"})", R"({"a":"x","b":1})"},
      {R"({"é":1,"z":2})", R"({"z":2,"é":1})"},
      {R"({"a":null,"b":2})", R"({"b":2})"},
      {R"({"a":null})", "{}"},
      {R"({"a":true,"b":false})", R"(*{"a":true,"b":false})"},
      {R"({"a":-0,"b":100.10,"c":-0.0,"d":123456789012345678})",
       R"(*{"a":-0,"b":100.10,"c":-0.0,"d":123456789012345678})"},
      {R"({"a":"中é","b":"\"\\\b\f\n\r\t"})", R"(*{"a":"中é","b":"\"\\\b\f\n\r\t"})"},
      {"{\"a\":\"0123456789abcdef\x7F\"}", "*{\"a\":\"0123456789abcdef\x7F\"}"},
      // left to the other reader: unusual
      {"{}", ""},
      {"{ }", ""},
      {R"({"a":[]})", ""},
      {R"({"a":{}})", ""},
      {R"({"a":"\u0041"})", ""},
      {R"({"a":"\/"})", ""},
      {"{\"a\":\"\xF0\x9F\x98\x80\"}", ""},
      {R"({"\n":1})", ""},
      {R"({"a":1e5})", ""},
      {R"({"a":1234567890123456789})", ""},
      {"{\"a\":0." + std::string(50, '1') + "}", ""},
      // left to the other reader: wrong
      {R"({"a":1,"a":2})", ""},
      {R"({"b":1,"a":2,"b":3})", ""},
      {R"({"a":01})", ""},
      {R"({"a":1.})", ""},
      {R"({"a":.5})", ""},
      {R"({"a":+1})", ""},
      {R"({"a":-})", ""},
      {R"({"a":nul})", ""},
      {R"({"a":truex})", ""},
      {R"({"a":1,})", ""},
      {R"({,"a":1})", ""},
      {R"({"a" 1})", ""},
      {R"({"a":1 "b":2})", ""},
      {R"({a:1})", ""},
      {"{\"a\":\"0123456789\n\"}", ""},
      {"{\"a\":\"\xED\xA0\x80\"}", ""},
      {"{\"a\":\"\xC0\x80\"}", ""},
      {"{\"a\":\"\xFF\"}", ""},
      {"{\"a\":\"\xE4\xB8\"}", ""},
      {R"({"a":1)", ""},
      {R"({"a":"x)", ""},
      {R"({"a":"x\)", ""},
      {R"([{"a":1}])", ""},
      {R"(,{"a":1})", ""},
      {"", ""},
      {" ", ""},
  };
  for (const auto& [text, canonical] : cases) {
    CAPTURE(text);
    CHECK(found(text) == canonical);
  }
}

TEST_CASE("flat json: each byte of a word of eight ends a run of usual bytes") {
  for (int place = 0; place < 24; ++place) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string text(24, 'x');
      text[static_cast<std::size_t>(place)] = static_cast<char>(byte);
      const bool usual = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
      const bool taken = !found("{\"k\":\"" + text + "\"}").empty();
      if (taken != usual) {
        CAPTURE(place);
        CHECK(byte == -1);
      }
    }
  }
}

TEST_CASE("flat json: the next item is behind a comma") {
  CHECK(found(" , {\"a\":1}", true) == R"(*{"a":1})");
  CHECK(found("{\"a\":1}", true).empty());
  CHECK(found(",,{\"a\":1}", true).empty());
  CHECK(found(",]", true).empty());
}

TEST_CASE("flat json: an object that has not come whole is waited for") {
  const std::string text = " {\"a\":\"中\\n\",\"b\":-1.5,\"c\":true} ";
  std::size_t given = 0;
  BufferedReader reader([&](char* buffer, std::size_t) { return text.copy(buffer, 1, given++); });
  FlatObject object;
  CHECK(peek_flat_object(reader, 0, false, object) == text.size() - 1);
  CHECK(object.text == text.substr(1, text.size() - 2));
}

TEST_CASE("flat json: documents read alike with and without it, whole and in pieces") {
  Documents documents(1);
  int flat = 0;
  int refused = 0;
  for (int i = 0; i < 6000; ++i) {
    const std::string text = documents.next_of_any_form();
    CAPTURE(text);
    BufferedReader whole(text);
    BufferedReader full(text);
    std::size_t given = 0;
    BufferedReader pieces([&](char* buffer, std::size_t size) {
      const std::size_t count = text.copy(buffer, std::min(1 + documents.below(40), size), given);
      given += count;
      return count;
    });
    EventRecorder fast(true);
    const std::string expected = EventRecorder(false).record(full);
    REQUIRE(fast.record(whole) == expected);
    REQUIRE(EventRecorder(true).record(pieces) == expected);
    flat += fast.flat_items;
    refused += expected.find("parsing") != std::string::npos ? 1 : 0;
  }
  // Else nothing was compared.
  CHECK(flat > 1000);
  CHECK(refused > 1000);
}

TEST_CASE("fixtures: the fast reader and the full one come to the same rows and problems") {
  Documents documents(2);
  std::size_t rows = 0;
  int failed = 0;
  for (int i = 0; i < 10000; ++i) {
    const std::string text = documents.next();
    CAPTURE(text);
    const Loaded fast = load(text, ParseMode::Fast);
    REQUIRE(fast.text == load(text, ParseMode::Full).text);
    rows += fast.rows;
    failed += fast.failed ? 1 : 0;
  }
  CHECK(rows > 5000);
  CHECK(failed > 2000);
  CHECK(failed < 8000);
}
