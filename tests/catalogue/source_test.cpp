#include "catalogue/generator/source.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "catalogue/generator/emit.h"

using namespace ocp_mock;
using namespace ocp_mock::generator;

namespace {

constexpr std::string_view kCatalogue = R"({
  "words": {"state": ["ON", {"word": "UP", "means": "ON"}, "OFF"]},
  "resources": {
    "regions": {"noun": "region", "key": "name", "fields": {"name": "string!"}},
    "zones": {"noun": "zone", "key": "name", "fields": {"name": "string!", "tags": "array"}},
    "hosts": {
      "noun": "host",
      "parents": {"zone": "zones"},
      "key": "id",
      "order": ["madeAt,desc"],
      "lastsUntil": "goneAt",
      "index": {"countedBy": "state"},
      "fields": {
        "zone": "string!",
        "id": "integer!",
        "madeAt": "time!",
        "goneAt": "time",
        "state": {"type": "string!", "words": "state"},
        "lag": {"type": "number", "computedFrom": "goneAt"},
        "ready": "boolean",
        "info": "object"
      }
    }
  },
  "endpoints": [
    {
      "method": "GET", "path": "/zones/{zone}/hosts", "does": "list", "resource": "hosts", "form": "page",
      "placeholders": {"zone": "zone"},
      "paging": {"kind": "strict", "default": 10, "maximum": 200, "sorts": ["madeAt", "state"]},
      "parameters": [
        {"name": "from", "type": "utcTime", "match": "from", "field": "madeAt"},
        {"name": "state", "type": "word", "repeats": true, "match": "equal"},
        {"name": "page", "match": "page"},
        {"name": "size", "match": "size"},
        {"name": "sort", "match": "sort"}
      ]
    },
    {"method": "GET", "path": "/time", "does": "constant", "constant": "time", "form": "bare"}
  ]
}
)";

// The catalogue with one text in the place of another.
std::string catalogue_with(std::string_view old_text, std::string_view new_text) {
  std::string text(kCatalogue);
  const auto at = text.find(old_text);
  REQUIRE(at != std::string::npos);
  return text.replace(at, old_text.size(), new_text);
}

// The refusal without the name of the file; "accepted" without one.
std::string refusal(const std::string& text) {
  try {
    read_source({{"a.json", text}});
  } catch (const SourceError& error) {
    const std::string what = error.what();
    CHECK(what.starts_with("a.json:"));
    return what.substr(what.find(':') + 1);
  }
  return "accepted";
}

struct Mistake {
  std::string_view old_text;
  std::string_view new_text;
  std::string_view refusal;
};

void check_refusals(const std::vector<Mistake>& mistakes) {
  for (const Mistake& mistake : mistakes) {
    CAPTURE(mistake.new_text);
    CHECK(refusal(catalogue_with(mistake.old_text, mistake.new_text)) == mistake.refusal);
  }
}

}  // namespace

TEST_CASE("source: the catalogue of these tests is right as it is") {
  CHECK(refusal(std::string(kCatalogue)) == "accepted");
}

TEST_CASE("source: mistakes in the files are refused where they are") {
  check_refusals({
      {R"("endpoints")", R"("endpoint")",
       R"(25:3: 'endpoint' is unknown here; known are endpoints, members, resources, steps, tasks, words; did you mean 'endpoints'?)"},
      {R"("form": "bare"}
  ])",
       R"("form": "bare"}
  )",
       R"(40:1: syntax error while parsing array - unexpected '}'; expected ']')"},
      {R"("words": {"state": ["ON", {"word": "UP", "means": "ON"}, "OFF"]})", R"("words": [])",
       R"(2:3: words must be an object)"},
      {R"("id": "integer!",)", R"("id": "integer!", "id": "string",)",
       R"(15:27: id stands twice in one object; it must stand once)"},
  });
}

