#include "client/capture.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "base/temporary_file.h"
#include "client/capture_notes.h"
#include "client/capture_state.h"
#include "client/captured_page.h"
#include "client/redact.h"
#include "fixtures/exchange.h"
#include "json/text.h"
#include "ocp/negotiation.h"
#include "ocp/url.h"

namespace ocp_mock {
namespace {

// How a walk ends, as CaptureState has it.
constexpr std::string_view kDone = "done";
constexpr std::string_view kNone = "none";        // there is no such object
constexpr std::string_view kRefused = "refused";  // then a blank and why
constexpr int kMostFailures = 2;                  // one after the other, then the rest is not tried
constexpr int kPagesBetweenLines = 100;

std::string plural_of(std::int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

// Who is captured, and what of it.
std::string identity_of(const CaptureOptions& options) {
  const CaptureScope& scope = options.scope;
  std::string text = options.upstream.url;
  if (scope.cluster) text += fmt::format(", cluster {}", *scope.cluster);
  if (scope.tenant) text += fmt::format(", tenant {}", *scope.tenant);
  if (!scope.resources.empty()) text += fmt::format(", {}", fmt::join(scope.resources, " "));
  for (const std::string& pair : scope.query) text += fmt::format(", {}", pair);
  if (scope.lists_only) text += ", lists only";
  return text + (options.redact ? ", redacted" : ", not redacted");
}

class Capture {
 public:
  Capture(const CaptureOptions& options, const Catalogue& catalogue, const CaptureReport& report)
      : options_(options),
        catalogue_(catalogue),
        report_(report),
        plan_(plan_capture(catalogue, options.scope)),
        rules_(read_rules(options)),
        upstream_(options.upstream, report.line),
        state_(options.out, identity_of(options)) {}

  int run() {
    if (const auto finished = state_.finished()) {
      // Where the process ended before all was removed.
      state_.finish(*finished);
      say_notes();
      report_.line(
          fmt::format("{} is complete, nothing is asked again; remove it to capture anew", options_.out.string()));
      return finished->empty() ? 0 : 1;
    }
    for (const std::string& text : plan_.passed_over) report_.line(fmt::format("passed over: {}", text));
    for (const CaptureStep& step : plan_.steps) {
      walks_.push_back(walks_of(plan_, step, rows_of()));
      for (const CaptureWalk& walk : walks_.back()) {
        take(step, walk);
        if (failures_in_a_row_ == kMostFailures) break;
      }
      ++steps_done_;
      if (failures_in_a_row_ == kMostFailures) break;
    }
    if (failures_ > 0) {
      report_.line(fmt::format("not complete: {} could not be asked for; the same command goes on from here",
                               plural_of(failures_, "answer")));
      return 1;
    }
    write_fixtures();
    for (const std::string& text : refused_) report_.line("not there: " + text);
    if (files_ == 0 && !refused_.empty()) {
      // Perhaps another server than was meant, so nothing of it is settled.
      state_.forget();
      report_.line("nothing was captured");
      return 1;
    }
    std::string missing;
    for (const std::string& text : refused_) missing += text + '\n';
    state_.finish(missing);
    if (redactor_ != nullptr) report_.line("replaced: " + redactor_report());
    say_notes();
    report_.line(fmt::format("captured {} in {}; serve it: ocp-mock-server --fixtures {}", plural_of(rows_, "row"),
                             plural_of(files_, "file"), options_.out.string()));
    return refused_.empty() ? 0 : 1;
  }

 private:
  static RedactRules read_rules(const CaptureOptions& options) {
    RedactRules rules;
    if (options.redact_rules) rules.add_file(*options.redact_rules);
    return rules;
  }

  static std::string name_of(const CaptureStep& step, const CaptureWalk& walk) {
    return step.query.empty() ? walk.path : walk.path + "?" + step.query;
  }

  static bool is_paged(const CaptureStep& step) { return step.endpoint->paging.kind != PagingKind::None; }

  static std::string query_of(const CaptureStep& step, const std::string& query, int page) {
    if (!is_paged(step)) return query;
    const auto name_of_match = [&](Match match) {
      return std::ranges::find(step.endpoint->parameters, match, &Parameter::match)->name;
    };
    return fmt::format("{}{}{}={}&{}={}", query, query.empty() ? "" : "&", name_of_match(Match::Page), page,
                       name_of_match(Match::Size), step.endpoint->paging.maximum_size);
  }

  CapturedPage page_of(const CaptureStep& step, const CaptureWalk& walk, int number) const {
    return {*step.endpoint, state_.page(name_of(step, walk), number)};
  }

  // The values of a field in the rows of a list that was taken before.
  RowsOf rows_of() const {
    return [this](const CaptureStep& list, const ChosenKeys& chosen, const Field& field,
                  const std::function<void(const std::string&)>& take) {
      const auto index = static_cast<std::size_t>(&list - plan_.steps.data());
      for (const CaptureWalk& walk : walks_.at(index)) {
        const auto agrees = [&](std::size_t i) {
          const auto found = chosen.find(list.keys[i].of);
          return list.keys[i].of == nullptr || found == chosen.end() || found->second == walk.values[i];
        };
        bool is_wanted = true;
        for (std::size_t i = 0; i < walk.values.size(); ++i) is_wanted = is_wanted && agrees(i);
        if (!is_wanted) continue;
        const int pages = state_.pages(name_of(list, walk));
        for (int page = 1; page <= pages; ++page) {
          page_of(list, walk, page).for_each_row([&](const JsonValue& row) {
            const JsonMember* member = row.find(field.name);
            const bool is_key = member != nullptr &&
                                (member->value.kind == JsonKind::Integer || member->value.kind == JsonKind::String);
            if (is_key) take(member->value.text);
          });
        }
      }
    };
  }

  void take(const CaptureStep& step, const CaptureWalk& walk) {
    const std::string name = name_of(step, walk);
    try {
      auto end = state_.end(name);
      if (!end) {
        end = ask_all(step, walk);
        state_.set_end(name, *end);
      }
      if (step.is_kept && end->starts_with(kRefused)) {
        refused_.push_back(
            fmt::format("{}: {}: {}", step.endpoint->resource->name, name, end->substr(kRefused.size() + 1)));
      }
      failures_in_a_row_ = 0;
    } catch (const CannotAsk& error) {
      report_.line(error.what());
      ++failures_;
      ++failures_in_a_row_;
    }
  }

  // Returns how it has ended. Throws CannotAsk.
  std::string ask_all(const CaptureStep& step, const CaptureWalk& walk) {
    const std::string name = name_of(step, walk);
    int pages = state_.pages(name);
    std::int64_t rows = 0;
    for (bool is_last = false; !is_last;) {
      if (pages > 0) {
        const CapturedPage page = page_of(step, walk, pages);
        rows += static_cast<std::int64_t>(page.rows());
        is_last = !is_paged(step) || page.is_last(pages, step.endpoint->paging.maximum_size);
        if (is_last) break;
        if (pages % kPagesBetweenLines == 0) report_.line(fmt::format("{}: {} so far", name, plural_of(pages, "page")));
      }
      report_.progress(static_cast<double>(steps_done_) / static_cast<double>(plan_.steps.size()),
                       pages == 0 ? name : fmt::format("{} page {}", name, pages + 1));
      const std::string query = query_of(step, step.query, pages + 1);
      const UpstreamAnswer answer = ask(step, query.empty() ? walk.path : walk.path + "?" + query);
      if (answer.status != 200) return refusal(step, walk, answer);
      const std::string_view type = answer.headers.find("Content-Type").value_or("");
      if (!is_json_type(type)) {
        return fmt::format("{} it answers {}, no JSON; is this the URL of an OCP?", kRefused,
                           type.empty() ? "nothing" : type);
      }
      if (const std::string wrong = CapturedPage(*step.endpoint, answer.body).what_is_wrong(); !wrong.empty()) {
        return fmt::format("{} {}", kRefused, wrong);
      }
      state_.add_page(name, ++pages, answer.body);
    }
    report_.line(is_paged(step) ? fmt::format("{}: {}", name, plural_of(pages, "page"))
                                : fmt::format("{}: there", name));
    return std::string(kDone);
  }

  UpstreamAnswer ask(const CaptureStep& step, const std::string& target) {
    return upstream_.get(target, [&](const UpstreamAnswer& answer) {
      if (answer.status != 200 || !is_json_type(answer.headers.find("Content-Type").value_or(""))) return true;
      try {
        const CapturedPage whole(*step.endpoint, answer.body);
        return true;
      } catch (const JsonSyntaxError&) {
        return false;
      }
    });
  }

  std::string refusal(const CaptureStep& step, const CaptureWalk& walk, const UpstreamAnswer& answer) {
    const std::string text = describe_refusal(answer.status, answer.body);
    if (answer.status == 401) {
      throw std::runtime_error(fmt::format("{} refuses the credentials: {}", options_.upstream.url, text));
    }
    if (answer.status >= 500 || answer.status < 400) {
      throw CannotAsk(fmt::format("cannot ask {}: it answers {}", walk.path, text));
    }
    const bool is_of_object = answer.status == 404 && error_code_of(answer.body).value_or(0) != 0;
    if (answer.status == 404) {
      if (missing_parent(step, walk) || (is_of_object && step.endpoint->form == Form::Object)) {
        report_.line(fmt::format("{}: there is none", walk.path));
        return std::string(kNone);
      }
    }
    report_.line(fmt::format("{}: {}", walk.path, text));
    return fmt::format("{} {}", kRefused, text);
  }

  // Whether something that the path names is not there. Throws std::runtime_error if the user has named it.
  bool missing_parent(const CaptureStep& step, const CaptureWalk& walk) {
    for (std::size_t i = 0; i < step.keys.size(); ++i) {
      const Resource* parent = step.keys[i].of;
      if (parent == nullptr || (parent == step.endpoint->resource && !step.keys[i].value)) continue;
      const std::string path = path_of_object(step, walk, *parent);
      if (path.empty()) continue;
      const UpstreamAnswer answer = upstream_.get(path);
      if (answer.status != 404 || error_code_of(answer.body).value_or(0) == 0) continue;
      if (!step.keys[i].value) return true;
      throw std::runtime_error(fmt::format("{} {} is not there: {} answers {}", parent->noun, walk.values[i], path,
                                           describe_refusal(answer.status, answer.body)));
    }
    return false;
  }

  // The path of the answer with one row of the resource, if the keys that it needs are those of the walk.
  std::string path_of_object(const CaptureStep& step, const CaptureWalk& walk, const Resource& resource) const {
    for (const Endpoint& endpoint : catalogue_.endpoints) {
      if (endpoint.method != "GET" || endpoint.form != Form::Object || endpoint.resource != &resource) continue;
      std::string path(endpoint.path);
      bool is_known = !endpoint.path_parameters.empty();
      for (const PathParameter& parameter : endpoint.path_parameters) {
        const auto parent = std::ranges::find(resource.parents, parameter.field, &Parent::field);
        const Resource* of = parameter.field == resource.key    ? &resource
                             : parent != resource.parents.end() ? parent->resource
                                                                : nullptr;
        const auto key = std::ranges::find(step.keys, of, &KeySource::of);
        is_known = is_known && of != nullptr && key != step.keys.end();
        if (!is_known) break;
        const std::string placeholder = fmt::format("{{{}}}", parameter.name);
        path.replace(path.find(placeholder), placeholder.size(),
                     percent_encode(walk.values[static_cast<std::size_t>(key - step.keys.begin())]));
      }
      if (is_known) return path;
    }
    return "";
  }

  void say_notes() const {
    for (const std::string& text : capture_notes(plan_, options_.out)) report_.line(text);
  }

  // Rows of a list that are asked for one by one as well are the same rows.
  bool counts_rows(const CaptureStep& step) const {
    return step.endpoint->form != Form::Object || std::ranges::none_of(plan_.steps, [&](const CaptureStep& other) {
             return other.is_kept && other.endpoint->form != Form::Object &&
                    other.endpoint->resource == step.endpoint->resource;
           });
  }

  template <typename Take>
  void for_each_page(const CaptureStep& step, const CaptureWalk& walk, const Take& take_page) const {
    const std::string name = name_of(step, walk);
    if (state_.end(name) != kDone) return;
    const int pages = state_.pages(name);
    for (int page = 1; page <= pages; ++page) take_page(page, page_of(step, walk, page));
  }

  void write_fixtures() {
    if (options_.redact) {
      redactor_ = std::make_unique<Redactor>(std::move(rules_), state_.key());
      for_each_walk([&](const CaptureStep& step, const CaptureWalk& walk) {
        report_.progress(1, "looking for what is to be replaced");
        for_each_page(step, walk, [&](int, const CapturedPage& page) {
          page.for_each_row([&](const JsonValue& row) { redactor_->learn(*step.endpoint->resource, row); });
        });
      });
    }
    for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
      if (plan_.steps[i].is_kept) write_file(plan_.steps[i], walks_[i]);
    }
  }

  template <typename Take>
  void for_each_walk(const Take& take_walk) const {
    for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
      for (const CaptureWalk& walk : walks_[i]) take_walk(plan_.steps[i], walk);
    }
  }

