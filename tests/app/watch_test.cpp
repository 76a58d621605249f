// --watch, with real files: what is done to them, and what is served then.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sched.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "app/service.h"
#include "app/watcher.h"
#include "cli/commands.h"
#include "fixtures/files.h"
#include "http/socket_client.h"
#include "json/reader.h"
#include "json/text.h"
#include "temporary_folder.h"

using namespace ocp_mock;
using ocp_mock::test::eventually;
using namespace std::chrono_literals;
using ocp_mock::test::read_file;
using ocp_mock::test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

const std::string kList = "/api/v2/ob/clusters/1/tenants/2/backup/task/logBackupTasks";

// Of so many tasks; files of any two numbers below ten have the same size.
std::string fixture(int tasks) {
  const std::string task = R"({"clusterId":1,"tenantId":2,"createTime":"2024-08-01T00:00:00Z","status":"RUNNING"})";
  std::string text = R"({"clusters":[{"id":1,"tenants":[{"id":2}]}],"logBackupTasks":[)";
  for (int i = 0; i < tasks; ++i) text += (i == 0 ? "" : ",") + task;
  return (text + "]}").append(static_cast<std::size_t>(10 - tasks) * (task.size() + 1), ' ');
}

// A folder with what tests do in it. Names are relative to it.
class Files : public TemporaryFolder {
 public:
  std::string at(const std::string& name) const { return (path() / name).string(); }
  void put(const std::string& name, int tasks) const { write(name, fixture(tasks)); }
  void replace(const std::string& name, int tasks) const {
    write(name + ".new", fixture(tasks));
    move(name + ".new", name);
  }
  void move(const std::string& from, const std::string& to) const { fs::rename(at(from), at(to)); }
  void remove(const std::string& name) const { fs::remove_all(at(name)); }
  void link(const std::string& target, const std::string& name) const {
    fs::create_directories(fs::path(at(name)).parent_path());
    fs::create_symlink(target, at(name));
  }
  // In one step, as ln -sfT does not.
  void swap_link(const std::string& target, const std::string& name) const {
    link(target, name + ".link");
    move(name + ".link", name);
  }
};

// A server that watches these paths, without sockets.
class Watching {
 public:
  // What is done before and after the load of a number, from 1 on.
  using Hook = std::function<void(int load)>;

  explicit Watching(const std::vector<std::string>& paths, Hook after_load = {},
                    std::vector<std::string> flags = {"--watch"}, Hook before_load = {})
      : logger_(std::make_shared<spdlog::logger>("quiet", std::make_shared<spdlog::sinks::null_sink_mt>())) {
    std::vector<std::string> words{"ocp-mock-server", "--auth", "off"};
    words.insert(words.end(), flags.begin(), flags.end());
    for (const std::string& path : paths) words.insert(words.end(), {"--fixtures", path});
    std::vector<const char*> arguments;
    for (const std::string& word : words) arguments.push_back(word.c_str());
    const auto parsed = parse_options(static_cast<int>(arguments.size()), arguments.data(), environ);
    const auto options = std::get<ServeOptions>(parsed);
    paths_ = options.fixtures;
    const auto load = [this, options, before_load, after_load](const Router& router) {
      const int number = ++loads_;
      if (before_load) before_load(number);
      Loaded loaded = load_dataset(options, router, *logger_);
      if (after_load) after_load(number);
      return loaded;
    };
    const auto now = [] { return Instant{1723190762, 0}; };
    service_ = std::make_unique<Service>(options, ocp_catalogue(),
                                         AppContext{now, [] { return std::string("x"); }, logger_}, load);
  }

  // The watcher looks at all once when it begins; what is done after this is seen because it is told.
  void await_first_look() const {
    const fs::path file = find_fixture_files(paths_).files.front();
    fs::last_write_time(file, fs::last_write_time(file) - 1h);
    CHECK(eventually([&] { return loads() >= 2; }));
  }

  int loads() const { return loads_; }
  Service& service() const { return *service_; }

  // How many tasks are served; -1 if the tenant is unknown.
  int tasks() const {
    const std::string body = service_->handle({"GET", kList, {}, "", {}}).body;
    const std::string key = "\"totalElements\":";
    const auto found = body.find(key);
    return found == std::string::npos ? -1 : std::stoi(body.substr(found + key.size()));
  }

  std::string problem() const {
    const JsonValue health = read_json_text(service_->handle({"GET", "/__admin/health", {}, "", {}}).body);
    const JsonMember* problem = health.find("problem");
    return problem == nullptr ? "" : problem->value.text;
  }