TEST_CASE("source: mistakes in words are refused where they are") {
  check_refusals({
      {R"("OFF"])", R"("ON"])", R"(2:60: 'ON' is in state twice)"},
      {R"("OFF"])", R"("TURNED OFF"])", R"(2:60: 'TURNED OFF' must be a word without blanks and commas)"},
      {R"("means": "ON")", R"("means": "OFF")", R"(2:44: means must be a word before 'UP')"},
      {R"("means": "ON")", R"("mean": "ON")",
       R"(2:29: means is missing; it must be a string; did you mean 'means' by 'mean'?)"},
      {R"("means": "ON")", R"("means": "ON", "label": "up")",
       R"(2:59: 'label' is unknown here; known are means, word)"},
      {R"("OFF"])", R"(7])", R"(2:60: state must be an array of words, and of objects with a word)"},
      {R"(["ON", {"word": "UP", "means": "ON"}, "OFF"])", R"([])", R"(2:13: state must be an array of words)"},
  });
}

TEST_CASE("source: mistakes in resources and fields are refused where they are") {
  check_refusals({
      {R"("noun": "host")", R"("nuon": "host")",
       R"(6:14: noun is missing; it must be a string; did you mean 'noun' by 'nuon'?)"},
      {R"("noun": "host",)", R"("noun": "host", "kye": "id",)",
       R"(7:23: 'kye' is unknown here; known are default, fields, index, keepsNull, key, label, lastsUntil, missing, noun, nounChinese, order, parents, qualifier, source; did you mean 'key'?)"},
      {R"("zones": {"noun")",
       R"("hosties": {"noun": "a", "fields": {"a": "time"}}, "hosty": {"noun": "a", "fields": {"a": "time"}}, "zones": {"noun")",
       R"(5:56: there is another resource with the table hosty)"},
      {R"("fields": {"name": "string!", "tags": "array"})", R"("fields": {})", R"(5:5: fields are missing)"},
      {R"("integer!")", R"("integr!")",
       R"(15:15: type is 'integr'; it must be one of integer, number, string, boolean, time, array, object; did you mean 'integer'?)"},
      {R"("boolean")", R"("word")",
       R"(20:18: type is 'word'; it must be one of integer, number, string, boolean, time, array, object)"},
      {R"("info": "object")", R"("info": "object", "goneat": "time", "GoneAt": "time")",
       R"(21:45: another field of hosts has the column gone_at)"},
      {R"("words": "state"})", R"("words": "stat"})", R"(18:38: 'stat' is no list of words; did you mean 'state'?)"},
      {R"("type": "string!", "words")", R"("type": "integer!", "words")",
       R"(18:39: words need a string or an array; state is of type integer)"},
      {R"("words": "state"})", R"("words": "state", "nulls": true})",
       R"(18:56: 'nulls' is unknown here; known are computedFrom, hidden, keepsNull, source, type, words)"},
      {R"("boolean")", R"(true)", R"(20:9: ready must be a type, or an object with a type)"},
  });
}