  void write_file(const CaptureStep& step, const std::vector<CaptureWalk>& walks) {
    const bool has_any =
        std::ranges::any_of(walks, [&](const CaptureWalk& walk) { return state_.end(name_of(step, walk)) == kDone; });
    if (!has_any) return;
    const auto file = options_.out / step.file;
    report_.progress(1, fmt::format("writing {}", step.file));
    try {
      TemporaryFile out(file);
      std::string_view before = "[\n";
      for (const CaptureWalk& walk : walks) write_walk(step, walk, out, before);
      out.write("\n]\n");
      out.commit();
      ++files_;
    } catch (const std::system_error& error) {
      throw std::runtime_error(fmt::format("cannot write {}: {}", file.string(), error.code().message()));
    }
  }

  void write_walk(const CaptureStep& step, const CaptureWalk& walk, TemporaryFile& out, std::string_view& before) {
    std::int64_t count = 0;
    std::optional<std::int64_t> last_total;
    bool moves = false;
    for_each_page(step, walk, [&](int number, const CapturedPage& page) {
      const auto total = page.total_elements();
      moves = moves || (number > 1 && total != last_total);
      last_total = total;
      count += static_cast<std::int64_t>(page.rows());
    });
    moves = moves || (last_total && count != *last_total);
    RepeatedRows rows(*step.endpoint->resource, moves);
    std::int64_t kept = 0;
    const std::string path = redacted_path(step, walk);
    const std::string query = redacted_query(step);
    for_each_page(step, walk, [&](int number, CapturedPage page) {
      bool is_changed = redactor_ != nullptr;
      page.change_rows([&](JsonValue& row) {
        if (step.endpoint->form != Form::Object && !rows.is_new(row)) {
          is_changed = true;
          return false;
        }
        ++kept;
        if (redactor_ != nullptr) redactor_->redact(*step.endpoint->resource, row);
        return true;
      });
      if (std::string* server = page.envelope_text("server"); server != nullptr && redactor_ != nullptr) {
        *server = redactor_->redact(nullptr, "server", *server);
      }
      std::string text(std::exchange(before, ",\n"));
      text += fmt::format("{{{}\"request\":{{\"method\":\"GET\",\"path\":", redactor_ ? kRedactedMember : "");
      text += json_string(path);
      if (const std::string whole = query_of(step, query, number); !whole.empty())
        text += ",\"query\":" + json_string(whole);
      text += "},\"response\":{\"status\":200,\"body\":";
      text += is_changed ? page.body() : state_.page(name_of(step, walk), number);
      out.write(text + "}}");
    });
    if (counts_rows(step)) rows_ += kept;
    if (last_total && kept < *last_total) {
      report_.line(
          fmt::format("{}: it has changed while it was read; {} of {} rows were met", walk.path, kept, *last_total));
    }
  }

