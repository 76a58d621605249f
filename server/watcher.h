// Tells when files change, by inotify.
// Enters: paths of files and folders. Leaves: a call after each burst of changes below them.
#pragma once

#include <filesystem>
#include <functional>
#include <thread>
#include <vector>

#include "http/socket.h"

namespace ocp_mock {

class Watcher {
 public:
  // changed is called by a thread of its own, when nothing more has happened for a moment. New folders below a folder
  // are watched too. Files are watched by their folder, because editors and deployments replace them. Throws
  // std::runtime_error if a path cannot be watched.
  Watcher(std::vector<std::filesystem::path> paths, std::function<void()> changed);
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

 private:
  void run();
  void watch_all();
  bool concerns(const std::filesystem::path& changed_path) const;
  bool read_events();

  const std::vector<std::filesystem::path> paths_;
  const std::function<void()> changed_;
  http::Descriptor inotify_;
  http::Descriptor stop_;
  std::vector<std::pair<int, std::filesystem::path>> folders_;  // by inotify's number
  std::thread thread_;
};

}  // namespace ocp_mock
