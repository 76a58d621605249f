// Tells when what fixtures are read from changes.
// Input: the paths of fixtures. Output: a fingerprint of the files that a load would read; a call when it may be
// another one. inotify tells of changes at once; where a file system keeps silent (network mounts, the shared folders
// of virtual machines) looking at intervals does.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "http/socket.h"

namespace ocp_mock {

// What the paths lead to at a moment, without reading a file.
struct Sighting {
  // What matters of a folder or a file.
  struct Place {
    bool all = false;                          // a file, or every name in a folder
    std::set<std::string, std::less<>> names;  // these names in a folder
  };

  // Two are equal if the same files would be read, by name, place, inode, size and times, by the same links, with the
  // same obstacles.
  std::string fingerprint;
  // When names came to the folders of fixtures or left them last: of what has done both between two sightings only this
  // tells.
  std::string times;
  // All whose change can change the fingerprint: each folder and each link on the way counts, to the root of the file
  // system or, for a relative path, to the working directory. No links are in their paths.
  std::map<std::string, Place, std::less<>> places;
};

Sighting look_at(const std::vector<std::filesystem::path>& paths);

class Watcher {
 public:
  struct Calls {
    // By a thread of its own: once at first, then when something has changed and nothing more has for a moment, or when
    // changes have not ended for a second. Without settled they go on, and the call comes again; so it does, a second
    // later, if it returns false, for what it has read may have changed meanwhile.
    std::function<bool(bool settled)> changed;
    std::function<void(const std::string& text)> warn;  // of what cannot be watched; it must not throw
  };

  // Looks at the interval too, if there is one. Throws std::runtime_error if there is none and inotify is not to be
  // had.
  Watcher(std::vector<std::filesystem::path> paths, std::optional<std::chrono::milliseconds> interval, Calls calls);
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

 private:
  void run();
  void watch_all();
  bool watch(const Sighting& now);
  bool read_events();

  const std::vector<std::filesystem::path> paths_;
  const std::optional<std::chrono::milliseconds> interval_;
  const Calls calls_;
  const http::Descriptor inotify_;
  const http::Descriptor mounts_;  // ready when something is mounted or unmounted, of which inotify does not tell
  const http::Descriptor stop_;
  std::map<int, Sighting::Place> watched_;  // by inotify's number
  std::set<std::string> not_watched_;       // and told so
  std::string fingerprint_;                 // when all was watched last
  std::thread thread_;
};

}  // namespace ocp_mock
