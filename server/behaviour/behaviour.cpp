#include "behaviour/behaviour.h"

#include <algorithm>
#include <stdexcept>

#include "base/ascii.h"
#include "base/utf8.h"
#include "fixtures/problem.h"

namespace ocp_mock {
namespace {

std::string text_of(const Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
  return printable(std::get<std::string>(value));
}

}  // namespace

Outcome perform(const Request& request, const std::shared_ptr<const Dataset>& dataset) {
  switch (request.endpoint->does) {
    case Does::List: return list_rows(request, dataset);
    case Does::Get: return get_row(request, dataset);
    case Does::Fixed: return fixed_answer(request, dataset);
    case Does::Series: return series_answer(request);
    case Does::Document: return document_of_row(request, dataset);
    case Does::Constant:
    case Does::Write: break;
  }
  throw std::logic_error("an endpoint that needs no data was asked for some");
}

std::string envelope_of(const AnswerData& data, const EnvelopeValues& values) {
  switch (data.form) {
    case Form::Page: return page_envelope(data.page, values);
    case Form::List: return list_envelope(data.page.contents, values);
    case Form::Object: return object_envelope(data.page.contents, values);
    case Form::Nothing: return empty_envelope(values);
    case Form::Bare: return data.page.contents;
  }
  throw std::logic_error("a form without an envelope");
}

ApiError missing_row(const Request& request, std::size_t index) {
  const auto path = request.endpoint->path_parameters;
  const Resource& of = *path[index].of;
  const auto noun = [](const Resource& resource) {
    return Argument(std::string(resource.noun), std::string(resource.noun_chinese));
  };
  Argument capitalised = noun(of);
  capitalised.english.front() = to_upper_ascii(capitalised.english.front());
  const Argument one(with_article(of.noun), std::string(of.noun_chinese));
  const std::string value = text_of(request.path[index]);
  for (std::size_t outer = index; outer-- > 0;) {
    if (std::ranges::find(of.parents, path[outer].of, &Parent::resource) == of.parents.end()) continue;
    return {{Message::RowMissingBelow, {capitalised, value, noun(*path[outer].of), text_of(request.path[outer]), one}},
            path[index].missing_code};
  }
  return {{Message::RowMissing, {capitalised, value, one}}, path[index].missing_code};
}

}  // namespace ocp_mock