TEST_CASE("source: mistakes in parents and keys are refused where they are") {
  check_refusals({
      {R"({"zone": "zones"})", R"({"zoen": "zones"})", R"(8:19: 'zoen' is no field of hosts; did you mean 'zone'?)"},
      {R"({"zone": "zones"})", R"({"zone": "zone"})", R"(8:27: 'zone' is no resource; did you mean 'zones'?)"},
      {R"({"zone": "zones"})", R"({"goneAt": "zones"})", R"(8:19: goneAt holds a parent's key and must be required)"},
      {R"({"zone": "zones"})", R"({"id": "zones"})",
       R"(8:19: id is of type integer; the key of zones is of type string)"},
      {R"({"zone": "zones"})", R"({"zone": "hosts"})",
       R"(8:19: zone is of type string; the key of hosts is of type integer)"},
      {R"("zones": {"noun": "zone", "key": "name")",
       R"("zones": {"noun": "zone", "key": "name", "parents": {"name": "zones"})",
       R"(5:58: the parents of zones are zones; they must be those before it here: none)"},
      {R"("zones": {"noun")",
       R"("a": {"noun": "a", "key": "k", "parents": {"k": "b"}, "fields": {"k": "string!"}}, "b": {"noun": "b", "key": "k", "parents": {"k": "a"}, "fields": {"k": "string!"}}, "zones": {"noun")",
       R"(5:48: the parents of b are a; they must be those before it here: none)"},
      {R"("parents": {"zone": "zones"})", R"("parents": {"zone": "zones", "state": "zones"})",
       R"(8:36: the parents of zones are none; they must be those before it here: zones)"},
      {R"("zones": {"noun": "zone", "key": "name", "fields": {"name": "string!",)",
       R"("zones": {"noun": "zone", "key": "name", "parents": {"region": "regions"}, "fields": {"name": "string!", "region": "string!",)",
       R"(8:19: the parents of zones are regions; they must be those before it here: none)"},
      {R"({"zone": "zones"})", R"({"zone": {"resource": "zones", "label": "title"}})",
       R"(8:49: 'title' is no field of hosts)"},
      {R"("zones": {"noun": "zone", "key": "name", )", R"("zones": {"noun": "zone", )",
       R"(8:19: zones has no key, and so nothing is below it)"},
      {R"("zones": {"noun": "zone", "key": "name")",
       R"("zones": {"noun": "zone", "key": "name", "parents": {"name": "hosts"})",
       R"(5:58: name is of type string; the key of hosts is of type integer)"},
      {R"("zones": {"noun": "zone", "key": "name")", R"("zones": {"noun": "zone", "key": "tags")",
       R"(5:31: key must be a required field of type integer or string)"},
      {R"("key": "id")", R"("key": "ids")", R"(9:7: 'ids' is no field of hosts; did you mean 'id'?)"},
      {R"("key": "id")", R"("key": "id", "label": "madeAt")", R"(9:20: label must be a field of type string)"},
      {R"("key": "id")", R"("key": "id", "qualifier": "madeAt")",
       R"(9:20: qualifier must be a field of type string, of a resource with a key)"},
  });
}

TEST_CASE("source: mistakes in orders, indexes and computed fields are refused where they are") {
  check_refusals({
      {R"("madeAt,desc")", R"("madeAt,down")",
       R"(10:17: 'madeAt,down' must be a field, or a field and ',asc' or ',desc')"},
      {R"("madeAt,desc")", R"("made")", R"(10:17: 'made' is no field of hosts; did you mean 'madeAt'?)"},
      {R"("madeAt,desc")", R"("info")", R"(10:17: info has no order: it is of type object)"},
      {R"(["madeAt,desc"])", R"("madeAt,desc")", R"(10:7: order must be an array)"},
      {R"(["madeAt,desc"])", R"([{}])", R"(10:17: order must be an array of strings)"},
      {R"("lastsUntil": "goneAt")", R"("lastsUntil": "state")",
       R"(11:7: lastsUntil must be a field of type time, in a resource whose order begins with one)"},
      {R"("order": ["madeAt,desc"])", R"("order": ["state"])",
       R"(11:7: lastsUntil must be a field of type time, in a resource whose order begins with one)"},
      {R"("countedBy": "state")", R"("countedBy": "stat")",
       R"(12:17: 'stat' is no field of hosts; did you mean 'state'?)"},
      {R"("countedBy": "state")", R"("countedBy": "zone")",
       R"(12:17: countedBy must be a required field of type string with words)"},
      {R"("countedBy": "state")", R"("countedby": "state")",
       R"(12:16: countedBy is missing; it must be a string; did you mean 'countedBy' by 'countedby'?)"},
      {R"("order": ["madeAt,desc"])", R"("order": ["goneAt"])",
       R"(12:7: index needs an order of one required field of type time, descending)"},
      {R"("order": ["madeAt,desc"])", R"("order": ["madeAt"])",
       R"(12:7: index needs an order of one required field of type time, descending)"},
      {R"("order": ["madeAt,desc"])", R"("order": ["madeAt,desc", "id"])",
       R"(12:7: index needs an order of one required field of type time, descending)"},
      {R"("parents": {"zone": "zones"})", R"("parents": {"zone": {"resource": "zones", "label": "state"}})",
       R"(8:19: zones has no label, and so hosts tells none)"},
      {R"("name": "string!", "tags": "array")", R"("name": "string!", "tags": "array!")",
       R"(8:19: tags of zones must not be required, for rows may be known only as parents of others)"},
      {R"("ready": "boolean")", R"("re-ady": "boolean")",
       R"(20:9: the name 're-ady' must be of letters and digits, a letter first)"},
      {R"("zones": {"noun")", R"("facts": {"noun")", R"(5:5: the dataset has a table fact of its own)"},
      {R"("computedFrom": "goneAt")", R"("computedFrom": "gone")",
       R"(19:35: 'gone' is no field of hosts; did you mean 'zone'?)"},
      {R"("computedFrom": "goneAt")", R"("computedFrom": "state")",
       R"(19:35: computedFrom must be a field of type time, of a field of type number that is not required)"},
      {R"("type": "number", "computedFrom")", R"("type": "number!", "computedFrom")",
       R"(19:36: computedFrom must be a field of type time, of a field of type number that is not required)"},
      {R"("info": "object")", R"("lack": {"type": "number", "computedFrom": "madeAt"})",
       R"(19:35: computedFrom must stand at one field of hosts)"},
      {R"("info": "object")", R"("info": {"type": "object", "keepsNull": true})",
       R"(19:35: computedFrom must not stand in a resource with a field that keeps nulls, as info does)"},
      {R"("lag": {)", R"("age": {)",
       R"(19:35: computedFrom needs a required field that comes before age in the alphabet)"},
  });
}

