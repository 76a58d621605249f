// A whole server, over real sockets, and what tests of the admin calls ask it.
#pragma once

#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "app/service.h"
#include "cli/commands.h"
#include "cli/parse.h"
#include "http/epoll_server.h"
#include "http/socket_client.h"
#include "ocp/digest.h"
#include "temporary_folder.h"

namespace ocp_mock::test {

inline constexpr Instant kNow{1723190762, 0};  // 2024-08-09T16:06:02+08:00
inline const std::string kList = "/api/v2/ob/clusters/1/tenants/2/backup/task/logBackupTasks";

inline std::string task(const std::string& create_time, const std::string& status = "RUNNING") {
  return R"({"clusterId":1,"tenantId":2,"createTime":")" + create_time + R"(","status":")" + status + "\"}";
}

inline const std::string kFixtures =
    "[" + task("2024-08-01T00:00:00Z") + "," + task("2024-08-02T00:00:00Z", "STOPPED") + "]";

struct Answer {
  int status = 0;
  std::string head;
  std::string body;
};

class Server {
 public:
  explicit Server(std::vector<std::string> flags = {}, const std::string& fixtures = kFixtures)
      : folder_(), file_(folder_.write("fixtures.json", fixtures)) {
    flags.insert(flags.begin(), {"--fixtures", file_.string()});
    options_ = serve_flags(flags);
    const auto logger = std::make_shared<spdlog::logger>("quiet", std::make_shared<spdlog::sinks::null_sink_mt>());
    const auto load = [this, logger](const Router& router) { return load_dataset(options_, router, *logger); };
    service_ = std::make_shared<Service>(
        options_, ocp_catalogue(),
        AppContext{[] { return kNow; }, [] { return std::string("0123456789abcdef"); }, logger}, load);
    server_ =
        std::make_unique<http::EpollServer>(http::ServerOptions{"127.0.0.1", 0, 2, {}, 5000, std::chrono::seconds(3)});
    server_->start([service = service_](const http::Request& request) { return service->handle(request); });
  }

  int port() const { return server_->port(); }
  Service& service() { return *service_; }
  const std::filesystem::path& file() const { return file_; }
  void stop() {
    service_->stop();
    server_->stop();
  }

  static std::string text(const std::string& method, const std::string& target, const std::string& body,
                          const std::string& headers) {
    return method + " " + target + " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           headers + "\r\n" + body;
  }

  static Answer parse(const std::string& all) {
    const auto end = all.find("\r\n\r\n");
    if (end == std::string::npos) return {0, all, ""};
    return {std::stoi(all.substr(9, 3)), all.substr(0, end + 4), all.substr(end + 4)};
  }

  Answer ask(const std::string& method, const std::string& target, const std::string& body = "",
             const std::string& headers = "") const {
    SocketClient client(port());
    client.send(text(method, target, body, "Connection: close\r\n" + headers));
    return parse(client.read_to_end());
  }

  Answer admin(const std::string& method, const std::string& path, const std::string& body = "") const {
    return ask(method, "/__admin" + path, body);
  }

  // As a client of OCP's.
  Answer get(const std::string& target = kList, const std::string& user = "admin") const {
    return ask("GET", target, "", credentials(user));
  }

  static std::string credentials(const std::string& user) {
    return "Authorization: Basic " + base64_encode(user + ":x") + "\r\n";
  }

 private:
  TemporaryFolder folder_;
  std::filesystem::path file_;
  ServeOptions options_;
  std::shared_ptr<Service> service_;
  std::unique_ptr<http::EpollServer> server_;
};

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

inline std::string total(int count) { return "\"totalElements\":" + std::to_string(count) + ","; }

}  // namespace ocp_mock::test
