#include "ocp/error.h"

#include <fmt/args.h>
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "json/text.h"

namespace ocp_mock {
namespace {

using http::ParseError;

// clang-format off
constexpr MessageRow kCatalogue[] = {
    {Message::NoCredentials, 401, 0, 0,
     "The request has no credentials; it must have an Authorization header, 'Basic' with user and password or 'OCP-ACCESS-KEY-HMACSHA1' with access key and signature.",
     "请求缺少认证信息；必须带有 Authorization 请求头：Basic 加用户名和密码，或 OCP-ACCESS-KEY-HMACSHA1 加 AccessKey 和签名。"},
    {Message::RepeatedAuthorization, 401, 0, 0,
     "The request has several Authorization headers; it must have one.",
     "请求带有多个 Authorization 请求头；只能有一个。"},
    {Message::UnknownScheme, 401, 0, 0,
     "The Authorization header is of no scheme that OCP knows; it must begin with 'Basic ' or 'OCP-ACCESS-KEY-HMACSHA1 '.",
     "Authorization 请求头的认证方式未知；必须以“Basic ”或“OCP-ACCESS-KEY-HMACSHA1 ”开头。"},
    {Message::BasicNotBase64, 401, 0, 0,
     "The Basic credentials are not Base64; they must be the Base64 text of user:password.",
     "Basic 认证信息不是 Base64；必须是“用户名:密码”的 Base64 文本。"},
    {Message::BasicNotUtf8, 401, 0, 0,
     "The Basic credentials are not UTF-8 text without control characters; user and password must be.",
     "Basic 认证信息不是不含控制字符的 UTF-8 文本；用户名和密码必须是。"},
    {Message::BasicWithoutColon, 401, 0, 0,
     "The Basic credentials have no colon; they must be user:password.",
     "Basic 认证信息缺少冒号；必须是“用户名:密码”。"},
    {Message::BasicUser, 401, 0, 0,
     "The Basic credentials have no user name before the colon; they must be user:password.",
     "Basic 认证信息的冒号前缺少用户名；必须是“用户名:密码”。"},
    {Message::UnknownUser, 401, 0, 1,
     "User '{0}' is not known; it must be one that the server was started with.",
     "用户“{0}”不存在；必须是服务启动时配置的用户。"},
    {Message::UserIsAccessKey, 401, 0, 0,
     "There is an access key of this name; its requests carry no Basic credentials but 'OCP-ACCESS-KEY-HMACSHA1 ACCESS_KEY:SIGNATURE'.",
     "存在同名的 AccessKey；使用 AccessKey 的请求不用 Basic 认证，而是“OCP-ACCESS-KEY-HMACSHA1 AccessKey:签名”。"},
    {Message::WrongPassword, 401, 0, 1,
     "The password of user '{0}' is wrong.",
     "用户“{0}”的密码错误。"},
    {Message::AccessKeyForm, 401, 0, 0,
     "The access key credentials are malformed; they must be ACCESS_KEY:SIGNATURE, the signature being the Base64 text of HMAC-SHA1's 20 bytes, 28 characters that end in '='.",
     "AccessKey 认证信息格式错误；必须是“AccessKey:签名”，签名为 HMAC-SHA1 的 20 字节结果的 Base64 文本，共 28 个字符，以“=”结尾。"},
    {Message::DateMissing, 401, 0, 1,
     "The request has no Date header and no x-ocp-date header; a request with an access key must have one of them, such as '{0}'.",
     "请求缺少 Date 请求头和 x-ocp-date 请求头；使用 AccessKey 的请求必须带有其中之一，例如“{0}”。"},
    {Message::DateForm, 401, 0, 3,
     "The {0} header is '{1}'; it must be a date of RFC 1123 in GMT, such as '{2}'.",
     "{0} 请求头的值“{1}”无效；必须是 RFC 1123 格式的 GMT 时间，例如“{2}”。"},
    {Message::DateBehind, 401, 0, 5,
     "The {0} header '{1}' is {2} min {3} s behind the server's clock, '{4}'; it must be at most 15 minutes off.",
     "{0} 请求头“{1}”比服务器时间“{4}”慢 {2} 分 {3} 秒；相差不得超过 15 分钟。"},
    {Message::DateAhead, 401, 0, 5,
     "The {0} header '{1}' is {2} min {3} s ahead of the server's clock, '{4}'; it must be at most 15 minutes off.",
     "{0} 请求头“{1}”比服务器时间“{4}”快 {2} 分 {3} 秒；相差不得超过 15 分钟。"},
    {Message::UnknownAccessKey, 401, 0, 1,
     "Access key '{0}' is not known; it must be one that the server was started with.",
     "AccessKey“{0}”不存在；必须是服务启动时配置的 AccessKey。"},
    {Message::DateOfLocalTime, 401, 0, 0,
     "It looks like local time; it must be GMT.",
     "该值似乎是本地时间；必须是 GMT 时间。"},
    {Message::SignatureMismatch, 401, 0, 1,
     "The signature of access key '{0}' is not that of the request.",
     "AccessKey“{0}”的签名与请求不符。"},
    {Message::SignedMethod, 401, 0, 2,
     "Part 1, the method: the signature matches with '{0}'; it must be '{1}'.",
     "第 1 部分（请求方法）：签名与“{0}”匹配；应为“{1}”。"},
    {Message::SignedBody, 401, 0, 2,
     "Part 2, the body's hash: the signature matches with '{0}'; it must be '{1}', the MD5 of the body in 32 upper-case hex digits, empty without a body.",
     "第 2 部分（请求体哈希）：签名与“{0}”匹配；应为“{1}”，即请求体 MD5 的 32 位大写十六进制文本，无请求体时为空。"},
    {Message::SignedEmptyBodyHash, 401, 0, 2,
     "Part 2, the body's hash: the signature matches with the hash of an empty body, '{0}'; it must be '{1}', the MD5 of the body in 32 upper-case hex digits, empty without a body.",
     "第 2 部分（请求体哈希）：签名与空请求体的哈希“{0}”匹配；应为“{1}”，即请求体 MD5 的 32 位大写十六进制文本，无请求体时为空。"},
    {Message::SignedContentType, 401, 0, 2,
     "Part 3, Content-Type: the signature matches with '{0}'; it must be '{1}', the header as it was sent, empty without one.",
     "第 3 部分（Content-Type）：签名与“{0}”匹配；应为“{1}”，即实际发送的请求头，未发送时为空。"},
    {Message::SignedDate, 401, 0, 2,
     "Part 4, Date: the signature matches with '{0}'; it must be '{1}', the header as it was sent, empty without one.",
     "第 4 部分（Date）：签名与“{0}”匹配；应为“{1}”，即实际发送的请求头，未发送时为空。"},
    {Message::SignedHost, 401, 0, 2,
     "Part 5, Host: the signature matches with '{0}'; it must be '{1}', the header as it was sent, with its port.",
     "第 5 部分（Host）：签名与“{0}”匹配；应为“{1}”，即实际发送的请求头（含端口）。"},
    {Message::SignedHeaders, 401, 0, 2,
     "Part 6, the x-ocp headers: the signature matches with '{0}'; it must be '{1}': lower-case names in order, name:value, several values of one name in order and joined by commas, a line a name.",
     "第 6 部分（x-ocp 请求头）：签名与“{0}”匹配；应为“{1}”：名称小写并排序，格式为“名称:值”，同名的多个值排序后以逗号连接，每个名称一行。"},
    {Message::SignedPath, 401, 0, 2,
     "Part 7, path and query: the signature matches with '{0}'; it must be '{1}': the path as sent, '?' and the parameters in order of their names, name=value joined by '&', several values of one name in order and joined by commas, all encoded by RFC 3986.",
     "第 7 部分（路径和查询）：签名与“{0}”匹配；应为“{1}”：实际发送的路径，加“?”和按名称排序、以“&”连接的“名称=值”，同名的多个值排序后以逗号连接，均按 RFC 3986 编码。"},
    {Message::SignedWithoutQuery, 401, 0, 2,
     "Part 7, path and query: the signature matches without the query, '{0}'; it must be '{1}'.",
     "第 7 部分（路径和查询）：签名与不含查询参数的“{0}”匹配；应为“{1}”。"},
    {Message::SignedOtherLines, 401, 0, 0,
     "The signature matches if the parts are put together otherwise; they must be joined by line feeds, an absent one as the empty string, with nothing after the last.",
     "签名与另一种拼接方式匹配；各部分必须以换行符连接，缺少的部分为空字符串，最后一部分之后没有其他内容。"},
    {Message::SignedOtherKey, 401, 0, 0,
     "The signature matches with another form of the key; the key of the HMAC must be the text of the secret key as it stands.",
     "签名与密钥的另一种形式匹配；HMAC 的密钥必须是 SecretKey 的原文。"},
    {Message::SignedUnexplained, 401, 0, 0,
     "No usual mistake explains it; perhaps the secret key is another one.",
     "不是常见的错误；可能 SecretKey 不一致。"},
    {Message::SignatureLog, 401, 0, 0,
     "At log level debug the server shows the string that it signed.",
     "日志级别为 debug 时，服务端会记录其签名的字符串。"},
    {Message::RateLimited, 429, 0, 3,
     "Over the rate limit of {0} per {1}; the next window begins in {2} s.",
     "请求过于频繁：每 {1} 最多 {0} 次请求；{2} 秒后开始新的窗口。"},

    {Message::TooManyWorlds, 503, 0, 1,
     "Too many users have a world of their own: {0}, which is the limit of --max-worlds; delete one by DELETE /__admin/worlds/USER.",
     "拥有独立数据的用户过多：已达 --max-worlds 的上限 {0}；请先通过 DELETE /__admin/worlds/用户 删除。"},

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
    {Message::NotANumber, 400, 0, 2,
     "Parameter '{0}' is '{1}'; it must be a number in decimal digits.",
     "参数 {0} 的值“{1}”无效；必须是十进制数字。"},
    {Message::NotABoolean, 400, 0, 2,
     "Parameter '{0}' is '{1}'; it must be true or false.",
     "参数 {0} 的值“{1}”无效；必须是 true 或 false。"},
    {Message::NotATime, 400, 0, 2,
     "Parameter '{0}' is '{1}'; it must be a UTC time of the form YYYY-MM-DDThh:mm:ssZ.",
     "参数 {0} 的值“{1}”无效；必须是格式为 YYYY-MM-DDThh:mm:ssZ 的 UTC 时间。"},
    {Message::TimeWithRawPlus, 400, 0, 2,
     "Parameter '{0}' is '{1}', with a blank where the sign of an offset would be; a raw + in a query means a blank and must be sent as %2B. This parameter takes no offset: it must be a UTC time of the form YYYY-MM-DDThh:mm:ssZ.",
     "参数 {0} 的值“{1}”无效：偏移量的符号处是空格；查询串中未编码的 + 表示空格，加号必须写作 %2B。该参数不接受偏移量，必须是格式为 YYYY-MM-DDThh:mm:ssZ 的 UTC 时间。"},
    {Message::NotATimeWithOffset, 400, 0, 2,
     "Parameter '{0}' is '{1}'; it must be a time with an offset, such as 2024-08-09T16:06:02.743+08:00 or 2024-08-09T08:06:02Z, and a + in a query must be sent as %2B.",
     "参数 {0} 的值“{1}”无效；必须是带偏移量的时间，例如 2024-08-09T16:06:02.743+08:00 或 2024-08-09T08:06:02Z，查询串中的 + 必须写作 %2B。"},
    {Message::StartAfterEnd, 400, 10005, 4,
     "Parameter '{0}' is '{1}', after '{2}', which is '{3}'; it must not be later than {2}.",
     "参数 {0} 的值“{1}”晚于 {2} 的值“{3}”；开始时间不能晚于结束时间。"},
    {Message::UnknownWord, 400, 0, 3,
     "Parameter '{0}' is '{1}'; it must be one of {2}.",
     "参数 {0} 的值“{1}”无效；必须是以下之一：{2}。"},
    {Message::UnknownSort, 400, 0, 3,
     "Parameter '{0}' is '{1}'; it must be a field, or a field and ',asc' or ',desc', with one of the fields {2}.",
     "参数 {0} 的值“{1}”无效；格式为字段名，可后接 ',asc' 或 ',desc'，字段名为以下之一：{2}。"},
    {Message::DidYouMean, 400, 0, 1,
     "Did you mean '{0}'?",
     "是否想用“{0}”？"},
    {Message::MissingParameter, 400, 0, 1,
     "Parameter '{0}' is missing; it must be given.",
     "缺少参数 {0}；该参数必填。"},
    {Message::TooManyValues, 400, 0, 2,
     "Parameter '{0}' has more than {1} values; it must have fewer.",
     "参数 {0} 的值超过 {1} 个；最多 {1} 个。"},
    {Message::BodyNotJson, 400, 0, 1,
     "The body is not JSON: {0}.",
     "请求体不是 JSON：{0}。"},
    {Message::BodyMediaType, 415, 0, 2,
     "The body's Content-Type is '{0}'; it must be {1}.",
     "请求体的 Content-Type 为“{0}”；必须是 {1}。"},
    {Message::WrongBodyType, 400, 0, 3,
     "Parameter '{0}' of the body is {1}; it must be {2}.",
     "请求体参数 {0} 是 {1}；必须是 {2}。"},

    {Message::UnknownParameter, 400, 0, 2,
     "Parameter '{0}' is unknown; known are {1}. OCP ignores it, --strict refuses it.",
     "参数“{0}”未知；已知参数为 {1}。OCP 会忽略它，--strict 模式下拒绝。"},
    {Message::NoParameters, 400, 0, 1,
     "Parameter '{0}' is unknown; this path has no parameters. OCP ignores it, --strict refuses it.",
     "参数“{0}”未知；该路径没有参数。OCP 会忽略它，--strict 模式下拒绝。"},
    {Message::UnknownBodyMember, 400, 0, 2,
     "Parameter '{0}' of the body is not known here, and OCP ignores it; --strict refuses it. Those that are: {1}.",
     "请求体参数 {0} 未知，OCP 会忽略它，--strict 模式下会拒绝。已知的参数：{1}。"},
    {Message::EmptyValue, 400, 0, 2,
     "Parameter '{0}' has an empty value in '{1}'; give a value or leave it out. OCP ignores it, --strict refuses it.",
     "参数 {0} 的值“{1}”中含有空值；请给出值或去掉它。OCP 会忽略它，--strict 模式下拒绝。"},
    {Message::RepeatedParameter, 400, 0, 2,
     "Parameter '{0}' is given again as '{1}'; give it once. OCP takes the first, --strict refuses it.",
     "参数 {0} 重复出现，值为“{1}”；请只给出一次。OCP 取第一个，--strict 模式下拒绝。"},
    {Message::CommasAndRepetition, 400, 0, 2,
     "Parameter '{0}' is given more than once, and with commas as '{1}'; give it once with commas, or once for each value. OCP does not split the commas then, --strict refuses it.",
     "参数 {0} 重复出现，且值“{1}”含有逗号；请只用逗号分隔，或每个值给出一次。OCP 此时不会按逗号拆分，--strict 模式下拒绝。"},
    {Message::SizeOverMaximum, 400, 0, 3,
     "Parameter '{0}' is '{1}'; it must be at most {2}. OCP answers {2}, --strict refuses it.",
     "参数 {0} 的值“{1}”过大；最大为 {2}。OCP 按 {2} 返回，--strict 模式下拒绝。"},
    {Message::CountsAsDefault, 400, 0, 3,
     "Parameter '{0}' is '{1}'; it must be a 64-bit integer of at least 1. OCP takes {2} for it, --strict refuses it.",
     "参数 {0} 的值“{1}”无效；必须是不小于 1 的 64 位整数。OCP 按 {2} 处理，--strict 模式下拒绝。"},
    {Message::RawCharacters, 400, 0, 2,
     "The query has raw characters, {0}; they must be percent-encoded, as {1}. OCP's Tomcat refuses them with 400, and so does --strict.",
     "查询串中含有未编码的字符 {0}；必须进行百分号编码，即 {1}。OCP 的 Tomcat 会以 400 拒绝，--strict 模式下同样拒绝。"},
    {Message::NotAcceptable, 406, 0, 2,
     "The Accept header is '{0}', which excludes {1}; it must let that pass. OCP refuses it with 406, and so does --strict.",
     "Accept 请求头的值“{0}”排除了 {1}；必须允许该类型。OCP 会以 406 拒绝，--strict 模式下同样拒绝。"},

    {Message::RowMissing, 404, 10002, 3,
     "{0} '{1}' does not exist; ask for {2} that the fixtures name.",
     "{0}“{1}”不存在；请使用数据中已有的{2}。"},
    {Message::RowMissingBelow, 404, 10002, 5,
     "{0} '{1}' does not exist in {2} '{3}'; ask for {4} that the fixtures name.",
     "{0}“{1}”在{2}“{3}”中不存在；请使用数据中已有的{4}。"},
    {Message::NoSuchRow, 404, 10002, 2,
     "{0} with {1} does not exist.",
     "{0}不存在：{1}。"},
    {Message::NoSuchSubtask, 404, 20000, 2,
     "Subtask '{0}' does not exist in task {1}.",
     "任务 {1} 中不存在子任务“{0}”。"},
    {Message::UnknownPath, 404, 0, 2,
     "Path '{0}' is unknown; the nearest are {1}.",
     "路径“{0}”不存在；最接近的路径为 {1}。"},
    {Message::MethodNotAllowed, 405, 0, 3,
     "Method '{0}' is not allowed for path '{1}'; allowed are {2}.",
     "路径“{1}”不支持方法“{0}”；支持的方法为 {2}。"},
    {Message::MeantAdminCall, 404, 0, 1,
     "Did you mean '{0}'? Admin calls begin with two underscores.",
     "是否要访问“{0}”？管理接口的路径以两个下划线开头。"},
    {Message::CapturedOtherwise, 404, 0, 1,
     "The fixtures have an exchange of '{0}', from which this request differs in its method, its query or its body.",
     "数据中有请求“{0}”的捕获记录，但本请求的方法、查询参数或请求体与之不同。"},
    {Message::PathSince, 404, 0, 3,
     "Path '{0}' is unknown to OCP {2}, which --ocp-version names; OCP has it since {1}.",
     "OCP {2}（--ocp-version 指定的版本）没有路径“{0}”；该路径自 {1} 起提供。"},
    {Message::NotAProxy, 405, 0, 1,
     "Method 'CONNECT' asks a proxy for a tunnel to '{0}', and this server is no proxy; clients must not be told to use it as one, for example by https_proxy.",
     "方法“CONNECT”请求代理建立到“{0}”的隧道，而本服务不是代理；请勿将其配置为客户端的代理（例如 https_proxy）。"},

    {Message::NameTaken, 400, 10002, 2,
     "{0} '{1}' exists already; the request must name another one.",
     "{0}“{1}”已存在；请求必须使用其他名称。"},
    {Message::WrongState, 400, 10002, 2,
     "{0} '{1}' is in no state for this request.",
     "{0}“{1}”的当前状态不允许该操作。"},
    {Message::StillUsed, 400, 10002, 2,
     "{0} '{1}' is still in use, so it stays.",
     "{0}“{1}”正在使用中，不能删除。"},
    {Message::RowRefused, 400, 10002, 1,
     "The request would make a row that cannot be: {0}.",
     "请求会产生无效的数据：{0}。"},
    {Message::WrongTaskState, 400, 10002, 3,
     "Task or subtask {0} is {1}; for this request it must be {2}.",
     "任务或子任务 {0} 的状态为 {1}；该操作要求状态为 {2}。"},
    {Message::NoRollback, 400, 10002, 1,
     "Task {0} cannot be rolled back.",
     "任务 {0} 不允许回滚。"},
    {Message::ReadOnly, 403, 30014, 1,
     "Method {0} changes data, and the server was started with --read-only.",
     "方法 {0} 会修改数据，而服务以 --read-only 启动。"},

    {Message::SimulatedFailure, 503, 0, 0,
     "Simulated failure, armed by a test.",
     "测试预设的模拟故障。"},

    {Message::FaultWithoutSubtask, 400, 0, 2,
     "The fault that a test has armed for this request names subtask '{0}'; the subtasks are {1}.",
     "测试为该请求预设的故障指定了子任务“{0}”；可用的子任务为 {1}。"},

    {Message::Unexpected, 500, 10010, 0,
     "Unexpected error; the server's log has it under this trace id.",
     "系统发生未知错误；请按 traceId 查看服务端日志。"},

    {message_of(ParseError::MalformedRequestLine), 400, 0, 0,
     "The request line is malformed; it must be METHOD, a target and HTTP/1.1, with one blank between them, and end in CR LF.",
     "请求行格式错误；必须是 METHOD、请求目标和 HTTP/1.1，以一个空格分隔，并以 CR LF 结尾。"},
    {message_of(ParseError::VersionNotSupported), 505, 0, 0,
     "The HTTP version is not supported; it must be HTTP/1.1 or HTTP/1.0.",
     "不支持该 HTTP 版本；必须是 HTTP/1.1 或 HTTP/1.0。"},
    {message_of(ParseError::TargetTooLong), 414, 0, 1,
     "The request line is too long; the line and all headers together may have {0} bytes.",
     "请求行过长；请求行与所有请求头合计不得超过 {0} 字节。"},
    {message_of(ParseError::MalformedHeader), 400, 0, 0,
     "A request header is malformed; each must be a name, a colon and a value on one line that ends in CR LF.",
     "请求头格式错误；每个请求头必须是一行“名称: 值”，并以 CR LF 结尾。"},
    {message_of(ParseError::HeadTooLarge), 431, 0, 1,
     "The request headers are too large; the request line and all headers together may have {0} bytes.",
     "请求头过大；请求行与所有请求头合计不得超过 {0} 字节。"},
    {message_of(ParseError::HostHeader), 400, 0, 0,
     "An HTTP/1.1 request must have exactly one Host header.",
     "HTTP/1.1 请求必须有且仅有一个 Host 请求头。"},
    {message_of(ParseError::BadContentLength), 400, 0, 0,
     "The Content-Length header is wrong; it must be one decimal number, and not stand beside Transfer-Encoding.",
     "Content-Length 请求头错误；必须是一个十进制数，且不能与 Transfer-Encoding 同时出现。"},
    {message_of(ParseError::UnsupportedTransferEncoding), 501, 0, 0,
     "The Transfer-Encoding is not supported; it must be chunked.",
     "不支持该 Transfer-Encoding；必须是 chunked。"},
    {message_of(ParseError::BadChunk), 400, 0, 0,
     "The chunked body is malformed; each chunk must be its size in hex digits, CR LF, the bytes, CR LF.",
     "分块请求体格式错误；每个分块必须是十六进制长度、CR LF、数据、CR LF。"},
    {message_of(ParseError::BodyTooLarge), 413, 0, 1,
     "The request body is too large; it may have {0} bytes.",
     "请求体过大；不得超过 {0} 字节。"},
    {message_of(ParseError::ExpectationFailed), 417, 0, 0,
     "The Expect header is not supported; it must be 100-continue.",
     "不支持该 Expect 请求头；必须是 100-continue。"},
    {message_of(ParseError::Timeout), 408, 0, 1,
     "The request did not arrive whole within {0} s.",
     "请求未能在 {0} 秒内完整到达。"},

    {message_of(ParseError::PlainHttp), 400, 0, 0,
     "The request is plain HTTP, and this port speaks HTTPS; the URL must begin with https://.",
     "请求使用了明文 HTTP，而该端口使用 HTTPS；URL 必须以 https:// 开头。"},
    {message_of(ParseError::Tls), 400, 0, 0,
     "The request is TLS, and this port speaks plain HTTP; the URL must begin with http://.",
     "请求使用了 TLS，而该端口使用明文 HTTP；URL 必须以 http:// 开头。"},
};
// clang-format on

constexpr bool catalogue_follows_enumeration() {
  std::size_t index = 0;
  for (const MessageRow& row : kCatalogue) {
    if (static_cast<std::size_t>(row.message) != index++) return false;
  }
  return index == static_cast<std::size_t>(message_of(http::kLastParseError)) + 1;
}
static_assert(catalogue_follows_enumeration());

}  // namespace

std::span<const MessageRow> message_catalogue() { return kCatalogue; }

const MessageRow& message_row(Message message) { return kCatalogue[static_cast<std::size_t>(message)]; }

std::string Sentence::text(Language language) const {
  const MessageRow& row = message_row(message);
  fmt::dynamic_format_arg_store<fmt::format_context> store;
  for (const Argument& argument : arguments) {
    store.push_back(std::cref(language == Language::Chinese ? argument.chinese : argument.english));
  }
  return fmt::vformat(language == Language::Chinese ? row.chinese : row.english, store);
}

ApiError::ApiError(Message message, std::vector<Argument> arguments)
    : ApiError(Sentence{message, std::move(arguments)}) {}

ApiError::ApiError(Sentence sentence, std::vector<Sentence> explanation)
    : sentence_(std::move(sentence)),
      explanation_(std::move(explanation)),
      code_(message_row(sentence_.message).code),
      english_(text(Language::English)) {}

ApiError::ApiError(Sentence sentence, int code) : ApiError(std::move(sentence)) { code_ = code; }

std::string ApiError::text(Language language) const {
  std::string text = sentence_.text(language);
  for (const Sentence& sentence : explanation_) {
    // Chinese sentences end in a full-width stop, which needs no blank.
    text.append(language == Language::Chinese ? "" : " ").append(sentence.text(language));
  }
  return text;
}

}  // namespace ocp_mock
