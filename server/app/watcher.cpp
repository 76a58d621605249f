#include "app/watcher.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstring>
#include <deque>
#include <exception>
#include <stdexcept>
#include <utility>

#include "fixtures/files.h"

namespace ocp_mock {
namespace {

namespace fs = std::filesystem;
using Steady = std::chrono::steady_clock;

// A burst is over after that time: a checkout writes many files, an editor one file in several steps. It is longer than
// the steps of a file system's clock, so that a file which is changed once more has another time then.
constexpr std::chrono::milliseconds kQuiet{50};
constexpr std::chrono::seconds kLongestBurst{1};

constexpr int kMostLinks = 40;     // on one path, as for the kernel
constexpr int kMostAttempts = 10;  // to watch all while folders come and go

constexpr std::uint32_t kEvents =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;

std::string identity(const struct stat& status) {
  return fmt::format("{}:{} {} {}.{} {}.{}", status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec,
                     status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec);
}

std::deque<std::string> names_of(std::string_view path) {
  std::deque<std::string> names;
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    if (end != 0) names.emplace_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return names;
}

std::string joined(const std::string& folder, const std::string& name) {
  return folder.ends_with('/') ? folder + name : folder + '/' + name;
}

// Follows paths as the kernel does, and notes all that they depend on.
class Trace {
 public:
  // The place that the path leads to; empty if it leads nowhere.
  std::string follow(const std::string& path) {
    std::string at = path.starts_with('/') ? "/" : ".";
    std::deque<std::string> rest = names_of(path);
    int links = 0;
    while (!rest.empty()) {
      const std::string name = std::move(rest.front());
      rest.pop_front();
      if (name == ".") continue;
      if (name == ".." && at.starts_with('/')) {
        at.resize(std::max<std::size_t>(1, at.rfind('/')));
        continue;
      }
      const std::string next = joined(at, name);
      if (name != "..") places_[at].names.insert(name);
      struct stat status {};
      if (::lstat(next.c_str(), &status) != 0) return note_obstacle(next, std::strerror(errno));
      if (!S_ISLNK(status.st_mode)) {
        at = next;
        continue;
      }
      std::array<char, PATH_MAX> buffer;
      const ssize_t size = ::readlink(next.c_str(), buffer.data(), buffer.size());
      if (size < 0 || ++links > kMostLinks) return note_obstacle(next, std::strerror(size < 0 ? errno : ELOOP));
      const std::string_view target(buffer.data(), static_cast<std::size_t>(size));
      facts_[next] = fmt::format("{} -> {}", identity(status), target);
      if (target.starts_with('/')) at = "/";
      std::deque<std::string> names = names_of(target);
      rest.insert(rest.begin(), std::make_move_iterator(names.begin()), std::make_move_iterator(names.end()));
    }
    return at;
  }

  void note_file(const fs::path& path, bool is_named) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) return note_status(path, std::strerror(errno));
    std::string place = path.string();
    if (is_named || S_ISLNK(status.st_mode)) {
      place = follow(place);
      if (place.empty() || ::stat(place.c_str(), &status) != 0) return note_status(path, "leads nowhere");
    }
    note_status(path, place + ' ' + identity(status));
    // Its folder does not tell when it is changed under another name or through a mount of its own.
    if (is_named || status.st_nlink > 1) places_[place].all = true;
  }

  void note_folder(const fs::path& path) {
    const std::string place = follow(path.string());
    if (place.empty()) return;
    places_[place].all = true;
    struct stat status {};
    if (::stat(place.c_str(), &status) == 0) times_.append(identity(status)).append("\n");
  }

  void note_problem(const std::string& text) { facts_["problem " + text] = ""; }

  Sighting sighting() && {
    Sighting all;
    for (const auto& [path, fact] : facts_) all.fingerprint.append(path).append(" ").append(fact).append("\n");
    all.times = std::move(times_);
    all.places = std::move(places_);
    return all;
  }

 private:
  std::string note_obstacle(const std::string& place, const char* why) {
    facts_[place] = why;
    return "";
  }

  void note_status(const fs::path& path, const std::string& text) { facts_["file " + path.string()] = text; }

  std::map<std::string, std::string> facts_;
  std::string times_;
  std::map<std::string, Sighting::Place, std::less<>> places_;
};

int open_inotify(bool needed) {
  const int number = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (number < 0 && needed) {
    throw std::runtime_error(
        fmt::format("--watch cannot have inotify: {}; raise fs.inotify.max_user_instances, or give --watch-poll",
                    std::strerror(errno)));
  }
  return number;
}

}  // namespace

Sighting look_at(const std::vector<fs::path>& paths) {
  Trace trace;
  const FixtureFiles found = find_fixture_files(paths);
  // Also those of which nothing is found.
  for (const fs::path& path : paths) trace.follow(path.string());
  // Also those that lead nowhere, or to something that is not read: a folder may come there.
  for (const fs::path& link : found.links) trace.follow(link.string());
  for (const fs::path& folder : found.folders) trace.note_folder(folder);
  for (const fs::path& file : found.files) {
    trace.note_file(file, std::ranges::find(paths, file) != paths.end());
  }
  for (const std::string& problem : found.problems) trace.note_problem(problem);
  return std::move(trace).sighting();
}

