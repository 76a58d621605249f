// What is taken out of captures, and what takes its place.
#include "client/redact.h"

#include <doctest/doctest.h>

#include <set>
#include <stdexcept>
#include <string>

#include "client/stand_in.h"
#include "running_program.h"
#include "temporary_folder.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

namespace {

const Resource& resource(std::string_view name) { return *ocp_catalogue().find_resource(name); }

std::string redacted(Redactor& redactor, std::string_view name, const std::string& json) {
  JsonValue row = read_json_text(json);
  redactor.redact(resource(name), row);
  std::string out;
  append_json_in_order(out, row);
  return out;
}

// Learns and redacts one row.
std::string redacted(std::string_view name, const std::string& json, const std::string& key = "key") {
  Redactor redactor(RedactRules(), key);
  redactor.learn(resource(name), read_json_text(json));
  return redacted(redactor, name, json);
}

std::string addresses_of(std::string_view text) {
  std::string found;
  for (Piece one = find_address(text, 0); !one.empty(); one = find_address(text, one.end)) {
    found += (found.empty() ? "" : " ") + std::string(text.substr(one.begin, one.end - one.begin));
  }
  return found;
}

std::string flaw_of_rules(const std::string& text) {
  const TemporaryFolder folder;
  const auto file = folder.write("rules.json", text);
  RedactRules rules;
  try {
    rules.add_file(file);
  } catch (const std::runtime_error& error) {
    const std::string what = error.what();
    CHECK(what.starts_with(file.string() + ":"));
    return what.substr(file.string().size() + 1);
  }
  return "none";
}

}  // namespace

TEST_CASE("redact: addresses are found where they stand in texts, and versions and times are none") {
  CHECK(addresses_of("from 192.0.2.1:2881 to [2001:db8::1]:80, then 192.0.2.2.") == "192.0.2.1 2001:db8::1 192.0.2.2");
  CHECK(addresses_of("a:192.0.2.1 fe80::1%eth0 ::ffff:192.0.2.9 (10.0.0.0/8)") ==
        "192.0.2.1 fe80::1 ::ffff:192.0.2.9 10.0.0.0");
  CHECK(addresses_of("192.0.2.1,192.0.2.2;192.0.2.3") == "192.0.2.1 192.0.2.2 192.0.2.3");
  CHECK(addresses_of("oceanbase-ce-4.2.1.3-1030.rpm v4.3.1.0 1.2.3.4.5 256.1.1.1 16:06:02.743 std::string") == "");
  CHECK(addresses_of("") == "");
}

TEST_CASE("redact: stand-ins look like their originals, differ, and depend on the key alone") {
  StandIns one("k", [](const std::string&) { return false; });
  StandIns same("k", [](const std::string&) { return false; });
  StandIns other("l", [](const std::string&) { return false; });
  const std::string word = one.word("ob_431-Ab%2F");
  CHECK(word == same.word("ob_431-Ab%2F"));
  CHECK(word != other.word("ob_431-Ab%2F"));
  CHECK(word.size() == 12);
  CHECK(word.substr(2, 1) == "_");
  CHECK(word.ends_with("%2F"));
  CHECK(word.find_first_not_of("0123456789", 3) == 6);
  CHECK((word[7] >= 'A' && word[7] <= 'Z'));
  CHECK(one.word("\xE4\xB8\xAD\xE6\x96\x87").size() == 6);
  CHECK(one.word("--") == "--");
  CHECK(one.secret("pw").size() == 8);
  CHECK(one.secret("a longer passphrase").size() == 32);
  CHECK(one.address("192.0.2.1").starts_with("10."));
  CHECK(one.address("2001:db8::1").starts_with("fd"));
  CHECK(addresses_of(one.address("2001:db8::1")) == one.address("2001:db8::1"));

  // There are 26 letters for 27 of them, and none is its own.
  std::set<std::string> made;
  for (char c = 'a'; c <= 'z'; ++c) {
    made.insert(one.word(std::string(1, c)));
    CHECK(one.word(std::string(1, c)) != std::string(1, c));
  }
  for (char c = '0'; c <= '9'; ++c) made.insert(one.word(std::string(1, c) + "x"));
  CHECK(made.size() == 36);
  StandIns taken("k", [&](const std::string& made_word) { return made_word == word; });
  CHECK(taken.word("ob_431-Ab%2F") != word);
}

