// The options of the commands that ask an OCP, one row each: help, completion and messages are made of them. They have
// no variables: those of the server say how it serves.
// Input: what stands on the command line for each flag. Output: checked options. No message shows a secret.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/given_options.h"
#include "client/capture.h"
#include "client/recorder.h"

namespace ocp_mock {

// Who asks, before the files are read.
struct Login {
  Credentials given;                // of --user NAME:PASSWORD and --access-key
  std::optional<std::string> user;  // of --user NAME
  std::optional<std::filesystem::path> password_file;
  std::optional<std::filesystem::path> credentials_file;
};

struct ClientOptions {
  CaptureOptions capture;  // upstream is that of every command
  Login login;
  std::optional<std::filesystem::path> paths;
  bool json = false;
  RecordMode mode = RecordMode::Always;
  std::vector<std::filesystem::path> fixtures;
  std::string host = "127.0.0.1";
  int port = 8080;
  std::optional<std::filesystem::path> port_file;
};

enum ClientOptionTrait : unsigned {
  kOfCapture = 1,
  kRepeated = 2,
  kHidesValue = 4,  // no message shows the value
  kOfDiff = 8,
  kOfRecord = 16,
};

struct ClientOption {
  std::string_view flag;   // "--from"
  std::string_view value;  // what help calls the value; empty for a switch
  unsigned traits;
  // Throws std::invalid_argument with what would be right.
  void (*take)(ClientOptions&, const std::string&);
  std::string_view help;
  std::vector<std::string_view> (*words)() = nullptr;  // the values, where there are no others

  bool has(ClientOptionTrait trait) const { return (traits & trait) != 0; }
};

std::span<const ClientOption> client_option_table();

// The options of a command, kOfCapture, kOfDiff or kOfRecord. values_of: what was given for a flag, for a switch one
// text. Throws std::runtime_error with one sentence.
ClientOptions read_client_options(ClientOptionTrait command,
                                  const std::function<std::vector<std::string>(std::string_view flag)>& values_of);

// What a command needs before it begins. Whatever is wrong with it, the command line has named it: throws
// OptionMistake.
template <typename Make>
auto prepared(const Make& make) {
  try {
    return make();
  } catch (const std::exception& error) {
    throw OptionMistake(error.what());
  }
}

// Reads the files of a login. Throws std::runtime_error, also if they have more than one user or key.
Credentials read_login(const Login& login);

}  // namespace ocp_mock