  bool serves(int count) const {
    return eventually([&] { return tasks() == count && problem().empty(); });
  }

  // Whether a load fails so, and what was served before still is.
  bool fails(const std::string& text, int count) const {
    return eventually([&] { return problem().find(text) != std::string::npos; }) && tasks() == count;
  }

 private:
  const std::shared_ptr<spdlog::logger> logger_;
  std::vector<fs::path> paths_;
  std::atomic<int> loads_{0};
  std::unique_ptr<Service> service_;
};

struct Step {
  std::string name;
  std::function<void(const Files&)> act;
  int tasks = 0;        // that are served then
  std::string problem;  // that the load has; empty for none
};

struct Scenario {
  std::string name;
  std::vector<std::string> fixtures;  // the paths of --fixtures
  std::function<void(const Files&)> prepare;
  std::vector<Step> steps;  // the first load serves 1 task
};

const std::string kMissing = "cannot be read: No such file or directory";

const std::vector<Scenario> kScenarios{
    {"a file that is written in place and replaced",
     {"a.json"},
     [](const Files& f) { f.put("a.json", 1); },
     {{"written", [](const Files& f) { f.put("a.json", 2); }, 2, {}},
      {"replaced", [](const Files& f) { f.replace("a.json", 3); }, 3, {}},
      {"replaced by an older one of the same size",
       [](const Files& f) {
         f.write("b", fixture(4));
         fs::last_write_time(f.at("b"), fs::last_write_time(f.at("a.json")));
         f.move("b", "a.json");
       },
       4,
       {}},
      {"removed", [](const Files& f) { f.remove("a.json"); }, 4, kMissing},
      {"written again", [](const Files& f) { f.put("a.json", 5); }, 5, {}}}},
    {"files that come and go in a folder",
     {"fx"},
     [](const Files& f) { f.put("fx/a.json", 1); },
     {{"another file", [](const Files& f) { f.put("fx/b.json", 2); }, 3, {}},
      {"of another name", [](const Files& f) { f.move("fx/b.json", "fx/b.json.bak"); }, 1, {}},
      {"back", [](const Files& f) { f.move("fx/b.json.bak", "fx/c.ndjson"); }, 3, {}},
      {"a new folder with folders", [](const Files& f) { f.put("fx/n/e/w/d.json", 4); }, 7, {}},
      {"in the new folder", [](const Files& f) { f.put("fx/n/e/w/d.json", 5); }, 8, {}},
      {"a folder moved in",
       [](const Files& f) {
         f.put("in/e.json", 1);
         f.move("in", "fx/in");
       },
       9,
       {}},
      {"in the folder that was moved in", [](const Files& f) { f.put("fx/in/e.json", 2); }, 10, {}},
      {"a folder renamed", [](const Files& f) { f.move("fx/in", "fx/.hidden"); }, 8, {}},
      {"nothing left", [](const Files& f) { f.remove("fx/a.json"), f.remove("fx/c.ndjson"), f.remove("fx/n"); }, 8,
       "the folder has no *.json"}}},
    {"a link to a folder that is swapped",
     {"cur"},
     [](const Files& f) { f.put("r1/a.json", 1), f.put("r2/a.json", 2), f.link("r1", "cur"); },
     {{"in one step", [](const Files& f) { f.swap_link("r2", "cur"); }, 2, {}},
      {"what it leads to now", [](const Files& f) { f.put("r2/b.json", 1); }, 3, {}},
      {"in two steps", [](const Files& f) { f.remove("cur"), f.link("r1", "cur"); }, 1, {}},
      {"to an absolute path", [](const Files& f) { f.swap_link(f.at("r2"), "cur"); }, 3, {}},
      {"what is there", [](const Files& f) { f.put("r2/b.json", 0); }, 2, {}},
      {"to nowhere", [](const Files& f) { f.swap_link("r3", "cur"); }, 2, kMissing},
      {"what it leads to comes", [](const Files& f) { f.put("r3/a.json", 4); }, 4, {}},
      {"to itself", [](const Files& f) { f.swap_link("cur", "cur"); }, 4, "Too many levels of symbolic links"},
      {"and back", [](const Files& f) { f.swap_link("r1", "cur"); }, 1, {}}}},
    {"a link in the middle of a path, as git-sync has it",
     {"root/cur/tests/fx/", "root/cur/one.json"},
     [](const Files& f) {
       f.put("root/.git/w1/tests/fx/a.json", 0), f.put("root/.git/w1/one.json", 1);
       f.put("root/.git/w2/tests/fx/a.json", 2), f.put("root/.git/w2/one.json", 1);
       f.link(".git/w1", "root/cur");
     },
     {{"swapped", [](const Files& f) { f.swap_link(".git/w2", "root/cur"), f.remove("root/.git/w1"); }, 3, {}},
      {"changed there", [](const Files& f) { f.put("root/.git/w2/tests/fx/a.json", 3); }, 4, {}}}},
    {"the volume of a ConfigMap",
     {"vol"},
     [](const Files& f) {
       f.put("vol/..2024_1/a.json", 1), f.link("..2024_1", "vol/..data"), f.link("..data/a.json", "vol/a.json");
     },
     {{"updated",
       [](const Files& f) {
         f.put("vol/..2024_2/a.json", 2), f.swap_link("..2024_2", "vol/..data"), f.remove("vol/..2024_1");
       },
       2,
       {}},
      {"with one more key",
       [](const Files& f) {
         f.put("vol/..2024_3/a.json", 2), f.put("vol/..2024_3/b.json", 2);
         f.swap_link("..2024_3", "vol/..data"), f.link("..data/b.json", "vol/b.json");
       },
       4,
       {}}}},
    {"a link to a file that is changed elsewhere",
     {"fx", "one.json"},
     [](const Files& f) {
       f.put("there/a.json", 1), f.put("there/b.json", 0);
       f.link("../there/a.json", "fx/a.json"), f.link("there/b.json", "one.json");
     },
     {{"in place", [](const Files& f) { f.put("there/a.json", 2); }, 2, {}},
      {"replaced", [](const Files& f) { f.replace("there/a.json", 3); }, 3, {}},
      {"of the file that is named", [](const Files& f) { f.replace("there/b.json", 4); }, 7, {}},
      {"away", [](const Files& f) { f.move("there", "gone"); }, 7, "fx/a.json: " + kMissing},
      {"back", [](const Files& f) { f.move("gone", "there"), f.put("there/b.json", 5); }, 8, {}}}},
    {"links of links",
     {"a"},
     [](const Files& f) {
       f.link("x/b", "a"), f.link("../y/c", "x/b"), f.link(f.at("z1"), "y/c");
       f.put("z1/a.json", 1), f.put("z2/a.json", 2);
     },
     {{"the last one", [](const Files& f) { f.swap_link("../z2", "y/c"); }, 2, {}},
      {"the one in the middle", [](const Files& f) { f.swap_link("../z1", "x/b"); }, 1, {}},
      {"the first one", [](const Files& f) { f.swap_link("z2", "a"); }, 2, {}}}},
    {"a linked folder below",
     {"fx"},
     [](const Files& f) {
       f.put("there/in/a.json", 1), f.link("../there", "fx/more"), f.link("../..", "there/in/loop");
     },
     {{"a file in it", [](const Files& f) { f.put("there/in/b.json", 1); }, 2, {}},
      {"swapped", [](const Files& f) { f.put("other/c.json", 5), f.swap_link("../other", "fx/more"); }, 5, {}},
      {"what it leads to away", [](const Files& f) { f.put("fx/a.json", 0), f.move("other", "gone"); }, 5,
       "fx/more: " + kMissing + "; it is a link that leads nowhere, to ../other"},
      {"back", [](const Files& f) { f.move("gone", "other"); }, 5, {}},
      {"a file in its place", [](const Files& f) { f.remove("other"), f.write("other", "x"); }, 0, {}},
      {"a folder again", [](const Files& f) { f.remove("other"), f.put("other/d.json", 4); }, 4, {}},
      {"to itself", [](const Files& f) { f.swap_link("more", "fx/more"); }, 4, "Too many levels of symbolic links"},
      {"through a folder that comes", [](const Files& f) { f.swap_link("../x/y", "fx/more"); }, 4, kMissing},
      {"comes", [](const Files& f) { f.put("x/y/e.json", 2); }, 2, {}}}},
    {"a folder that is away, with a slash at its end",
     {"fx/"},
     [](const Files& f) { f.put("fx/a.json", 1); },
     {{"away", [](const Files& f) { f.remove("fx"); }, 1, kMissing},
      {"back", [](const Files& f) { f.put("fx/a.json", 2); }, 2, {}},
      {"changed", [](const Files& f) { f.put("fx/a.json", 3); }, 3, {}},
      {"a file in its place", [](const Files& f) { f.remove("fx"), f.put("fx", 3); }, 3, "Not a directory"},
      {"and back", [](const Files& f) { f.remove("fx"), f.put("fx/a.json", 4); }, 4, {}}}},
    {"folders above that go and come back",
     {"g/p/fx", "g/p/one.json"},
     [](const Files& f) { f.put("g/p/fx/a.json", 1), f.put("g/p/one.json", 0); },
     {{"renamed", [](const Files& f) { f.move("g", "h"); }, 1, kMissing},
      {"others in their place", [](const Files& f) { f.put("g/p/fx/a.json", 3), f.put("g/p/one.json", 0); }, 3, {}},
      {"nothing of the old ones", [](const Files& f) { f.put("h/p/fx/a.json", 5), f.put("g/p/fx/b.json", 1); }, 4, {}},
      {"removed", [](const Files& f) { f.remove("g"); }, 4, kMissing},
      {"only the first", [](const Files& f) { f.put("g/x", 1), f.put("g/p/one.json", 1); }, 4, "g/p/fx: " + kMissing},
      {"and all", [](const Files& f) { f.put("g/p/fx/a.json", 1); }, 2, {}},
      {"the old ones back", [](const Files& f) { f.remove("g"), f.move("h", "g"); }, 5, {}}}},
    {"a file that is broken and mended",
     {"a.json"},
     [](const Files& f) { f.put("a.json", 1); },
     {{"broken", [](const Files& f) { f.write("a.json", "[{}]"); }, 1, "a.json:1:2: task 1: clusterId is missing"},
      {"otherwise", [](const Files& f) { f.write("a.json", "{"); }, 1, "a.json:1:1: not JSON"},
      {"empty", [](const Files& f) { f.write("a.json", ""); }, 1, "a.json: the file is empty"},
      {"mended", [](const Files& f) { f.put("a.json", 2); }, 2, {}},
      {"a folder in its place", [](const Files& f) { f.remove("a.json"), f.put("a.json/b.json", 3); }, 3, {}}}},
    {"a path with dots, and a file with another name elsewhere",
     {"x/.././fx//../fx/a.json", "fx2"},
     [](const Files& f) {
       f.put("x/y", 1), f.put("fx/a.json", 1), f.put("there/b.json", 0), f.put("fx2/c.json", 0);
       fs::create_hard_link(f.at("there/b.json"), f.at("fx2/b.json"));
     },
     {{"changed", [](const Files& f) { f.replace("fx/a.json", 2); }, 2, {}},
      {"changed under the other name", [](const Files& f) { f.put("there/b.json", 1); }, 3, {}},
      {"the folder of the dots away", [](const Files& f) { f.move("x", "z"); }, 3, kMissing},
      {"and back", [](const Files& f) { f.move("z", "x"), f.put("fx/a.json", 4); }, 5, {}}}},
    {"many files",
     {"fx"},
     [](const Files& f) {
       for (int i = 0; i < 300; ++i) f.put("fx/" + std::to_string(i % 30) + "/" + std::to_string(i) + ".json", i == 0);
     },
     {{"one of them", [](const Files& f) { f.put("fx/29/299.json", 1); }, 2, {}},
      {"all of them",
       [](const Files& f) {
         for (int i = 0; i < 300; ++i) f.put("fx/" + std::to_string(i % 30) + "/" + std::to_string(i) + ".json", 1);
       },
       300,
       {}},
      {"most of them away",
       [](const Files& f) {
         for (int i = 1; i < 30; ++i) f.remove("fx/" + std::to_string(i));
       },
       10,
       {}}}},
};

