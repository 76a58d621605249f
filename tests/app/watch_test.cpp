// --watch, with real files: loads that overlap, storms, mounts, and what inotify does not tell.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "app/watcher.h"
#include "app/watching.h"
#include "json/text.h"

using namespace ocp_mock;
using namespace ocp_mock::test;

TEST_CASE("watch: the envelope of --frozen is that of the answer that was loaded last") {
  const Files files;
  const auto capture = [&](const std::string& server, int tasks) {
    const std::string set = fixture(tasks);
    const auto at = set.find("\"logBackupTasks\":") + 17;
    files.write("a.json", R"({"data":{"contents":)" + set.substr(at, set.rfind('}') - at) + R"(},"server":")" + server +
                              R"(","timestamp":"2020-01-01T00:00:0)" + std::to_string(tasks) + "Z\"}");
  };
  capture("one", 1);
  const Watching server({files.at("a.json")}, {}, {"--watch", "--frozen"});
  const auto time = [&] { return server.service().handle({"GET", "/api/v2/time", {}, "", {}}).body; };
  CHECK(time() == "2020-01-01T00:00:01Z");
  capture("two", 2);
  CHECK(server.serves(2));
  CHECK(time() == "2020-01-01T00:00:02Z");
  const std::string body = server.service().handle({"GET", kList, {}, "", {}}).body;
  CHECK(body.find(R"("server":"two")") != std::string::npos);
  CHECK(body.find(R"("timestamp":"2020-01-01T00:00:02Z")") != std::string::npos);
}