TEST_CASE("source: mistakes in methods, paths and placeholders are refused where they are") {
  check_refusals({
      {R"("method": "GET", "path": "/time")", R"("method": "HEAD", "path": "/time")",
       R"(38:6: method is 'HEAD'; it must be one of GET, POST, PUT, PATCH, DELETE)"},
      {R"("path": "/time")", R"("path": "time")", R"(38:23: path 'time' must begin with /)"},
      {R"("path": "/time")", R"("path": "/time/")", R"(38:23: path '/time/' has an empty segment)"},
      {R"("path": "/time")", R"("path": "/a b/{c}d")",
       R"(38:23: path '/a b/{c}d' has the segment '{c}d'; it must be a literal that needs no encoding or a {name})"},
      {R"("path": "/time")", R"("path": "/100%")",
       R"(38:23: path '/100%' has the segment '100%'; it must be a literal that needs no encoding or a {name})"},
      {R"(/{zone}/hosts)", R"(/{zone}/hosts/{zone})", R"(27:24: path '/zones/{zone}/hosts/{zone}' has {zone} twice)"},
      {R"(/{zone}/hosts)", R"(/{zoen}/hosts)", R"(28:24: the path has no {zone}; did you mean 'zoen'?)"},
      {R"(/{zone}/hosts)", R"(/{zone}/hosts/{id})", R"(28:7: placeholders must say which field {id} selects by)"},
      {R"("placeholders": {"zone": "zone"},)", R"()", R"(26:5: placeholders must say which field {zone} selects by)"},
      {R"("placeholders": {"zone": "zone"})", R"("placeholders": {"zone": "zones"})",
       R"(28:32: 'zones' is no field of hosts; did you mean 'zone'?)"},
      {R"("placeholders": {"zone": "zone"})", R"("placeholders": {"zone": "ready"})",
       R"(28:32: ready is of type boolean; a placeholder selects by an integer or a string)"},
      {R"("placeholders": {"zone": "zone"})", R"("placeholders": {"zone": "info"})",
       R"(28:32: info is of type object; a placeholder selects by an integer or a string)"},
      {R"("placeholders": {"zone": "zone"})", R"("placeholders": {"zone": 1})", R"(28:24: zone must be a text)"},
      {R"("path": "/time")", R"("path": "/time/{zone}")",
       R"(38:5: placeholders must say which field {zone} selects by)"},
      {R"("path": "/time")", R"("path": "/time/{zone}", "placeholders": {"zone": "zone"})",
       R"(38:72: 'zone' is no resource, and neither integer nor string; did you mean 'zones'?)"},
      {R"("constant": "time", "form": "bare"})", R"("constant": "time", "form": "bare"},
    {"method": "GET", "path": "/time", "does": "constant", "constant": "info", "form": "bare"})",
       R"(39:23: path is another endpoint's, too: GET /time)"},
      {R"("constant": "time", "form": "bare"})", R"("constant": "time", "form": "bare"},
    {"method": "GET", "path": "/zones/{id}/hosts", "does": "constant", "constant": "info", "form": "bare"})",
       R"(39:23: path is another endpoint's, too: GET /zones/{id}/hosts)"},
      {R"("constant": "time", "form": "bare"})", R"("constant": "time", "form": "bare"},
    {"method": "GET", "path": "/zones/{id}", "does": "get", "resource": "hosts", "placeholders": {"id": "zone"}, "form": "object"})",
       R"(39:23: the path must have the key of hosts, which it gets one of)"},
      {R"("constant": "time", "form": "bare"})", R"("constant": "time", "form": "bare"},
    {"method": "GET", "path": "/hosts/{id}", "does": "get", "resource": "hosts", "placeholders": {"id": "state"}, "form": "object"})",
       R"(39:23: the path must have the key of hosts, which it gets one of)"},
  });
}