  std::string redacted_path(const CaptureStep& step, const CaptureWalk& walk) {
    if (redactor_ == nullptr) return walk.path;
    std::string path(step.endpoint->path);
    for (std::size_t i = 0; i < walk.values.size(); ++i) {
      const PathParameter& parameter = step.endpoint->path_parameters[i];
      const std::string placeholder = fmt::format("{{{}}}", parameter.name);
      std::string value = walk.values[i];
      if (parameter.type != ParameterType::Integer) {
        value = redactor_->redact(step.endpoint->resource,
                                  parameter.field == nullptr ? parameter.name : parameter.field->name, value);
      }
      path.replace(path.find(placeholder), placeholder.size(), percent_encode(value));
    }
    return path;
  }

  std::string redacted_query(const CaptureStep& step) {
    if (redactor_ == nullptr) return step.query;
    std::string query;
    for (const QueryPair& pair : split_query(step.query)) {
      const std::string value = percent_decode(pair.value, Plus::Kept).value_or("");
      query += fmt::format("{}{}={}", query.empty() ? "" : "&", pair.name,
                           percent_encode(redactor_->redact(step.endpoint->resource, pair.name, value)));
    }
    return query;
  }

  std::string redactor_report() const {
    std::string text = redactor_->report();
    text.pop_back();
    for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1))
      text.insert(at + 1, "  ");
    return "\n  " + text;
  }

  const CaptureOptions& options_;
  const Catalogue& catalogue_;
  const CaptureReport& report_;
  const CapturePlan plan_;
  RedactRules rules_;
  Upstream upstream_;
  const CaptureState state_;
  std::vector<std::vector<CaptureWalk>> walks_;  // of the steps that were taken
  std::size_t steps_done_ = 0;
  std::int64_t failures_ = 0;
  int failures_in_a_row_ = 0;
  std::vector<std::string> refused_;
  std::unique_ptr<Redactor> redactor_;
  std::int64_t files_ = 0;
  std::int64_t rows_ = 0;
};

}  // namespace

int capture(const CaptureOptions& options, const Catalogue& catalogue, const CaptureReport& report) {
  std::unique_ptr<Capture> begun;
  try {
    begun = std::make_unique<Capture>(options, catalogue, report);
  } catch (const std::exception& error) {
    throw std::invalid_argument(error.what());
  }
  return begun->run();
}

}  // namespace ocp_mock
