#include "client/plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <stdexcept>
#include <utility>

#include "base/nearest.h"
#include "base/utf8.h"
#include "catalogue/router.h"
#include "fixtures/resources.h"
#include "ocp/url.h"

namespace ocp_mock {
namespace {

// Whose key the placeholder is; null if it is that of nothing.
const Resource* selected(const Endpoint& endpoint, const PathParameter& parameter) {
  const Resource& resource = *endpoint.resource;
  if (parameter.field == nullptr) return parameter.of;
  if (parameter.field == resource.key) return &resource;
  const auto parent = std::ranges::find(resource.parents, parameter.field, &Parent::field);
  return parent != resource.parents.end() ? parent->resource : parameter.of;
}

bool is_list(const Endpoint& endpoint) { return endpoint.form != Form::Object; }

bool pages(const Parameter& parameter) {
  return parameter.match == Match::Page || parameter.match == Match::Size || parameter.match == Match::Sort;
}

class Planner {
 public:
  Planner(const Catalogue& catalogue, const CaptureScope& scope) : catalogue_(catalogue), scope_(scope) {
    const Resource& main = FixtureResources(catalogue).default_resource();
    if (!main.parents.empty()) cluster_ = main.parents[0].resource;
    if (main.parents.size() > 1) tenant_ = main.parents[1].resource;
    check_query();
  }

  CapturePlan plan() {
    if (scope_.tenant && !scope_.cluster) throw std::invalid_argument("--tenant needs --cluster, which it belongs to");
    if (scope_.resources.empty()) {
      plan_all();
    } else {
      plan_named();
    }
    return std::move(plan_);
  }

 private:
  // What keeps an endpoint from being asked.
  struct Obstacle {
    std::string text;
  };

  void check_query() const {
    std::set<std::string> known;
    for (const Endpoint& endpoint : catalogue_.endpoints) {
      if (!answers_rows(endpoint)) continue;
      for (const Parameter& parameter : endpoint.parameters) {
        if (pages(parameter)) continue;
        if (parameter.required) known.emplace(parameter.name);
        known.insert(fmt::format("{}.{}", endpoint.resource->name, parameter.name));
      }
    }
    for (const std::string& pair : scope_.query) {
      const auto equals = pair.find('=');
      if (equals == std::string::npos || equals == 0) {
        throw std::invalid_argument(
            fmt::format("--query is '{}'; it must be NAME=VALUE or RESOURCE.NAME=VALUE", printable(pair)));
      }
      const std::string name = pair.substr(0, equals);
      if (!known.contains(name)) {
        throw std::invalid_argument(fmt::format("--query names '{}'; no list needs such a parameter{}", printable(name),
                                                did_you_mean(name, known)));
      }
    }
  }

  void plan_all() {
    if (!scope_.cluster || cluster_ == nullptr) {
      throw std::invalid_argument(
          "capture needs --cluster ID, or the names of what to capture; `ocp-mock-server help capture` has an example");
    }
    for (const Resource& resource : catalogue_.resources) add_resource(resource, true);
  }

  void plan_named() {
    std::vector<std::string_view> known;
    for (const Endpoint& endpoint : catalogue_.endpoints) {
      if (answers_rows(endpoint) && std::ranges::find(known, endpoint.resource->name) == known.end()) {
        known.push_back(endpoint.resource->name);
      }
    }
    for (const std::string& name : scope_.resources) {
      if (name.starts_with('/') || std::ranges::find(known, name) != known.end()) continue;
      throw std::invalid_argument(
          fmt::format("'{}' is nothing that an OCP lists{}", printable(name), near(name, known)));
    }
    for (const Resource& resource : catalogue_.resources) {
      if (std::ranges::find(scope_.resources, resource.name) == scope_.resources.end()) continue;
      const std::size_t before = plan_.passed_over.size();
      if (!add_resource(resource, false)) {
        throw std::invalid_argument(plan_.passed_over.size() > before
                                        ? plan_.passed_over.back()
                                        : fmt::format("{}: it cannot be asked for", resource.name));
      }
    }
    for (const std::string& name : scope_.resources) {
      if (name.starts_with('/')) add_path(name);
    }
  }