TEST_CASE("source: mistakes in what endpoints do are refused where they are") {
  check_refusals({
      {R"("does": "list")", R"("does": "lists")",
       R"(27:55: does is 'lists'; it must be one of list, get, constant, fixed, series, document, write; did you mean 'list'?)"},
      {R"("resource": "hosts")", R"("resource": "host")", R"(27:71: 'host' is no resource; did you mean 'hosts'?)"},
      {R"("resource": "hosts", )", R"()", R"(26:5: resource is missing; it must be a string)"},
      {R"("constant": "time")", R"("constant": "tme")",
       R"(38:60: constant is 'tme'; it must be one of time, info, status, welcome; did you mean 'time'?)"},
      {R"("form": "bare")", R"("form": "bear")",
       R"(38:80: form is 'bear'; it must be one of page, list, object, nothing, bare)"},
      {R"("form": "bare")", R"("form": "object")",
       R"(38:80: form object does not fit an endpoint that does constant without paging)"},
      {R"("form": "page")", R"("form": "list")",
       R"(27:92: form list does not fit an endpoint that does list with paging)"},
      {R"("constant": "time")", R"("constant": "time", "resource": "hosts")",
       R"(38:80: 'resource' is unknown here; known are aliases, body, constant, does, form, listed, method, open, paging, parameters, path, placeholders, since, source, takes; did you mean 'source'?)"},
      {R"("form": "bare")", R"("form": "bare", "opne": true)",
       R"(38:96: 'opne' is unknown here; known are aliases, body, constant, does, form, listed, method, open, paging, parameters, path, placeholders, since, source, takes; did you mean 'open'?)"},
      {R"("form": "bare")", R"("form": "bare", "since": "4.0")", R"(38:96: since must be a version such as V4.0.0)"},
      {R"("form": "bare")", R"("form": "bare", "since": "V4..0")", R"(38:96: since must be a version such as V4.0.0)"},
  });
}

TEST_CASE("source: mistakes in paging are refused where they are") {
  check_refusals({
      {R"("kind": "strict")", R"("kind": "strickt")",
       R"(29:18: kind is 'strickt'; it must be one of none, strict, pageable; did you mean 'strict'?)"},
      {R"("default": 10, )", R"()", R"(29:7: paging must have default and maximum)"},
      {R"("kind": "strict")", R"("kind": "none")", R"(29:7: paging of kind none has neither default nor maximum)"},
      {R"("kind": "strict", "default": 10, "maximum": 200)", R"("kind": "none")", R"(33:26: match needs paging)"},
      {R"("default": 10)", R"("default": 201)", R"(29:36: default must not be over maximum)"},
      {R"("maximum": 200)", R"("maximum": 0)", R"(29:51: maximum must be an integer from 1 to 9223372036854775807)"},
      {R"("sorts": ["madeAt", "state"])", R"("sorts": ["madeAt", "states"])",
       R"(29:87: 'states' is no field of hosts; did you mean 'state'?)"},
      {R"("sorts": ["madeAt", "state"])", R"("sorts": ["madeAt", "madeAt"])", R"(29:87: madeAt is in sorts twice)"},
      {R"("sorts": ["madeAt", "state"])", R"("sorts": ["madeAt,desc"])", R"(29:77: 'madeAt,desc' must be a field)"},
      {R"("sorts": ["madeAt", "state"])", R"("sorts": ["info"])", R"(29:77: info has no order: it is of type object)"},
      {R"("sorts": ["madeAt", "state"])", R"("sort": ["madeAt"])",
       R"(29:67: 'sort' is unknown here; known are default, kind, maximum, sorts; did you mean 'sorts'?)"},
      {R"(, "sorts": ["madeAt", "state"])", R"()", R"(35:26: match sort needs paging with sorts)"},
      {R"({"name": "size", "match": "size"},)", R"()", R"(29:7: paging needs a parameter with the match size)"},
      {R"(,
        {"name": "sort", "match": "sort"})",
       R"()", R"(29:7: paging has sorts, and no parameter has the match sort)"},
      {R"("constant": "time")", R"("constant": "time", "paging": {"kind": "none"})",
       R"(38:80: paging is for lists only)"},
      {R"("constant": "time")", R"("constant": "time", "parameters": [{"name": "page", "match": "page"}])",
       R"(38:112: match needs paging)"},
  });
}