Watcher::Watcher(std::vector<fs::path> paths, std::optional<std::chrono::milliseconds> interval, Calls calls)
    : paths_(std::move(paths)),
      interval_(interval),
      calls_(std::move(calls)),
      inotify_(open_inotify(!interval)),
      mounts_(::open("/proc/thread-self/mountinfo", O_RDONLY | O_CLOEXEC)),
      stop_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (stop_.get() < 0) throw std::runtime_error(fmt::format("cannot watch files: {}", std::strerror(errno)));
  watch_all();
  thread_ = std::thread([this] { run(); });
}

Watcher::~Watcher() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(stop_.get(), &one, sizeof one);
  thread_.join();
}

// Until nothing is new to watch: what has changed before it was watched is seen then, what changes later is told.
void Watcher::watch_all() {
  for (int i = 0; i < kMostAttempts; ++i) {
    const Sighting now = look_at(paths_);
    fingerprint_ = now.fingerprint;
    if (!watch(now)) return;
  }
}

// Watches these places and no others. True if one of them was not watched before.
bool Watcher::watch(const Sighting& now) {
  if (inotify_.get() < 0) return false;
  bool more = false;
  std::map<int, Sighting::Place> before = std::exchange(watched_, {});
  for (const auto& [path, place] : now.places) {
    const int number = ::inotify_add_watch(inotify_.get(), path.c_str(), kEvents);
    if (number < 0) {
      if (errno == ENOENT || errno == ENOTDIR) continue;  // gone since; the folder above tells
      const int error = errno;
      const std::string text =
          fmt::format("--watch cannot watch {}: {}; {}--watch-poll sees changes there", path, std::strerror(error),
                      error == ENOSPC ? "raise fs.inotify.max_user_watches, or " : "");
      if (!thread_.joinable() && !interval_ && error == ENOSPC) throw std::runtime_error(text);
      if (!interval_ && not_watched_.insert(path).second) calls_.warn(text);
      continue;
    }
    more = more || !before.contains(number);
    Sighting::Place& watched = watched_[number];  // two paths may lead to one place
    watched.all = watched.all || place.all;
    watched.names.insert(place.names.begin(), place.names.end());
  }
  for (const auto& [number, place] : before) {
    if (!watched_.contains(number)) ::inotify_rm_watch(inotify_.get(), number);
  }
  return more;
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
      at = name + event.len;
      const bool were_lost = (event.mask & IN_Q_OVERFLOW) != 0;
      const auto place = watched_.find(event.wd);
      // Without a name it is the place itself.
      matters =
          matters || were_lost ||
          (place != watched_.end() && (event.len == 0 || place->second.all || place->second.names.contains(name)));
    }
  }
}

void Watcher::run() {
  std::optional<Steady::time_point> since;  // the first change that was not told yet
  Steady::time_point latest;                // the last one
  std::string seen;                         // the fingerprint then
  const auto look_after = [this] { return interval_ ? Steady::now() + *interval_ : Steady::time_point::max(); };
  const auto begin = [&] { since = latest = Steady::now(); };
  Steady::time_point look = look_after();
  const auto due = [&] { return since ? std::min(latest + kQuiet, *since + kLongestBurst) : look; };
  begin();
  for (;;) {
    std::int64_t timeout = -1;
    if (due() != Steady::time_point::max()) {
      timeout = std::chrono::ceil<std::chrono::milliseconds>(due() - Steady::now()).count();
      timeout = std::clamp<std::int64_t>(timeout, 0, INT_MAX);
    }
    std::array<pollfd, 3> entries{{{inotify_.get(), POLLIN, 0}, {mounts_.get(), POLLPRI, 0}, {stop_.get(), POLLIN, 0}}};
    const int ready = ::poll(entries.data(), entries.size(), static_cast<int>(timeout));
    if ((entries[2].revents & POLLIN) != 0) return;
    try {
      const bool told = ready > 0 && ((entries[0].revents != 0 && read_events()) || entries[1].revents != 0);
      if (told) {
        latest = Steady::now();
        if (!since) since = latest;
      }
      if (Steady::now() < due()) continue;
      look = look_after();
      if (!since) {
        seen = look_at(paths_).fingerprint;
        if (seen != fingerprint_) begin();
        continue;
      }
      const Steady::time_point now = Steady::now();
      watch_all();
      const bool settled = now >= latest + kQuiet && (!interval_ || seen == fingerprint_);
      seen = fingerprint_;
      if (!settled && now < *since + kLongestBurst) {
        latest = now;
        continue;
      }
      since.reset();
      if (!calls_.changed(settled) || !settled) {
        begin();
        latest += kLongestBurst - kQuiet;
      }
    } catch (const std::exception& error) {
      calls_.warn(fmt::format("--watch failed to look at the fixtures: {}", error.what()));
    }
  }
}

}  // namespace ocp_mock