  // What stands in a path is not looked for.
  void add_path(const std::string& text) {
    const Target target = split_target(text);
    const auto route = router_.find("GET", target.path);
    if (!route || route->endpoint == nullptr || !answers_rows(*route->endpoint)) {
      throw std::invalid_argument(fmt::format("{} is no path of a list or object that OCP's API has{}",
                                              printable(text, 300), near_path(target.path)));
    }
    CaptureStep step{route->endpoint, {}, "", true, false, ""};
    for (std::size_t i = 0; i < route->values.size(); ++i) {
      step.keys.push_back(
          {selected(*route->endpoint, route->endpoint->path_parameters[i]), route->values[i], 0, nullptr});
    }
    for (const QueryPair& pair : split_query(target.query)) {
      const auto parameter = std::ranges::find(route->endpoint->parameters, pair.name, &Parameter::name);
      if (parameter != route->endpoint->parameters.end() && pages(*parameter)) continue;
      step.query += fmt::format("{}{}={}", step.query.empty() ? "" : "&", pair.name, pair.value);
    }
    step.file = file_of(step);
    plan_.steps.push_back(std::move(step));
  }

  std::string near_path(std::string_view path) const {
    const auto templates = router_.nearest(path);
    return templates.empty() ? "" : fmt::format("; did you mean {}?", templates.front());
  }

  // "; did you mean 'x'?", or the names that contain the word or begin like it.
  static std::string near(const std::string& name, const std::vector<std::string_view>& known) {
    if (std::string text = did_you_mean(name, known); !text.empty()) return text;
    return fmt::format("; what it lists is {}", fmt::join(known, ", "));
  }

  // Adds what can be asked for; false if nothing can. Why not is passed over then.
  bool add_resource(const Resource& resource, bool below_cluster) {
    const std::size_t before = plan_.passed_over.size();
    bool added = false;
    if (const Endpoint* list = best_list(resource, below_cluster)) {
      add(*list, true);
      added = true;
    }
    for (const Endpoint& endpoint : catalogue_.endpoints) {
      if (!answers_rows(endpoint) || endpoint.resource != &resource || is_list(endpoint)) continue;
      if (below_cluster && !is_below_cluster(endpoint)) continue;
      if (scope_.lists_only && asks_for_each(endpoint)) continue;
      if (const auto obstacle = obstacle_of(endpoint, {})) {
        pass_over(resource, obstacle->text);
        continue;
      }
      add(endpoint, true);
      added = true;
    }
    // One way to its rows is enough.
    if (added) plan_.passed_over.resize(before);
    return added;
  }

  void pass_over(const Resource& resource, const std::string& why) {
    plan_.passed_over.push_back(fmt::format("{}: {}", resource.name, why));
  }

  bool is_below_cluster(const Endpoint& endpoint) const {
    return std::ranges::any_of(endpoint.path_parameters,
                               [&](const PathParameter& one) { return selected(endpoint, one) == cluster_; });
  }

  std::optional<std::string> given(const Resource* resource) const {
    if (resource == nullptr) return std::nullopt;
    return resource == cluster_ ? scope_.cluster : resource == tenant_ ? scope_.tenant : std::nullopt;
  }

  bool asks_for_each(const Endpoint& endpoint) const {
    return std::ranges::any_of(endpoint.path_parameters, [&](const PathParameter& one) {
      const Resource* of = selected(endpoint, one);
      return !given(of) && of != cluster_ && of != tenant_ && (of == nullptr || of == endpoint.resource);
    });
  }

  // The list with the fewest keys that must be read from others, of those the one that names the most.
  const Endpoint* best_list(const Resource& resource, bool below_cluster) {
    const Endpoint* best = nullptr;
    std::pair<std::size_t, std::size_t> least;
    for (const Endpoint& endpoint : catalogue_.endpoints) {
      if (!answers_rows(endpoint) || endpoint.resource != &resource || !is_list(endpoint)) continue;
      if (below_cluster && !is_below_cluster(endpoint)) continue;
      if (const auto obstacle = obstacle_of(endpoint, {})) {
        pass_over(resource, obstacle->text);
        continue;
      }
      const auto names_given =
          static_cast<std::size_t>(std::ranges::count_if(endpoint.path_parameters, [&](const PathParameter& one) {
            return given(selected(endpoint, one)).has_value();
          }));
      const std::pair cost(endpoint.path_parameters.size() - names_given, 100 - names_given);
      if (best == nullptr || cost < least) {
        best = &endpoint;
        least = cost;
      }
    }
    return best;
  }

