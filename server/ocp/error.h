// What the server refuses, and the words it says then, in both of OCP's languages.
// Enters: which message and what the client sent. Leaves: an exception that app turns into an error envelope.
// The table in error.cpp holds the HTTP status, the error code and both texts of each message.
// Secrets never go into a message.
#pragma once

#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ocp_mock {

enum class Language { English, Chinese };

enum class Message {
  // who asks
  NoCredentials,
  RepeatedAuthorization,
  UnknownScheme,
  BasicNotBase64,
  BasicNotUtf8,
  BasicWithoutColon,
  BasicUser,
  UnknownUser,
  UserIsAccessKey,  // said after UnknownUser
  WrongPassword,
  AccessKeyForm,
  DateMissing,
  DateForm,
  DateBehind,
  DateAhead,
  UnknownAccessKey,
  DateOfLocalTime,  // said after DateBehind and DateAhead
  SignatureMismatch,
  // what a refused signature was probably made of, said after SignatureMismatch
  SignedMethod,
  SignedBody,
  SignedEmptyBodyHash,
  SignedContentType,
  SignedDate,
  SignedHost,
  SignedHeaders,
  SignedPath,
  SignedWithoutQuery,
  SignedOtherLines,
  SignedOtherKey,
  SignedUnexplained,
  SignatureLog,
  RateLimited,
  TooManyWorlds,
  // parameters
  BadPathEncoding,
  BadQueryEncoding,
  NotAnInteger,
  NotAPositiveInteger,
  NotATime,
  TimeWithRawPlus,
  StartAfterEnd,
  UnknownStatus,
  UnknownSort,
  DidYouMean,  // said after these two
  // refused under --strict only
  UnknownParameter,
  NoParameters,
  EmptyValue,
  RepeatedParameter,
  CommasAndRepetition,
  SizeOverMaximum,
  RawCharacters,
  NotAcceptable,
  // what is asked for
  UnknownCluster,
  UnknownTenant,
  UnknownPath,
  MethodNotAllowed,
  MeantAdminCall,  // said after UnknownPath
  NotAProxy,
  // requests that are not HTTP as the server takes it
  MalformedRequestLine,
  VersionNotSupported,
  TargetTooLong,
  MalformedHeader,
  HeadTooLarge,
  HostHeader,
  BadContentLength,
  UnsupportedTransferEncoding,
  BadChunk,
  BodyTooLarge,
  ExpectationFailed,
  RequestTimeout,
  PlainHttp,
  SpokenTls,
  // what a test has armed
  SimulatedFailure,
  // a defect of the mock itself
  Unexpected,
};

struct MessageRow {
  Message message;
  int status;     // HTTP status, also the envelope's
  int code;       // the envelope's error.code
  int arguments;  // how many {0}, {1}, ... both texts have
  std::string_view english;
  std::string_view chinese;
};

// The whole catalogue, a row a message, in the order of the enumeration.
std::span<const MessageRow> message_catalogue();
const MessageRow& message_row(Message message);

// A message and what fills its places; values the client sent go through printable() first.
struct Sentence {
  Message message;
  std::vector<std::string> arguments;

  std::string text(Language language) const;
};

// Something the client did: a sentence that gives status and code, and others that explain it.
class ApiError : public std::exception {
 public:
  explicit ApiError(Message message, std::vector<std::string> arguments = {});
  explicit ApiError(Sentence sentence, std::vector<Sentence> explanation = {});

  int status() const { return message_row(sentence_.message).status; }
  int code() const { return message_row(sentence_.message).code; }
  std::string text(Language language) const;
  const char* what() const noexcept override { return english_.c_str(); }

 private:
  Sentence sentence_;
  std::vector<Sentence> explanation_;
  std::string english_;
};

}  // namespace ocp_mock