TEST_CASE("source: mistakes in parameters are refused where they are") {
  check_refusals({
      {R"("type": "word", "repeats": true, "match": "equal")",
       R"("type": "string", "match": "contains", "orMissing": true)",
       R"(32:66: orMissing is for the matches equal, from and until of a field only)"},
      {R"("type": "word", "repeats": true, "match": "equal")", R"("type": "integer", "match": "length")",
       R"(32:9: field is missing; it must be a string)"},
      {R"("type": "word", "repeats": true, "match": "equal")",
       R"("type": "integer", "match": "length", "field": "madeAt")", R"(32:65: field must be a string)"},
      {R"("type": "word", "repeats": true, "match": "equal")",
       R"("type": "string", "match": "length", "field": "state")", R"(32:27: type must be one integer)"},
      {R"("type": "word", "repeats": true, "match": "equal")", R"("type": "integer", "match": "expression")",
       R"(32:27: type must be string)"},
      {R"("type": "word", "repeats": true, "match": "equal")", R"("type": "string!", "match": "expression")",
       R"(32:46: match takes one value, which may be missing)"},
      {R"("repeats": true, "match": "equal")", R"("match": "comparison", "words": "state")",
       R"(32:43: match needs six words, for =, <>, >, >=, < and <=)"},
      {R"("repeats": true, "match": "equal")", R"("match": "operand")", R"(32:27: type must be string)"},
      {R"("match": "equal")", R"("match": "operand")", R"(32:60: match takes one value, which may be missing)"},
      {R"("match": "equal")", R"("match": "equals")",
       R"(32:60: match is 'equals'; it must be one of equal, contains, member, noMember, from, until, attribute, comparison, operand, expression, length, ignored, page, size, sort, start, end, metrics, step, leastStep, mostPoints, labels, group; did you mean 'equal'?)"},
      {R"("type": "word")", R"("type": "enum")",
       R"(32:27: type is 'enum'; it must be one of integer, number, boolean, string, word, utcTime, time)"},
      {R"("type": "word", "repeats": true, )", R"()", R"(32:9: type is missing; it must be a string)"},
      {R"("match": "page")", R"("match": "page", "type": "integer")",
       R"(33:43: 'type' is unknown here; known are match, name, source)"},
      {R"("field": "madeAt")", R"("field": "made")", R"(31:62: 'made' is no field of hosts; did you mean 'madeAt'?)"},
      {R"("field": "madeAt")", R"("field": "madeAt", "fields": ["goneAt"])",
       R"(31:62: field must not stand beside fields)"},
      {R"("field": "madeAt")", R"("fields": ["madeAt", "goneAt"])", R"(31:62: fields are for the match contains only)"},
      {R"("name": "state")", R"("name": "status")", R"(32:10: 'status' is no field of hosts; did you mean 'state'?)"},
      {R"("name": "state")", R"("name": "from")", R"(32:9: from, or one that does the same, is a parameter twice)"},
      {R"({"name": "page", "match": "page"})",
       R"({"name": "offset", "match": "page"}, {"name": "page", "match": "page"})",
       R"(33:46: page, or one that does the same, is a parameter twice)"},
      {R"({"name": "page", "match": "page"})",
       R"({"name": "id", "type": "string", "match": "contains"}, {"name": "page", "match": "page"})",
       R"(33:10: id is of type integer, which the match contains does not take)"},
      {R"({"name": "page", "match": "page"})",
       R"({"name": "zone", "type": "integer", "match": "contains"}, {"name": "page", "match": "page"})",
       R"(33:10: a parameter of type integer does not compare by contains with zone, which is of type string)"},
      {R"({"name": "page", "match": "page"})",
       R"({"name": "ready", "type": "boolean", "match": "from"}, {"name": "page", "match": "page"})",
       R"(33:10: ready is of type boolean, which the match from does not take)"},
      {R"({"name": "page", "match": "page"})",
       R"({"name": "zone", "type": "string", "match": "until"}, {"name": "page", "match": "page"})",
       R"(33:10: zone is of type string, which the match until does not take)"},
      {R"({"name": "page", "match": "page"})",
       R"({"name": "zone", "type": "string", "match": "member"}, {"name": "page", "match": "page"})",
       R"(33:10: zone is of type string, which the match member does not take)"},
      {R"({"name": "page", "match": "page"})",
       R"({"name": "info", "type": "string", "match": "equal"}, {"name": "page", "match": "page"})",
       R"(33:10: info is of type object, which the match equal does not take)"},
      {R"({"name": "page", "match": "page"})",
       R"({"name": "id", "type": "string", "match": "equal"}, {"name": "page", "match": "page"})",
       R"(33:10: a parameter of type string does not compare by equal with id, which is of type integer)"},
      {R"({"name": "page", "match": "page"})",
       R"({"name": "madeAt", "type": "string", "match": "from"}, {"name": "page", "match": "page"})",
       R"(33:10: a parameter of type string does not compare by from with madeAt, which is of type time)"},
      {R"({"name": "page", "match": "page"})",
       R"({"name": "zone", "type": "string", "match": "contains", "repeats": true}, {"name": "page", "match": "page"})",
       R"(33:65: repeats is for the matches equal, member and ignored only)"},
      {R"({"name": "page", "match": "page"})",
       R"({"name": "zone", "type": "word", "match": "equal"}, {"name": "page", "match": "page"})",
       R"(33:9: words of zone are missing, and its field has none)"},
      {R"({"name": "page", "match": "page"})",
       R"({"name": "zone", "type": "word", "match": "equal", "words": "sate"}, {"name": "page", "match": "page"})",
       R"(33:60: 'sate' is no list of words; did you mean 'state'?)"},
      {R"({"name": "page", "match": "page"})",
       R"({"name": "zone", "type": "string", "match": "equal", "words": "state"}, {"name": "page", "match": "page"})",
       R"(33:62: words are for the type word only)"},
      {R"({"name": "page", "match": "page"})",
       R"({"name": "kind", "type": "word", "match": "ignored"}, {"name": "page", "match": "page"})",
       R"(33:9: words of kind are missing, and its field has none)"},
      {R"({"name": "page", "match": "page"})",
       R"({"name": "kind", "type": "string", "match": "ignored", "default": "a"}, {"name": "page", "match": "page"})",
       R"(33:64: 'default' is unknown here; known are alias, match, name, repeats, source, type, words)"},
      {R"("constant": "time")",
       R"("constant": "time", "parameters": [{"name": "a", "type": "string", "match": "equal"}])",
       R"(38:127: match must be ignored: the endpoint has no resource)"},
  });
}

