#include <httplib.h>

#include <cstdlib>
#include <iostream>
#include <string>

namespace {

int failures = 0;

void check(bool holds, const char* what) {
  if (holds) return;
  std::cerr << what << '\n';
  ++failures;
}

}  // namespace

int main() {
  const std::string list = "/api/v2/ob/clusters/1000005/tenants/1000012/backup/task/logBackupTasks";
  httplib::Client ocp(std::getenv("OCP_URL"));
  ocp.set_basic_auth("admin", "secret");

  const auto failed = ocp.Get(list + "?status=FAILED");
  check(failed && failed->body.find("\"totalElements\":3,") != std::string::npos, "there are not three failed backups");

  httplib::Client admin(std::getenv("OCP_URL"));
  admin.Post("/__admin/faults", R"({"times":1,"action":{"status":503}})", "application/json");
  const auto refused = ocp.Get(list);
  check(refused && refused->status == 503, "the outage has not come");
  const auto answered = ocp.Get(list);
  check(answered && answered->status == 200, "the outage has not passed");
  return failures == 0 ? 0 : 1;
}
