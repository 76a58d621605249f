// What a capture asks an OCP for: the lists and objects of the catalogue that the user means.
// Input: a catalogue, the names of resources, a cluster and a tenant. Output: steps in the order in which they can be
// taken, for the keys in a path may come from an earlier list. Asks nobody.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalogue/catalogue.h"

namespace ocp_mock {

struct CaptureScope {
  std::optional<std::string> cluster;  // keys
  std::optional<std::string> tenant;   // with cluster
  std::vector<std::string> resources;  // or paths; empty: all below the cluster and the tenant
  std::vector<std::string> query;      // "RESOURCE.NAME=VALUE"; "NAME=VALUE" for all endpoints that need it
  bool lists_only = false;             // no object of each row of a list
};

// Where the values of one placeholder come from.
struct KeySource {
  const Resource* of = nullptr;      // what they are keys of; null: of nothing that has one
  std::optional<std::string> value;  // the only one, as the user gave it
  std::size_t list = 0;              // else the step with the rows
  const Field* field = nullptr;      // and their field
};

struct CaptureStep {
  const Endpoint* endpoint;
  std::vector<KeySource> keys;  // in the order of the endpoint's path parameters
  std::string query;            // without page and size, encoded; may be empty
  bool is_kept;                 // else its rows are only read for their keys
  bool is_each;                 // asks for rows one by one
  std::string file;             // where its answers are kept
};

struct CapturePlan {
  std::vector<CaptureStep> steps;
  std::vector<std::string> passed_over;  // "topSqls: it needs --query startTime=..."
};

// Throws std::invalid_argument with a sentence that names the mistake: an unknown resource with the nearest ones, one
// that cannot be asked for and why, no cluster, an unknown parameter.
CapturePlan plan_capture(const Catalogue& catalogue, const CaptureScope& scope);

// A request of a step.
struct CaptureWalk {
  std::vector<std::string> values;  // of the placeholders
  std::string path;                 // encoded
};

// All requests of a step, of which each value is there once. rows_of calls its function with each value of a field in
// what the list has answered to those of its requests that agree with the map, which says what is chosen already.
using ChosenKeys = std::map<const Resource*, std::string>;
using RowsOf = std::function<void(const CaptureStep& list, const ChosenKeys& chosen, const Field& field,
                                  const std::function<void(const std::string& key)>& take)>;
std::vector<CaptureWalk> walks_of(const CapturePlan& plan, const CaptureStep& step, const RowsOf& rows_of);

}  // namespace ocp_mock