TEST_CASE("source: several files are one catalogue, and a mistake names its file") {
  const std::string zones =
      R"({"resources": {"zones": {"noun": "zone", "key": "name", "fields": {"name": "string!"}}}})";
  const std::string hosts = R"({"resources": {"hosts": {"noun": "host", "parents": {"zone": "zones"},
    "fields": {"zone": "string!", "state": {"type": "string", "words": "state"}}}}})";
  const std::string words = R"({"words": {"state": ["ON"]}})";
  const Source source = read_source({{"hosts.json", hosts}, {"words.json", words}, {"zones.json", zones}});
  REQUIRE(source.resources.size() == 2);
  CHECK(source.resources[0].name == "zones");
  CHECK(source.resources[1].name == "hosts");
  CHECK(source.resources[1].parents[0].resource == 0);

  const struct {
    std::vector<SourceFile> files;
    std::string refusal;
  } cases[] = {
      {{{"hosts.json", hosts}, {"words.json", words}}, "hosts.json:1:62: 'zones' is no resource"},
      {{{"hosts.json", hosts}, {"zones.json", zones}}, "hosts.json:2:63: 'state' is no list of words"},
      {{{"a.json", words}, {"b.json", words}}, "b.json:1:12: there are two lists of words 'state'"},
      {{{"a.json", zones}, {"b.json", zones}}, "b.json:1:16: there are two resources 'zones'"},
      {{{"a.json", zones}, {"b.json", "{"}},
       "b.json:1:1: syntax error while parsing object key - unexpected end of input; expected string literal"},
      {{{"a.json", zones}, {"b.json", ""}}, "b.json:1:1: the text is empty; it must be one JSON document"},
      {{{"a.json", zones}, {"b.json", "[]"}}, "b.json:1:1: this must be an object"},
  };
  for (const auto& [files, expected] : cases) {
    CAPTURE(expected);
    std::string what = "accepted";
    try {
      read_source(files);
    } catch (const SourceError& error) {
      what = error.what();
    }
    CHECK(what == expected);
  }
}

