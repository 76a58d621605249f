// The mock in a program of its own, without a port: asks for the tasks of OCP's example, and fails unless they come.
#include <spdlog/spdlog.h>

#include <chrono>
#include <memory>

#include "app/service.h"
#include "fixtures/installation.h"
#include "store/dataset_builder.h"

namespace {

ocp_mock::Loaded load_example(const ocp_mock::Router& router) {
  const auto builder = ocp_mock::DatasetBuilder::in_memory(router.catalogue());
  const ocp_mock::LoadedFixtures fixtures = ocp_mock::load_fixtures(router, {ocp_mock::kInstallation}, *builder);
  return {builder->finish(), fixtures};
}

}  // namespace

int main() {
  const ocp_mock::AppContext context{
      .real_now = [] { return ocp_mock::to_instant(std::chrono::system_clock::now()); },
      .next_trace_id = [] { return "0123456789abcdef"; },
      .logger = std::make_shared<spdlog::logger>("mock"),  // without a sink: silent
  };
  ocp_mock::Service service(ocp_mock::ServeOptions{}, ocp_mock::ocp_catalogue(), context, load_example);

  ocp_mock::http::Request request;
  request.method = "GET";
  request.target = "/api/v2/ob/clusters/1000005/tenants/1000012/backup/task/logBackupTasks";
  request.headers.add("Authorization", "Basic YWRtaW46c2VjcmV0");  // admin:secret
  const ocp_mock::http::Response response = service.handle(request);
  return response.status == 200 && response.body.find("\"totalElements\":1,") != std::string::npos ? 0 : 1;
}