  static bool is_chosen_before(const Endpoint& endpoint, const PathParameter& parameter, const Resource* resource) {
    return std::any_of(endpoint.path_parameters.data(), &parameter,
                       [&](const PathParameter& one) { return selected(endpoint, one) == resource; });
  }

  // The list that has the values of a placeholder, and their field. asked: endpoints that need it already.
  // Of one that has no list, a list of other rows that tell of it by a field of the same name.
  std::pair<const Endpoint*, const Field*> list_for(const Endpoint& endpoint, const PathParameter& parameter,
                                                    std::vector<const Endpoint*> asked) const {
    asked.push_back(&endpoint);
    const Resource* of = selected(endpoint, parameter);
    const auto of_keys = [&](const Endpoint& list) { return list.resource == of ? of->key : nullptr; };
    if (const auto found = best_source(endpoint, parameter, asked, of_keys); found.first != nullptr) return found;
    if (parameter.field == nullptr) return {nullptr, nullptr};
    const auto of_others = [&](const Endpoint& list) -> const Field* {
      const Field* told = list.resource->find_field(parameter.field->name);
      const bool tells = told != nullptr && told != list.resource->key && !told->hidden && list.resource != of &&
                         list.resource->parents.size() == endpoint.resource->parents.size();
      return tells ? told : nullptr;
    };
    return best_source(endpoint, parameter, asked, of_others);
  }

  // field_of: the field of a list's rows that has the values; null if none has.
  template <typename FieldOf>
  std::pair<const Endpoint*, const Field*> best_source(const Endpoint& endpoint, const PathParameter& parameter,
                                                       const std::vector<const Endpoint*>& asked,
                                                       const FieldOf& field_of) const {
    std::pair<const Endpoint*, const Field*> best{nullptr, nullptr};
    int least = 0;
    for (const Endpoint& list : catalogue_.endpoints) {
      if (!answers_rows(list) || !is_list(list) || std::ranges::find(asked, &list) != asked.end()) continue;
      const Field* field = field_of(list);
      if (field == nullptr) continue;
      // One that is narrowed by what stands before in the path tells no keys of others.
      int cost = 0;
      for (const PathParameter& own : list.path_parameters) {
        const bool is_chosen = is_chosen_before(endpoint, parameter, selected(list, own));
        cost += is_chosen ? -1 : given(selected(list, own)) ? 0 : 10;
      }
      if ((best.first != nullptr && cost >= least) || obstacle_of(list, asked)) continue;
      best = {&list, field};
      least = cost;
    }
    return best;
  }

  std::optional<Obstacle> obstacle_of(const Endpoint& endpoint, const std::vector<const Endpoint*>& asked) const {
    std::vector<std::string> missing;
    for (const Parameter& parameter : endpoint.parameters) {
      if (parameter.required && !value_of(*endpoint.resource, parameter))
        missing.push_back(fmt::format("--query {}=VALUE", parameter.name));
    }
    if (!missing.empty()) return Obstacle{fmt::format("it needs {}", fmt::join(missing, " "))};
    for (const PathParameter& parameter : endpoint.path_parameters) {
      if (given(selected(endpoint, parameter))) continue;
      if (list_for(endpoint, parameter, asked).first == nullptr) {
        return Obstacle{
            fmt::format("no list that can be asked for tells the {} of {}; name the path itself, with its value",
                        parameter.name, endpoint.path)};
      }
    }
    return std::nullopt;
  }

  // "RESOURCE.NAME=VALUE", or "NAME=VALUE" where it is needed.
  std::optional<std::string> value_of(const Resource& resource, const Parameter& parameter) const {
    const std::string qualified = fmt::format("{}.{}", resource.name, parameter.name);
    std::optional<std::string> value;
    for (const std::string& pair : scope_.query) {
      const auto equals = pair.find('=');
      const std::string_view name = std::string_view(pair).substr(0, equals);
      if (name == qualified) return pair.substr(equals + 1);
      if (name == parameter.name && parameter.required && !value) value = pair.substr(equals + 1);
    }
    return value;
  }

