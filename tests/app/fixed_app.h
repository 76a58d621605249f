// An App at a fixed time, without sockets, and data that can be held or broken.
#pragma once

#include <doctest/doctest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "app/app.h"
#include "fixtures/forms.h"
#include "http/deferred_response.h"
#include "log_backup_tasks.h"
#include "store/dataset_builder.h"

namespace ocp_mock::test {

inline const std::string kBasic = "Basic YWRtaW46c2VjcmV0";  // admin:secret
inline const std::string kPath = "/api/v2/ob/clusters/1/tenants/2/backup/task/logBackupTasks";

inline std::shared_ptr<const Dataset> dataset() {
  const auto builder = DatasetBuilder::in_memory(ocp_catalogue());
  load_fixture_text(ocp_router(), "f.json",
                    R"([{"clusterId":1,"tenantId":2,"createTime":"2024-08-01T00:00:00Z","status":"RUNNING"}])",
                    *builder);
  return builder->finish();
}

class BrokenDataset : public Dataset {
 public:
  const Catalogue& catalogue() const override { return ocp_catalogue(); }
  std::variant<Page, SlowPage> list(const Request&) const override {
    throw std::runtime_error("SELECT secret FROM sqlite_master");
  }
  std::optional<std::size_t> find_missing(const Request&) const override { return std::nullopt; }
  Explanation explain(const Request&) const override { return {}; }
  CapturedEnvelope envelope() const override { return {}; }
  Outline outline(const Resource&) const override { return {}; }
  Outline keys(const Resource&) const override { return {}; }
  bool has_timelines() const override { return false; }
  bool has_exchanges() const override { return false; }
  std::optional<Instant> next_due() const override { return std::nullopt; }
  std::optional<StoredExchange> find_exchange(const std::string&, const std::string&) const override { return {}; }
  std::optional<std::string> find_exchange_of_path(const std::string&, const std::string&) const override { return {}; }
  void each_exchange(const std::function<void(const StoredExchange&)>&) const override {}
  void each_row(const Resource&, const RowSelection&, const std::function<void(const StoredRow&)>&) const override {}
  std::unique_ptr<DatasetBuilder> copy() const override { return DatasetBuilder::in_memory(ocp_catalogue()); }
  std::vector<std::string> query_plan(const SqlQuery&) const override { return {}; }
};

// Another one that holds whoever copies it, until it lets go.
class HeldDataset : public Dataset {
 public:
  explicit HeldDataset(std::shared_ptr<const Dataset> inner) : inner_(std::move(inner)) {}
  const Catalogue& catalogue() const override { return inner_->catalogue(); }
  std::variant<Page, SlowPage> list(const Request& request) const override { return inner_->list(request); }
  std::optional<std::size_t> find_missing(const Request& request) const override {
    return inner_->find_missing(request);
  }
  Explanation explain(const Request&) const override { return {}; }
  CapturedEnvelope envelope() const override { return {}; }
  Outline outline(const Resource&) const override { return {}; }
  Outline keys(const Resource&) const override { return {}; }
  bool has_timelines() const override { return inner_->has_timelines(); }
  bool has_exchanges() const override { return false; }
  std::optional<Instant> next_due() const override { return std::nullopt; }
  std::optional<StoredExchange> find_exchange(const std::string&, const std::string&) const override { return {}; }
  std::optional<std::string> find_exchange_of_path(const std::string&, const std::string&) const override { return {}; }
  void each_exchange(const std::function<void(const StoredExchange&)>&) const override {}
  void each_row(const Resource& resource, const RowSelection& selection,
                const std::function<void(const StoredRow&)>& visit) const override {
    inner_->each_row(resource, selection, visit);
  }
  std::unique_ptr<DatasetBuilder> copy() const override {
    ++copies;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (held && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    if (fails) throw DatasetError("the dataset is damaged: held");
    return inner_->copy();
  }
  std::vector<std::string> query_plan(const SqlQuery&) const override { return {}; }

  mutable std::atomic<int> copies{0};
  std::atomic<bool> held{true};
  std::atomic<bool> fails{false};

 private:
  const std::shared_ptr<const Dataset> inner_;
};

inline std::shared_ptr<HeldDataset> held_timeline() {
  const auto builder = DatasetBuilder::in_memory(ocp_catalogue());
  load_fixture_text(ocp_router(), "f.json",
                    R"([{"clusterId":1,"tenantId":2,"createTime":"2024-08-01T00:00:00Z","status":"RUNNING",)"
                    R"("$timeline":[{"at":"PT10S","status":"FAILED"},{"at":"PT20S","status":"STOPPED"}]},)"
                    R"({"clusterId":1,"tenantId":3,"createTime":"2024-08-01T00:00:00Z","status":"STARTING"}])",
                    *builder);
  return std::make_shared<HeldDataset>(builder->finish());
}

// An App at a fixed time, with what it logs.
class Fixed {
 public:
  explicit Fixed(AppOptions options = {}, std::shared_ptr<const Dataset> data = dataset(), WorldOptions worlds = {})
      : worlds_(at(std::move(worlds)), std::move(data)),
        app_(std::move(options), {[this] { return real_now; }, [] { return std::string("0123456789abcdef"); }, logger_},
             ocp_router(), worlds_) {}

  // With credentials, where the headers have none.
  http::Response get(const std::string& target, Headers headers = {}) {
    http::Request request{"GET", target, std::move(headers), "", {}};
    if (!request.header("Authorization")) request.headers.add("Authorization", kBasic);
    return app_.handle(request);
  }
  http::Response handle(const http::Request& request) { return app_.handle(request); }
  std::string log() const { return log_.str(); }
  Worlds& worlds() { return worlds_; }
  void set_level(spdlog::level::level_enum level) { logger_->set_level(level); }

  Instant now{1723190762, 740'000'000};
  Instant real_now{1893456000, 0};  // Tue, 01 Jan 2030 00:00:00 GMT

 private:
  std::ostringstream log_;
  std::shared_ptr<spdlog::logger> logger_ =
      std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log_));
  WorldOptions at(WorldOptions worlds) const {
    worlds.real_now = [this] { return now; };
    return worlds;
  }

  Worlds worlds_;
  App app_;
};

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// More than are sorted while the request waits.
inline std::shared_ptr<const Dataset> many_tasks() {
  const auto builder = DatasetBuilder::in_memory(ocp_catalogue());
  std::string tasks;
  for (int i = 0; i < 2001; ++i) {
    tasks += R"({"clusterId":1,"tenantId":2,"createTime":"2024-08-01T00:00:00Z","status":"RUNNING","delay":)" +
             std::to_string(i) + "}\n";
  }
  load_fixture_text(ocp_router(), "logBackupTasks.ndjson", tasks, *builder);
  return builder->finish();
}

inline http::Response finished(const http::Response& later) {
  REQUIRE(later.deferred);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!later.deferred->is_complete()) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::yield();
  }
  return later.deferred->take();
}

// The envelope's duration is the one value that no test can fix: it must be a whole number.
inline std::string without_duration(std::string body) {
  const auto at = body.find("\"duration\":") + 11;
  const auto end = body.find(',', at);
  CHECK(body.find_first_not_of("0123456789", at) == end);
  return body.replace(at, end - at, "N");
}

}  // namespace ocp_mock::test
