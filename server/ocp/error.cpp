#include "ocp/error.h"

#include <fmt/args.h>
#include <fmt/format.h>

#include <charconv>
#include <functional>

#include "ascii.h"
#include "ocp/json_text.h"

namespace ocp_mock {
namespace {

// clang-format off
constexpr MessageRow kCatalogue[] = {
    {Message::BadPathEncoding, 400, 0, 1,
     "The path '{0}' does not decode: each % must be followed by two hex digits, and the result must be UTF-8 text without NUL.",
     "路径“{0}”无法解码：每个 % 后必须是两位十六进制数字，解码结果必须是不含 NUL 的 UTF-8 文本。"},
    {Message::BadQueryEncoding, 400, 0, 1,
     "The query parameter '{0}' does not decode: each % must be followed by two hex digits, and the result must be UTF-8 text without NUL.",
     "查询参数“{0}”无法解码：每个 % 后必须是两位十六进制数字，解码结果必须是不含 NUL 的 UTF-8 文本。"},
    {Message::NotAnInteger, 400, 0, 2,
     "Parameter '{0}' is '{1}'; it must be a 64-bit integer in decimal digits.",
     "参数 {0} 的值“{1}”无效；必须是十进制的 64 位整数。"},
    {Message::NotAPositiveInteger, 400, 0, 2,
     "Parameter '{0}' is '{1}'; it must be a 64-bit integer of at least 1.",
     "参数 {0} 的值“{1}”无效；必须是不小于 1 的 64 位整数。"},
    {Message::NotATime, 400, 0, 2,
     "Parameter '{0}' is '{1}'; it must be a UTC time of the form YYYY-MM-DDThh:mm:ssZ.",
     "参数 {0} 的值“{1}”无效；必须是格式为 YYYY-MM-DDThh:mm:ssZ 的 UTC 时间。"},
    {Message::StartAfterEnd, 400, 10005, 2,
     "Parameter 'startTime' is '{0}', after 'endTime', which is '{1}'; it must not be later than endTime.",
     "参数 startTime 的值“{0}”晚于 endTime 的值“{1}”；开始时间不能晚于结束时间。"},
    {Message::UnknownStatus, 400, 0, 2,
     "Parameter 'status' is '{0}'; it must be one of {1}.",
     "参数 status 的值“{0}”无效；必须是以下之一：{1}。"},
    {Message::UnknownSort, 400, 0, 2,
     "Parameter 'sort' is '{0}'; it must be a field, or a field and ',asc' or ',desc', with one of the fields {1}.",
     "参数 sort 的值“{0}”无效；格式为字段名，可后接 ',asc' 或 ',desc'，字段名为以下之一：{1}。"},

    {Message::UnknownParameter, 400, 0, 2,
     "Parameter '{0}' is unknown; known are {1}. OCP ignores it, --strict refuses it.",
     "参数“{0}”未知；已知参数为 {1}。OCP 会忽略它，--strict 模式下拒绝。"},
    {Message::EmptyValue, 400, 0, 2,
     "Parameter '{0}' has an empty value in '{1}'; give a value or leave it out. OCP ignores it, --strict refuses it.",
     "参数 {0} 的值“{1}”中含有空值；请给出值或去掉它。OCP 会忽略它，--strict 模式下拒绝。"},
    {Message::RepeatedParameter, 400, 0, 2,
     "Parameter '{0}' is given again as '{1}'; give it once. OCP takes the first, --strict refuses it.",
     "参数 {0} 重复出现，值为“{1}”；请只给出一次。OCP 取第一个，--strict 模式下拒绝。"},
    {Message::SizeOverMaximum, 400, 0, 3,
     "Parameter '{0}' is '{1}'; it must be at most {2}. OCP answers {2}, --strict refuses it.",
     "参数 {0} 的值“{1}”过大；最大为 {2}。OCP 按 {2} 返回，--strict 模式下拒绝。"},

    {Message::UnknownCluster, 404, 10002, 1,
     "Cluster '{0}' does not exist; ask for a cluster that the fixtures name.",
     "集群“{0}”不存在；请使用数据中已有的集群。"},
    {Message::UnknownTenant, 404, 60002, 2,
     "Tenant '{0}' does not exist in cluster '{1}'; ask for a tenant that the fixtures name.",
     "租户“{0}”在集群“{1}”中不存在；请使用数据中已有的租户。"},
    {Message::UnknownPath, 404, 0, 2,
     "Path '{0}' is unknown; known is {1}.",
     "路径“{0}”不存在；已知路径为 {1}。"},
    {Message::MethodNotAllowed, 405, 0, 3,
     "Method '{0}' is not allowed for path '{1}'; allowed are {2}.",
     "路径“{1}”不支持方法“{0}”；支持的方法为 {2}。"},

    {Message::MalformedRequestLine, 400, 0, 0,
     "The request line is malformed; it must be METHOD, a target and HTTP/1.1, with one blank between them, and end in CR LF.",
     "请求行格式错误；必须是 METHOD、请求目标和 HTTP/1.1，以一个空格分隔，并以 CR LF 结尾。"},
    {Message::VersionNotSupported, 505, 0, 0,
     "The HTTP version is not supported; it must be HTTP/1.1 or HTTP/1.0.",
     "不支持该 HTTP 版本；必须是 HTTP/1.1 或 HTTP/1.0。"},
    {Message::TargetTooLong, 414, 0, 1,
     "The request line is too long; the line and all headers together may have {0} bytes.",
     "请求行过长；请求行与所有请求头合计不得超过 {0} 字节。"},
    {Message::MalformedHeader, 400, 0, 0,
     "A request header is malformed; each must be a name, a colon and a value on one line that ends in CR LF.",
     "请求头格式错误；每个请求头必须是一行“名称: 值”，并以 CR LF 结尾。"},
    {Message::HeadTooLarge, 431, 0, 1,
     "The request headers are too large; the request line and all headers together may have {0} bytes.",
     "请求头过大；请求行与所有请求头合计不得超过 {0} 字节。"},
    {Message::HostHeader, 400, 0, 0,
     "An HTTP/1.1 request must have exactly one Host header.",
     "HTTP/1.1 请求必须有且仅有一个 Host 请求头。"},
    {Message::BadContentLength, 400, 0, 0,
     "The Content-Length header is wrong; it must be one decimal number, and not stand beside Transfer-Encoding.",
     "Content-Length 请求头错误；必须是一个十进制数，且不能与 Transfer-Encoding 同时出现。"},
    {Message::UnsupportedTransferEncoding, 501, 0, 0,
     "The Transfer-Encoding is not supported; it must be chunked.",
     "不支持该 Transfer-Encoding；必须是 chunked。"},
    {Message::BadChunk, 400, 0, 0,
     "The chunked body is malformed; each chunk must be its size in hex digits, CR LF, the bytes, CR LF.",
     "分块请求体格式错误；每个分块必须是十六进制长度、CR LF、数据、CR LF。"},
    {Message::BodyTooLarge, 413, 0, 1,
     "The request body is too large; it may have {0} bytes.",
     "请求体过大；不得超过 {0} 字节。"},
    {Message::ExpectationFailed, 417, 0, 0,
     "The Expect header is not supported; it must be 100-continue.",
     "不支持该 Expect 请求头；必须是 100-continue。"},
    {Message::RequestTimeout, 408, 0, 1,
     "The request did not arrive whole within {0} seconds.",
     "请求未能在 {0} 秒内完整到达。"},

    {Message::Unexpected, 500, 10010, 0,
     "Unexpected error; the server's log has it under this trace id.",
     "系统发生未知错误；请按 traceId 查看服务端日志。"},
};
// clang-format on

constexpr bool catalogue_follows_enumeration() {
  std::size_t index = 0;
  for (const MessageRow& row : kCatalogue) {
    if (static_cast<std::size_t>(row.message) != index++) return false;
  }
  return index == static_cast<std::size_t>(Message::Unexpected) + 1;
}
static_assert(catalogue_follows_enumeration());

// The value of "q=0.8"; 1 where there is none; 0 where it is malformed, so that it chooses nothing.
double quality(std::string_view parameters) {
  while (!parameters.empty()) {
    std::string_view parameter = next_piece(parameters, ';');
    const std::string_view name = next_piece(parameter, '=');
    if (!equals_ignoring_case(name, "q")) continue;
    const std::string_view number = trim_blanks(parameter);
    double value = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (error != std::errc{} || end != number.data() + number.size() || !(value >= 0 && value <= 1)) return 0;
    return value;
  }
  return 1;
}

}  // namespace

Language choose_language(std::string_view accept_language) {
  Language chosen = Language::English;
  double best = 0;
  while (!accept_language.empty()) {
    std::string_view range = next_piece(accept_language, ',');
    std::string_view tag = next_piece(range, ';');
    const std::string_view primary = next_piece(tag, '-');
    const bool chinese = equals_ignoring_case(primary, "zh");
    if (!chinese && primary != "*" && !equals_ignoring_case(primary, "en")) continue;
    if (const double value = quality(range); value > best) {
      best = value;
      chosen = chinese ? Language::Chinese : Language::English;
    }
  }
  return chosen;
}

std::span<const MessageRow> message_catalogue() { return kCatalogue; }

const MessageRow& message_row(Message message) { return kCatalogue[static_cast<std::size_t>(message)]; }

ApiError::ApiError(Message message, std::vector<std::string> arguments)
    : message_(message), arguments_(std::move(arguments)), english_(text(Language::English)) {}

std::string ApiError::text(Language language) const {
  const MessageRow& row = message_row(message_);
  fmt::dynamic_format_arg_store<fmt::format_context> store;
  for (const std::string& argument : arguments_) store.push_back(std::cref(argument));
  return fmt::vformat(language == Language::Chinese ? row.chinese : row.english, store);
}

std::string shown(std::string_view text, std::size_t characters) {
  std::string out;
  while (!text.empty()) {
    if (characters-- == 0) return out + "...";
    std::size_t length = utf8_length(text);
    const auto byte = static_cast<unsigned char>(text.front());
    if (length == 0 || byte < 0x20 || byte == 0x7F) {
      fmt::format_to(std::back_inserter(out), "%{:02X}", byte);
      length = 1;
    } else {
      out.append(text, 0, length);
    }
    text.remove_prefix(length);
  }
  return out;
}

}  // namespace ocp_mock