  // Requires that nothing is in its way. Steps that it needs come before it.
  std::size_t add(const Endpoint& endpoint, bool is_kept) {
    // Paths come last, so what is there is a step of this sort.
    const auto known = std::ranges::find(plan_.steps, &endpoint, &CaptureStep::endpoint);
    if (known != plan_.steps.end()) {
      known->is_kept = known->is_kept || is_kept;
      return static_cast<std::size_t>(known - plan_.steps.begin());
    }
    CaptureStep step{&endpoint, {}, "", is_kept, asks_for_each(endpoint), ""};
    for (const PathParameter& parameter : endpoint.path_parameters) {
      KeySource source;
      source.of = selected(endpoint, parameter);
      source.value = given(source.of);
      if (!source.value) {
        const auto [list, field] = list_for(endpoint, parameter, {});
        source.list = add(*list, false);
        source.field = field;
      }
      step.keys.push_back(std::move(source));
    }
    for (const Parameter& parameter : endpoint.parameters) {
      const auto value = pages(parameter) ? std::nullopt : value_of(*endpoint.resource, parameter);
      if (!value) continue;
      step.query += fmt::format("{}{}={}", step.query.empty() ? "" : "&", parameter.name, percent_encode(*value));
    }
    step.file = file_of(step);
    plan_.steps.push_back(std::move(step));
    return plan_.steps.size() - 1;
  }

  // Of its own, since two answers of one file must not have one row. The name says the resource, and lists come first.
  std::string file_of(const CaptureStep& step) const {
    const std::string_view name = step.endpoint->resource->name;
    for (int number = 1;; ++number) {
      const bool is_one = !is_list(*step.endpoint) && step.endpoint->resource->key != nullptr;
      const std::string kind = is_one ? "each.captured" : "captured";
      std::string file =
          number == 1 ? fmt::format("{}.{}.json", name, kind) : fmt::format("{}.{}{}.json", name, kind, number);
      if (std::ranges::find(plan_.steps, file, &CaptureStep::file) == plan_.steps.end()) return file;
    }
  }

  const Catalogue& catalogue_;
  const Router router_{catalogue_};
  const CaptureScope& scope_;
  const Resource* cluster_ = nullptr;
  const Resource* tenant_ = nullptr;
  CapturePlan plan_;
};

// Only such a value can be that of the placeholder.
bool is_right(const PathParameter& parameter, const std::string& value) {
  if (parameter.type != ParameterType::Integer) return !value.empty();
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  return error == std::errc{} && end == value.data() + value.size();
}

std::string path_of(const Endpoint& endpoint, const std::vector<std::string>& values) {
  std::string path;
  std::size_t next = 0;
  for (std::string_view rest = endpoint.path; !rest.empty();) {
    const auto open = std::min(rest.find('{'), rest.size());
    path += rest.substr(0, open);
    rest.remove_prefix(open);
    if (rest.empty()) break;
    path += percent_encode(values.at(next++));
    rest.remove_prefix(rest.find('}') + 1);
  }
  return path;
}

}  // namespace

CapturePlan plan_capture(const Catalogue& catalogue, const CaptureScope& scope) {
  return Planner(catalogue, scope).plan();
}

std::vector<CaptureWalk> walks_of(const CapturePlan& plan, const CaptureStep& step, const RowsOf& rows_of) {
  std::vector<CaptureWalk> walks;
  std::set<std::vector<std::string>> seen;
  std::vector<std::string> values;
  ChosenKeys chosen;
  const std::function<void()> choose = [&] {
    const std::size_t at = values.size();
    if (at == step.keys.size()) {
      if (seen.insert(values).second) walks.push_back({values, path_of(*step.endpoint, values)});
      return;
    }
    const KeySource& source = step.keys[at];
    const auto take = [&](const std::string& key) {
      if (!is_right(step.endpoint->path_parameters[at], key)) return;
      values.push_back(key);
      if (source.of != nullptr) chosen[source.of] = key;
      choose();
      values.pop_back();
      if (source.of != nullptr) chosen.erase(source.of);
    };
    if (source.value) return take(*source.value);
    std::vector<std::string> keys;
    std::set<std::string> known;
    rows_of(plan.steps.at(source.list), chosen, *source.field, [&](const std::string& key) {
      if (known.insert(key).second) keys.push_back(key);
    });
    for (const std::string& key : keys) take(key);
  };
  choose();
  return walks;
}

}  // namespace ocp_mock
