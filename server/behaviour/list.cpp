#include <utility>

#include "behaviour/behaviour.h"

namespace ocp_mock {
namespace {

AnswerData answer_of(const Request& request, const Dataset& dataset, Page page) {
  if (page.total == 0) {
    if (const auto missing = dataset.find_missing(request)) throw missing_row(request, *missing);
  }
  return {request.endpoint->form, {std::move(page.contents), request.page, request.size, page.total}, page.is_of_now};
}

}  // namespace

Outcome list_rows(const Request& request, const std::shared_ptr<const Dataset>& dataset) {
  auto found = dataset->list(request);
  if (auto* page = std::get_if<Page>(&found)) return answer_of(request, *dataset, std::move(*page));
  return SlowAnswer(
      [request, dataset, slow = std::get<SlowPage>(std::move(found))] { return answer_of(request, *dataset, slow()); });
}

}  // namespace ocp_mock
