// What an endpoint does with a request and the data: one function a behaviour, chosen by the catalogue.
// Input: a request as read_parameters() made it, with the time of the answer, and the data. Output: the data of the
// answer, or what makes it on another thread because it takes long. Throws ApiError where a row of the path is missing.
// Knows no HTTP.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "catalogue/request.h"
#include "ocp/envelope.h"
#include "store/dataset.h"

namespace ocp_mock {

// The data of an answer, without what varies.
struct AnswerData {
  Form form = Form::Nothing;
  PageOfRows page;         // of the forms Page and List: contents; of Object: contents is the object
  bool is_of_now = false;  // it may depend on the request's now
};

// Throws what the behaviour throws. Keeps the data alive.
using SlowAnswer = std::function<AnswerData()>;

using Outcome = std::variant<AnswerData, SlowAnswer>;

// Does what request.endpoint says, of those that need data.
Outcome perform(const Request& request, const std::shared_ptr<const Dataset>& dataset);

// The answer's bytes.
std::string envelope_of(const AnswerData& data, const EnvelopeValues& values);

// The 404 of a path parameter that names no row.
ApiError missing_row(const Request& request, std::size_t path_parameter);

// The behaviours.
Outcome list_rows(const Request& request, const std::shared_ptr<const Dataset>& dataset);
Outcome fixed_answer(const Request& request, const std::shared_ptr<const Dataset>& dataset);
Outcome series_answer(const Request& request);
// The text of the endpoint's document field, of the form Bare; empty where the row has none.
Outcome document_of_row(const Request& request, const std::shared_ptr<const Dataset>& dataset);
Outcome get_row(const Request& request, const std::shared_ptr<const Dataset>& dataset);

}  // namespace ocp_mock
