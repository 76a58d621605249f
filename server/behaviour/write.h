// A request that changes rows, by its endpoint's effects.
// Input: a request as read_parameters() and read_body() made it, and the data. Output: new data and the data of the
// answer, or an ApiError and nothing. Takes a millisecond or some hundred, by the steps: not for a connection's thread.
// Knows no HTTP.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "behaviour/behaviour.h"
#include "behaviour/effects.h"
#include "catalogue/request.h"
#include "json/reader.h"

namespace ocp_mock {

struct Write {
  Request request;
  JsonValue body;                      // null where there is none
  std::string query;                   // as sent
  std::string user;                    // who asks
  std::optional<TaskFailure> failure;  // of the task that it starts
  std::string origin = {};             // by which the client has reached the server, "http://127.0.0.1:8080"
};

struct Written {
  std::shared_ptr<const Dataset> dataset;
  AnswerData answer;
};

// At a time, on a dataset that tasks have settled until then. loaded: from when timelines count.
Written write_rows(const Write& write, const std::shared_ptr<const Dataset>& dataset, Instant loaded, Instant now,
                   const TaskOptions& options);

}  // namespace ocp_mock
