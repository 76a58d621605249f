// The file in which a server that is ready names its port.
// Input: its path, the port. Output: a number and a line feed in the file for as long as the server runs.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace ocp_mock {

class PortFile {
 public:
  // What an earlier run has left would tell of a server that is not there: it is removed. Throws std::runtime_error,
  // also if the file could not be written. Without a path nothing is written.
  explicit PortFile(std::optional<std::filesystem::path> file);
  PortFile(const PortFile&) = delete;
  PortFile& operator=(const PortFile&) = delete;
  ~PortFile();  // removes it

  // The line feed tells readers of a file that cannot be replaced in one step that they have seen all of it. Throws
  // std::runtime_error.
  void write(int port);

  // Unless another server has written its own port since. Throws std::runtime_error.
  void remove();

  // The port that a server has written. Throws std::runtime_error.
  static int read(const std::filesystem::path& file);

 private:
  const std::optional<std::filesystem::path> file_;
  std::string text_;  // written by this server; empty: nothing
};

}  // namespace ocp_mock