TEST_CASE("redact: what a field says is replaced there and in all other texts") {
  const std::string row = redacted(
      "logBackupTasks",
      R"({"agentServerIp":"192.0.2.11","backupUri":"oss://bucket.example.com/dir/1050?host=192.0.2.9&access_id=LTAI77","checkpoint":"2024-08-09T16:04:21.810084+08:00",)"
      R"("clusterId":1000005,"clusterName":"prod_west","errorMsg":"prod_west: tenant shop4711/x at 192.0.2.11 wrote to bucket.example.com as LTAI77, password=hunter2!, prod_westx",)"
      R"("status":"RUNNING","tenantId":7,"tenantName":"shop4711","delay":100.10})");
  for (const char* secret : {"192.0.2", "bucket", "LTAI77", "prod_west", "shop4711", "hunter2"}) {
    INFO(row);
    CHECK_FALSE(contains(row, secret));
  }
  for (const char* kept :
       {R"("clusterId":1000005)", R"("delay":100.10)", R"("status":"RUNNING")", "oss://", "/1050?host=10.",
        "&access_id=", "2024-08-09T16:04:21.810084+08:00", "password=", ": tenant "}) {
    INFO(row);
    CHECK(contains(row, kept));
  }
  const JsonValue value = read_json_text(row);
  const std::string name = value.find("clusterName")->value.text;
  CHECK(name.size() == 9);
  const std::string text = value.find("errorMsg")->value.text;
  CHECK(text.starts_with(name + ": tenant " + value.find("tenantName")->value.text + "/x at " +
                         value.find("agentServerIp")->value.text + " wrote to "));
  CHECK(text.ends_with(", " + name + "x"));
}

TEST_CASE("redact: what everybody has, words of enumerations and versions stay") {
  const std::string kept =
      R"({"clusterId":1,"clusterName":"sys","id":2,"locked":false,"mode":"MYSQL","name":"sys","obVersion":"4.3.1.0","status":"NORMAL","whitelist":"%"})";
  CHECK(redacted("tenants", kept) == kept);
  // The ip of an address is a word of its own.
  const std::string no_addresses = R"({"id":2,"ownership":"SHARED","skip":"ALWAYS","zip":"310000"})";
  CHECK(redacted("tenants", no_addresses) == no_addresses);
  CHECK_FALSE(contains(
      redacted("tenants", R"({"clientIp":"gate.example","host_ip":"gate.example","id":2,"vip":"gate.example"})"),
      "gate"));
  // A tenant called as a status is.
  const std::string named =
      redacted("tenants", R"({"id":2,"name":"NORMAL","status":"NORMAL","description":"the NORMAL one"})");
  CHECK(contains(named, R"("status":"NORMAL")"));
  CHECK_FALSE(contains(named, "the NORMAL one"));
  CHECK(redacted("tenants", R"({"name":"****","password":"****"})").ends_with(R"("password":"****"})"));
}

TEST_CASE("redact: members with the names of secrets are replaced, unless own rules say otherwise") {
  const std::string row = redacted(
      "tenants",
      R"({"sysPwd":"geheim1","api_key":"geheim2","credentials":["geheim3"],"passed":"yes","credentialId":"c7"})");
  INFO(row);
  CHECK_FALSE(contains(row, "geheim"));
  CHECK(row.ends_with(R"("passed":"yes","credentialId":"c7"})"));
  const TemporaryFolder folder;
  RedactRules rules;
  rules.add_file(folder.write("rules.json", R"({"rules":[{"field":"signature","as":"keep"}]})"));
  Redactor redactor(std::move(rules), "key");
  CHECK(redacted(redactor, "tenants", R"({"signature":"SELECT"})") == R"({"signature":"SELECT"})");
  // All that is in one is one.
  const std::string nested =
      redacted("tenants",
               R"({"id":2,"pwd":{"old":"ZQobj14"},"user":{"credentials":[{"value":"ZQnest10","list":["ZQnest11"]}]}})");
  CHECK_FALSE(contains(nested, "ZQ"));
}

TEST_CASE("redact: a member that is called as an address is renamed") {
  const std::string row = redacted("tenants", R"({"name":"shop4711","byHost":{"192.0.2.1:2882":1,"of shop4711":2}})");
  CHECK_FALSE(contains(row, "192.0.2.1"));
  CHECK(contains(row, ":2882\":1,\"of shop4711\":2}"));
}