TEST_CASE("source: names become identifiers of SQL") {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"status", "status"},
      {"createTime", "create_time"},
      {"agentServerIp", "agent_server_ip"},
      {"obClusterId", "ob_cluster_id"},
      {"URLOfHost", "url_of_host"},
      {"hostURL", "host_url"},
      {"v2Api", "v2_api"},
      {"id", "id_"},
      {"json", "json_"},
      {"order", "order_"},
      {"Group", "group_"},
      {"ids", "ids"},
  };
  for (const auto& [name, identifier] : cases) CHECK(sql_identifier(name) == identifier);
}

TEST_CASE("source: the SQL has a column for what is compared or sorted by, and the indexes of lists and keys") {
  CHECK(emit_sql(read_source({{"a.json", std::string(kCatalogue)}})) == R"(CREATE TABLE region (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  json TEXT NOT NULL
);
CREATE INDEX region_by_key ON region
  (name);
CREATE TABLE zone (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  json TEXT NOT NULL
);
CREATE INDEX zone_by_key ON zone
  (name);
CREATE TABLE host (
  id INTEGER PRIMARY KEY,
  zone TEXT NOT NULL,
  id_ INTEGER NOT NULL,
  made_at_second INTEGER NOT NULL,
  made_at_nano INTEGER NOT NULL,
  gone_at_second INTEGER,
  gone_at_nano INTEGER,
  state TEXT NOT NULL,
  lag NUMERIC,
  json TEXT NOT NULL
);
CREATE INDEX host_by_key ON host
  (zone, id_);
CREATE INDEX host_by_time ON host
  (zone, made_at_second DESC, made_at_nano DESC, id, state);
CREATE INDEX host_by_state ON host
  (zone, state, made_at_second DESC, made_at_nano DESC, id);
)");
}

TEST_CASE("source: the version changes with the tables and with the words that rows are counted by") {
  const auto version = [](const std::string& text) {
    const std::string cpp = emit_cpp(read_source({{"a.json", text}}), "x_catalogue");
    const auto end = cpp.find("};\n\n}  // namespace\n");
    REQUIRE(end != std::string::npos);
    return cpp.substr(cpp.rfind(' ', end), end - cpp.rfind(' ', end));
  };
  const std::string now = version(std::string(kCatalogue));
  CHECK(version(catalogue_with(R"("noun": "host")", R"("noun": "machine")")) == now);
  CHECK(version(catalogue_with(R"("info": "object")", R"("info": "object", "more": "string")")) == now);
  CHECK(version(catalogue_with(R"("goneAt": "time")", R"("goneAt": "time!")")) != now);
  CHECK(version(catalogue_with(R"("OFF"])", R"("OFF", "LOST"])")) != now);
  CHECK(version(catalogue_with(R"("means": "ON"}, "OFF")", R"("means": "ON"}, {"word": "OFF", "means": "UP"})")) !=
        now);
}
