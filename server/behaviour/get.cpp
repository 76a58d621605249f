#include <utility>

#include "behaviour/behaviour.h"

namespace ocp_mock {
namespace {

// One row by its path. Without a key of its own, of the parents' only row.
AnswerData answer_of(const Request& request, const Dataset& dataset, Page page) {
  if (page.total == 0) {
    const auto missing = dataset.find_missing(request);
    throw missing_row(request, missing.value_or(request.endpoint->path_parameters.size() - 1));
  }
  return {Form::Object, {std::move(page.contents), 1, 1, 1}, page.is_of_now};
}

}  // namespace

Outcome get_row(const Request& request, const std::shared_ptr<const Dataset>& dataset) {
  Request first = request;
  first.page = 1;
  first.size = 1;
  auto found = dataset->list(first);
  if (auto* page = std::get_if<Page>(&found)) return answer_of(request, *dataset, std::move(*page));
  return SlowAnswer(
      [request, dataset, slow = std::get<SlowPage>(std::move(found))] { return answer_of(request, *dataset, slow()); });
}

}  // namespace ocp_mock