TEST_CASE("redact: short words are replaced where they stand alone") {
  const std::string row = redacted("tenants", R"({"name":"pay","description":"pay day, payday, pay_day, repay"})");
  CHECK(contains(row, " day, payday, "));
  CHECK(contains(row, "_day, repay"));
  CHECK_FALSE(contains(row, "\"pay day"));
}

TEST_CASE("redact: rows of one capture have one stand-in for one value, whatever the field") {
  Redactor redactor(RedactRules(), "key");
  const std::string user =
      R"({"username":"shop_app","connectionStrings":[{"connectionString":"mysql -h192.0.2.1 -ushop_app@shop4711 -p"}]})";
  const std::string tenant = R"({"name":"shop4711"})";
  redactor.learn(resource("users"), read_json_text(user));
  redactor.learn(resource("tenants"), read_json_text(tenant));
  const JsonValue of_user = read_json_text(redacted(redactor, "users", user));
  const std::string name = of_user.find("username")->value.text;
  const std::string tenant_name = read_json_text(redacted(redactor, "tenants", tenant)).find("name")->value.text;
  CHECK(contains(redacted(redactor, "users", user), " -u" + name + "@" + tenant_name + " -p"));
  CHECK(redactor.redact(&resource("users"), "username", "shop_app") == name);
  CHECK(contains(redactor.report(), "users.username: 3 values of kind name, 1 different\n"));
  CHECK(contains(redactor.report(), "users.connectionStrings.connectionString: 2 values of kind text, 1 different\n"));
  CHECK(Redactor(RedactRules(), "key").report() == "nothing was replaced\n");
}

TEST_CASE("redact: own rules come before the built-in ones") {
  const TemporaryFolder folder;
  RedactRules rules;
  rules.add_file(folder.write(
      "rules.json",
      R"({"keep":["shop"],"rules":[{"field":"tenants.description","as":"secret"},{"field":"CLUSTER*","as":"keep"},)"
      R"({"value":"order-[0-9]+","as":"name"}]})"));
  Redactor redactor(std::move(rules), "key");
  const std::string row = R"({"clusterName":"prod","description":"abc","name":"shop","note":"see order-4711 now"})";
  redactor.learn(resource("tenants"), read_json_text(row));
  const JsonValue made = read_json_text(redacted(redactor, "tenants", row));
  CHECK(made.find("clusterName")->value.text == "prod");
  CHECK(made.find("name")->value.text == "shop");
  CHECK(made.find("description")->value.text.size() == 8);
  CHECK(made.find("note")->value.text.starts_with("see "));
  CHECK_FALSE(contains(made.find("note")->value.text, "4711"));
}

TEST_CASE("redact: a wrong rule is refused with its place") {
  CHECK(flaw_of_rules(R"({"rules":[{"field":"a","as":"nmae"}]})") ==
        "1:24: as is 'nmae'; it must be secret, name, host, address, uri, text or keep; did you mean 'name'?");
  CHECK(flaw_of_rules("{\"rules\":[\n {\"as\":\"name\"}]}") ==
        "2:2: a rule must have either field, the name of a member, or value, a regular expression");
  CHECK(contains(flaw_of_rules(R"({"rules":[{"value":"(","as":"name"}]})"),
                 "value is no extended regular expression of POSIX: "));
  CHECK(contains(flaw_of_rules(R"({"rules":[{"value":"a*","as":"name"}]})"), "value must not match an empty text"));
  CHECK(contains(flaw_of_rules(R"({"rules":[{"field":"a..b","as":"name"}]})"), "field must be the name of a member"));
  CHECK(contains(flaw_of_rules(R"({"rules":[{"fields":"a","as":"name"}]})"), "1:"));
  CHECK(contains(flaw_of_rules(R"({"rule":[]})"), "1:"));
  CHECK(contains(flaw_of_rules(R"({"keep":[1]})"), "a value of keep must be a string"));
  CHECK(contains(flaw_of_rules("{"), "not JSON: "));
  CHECK(flaw_of_rules("{}") == "none");
  CHECK_THROWS_WITH(RedactRules().add_file("/does/not/exist"),
                    "cannot read the file of rules /does/not/exist: No such file or directory");
}

TEST_CASE("redact: a text of any length is looked at") {
  std::string text = "{\"errorMsg\":\"";
  for (int i = 0; i < 20'000; ++i)
    text += "192.0.2." + std::to_string(i % 250) + " aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ";
  CHECK_FALSE(contains(redacted("logBackupTasks", text + "\"}"), "192.0.2."));
}
