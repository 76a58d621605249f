// Captures from running servers.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "running_program.h"
#include "temporary_folder.h"

namespace ocp_mock::test {

struct CaptureRun {
  int code;
  std::string error;
};

inline std::vector<std::string> capture_arguments(const RunningProgram& source, const std::filesystem::path& out,
                                                  const std::vector<std::string>& more) {
  std::vector<std::string> arguments{"capture",   "--from",       "http://127.0.0.1:" + std::to_string(source.port()),
                                     "--user",    "admin:secret", "--out",
                                     out.string()};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

inline CaptureRun capture_from(const RunningProgram& source, const std::filesystem::path& out,
                               const std::vector<std::string>& more) {
  Process process(kBinary, capture_arguments(source, out, more));
  std::string error = process.read_error();
  return {process.wait(), std::move(error)};
}

// The fixtures of a folder by their names.
inline std::map<std::string, std::string> fixtures_in(const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.is_regular_file()) files[entry.path().filename().string()] = read_file(entry.path());
  }
  return files;
}

// The answer to an admin call.
inline std::string admin_call(const RunningProgram& server, const std::string& method, const std::string& path,
                              const std::string& body) {
  SocketClient client(server.port());
  client.send(method + " /__admin" + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\n\r\n" + body);
  return client.read_to_end();
}

}  // namespace ocp_mock::test
