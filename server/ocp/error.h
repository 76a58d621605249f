// What the server refuses, and what it says then, in both of OCP's languages.
// Input: which message, and what the client sent. Output: an exception that app turns into an error envelope.
// The table in error.cpp has the HTTP status, the error code and both texts of each message. Secrets never go into one.
#pragma once

#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/message.h"

namespace ocp_mock {

enum class Language { English, Chinese };

enum class Message {
  // authentication
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
  NotANumber,
  NotABoolean,
  NotATime,
  TimeWithRawPlus,
  NotATimeWithOffset,
  StartAfterEnd,
  UnknownWord,
  UnknownSort,
  DidYouMean,  // said after these two
  MissingParameter,
  TooManyValues,
  BadExpression,
  // bodies
  BodyNotJson,
  BodyMediaType,
  WrongBodyType,
  // refused under --strict only
  UnknownParameter,
  NoParameters,
  UnknownBodyMember,
  EmptyValue,
  RepeatedParameter,
  CommasAndRepetition,
  SizeOverMaximum,
  CountsAsDefault,
  RawCharacters,
  NotAcceptable,
  // what is asked for
  RowMissing,
  RowMissingBelow,
  NoSuchRow,
  NoSuchName,
  NoSuchSubtask,
  UnknownPath,
  MethodNotAllowed,
  MeantAdminCall,     // said after UnknownPath
  CapturedOtherwise,  // said after UnknownPath and MethodNotAllowed
  PathSince,          // said after UnknownPath
  NotAProxy,
  // what a write would do
  NameTaken,
  WrongState,
  NotInState,
  StillUsed,
  InvalidValue,
  RowRefused,
  WrongTaskState,
  NoRollback,
  ReadOnly,
  // what a test has armed
  SimulatedFailure,
  FaultWithoutSubtask,
  // a defect of the mock itself
  Unexpected,
  // requests that are not HTTP: a message for each http::ParseError, in their order, see message_of()
  FirstParseError,
};

constexpr Message message_of(http::ParseError error) {
  return static_cast<Message>(static_cast<int>(Message::FirstParseError) + static_cast<int>(error));
}

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

// A text of a message's; of most, values among them, both languages have the same.
struct Argument {
  Argument(std::string text) : english(text), chinese(std::move(text)) {}
  Argument(std::string_view text) : Argument(std::string(text)) {}
  Argument(const char* text) : Argument(std::string(text)) {}
  Argument(std::string english_text, std::string chinese_text)
      : english(std::move(english_text)), chinese(std::move(chinese_text)) {}

  std::string english;
  std::string chinese;

  bool operator==(const Argument&) const = default;
};

// A message with its arguments; values the client sent go through printable() first.
struct Sentence {
  Message message;
  std::vector<Argument> arguments;

  std::string text(Language language) const;
};

// Something the client did: a sentence that gives status and code, and others that explain it.
class ApiError : public std::exception {
 public:
  explicit ApiError(Message message, std::vector<Argument> arguments = {});
  explicit ApiError(Sentence sentence, std::vector<Sentence> explanation = {});
  // With another code than the message's.
  ApiError(Sentence sentence, int code);

  int status() const { return message_row(sentence_.message).status; }
  int code() const { return code_; }
  std::string text(Language language) const;
  const char* what() const noexcept override { return english_.c_str(); }

 private:
  Sentence sentence_;
  std::vector<Sentence> explanation_;
  int code_;
  std::string english_;
};

}  // namespace ocp_mock
