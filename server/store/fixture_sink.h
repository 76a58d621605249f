// What fixtures are made of once they are read and checked: the seam between the readers of files and the dataset.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ocp/endpoints.h"
#include "store/query.h"

namespace ocp_mock {

// The envelope values of a captured answer, as they stood there.
struct CapturedEnvelope {
  std::optional<std::int64_t> duration;
  std::optional<std::string> server;
  std::optional<std::string> timestamp;
  std::optional<std::string> trace_id;
};

// How a task changes as time passes, checked.
struct TaskTimeline {
  std::optional<std::string> since;  // "$since" as it stands there; without it the load counts
  std::string points;                // "$timeline" as compact JSON with its nulls, at least one point
};

struct TaskRow {
  std::vector<SqlValue> columns;  // the columns_of all fields of the endpoint, in their order
  std::string json;               // as it will be answered, with a null for a delay that is computed
  bool computes = false;          // the delay, for each answer; its column is kComputed then
  std::int64_t cluster_id = 0;
  std::int64_t tenant_id = 0;
  std::optional<std::string> cluster_name;
  std::optional<std::string> tenant_name;
  std::optional<TaskTimeline> timeline;
  std::vector<std::pair<std::int64_t, std::int64_t>> later_tenants;  // cluster and tenant where the timeline moves it
};

class FixtureSink {
 public:
  virtual ~FixtureSink() = default;
  // What the row holds may be moved away or changed; who gives rows one after the other may use one for all.
  virtual void add_task(const Endpoint& endpoint, TaskRow& row) = 0;

  // A declared cluster or tenant. The first name given here is its name, else the first that a task gives it.
  virtual void add_cluster(std::int64_t id, std::optional<std::string> name) = 0;
  virtual void add_tenant(std::int64_t cluster_id, std::int64_t id, std::optional<std::string> name) = 0;
  virtual void add_envelope(CapturedEnvelope envelope) = 0;
};

// Hands everything on; for those who change some of it.
class ForwardingSink : public FixtureSink {
 public:
  explicit ForwardingSink(FixtureSink& sink) : sink_(sink) {}

  void add_task(const Endpoint& endpoint, TaskRow& row) override { sink_.add_task(endpoint, row); }
  void add_cluster(std::int64_t id, std::optional<std::string> name) override {
    sink_.add_cluster(id, std::move(name));
  }
  void add_tenant(std::int64_t cluster_id, std::int64_t id, std::optional<std::string> name) override {
    sink_.add_tenant(cluster_id, id, std::move(name));
  }
  void add_envelope(CapturedEnvelope envelope) override { sink_.add_envelope(std::move(envelope)); }

 private:
  FixtureSink& sink_;
};

}  // namespace ocp_mock