// The scenarios one after the other, by a server with these flags.
void play_all(const std::vector<std::string>& flags) {
  for (const Scenario& scenario : kScenarios) {
    CAPTURE(scenario.name);
    const Files files;
    scenario.prepare(files);
    std::vector<std::string> paths;
    for (const std::string& path : scenario.fixtures) paths.push_back(files.path().string() + "/" + path);
    const Watching server(paths, {}, flags);
    CHECK(server.tasks() == 1);
    server.await_first_look();
    for (const Step& step : scenario.steps) {
      CAPTURE(step.name);
      step.act(files);
      const bool done = step.problem.empty() ? server.serves(step.tasks) : server.fails(step.problem, step.tasks);
      CAPTURE(server.problem());
      CAPTURE(server.tasks());
      REQUIRE(done);
    }
  }
}

}  // namespace

TEST_CASE("watch: whatever is swapped on the way to the files, the new data are served") { play_all({"--watch"}); }

TEST_CASE("watch: looking at intervals beside inotify disturbs nothing") { play_all({"--watch-poll", "20ms"}); }

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
  int changes = 0;
  CHECK(eventually([&] {
    files.replace("fx/a.json", ++changes % 8 + 1);
    return server.loads() >= 3;
  }));
  CHECK(changes > 20 * server.loads());
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
