// --watch, with real files: what is done to them step by step, and what is served then.
#include <doctest/doctest.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "app/watching.h"

using namespace ocp_mock::test;

namespace {

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
