// Files that change, and a server that watches them, without sockets.
#pragma once

#include <doctest/doctest.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/service.h"
#include "cli/commands.h"
#include "cli/parse.h"
#include "fixtures/files.h"
#include "http/socket_client.h"
#include "json/reader.h"
#include "temporary_folder.h"

namespace ocp_mock::test {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

inline const std::string kList = "/api/v2/ob/clusters/1/tenants/2/backup/task/logBackupTasks";

// Of so many tasks; files of any two numbers below ten have the same size.
inline std::string fixture(int tasks) {
  const std::string task = R"({"clusterId":1,"tenantId":2,"createTime":"2024-08-01T00:00:00Z","status":"RUNNING"})";
  std::string text = R"({"clusters":[{"id":1,"tenants":[{"id":2}]}],"logBackupTasks":[)";
  for (int i = 0; i < tasks; ++i) text += (i == 0 ? "" : ",") + task;
  return (text + "]}").append(static_cast<std::size_t>(10 - tasks) * (task.size() + 1), ' ');
}

// A folder with what tests do in it. Names are relative to it.
class Files : public TemporaryFolder {
 public:
  std::string at(const std::string& name) const { return (path() / name).string(); }
  void put(const std::string& name, int tasks) const { write(name, fixture(tasks)); }
  void replace(const std::string& name, int tasks) const {
    write(name + ".new", fixture(tasks));
    move(name + ".new", name);
  }
  void move(const std::string& from, const std::string& to) const { fs::rename(at(from), at(to)); }
  void remove(const std::string& name) const { fs::remove_all(at(name)); }
  void link(const std::string& target, const std::string& name) const {
    fs::create_directories(fs::path(at(name)).parent_path());
    fs::create_symlink(target, at(name));
  }
  // In one step, as ln -sfT does not.
  void swap_link(const std::string& target, const std::string& name) const {
    link(target, name + ".link");
    move(name + ".link", name);
  }
};

// A server that watches these paths, without sockets.
class Watching {
 public:
  // What is done before and after the load of a number, from 1 on.
  using Hook = std::function<void(int load)>;

  explicit Watching(const std::vector<std::string>& paths, Hook after_load = {},
                    std::vector<std::string> flags = {"--watch"}, Hook before_load = {})
      : logger_(std::make_shared<spdlog::logger>("quiet", std::make_shared<spdlog::sinks::null_sink_mt>())) {
    flags.insert(flags.end(), {"--auth", "off"});
    for (const std::string& path : paths) flags.insert(flags.end(), {"--fixtures", path});
    const ServeOptions options = serve_flags(flags);
    paths_ = options.fixtures;
    const auto load = [this, options, before_load, after_load](const Router& router) {
      const int number = ++loads_;
      if (before_load) before_load(number);
      Loaded loaded = load_dataset(options, router, *logger_);
      if (after_load) after_load(number);
      return loaded;
    };
    const auto now = [] { return Instant{1723190762, 0}; };
    service_ = std::make_unique<Service>(options, ocp_catalogue(),
                                         AppContext{now, [] { return std::string("x"); }, logger_}, load);
  }

  // The watcher looks at all once when it begins; what is done after this is seen because it is told.
  void await_first_look() const {
    const fs::path file = find_fixture_files(paths_).files.front();
    fs::last_write_time(file, fs::last_write_time(file) - 1h);
    CHECK(eventually([&] { return loads() >= 2; }));
  }

  int loads() const { return loads_; }
  Service& service() const { return *service_; }

  // How many tasks are served; -1 if the tenant is unknown.
  int tasks() const {
    const std::string body = service_->handle({"GET", kList, {}, "", {}}).body;
    const std::string key = "\"totalElements\":";
    const auto found = body.find(key);
    return found == std::string::npos ? -1 : std::stoi(body.substr(found + key.size()));
  }

  std::string problem() const {
    const JsonValue health = read_json_text(service_->handle({"GET", "/__admin/health", {}, "", {}}).body);
    const JsonMember* problem = health.find("problem");
    return problem == nullptr ? "" : problem->value.text;
  }

  bool serves(int count) const {
    return eventually([&] { return tasks() == count && problem().empty(); });
  }

  // Whether a load fails so, and what was served before still is.
  bool fails(const std::string& text, int count) const {
    return eventually([&] { return problem().find(text) != std::string::npos; }) && tasks() == count;
  }

 private:
  const std::shared_ptr<spdlog::logger> logger_;
  std::vector<fs::path> paths_;
  std::atomic<int> loads_{0};
  std::unique_ptr<Service> service_;
};

}  // namespace ocp_mock::test
