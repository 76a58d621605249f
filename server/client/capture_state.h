// What a capture has got so far: a hidden folder beside its fixtures, from which a later run goes on.
// Input: finished answers. Output: the same again, in this process or another. Each file takes its place in one step,
// so a half-written one never counts. Only this user may read it: it has the answers as the OCP gave them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace ocp_mock {

// What the capture in a folder is of, as its identity has it; nothing for a folder that has none, or no longer.
std::optional<std::string> identity_of_capture(const std::filesystem::path& out);

class CaptureState {
 public:
  // Makes the folder or opens it, and locks it. The identity is a line that says what is captured: two runs with
  // different ones must not meet. Throws std::runtime_error if they do, if another process is at work here, and if the
  // folder cannot be written. The noun is what messages call it.
  CaptureState(const std::filesystem::path& out, const std::string& identity, std::string_view noun = "capture");
  ~CaptureState();
  CaptureState(const CaptureState&) = delete;
  CaptureState& operator=(const CaptureState&) = delete;

  // Nothing is kept: another identity may have the folder.
  void release() const;

  // The key of stand-ins; made at first.
  std::string key() const;

  // What finish() was told; nothing before.
  std::optional<std::string> finished() const;

  // Pages of a walk, from 1 on. The path of a walk is that of its requests, with the query.
  int pages(const std::string& walk) const;
  std::string page(const std::string& walk, int number) const;
  void add_page(const std::string& walk, int number, std::string_view answer) const;

  // How a walk has ended, in words of the caller's; nothing while it has not.
  std::optional<std::string> end(const std::string& walk) const;
  void set_end(const std::string& walk, std::string_view text) const;

  // Removes the pages and ends of all walks.
  void forget() const;

  // All is in the fixtures: removes all but the key and the text.
  void finish(std::string_view text) const;

  static constexpr std::string_view kFolder = ".capture";
  static constexpr std::string_view kIdentity = "what";  // the file in it

 private:
  std::filesystem::path folder_of(const std::string& walk) const;

  const std::filesystem::path folder_;
  int lock_ = -1;
};

}  // namespace ocp_mock
