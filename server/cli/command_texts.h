// What help says of each command, and an example of its use.
// Of cli/options.cpp and cli/described.cpp only.
#pragma once

#include <string_view>

namespace ocp_mock {

// clang-format off
struct CommandText {
  const char* name;
  const char* text;
  const char* example;  // of its use; help ends with it
};

inline constexpr CommandText kServeCommand{
    "serve", "Run the server (what happens without a command)",
    "ocp-mock-server --port 0 --port-file ocp.port --fixtures tests/fixtures"};
inline constexpr CommandText kExecCommand{
    "exec", "Run a command beside a server of its own, and end with its exit code",
    "ocp-mock-server exec --fixtures tests/fixtures -- pytest tests"};
inline constexpr std::string_view kExecHelp =
    "The server listens on a free port, and stops when the command ends. The command finds it by OCP_URL and\n"
    "OCP_MOCK_ADMIN_URL, and a token of --admin-token by OCP_MOCK_ADMIN_TOKEN. Options are those of the server, see\n"
    "ocp-mock-server --help; here the default of --port is 0, whatever OCP_MOCK_PORT says, and of --log-level warn.";
inline constexpr CommandText kCheckCommand{
    "check", "Validate fixtures and show what they contain; exit code 1 if they are wrong",
    "ocp-mock-server check fixtures/logBackupTasks.json"};
inline constexpr CommandText kGenerateCommand{
    "generate", "Write fixtures of any size that look like an installation; the same ones each time",
    "ocp-mock-server generate --clusters 3 --tenants 5 --tasks 100000 --out large.json"};
inline constexpr CommandText kHealthcheckCommand{
    "healthcheck", "Ask a server whether it is up; exit code 1 if it is not. For images without curl",
    "ocp-mock-server healthcheck http://127.0.0.1:8080"};
inline constexpr CommandText kCaptureCommand{
    "capture", "Capture lists of an OCP as fixtures; exit code 1 if any of them is missing",
    "ocp-mock-server capture --from https://ocp.example.com --credentials ocp.json --cluster 1000005 --out captured"};
inline constexpr CommandText kRecordCommand{
    "record", "Stand between a client and an OCP, and keep what passes as fixtures",
    "ocp-mock-server record --upstream https://ocp.example.com --out recorded --port 0 --port-file ocp.port"};
inline constexpr CommandText kDiffCommand{
    "diff", "Show where an OCP answers otherwise than fixtures; exit code 1 if it does, 2 if it cannot be asked",
    "ocp-mock-server diff captured --against https://ocp.example.com --credentials ocp.json"};
inline constexpr CommandText kHelpCommand{
    "help", "Print the help of the server or of a command",
    "ocp-mock-server help check"};
inline constexpr CommandText kVersionCommand{
    "version", "Print the version",
    "ocp-mock-server version"};
inline constexpr CommandText kCompletionCommand{
    "completion", "Print what makes a shell complete the command line",
    "ocp-mock-server completion bash >/etc/bash_completion.d/ocp-mock-server"};
inline constexpr CommandText kManCommand{
    "man", "Print the page of man(1)",
    "ocp-mock-server man | man -l -"};
// clang-format on

}  // namespace ocp_mock
