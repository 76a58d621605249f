#include "watcher.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace ocp_mock {
namespace {

namespace fs = std::filesystem;

// A burst is over after that many milliseconds: a checkout writes many files, an editor one file in several steps.
constexpr int kQuiet = 50;
constexpr std::chrono::seconds kLongestBurst{1};

constexpr std::uint32_t kEvents =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

fs::path folder_of(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return path;
  const fs::path parent = path.parent_path();
  return parent.empty() ? fs::path(".") : parent;
}

}  // namespace

Watcher::Watcher(std::vector<fs::path> paths, std::function<void()> changed)
    : paths_(std::move(paths)),
      changed_(std::move(changed)),
      inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
      stop_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (inotify_.get() < 0 || stop_.get() < 0) {
    throw std::runtime_error(fmt::format("cannot watch files: {}", std::strerror(errno)));
  }
  watch_all();
  thread_ = std::thread([this] { run(); });
}

Watcher::~Watcher() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(stop_.get(), &one, sizeof one);
  thread_.join();
}

// Also after changes, for folders that are new. Watching a folder again changes nothing.
void Watcher::watch_all() {
  std::vector<fs::path> folders;
  for (const fs::path& path : paths_) {
    folders.push_back(folder_of(path));
    std::error_code error;
    if (!fs::is_directory(path, error)) continue;
    for (auto entry = fs::recursive_directory_iterator(path, error); !error && entry != fs::end(entry);
         entry.increment(error)) {
      std::error_code ignored;
      if (entry->is_directory(ignored)) folders.push_back(entry->path());
    }
  }
  folders_.clear();
  for (const fs::path& folder : folders) {
    const int number = ::inotify_add_watch(inotify_.get(), folder.c_str(), kEvents);
    if (number >= 0) {
      folders_.emplace_back(number, folder);
    } else if (!thread_.joinable()) {
      throw std::runtime_error(fmt::format("cannot watch {}: {}", folder.string(), std::strerror(errno)));
    }
  }
}

// Whether a change there may change what is loaded.
bool Watcher::concerns(const fs::path& changed_path) const {
  return std::ranges::any_of(paths_, [&](const fs::path& path) {
    std::error_code ignored;
    // What a link leads to may change anywhere, as with the volumes of containers.
    return fs::is_directory(path, ignored) || fs::is_symlink(path, ignored) ||
           path.filename() == changed_path.filename();
  });
}

// True if something happened that matters.
bool Watcher::read_events() {
  alignas(inotify_event) std::array<char, 16384> buffer;
  bool matters = false;
  for (;;) {
    const ssize_t size = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (size <= 0) return matters;
    for (const char* at = buffer.data(); at < buffer.data() + size;) {
      inotify_event event{};
      std::memcpy(&event, at, sizeof event);
      const char* name = at + sizeof event;
      // Without a name it is a folder itself, or events were lost.
      matters = matters || event.len == 0 || concerns(fs::path(name));
      at = name + event.len;
    }
  }
}

void Watcher::run() {
  using Steady = std::chrono::steady_clock;
  std::optional<Steady::time_point> since;  // the first event that was not told yet
  for (;;) {
    std::array<pollfd, 2> entries{{{inotify_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
    const int ready = ::poll(entries.data(), entries.size(), since ? kQuiet : -1);
    if ((entries[1].revents & POLLIN) != 0) return;
    if (ready > 0 && read_events() && !since) since = Steady::now();
    if (since && (ready == 0 || Steady::now() - *since > kLongestBurst)) {
      since.reset();
      watch_all();
      changed_();
    }
  }
}

}  // namespace ocp_mock
