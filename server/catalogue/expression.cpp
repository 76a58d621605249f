#include "catalogue/expression.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/ascii.h"
#include "base/nearest.h"
#include "base/utf8.h"

namespace ocp_mock {
namespace {

using Kind = ExpressionPart::Kind;

// Longer ones before those that they begin with.
constexpr struct {
  std::string_view text;
  std::size_t operation;
} kOperators[] = {{"==", 0}, {"!=", 1}, {"<>", 1}, {">=", 3}, {"<=", 5}, {"=", 0}, {">", 2}, {"<", 4}};

bool is_of_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool is_expression_field(const Field& field) {
  return is_compared_by_name(field) || (!field.hidden && field.type == FieldType::Boolean);
}

class ExpressionReader {
 public:
  ExpressionReader(const Resource& resource, const Parameter& parameter, std::string_view text)
      : resource_(resource), parameter_(parameter), text_(text) {}

  std::vector<ExpressionPart> read() {
    std::vector<ExpressionPart> parts;
    std::size_t open = 0;
    std::size_t comparisons = 0;
    for (bool after_value = false;;) {
      skip_blanks();
      if (!after_value) {
        if (take("(")) {
          if (++open > kMostParentheses) {
            refuse(at_ - 1, {fmt::format("no more than {} open parentheses", kMostParentheses),
                             fmt::format("不超过 {} 层的括号", kMostParentheses)});
          }
          parts.push_back({Kind::Open});
        } else if (peek() == '@') {
          if (++comparisons > kMostComparisons) {
            refuse(at_, {fmt::format("no more than {} comparisons", kMostComparisons),
                         fmt::format("不超过 {} 个比较", kMostComparisons)});
          }
          parts.push_back(read_comparison_part());
          after_value = true;
        } else {
          refuse(at_, {"'@' and the name of a field, or '('", "“@”加字段名，或“(”"});
        }
      } else if (open > 0 && take(")")) {
        --open;
        parts.push_back({Kind::Close});
      } else if (at_ == text_.size() && open == 0) {
        return parts;
      } else if (const auto joined = take_join()) {
        parts.push_back({*joined});
        after_value = false;
      } else if (open > 0) {
        refuse(at_, {"'and', 'or' or ')'", "“and”、“or”或“)”"});
      } else {
        refuse(at_, {"'and', 'or' or its end", "“and”、“or”或结尾"});
      }
    }
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void skip_blanks() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

  bool take(std::string_view token) {
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }

  std::string_view peek_name() const {
    std::size_t end = at_;
    while (end < text_.size() && is_of_name(text_[end])) ++end;
    return text_.substr(at_, end - at_);
  }

  std::optional<Kind> take_join() {
    const std::string_view word = peek_name();
    const bool is_and = equals_ignoring_case(word, "and");
    if (!is_and && !equals_ignoring_case(word, "or")) return std::nullopt;
    at_ += word.size();
    return is_and ? Kind::And : Kind::Or;
  }

  ExpressionPart read_comparison_part() {
    ++at_;
    const std::string_view name = peek_name();
    const Field* const field = resource_.find_field(name);
    if (field == nullptr || !is_expression_field(*field)) refuse_name(name);
    at_ += name.size();
    skip_blanks();
    const std::size_t before = at_;
    const auto found =
        std::ranges::find_if(kOperators, [&](const auto& one) { return text_.substr(at_).starts_with(one.text); });
    const bool is_boolean = field->type == FieldType::Boolean;
    if (found == std::end(kOperators) || (is_boolean && found->operation > 1)) {
      refuse(before, is_boolean ? Argument("= or !=", "= 或 !=")
                                : Argument("one of =, !=, <>, >, >=, <, <=", "=、!=、<>、>、>=、<、<= 之一"));
    }
    at_ += found->text.size();
    skip_blanks();
    return {Kind::Comparison, field, found->operation, read_operand(*field)};
  }

  Value read_operand(const Field& field) {
    switch (field.type) {
      case FieldType::Boolean: return read_boolean();
      case FieldType::String: return read_text();
      default: return read_number(field);
    }
  }

  Value read_boolean() {
    const std::string_view word = peek_name();
    const bool is_true = equals_ignoring_case(word, "true");
    if (!is_true && !equals_ignoring_case(word, "false")) refuse(at_, {"true or false", "true 或 false"});
    at_ += word.size();
    return std::int64_t{is_true ? 1 : 0};
  }

  Value read_number(const Field& field) {
    const std::string_view rest = text_.substr(at_);
    double number = 0;
    const auto [stop, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    const auto size = static_cast<std::size_t>(stop - rest.data());
    if (error != std::errc{} || !std::isfinite(number) || (size < rest.size() && is_of_name(rest[size]))) {
      refuse(at_, {fmt::format("a number, which {} is", field.name), fmt::format("数字（{} 是数字）", field.name)});
    }
    at_ += size;
    return number;
  }

  Value read_text() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') refuse(at_, {"a text in quotes", "带引号的文本"});
    std::string text;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == quote && (++at_ == text_.size() || text_[at_] != quote)) return text;
      text += text_[at_];
    }
    refuse(at_, {fmt::format("the quote {} that ends its text", quote), fmt::format("文本结尾的引号 {}", quote)});
  }

  [[noreturn]] void refuse(std::size_t where, Argument needed, std::vector<Sentence> meant = {}) const {
    // All bytes of a character but the first are 10xxxxxx.
    const auto characters = std::ranges::count_if(text_.substr(0, where), [](char c) { return (c & 0xC0) != 0x80; });
    throw ApiError(Sentence{Message::BadExpression,
                            {parameter_.name, printable(text_), std::to_string(characters + 1), std::move(needed)}},
                   std::move(meant));
  }

  [[noreturn]] void refuse_name(std::string_view name) const {
    std::vector<std::string_view> names;
    for (const Field& field : resource_.fields) {
      if (is_expression_field(field)) names.push_back(field.name);
    }
    std::vector<Sentence> meant;
    if (const auto field = nearest(name, names)) meant.push_back({Message::DidYouMean, {*field}});
    const std::string listed = fmt::format("{}", fmt::join(names, ", "));
    refuse(at_, {"one of " + listed, "以下之一：" + listed}, std::move(meant));
  }

  const Resource& resource_;
  const Parameter& parameter_;
  const std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

bool is_compared_by_name(const Field& field) {
  return !field.hidden &&
         (field.type == FieldType::Integer || field.type == FieldType::Number || field.type == FieldType::String);
}

std::vector<ExpressionPart> read_expression(const Resource& resource, const Parameter& parameter,
                                            std::string_view text) {
  return ExpressionReader(resource, parameter, text).read();
}

}  // namespace ocp_mock