TEST_CASE("watch: --watch-poll sees what inotify does not tell") {
  const Files files;
  files.put("fx/a.json", 1);
  const Watching server({files.at("fx")}, {}, {"--watch-poll", "20ms"});
  server.await_first_look();
  // A file that stays open for writing tells of its end only.
  const http::Descriptor file(::open(files.at("fx/a.json").c_str(), O_WRONLY | O_CLOEXEC));
  for (int tasks = 2; tasks < 5; ++tasks) {
    const std::string text = fixture(tasks);
    REQUIRE(::pwrite(file.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
    CHECK(server.serves(tasks));
  }
}

TEST_CASE("watch: what changes while files are loaded is loaded next") {
  const Files files;
  files.put("r1/a.json", 1);
  files.put("r2/a.json", 2);
  files.put("r3/a.json", 3);
  files.link("r1", "cur");
  // The first load finds r1 and the second r2; each is swapped before it has ended.
  const Watching server({files.at("cur/a.json")}, [&](int load) {
    if (load < 3) files.swap_link("r" + std::to_string(load + 1), "cur");
  });
  CHECK(server.serves(3));
  CHECK(server.loads() == 3);
}

TEST_CASE("watch: what was there only while files were loaded is not served for long") {
  for (const std::string flag : {"--watch", "--watch-poll=10ms"}) {
    CAPTURE(flag);
    const Files files;
    files.put("fx/a.json", 1);
    // The first load and the second find a file that was not there before and is not there afterwards.
    const Watching server(
        {files.at("fx")},
        [&](int load) {
          if (load < 3) files.remove("fx/b.json");
        },
        {flag},
        [&](int load) {
          if (load < 3) files.put("fx/b.json", 5);
        });
    CHECK(server.tasks() == 6);
    CHECK(server.serves(1));
    CHECK(server.loads() == 3);
  }
}

TEST_CASE("watch: what a call has loaded already is not loaded once more, over what a test has changed since") {
  const Files files;
  files.put("a.json", 1);
  const Watching other({files.at("a.json")});
  const Watching server({files.at("a.json")});
  files.put("a.json", 2);
  CHECK(server.service().reload().files.size() == 1);
  CHECK(other.serves(2));  // so the watcher of the first server had its time too
  CHECK(server.tasks() == 2);
  CHECK(server.loads() == 2);
}

TEST_CASE("watch: a file that changes twice within a tick of its clock is not mistaken") {
  const Files files;
  files.put("a.json", 1);
  const Watching server({files.at("a.json")});
  for (int round = 0; round < 5; ++round) {
    for (int tasks = 1; tasks < 9; ++tasks) files.put("a.json", tasks);
    CHECK(server.serves(8));
    files.put("a.json", 9);
    CHECK(server.serves(9));
  }
}

TEST_CASE("watch: a storm of changes is few loads, but not none") {
  const Files files;
  files.put("fx/a.json", 1);
  const Watching server({files.at("fx")});
  // One in which no other process holds up the changes, so that no pause ends the storm.
  CHECK(eventually([&] {
    const int before = server.loads();
    int changes = 0;
    REQUIRE(eventually([&] {
      files.replace("fx/a.json", ++changes % 8 + 1);
      return server.loads() >= before + 2;
    }));
    return changes > 20 * (server.loads() - before);
  }));
  files.replace("fx/a.json", 9);
  CHECK(server.serves(9));
}

TEST_CASE("watch: what does not concern the files loads nothing") {
  const Files files;
  files.put("fx/a.json", 1);
  files.put("one.json", 0);
  const Watching server({files.at("fx"), files.at("one.json")});
  files.write("fx/README.md", "x");
  files.write("fx/.b.json", "x");
  files.write("fx/c.json~", "x");
  files.write("two.json", "x");
  fs::create_directories(files.at("fx/empty"));
  CHECK(read_file(files.at("fx/a.json")) == fixture(1));
  // The next load is for this alone, whenever the watcher has looked at the others.
  files.put("one.json", 1);
  CHECK(server.serves(2));
  CHECK(server.loads() == 2);
}

TEST_CASE("watch: when inotify has lost events all is looked at") {
  const int most = std::stoi(read_file("/proc/sys/fs/inotify/max_queued_events"));
  if (most > 100'000) return;  // that would take long
  const Files files;
  files.put("fx/a.json", 1);
  std::promise<void> loading;
  std::promise<void> full;
  const Watching server({files.at("fx/a.json")}, [&](int load) {
    if (load != 2) return;
    loading.set_value();
    full.get_future().wait();
  });
  files.replace("fx/a.json", 2);
  loading.get_future().wait();
  // While the watcher is busy the queue fills with what does not matter. What matters is lost.
  files.put("fx/x", 1);
  for (int i = 0; i <= most / 4; ++i) files.move("fx/x", "fx/y"), files.move("fx/y", "fx/x");
  files.replace("fx/a.json", 3);
  full.set_value();
  CHECK(server.serves(3));
}

TEST_CASE("watch: a mount over the folder is seen, and its end") {
  const Files files;
  files.put("fx/a.json", 1);
  bool may_mount = false;
  // In a thread with mounts of its own, as those of a container.
  std::thread([&] {
    may_mount = ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    if (!may_mount) return;
    const Watching server({files.at("fx")});
    server.await_first_look();
    CHECK(::mount("none", files.at("fx").c_str(), "tmpfs", 0, nullptr) == 0);
    CHECK(server.fails("the folder has no *.json", 1));
    files.put("fx/a.json", 2);
    CHECK(server.serves(2));
    CHECK(::umount(files.at("fx").c_str()) == 0);
    CHECK(server.serves(1));
    files.put("fx/a.json", 3);
    CHECK(server.serves(3));
  }).join();
  if (!may_mount) MESSAGE("not tried: mounting needs a privilege that this process does not have");
}

TEST_CASE("watch: a sighting names each place on the way, and differs when other data would be read") {
  const Files files;
  files.put("real/in/a.json", 1);
  files.put("real/b.json", 1);
  files.link("real", "cur");
  files.link("../cur/b.json", "fx/b.json");
  const std::vector<fs::path> paths{files.at("cur/in"), files.at("fx"), files.at("none/c.json")};
  const Sighting before = look_at(paths);
  const auto names = [&](const std::string& place) {
    const auto found = before.places.find(place);
    REQUIRE(found != before.places.end());
    std::string text = found->second.all ? "*" : "";
    for (const std::string& name : found->second.names) text += " " + name;
    return text;
  };
  CHECK(names(files.path().string()) == " cur fx none real");
  CHECK(names(files.at("real")) == " b.json in");
  CHECK(names(files.at("real/in")) == "*");
  CHECK(names(files.at("fx")) == "* b.json");
  CHECK(names("/").find("tmp") != std::string::npos);
  const struct {
    std::string name;
    std::function<void()> act;
    bool differs;
  } cases[] = {
      {"nothing", [] {}, false},
      {"reading", [&] { read_file(files.at("fx/b.json")); }, false},
      {"another name", [&] { files.write("fx/x", "x"); }, false},
      {"beside", [&] { files.put("real/z.json", 1); }, false},
      {"a file more", [&] { files.put("fx/c.json", 1); }, true},
      {"its content", [&] { files.put("real/b.json", 2); }, true},
      {"its size", [&] { files.write("fx/c.json", "x"); }, true},
      {"its time", [&] { fs::last_write_time(files.at("fx/c.json"), fs::file_time_type::clock::now() - 1h); }, true},
      {"who may read it", [&] { fs::permissions(files.at("fx/c.json"), fs::perms::owner_all); }, true},
      {"the link anew", [&] { files.swap_link("real", "cur"); }, true},
      {"what was missing", [&] { files.put("none/c.json", 1); }, true},
      {"a folder moved", [&] { files.move("real", "moved"); }, true},
      {"a loop", [&] { files.swap_link("cur", "cur"); }, true},
  };
  std::string last = before.fingerprint;
  for (const auto& [name, act, differs] : cases) {
    CAPTURE(name);
    act();
    const std::string now = look_at(paths).fingerprint;
    CHECK((now != last) == differs);
    last = now;
  }
  CHECK(look_at(paths).fingerprint == last);
}
