// How an OCP answers otherwise than fixtures do: command `diff`.
// Input: what two sides answer to the same requests. Output: what differs, once for each member however many rows have
// it. Knows no network and no fixtures.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "catalogue/catalogue.h"

namespace ocp_mock {

struct DiffAnswer {
  int status = 0;
  std::string content_type;
  std::string www_authenticate;
  std::string body;
};

enum class DiffKind {
  Status,
  Header,   // path is its name
  Missing,  // the fixtures have the member, the OCP does not
  Extra,    // the OCP has it, the fixtures do not
  Type,
  Content,
  Bytes,  // the same JSON, written otherwise; or a body that is no JSON
};

std::string_view word_of(DiffKind kind);

struct AnswerDifference {
  DiffKind kind;
  std::string path;    // "$.data.contents[*].delay"; a place in an array is *
  std::string first;   // where it is met first, "$.data.contents[3].delay", or with its key "[id=5]"
  std::string ours;    // the fixtures' there, cut
  std::string theirs;  // the OCP's
  std::int64_t count = 1;

  bool operator==(const AnswerDifference&) const = default;
};

// The differences of two answers of an endpoint; null for one that the catalogue does not have. Rows with a key are
// compared by it, others by their places. Of duration, timestamp, traceId and server only the types count. A row that
// only one side has is one difference.
std::vector<AnswerDifference> compare_answers(const Endpoint* endpoint, const DiffAnswer& ours,
                                              const DiffAnswer& theirs);

struct ComparedRequest {
  std::string target;
  std::vector<AnswerDifference> differences;  // none: both answer the same
};

// As people read it, and as JSON: an object with a member for each request that differs.
std::string describe(const std::vector<ComparedRequest>& compared);
std::string diff_json(const std::vector<ComparedRequest>& compared);

}  // namespace ocp_mock
