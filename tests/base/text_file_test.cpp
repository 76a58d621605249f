#include "base/text_file.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <set>
#include <string>

#include "base/temporary_file.h"
#include "temporary_folder.h"

using namespace ocp_mock;
using ocp_mock::test::read_file;
using ocp_mock::test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

constexpr uid_t kOther = 65534;  // a user who is not this one; only root can act for it

bool is_root() { return ::geteuid() == 0; }

// Another user for the time of an action.
void as_other(const std::function<void()>& action) {
  REQUIRE(::seteuid(kOther) == 0);
  const struct Back {
    ~Back() { static_cast<void>(::seteuid(0)); }
  } back;
  action();
}

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename().string());
  return names;
}

std::string mistake_of(const std::function<void()>& action) {
  try {
    action();
    return "none";
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

// A folder in which the other user has a file to write, but may not make, rename or remove any.
struct ClosedFolder {
  ClosedFolder() {
    fs::permissions(folder.path(), fs::perms(0755));
    fs::permissions(file, fs::perms(0666));
  }
  const TemporaryFolder folder;
  const fs::path file = folder.write("port", "an older text");
};

}  // namespace

TEST_CASE("text file: it is written whole in the place of what was there, and removed") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "port";
  write_text_file(file, "the port file", "8080\n");
  CHECK(read_file(file) == "8080\n");
  const fs::path name_of_old = folder.path() / "old";
  fs::create_hard_link(file, name_of_old);
  write_text_file(file, "the port file", "81\n");
  CHECK(read_file(file) == "81\n");
  CHECK(read_file(name_of_old) == "8080\n");
  remove_text_file(file, "the port file");
  CHECK(names_in(folder.path()) == std::set<std::string>{"old"});
  remove_text_file(file, "the port file");
}

TEST_CASE("text file: where the folder cannot be changed the file itself is written, and emptied") {
  if (!is_root()) return;
  const ClosedFolder closed;
  as_other([&] {
    remove_text_file(closed.file, "the port file");
    CHECK(read_file(closed.file).empty());
    write_text_file(closed.file, "the port file", "8080\n");
    CHECK(read_file(closed.file) == "8080\n");
    write_text_file(closed.file, "the port file", "1\n");
    CHECK(read_file(closed.file) == "1\n");
    CHECK(mistake_of([&] { write_text_file(closed.folder.path() / "new", "the port file", "1\n"); }) ==
          "cannot write the port file " + (closed.folder.path() / "new").string() + ": Permission denied; the folder " +
              closed.folder.path().string() + " must be there, and this user must be allowed to write to it");
  });
  CHECK(names_in(closed.folder.path()) == std::set<std::string>{"port"});

  fs::permissions(closed.file, fs::perms(0644));
  as_other([&] {
    CHECK(mistake_of([&] { write_text_file(closed.file, "the port file", "2\n"); }) ==
          "cannot write the port file " + closed.file.string() + ": Permission denied");
    CHECK(mistake_of([&] { remove_text_file(closed.file, "the port file"); }) ==
          "cannot remove the port file " + closed.file.string() + ": Permission denied");
  });
  CHECK(read_file(closed.file) == "1\n");
}

TEST_CASE("text file: where a file can be made but the old one cannot be replaced, the old one is written") {
  if (!is_root()) return;
  const ClosedFolder closed;
  // As /tmp: nobody may rename or remove what is another's. A file that is a mount point is refused likewise.
  fs::permissions(closed.folder.path(), fs::perms(01777));
  as_other([&] {
    write_text_file(closed.file, "the port file", "8080\n");
    CHECK(read_file(closed.file) == "8080\n");
    remove_text_file(closed.file, "the port file");
    CHECK(read_file(closed.file).empty());
  });
  CHECK(names_in(closed.folder.path()) == std::set<std::string>{"port"});
}

TEST_CASE("text file: links of this user are followed, those of another one never") {
  const TemporaryFolder folder;
  const fs::path link = folder.path() / "link";
  fs::create_symlink("port", link);
  write_text_file(link, "the port file", "1\n");
  CHECK(fs::is_symlink(link));
  CHECK(read_file(folder.path() / "port") == "1\n");
  remove_text_file(link, "the port file");
  CHECK(fs::is_symlink(link));
  CHECK_FALSE(fs::exists(folder.path() / "port"));
  // Links that lead to themselves.
  fs::create_symlink("loop", folder.path() / "loop");
  CHECK(mistake_of([&] {
          write_text_file(folder.path() / "loop/port", "the port file", "");
        }).ends_with(": Too many levels of symbolic links"));
  if (!is_root()) return;

  const fs::path victim = folder.write("victim", "precious");
  const fs::path planted = folder.path() / "planted";
  const auto plant = [&] {
    fs::remove(planted);
    fs::create_symlink(victim, planted);
    REQUIRE(::lchown(planted.c_str(), kOther, kOther) == 0);
  };
  plant();
  write_text_file(planted, "the CA file", "PEM");
  CHECK_FALSE(fs::is_symlink(planted));
  CHECK(read_file(planted) == "PEM");
  plant();
  remove_text_file(planted, "the CA file");
  CHECK_FALSE(fs::is_symlink(planted));
  CHECK(read_file(victim) == "precious");

  // A link that can neither be followed nor replaced: the other user is this one's victim here.
  fs::permissions(victim, fs::perms(0666));
  fs::permissions(folder.path(), fs::perms(0755));
  fs::create_symlink(victim, folder.path() / "planted");
  REQUIRE(::lchown(planted.c_str(), kOther - 1, kOther) == 0);
  as_other([&] {
    CHECK(mistake_of([&] { write_text_file(planted, "the CA file", "PEM"); }) ==
          "cannot write the CA file " + planted.string() + ": it is a link that belongs to another user");
    CHECK(mistake_of([&] { remove_text_file(planted, "the CA file"); }) ==
          "cannot remove the CA file " + planted.string() + ": it is a link that belongs to another user");
  });
  CHECK(read_file(victim) == "precious");
}

TEST_CASE("text file: a link of another user on the way to it is not followed") {
  if (!is_root()) return;
  const TemporaryFolder folder;
  folder.write("victim/port", "precious");
  const auto link = [&](const std::string& target, const std::string& name, uid_t owner) {
    fs::create_symlink(target, folder.path() / name);
    REQUIRE(::lchown((folder.path() / name).c_str(), owner, owner) == 0);
  };
  link("victim", "own", 0);
  link("victim", "planted", kOther);
  link("planted/.", "to_planted", 0);
  write_text_file(folder.path() / "own/port", "the port file", "1\n");
  CHECK(read_file(folder.path() / "victim/port") == "1\n");
  for (const std::string name : {"planted/port", "planted/new", "to_planted/port", "own/../planted/port"}) {
    CAPTURE(name);
    const fs::path file = folder.path() / name;
    const std::string why = file.string() + ": " +
                            (folder.path() / (name.starts_with("own") ? "victim/../planted" : "planted")).string() +
                            " is a link that belongs to another user";
    CHECK(mistake_of([&] { write_text_file(file, "the port file", "2\n"); }) == "cannot write the port file " + why);
    CHECK(mistake_of([&] { remove_text_file(file, "the port file"); }) == "cannot remove the port file " + why);
    CHECK(mistake_of([&] { TemporaryFile temporary(file); }).ends_with("is a link that belongs to another user"));
  }
  CHECK(read_file(folder.path() / "victim/port") == "1\n");
  CHECK(names_in(folder.path() / "victim") == std::set<std::string>{"port"});
}

TEST_CASE("text file: what is cleared is what an earlier run has left, and then it can be written") {
  const TemporaryFolder folder;
  const auto clear = [&](const fs::path& file) {
    clear_text_file(file, "the port file", "a port", [](std::string_view text) { return text == "8080\n"; });
  };
  for (const std::string text : {"8080\n", ""}) {
    const fs::path file = folder.write("port", text);
    clear(file);
    CHECK_FALSE(fs::exists(file));
    clear(file);
  }
  const fs::path precious = folder.write("precious", "8080");
  CHECK(mistake_of([&] { clear(precious); }) ==
        "the port file " + precious.string() +
            " exists and does not hold a port; it is left alone, and another one must be named");
  fs::create_symlink("precious", folder.path() / "link");
  CHECK(mistake_of([&] { clear(folder.path() / "link"); }).find("does not hold a port") != std::string::npos);
  CHECK(read_file(precious) == "8080");
  CHECK(mistake_of([&] { clear(folder.path() / "none/port"); }) ==
        "cannot write the port file " + (folder.path() / "none/port").string() +
            ": No such file or directory; the folder " + (folder.path() / "none").string() +
            " must be there, and this user must be allowed to write to it");
  CHECK(names_in(folder.path()) == std::set<std::string>{"link", "precious"});
  if (!is_root()) return;
  const ClosedFolder closed;
  fs::permissions(closed.file, fs::perms(0666));
  as_other([&] {
    CHECK(mistake_of([&] { clear(closed.folder.path() / "new"); }).find(": Permission denied; the folder ") !=
          std::string::npos);
    write_text_file(closed.file, "the port file", "8080\n");
    clear(closed.file);
    CHECK(read_file(closed.file).empty());
  });
}

TEST_CASE("text file: what is no regular file is refused") {
  const TemporaryFolder folder;
  const fs::path pipe = folder.path() / "pipe";
  const fs::path inner = folder.path() / "folder";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  fs::create_directory(inner);
  fs::create_symlink("pipe", folder.path() / "link");
  for (const fs::path& file : {pipe, inner, folder.path() / "link", fs::path("/dev/null")}) {
    const std::string text = "the port file " + file.string() + " is not a regular file; it must be one";
    CHECK(mistake_of([&] { write_text_file(file, "the port file", "1\n"); }) == text);
    CHECK(mistake_of([&] { remove_text_file(file, "the port file"); }) == text);
  }
  CHECK(names_in(folder.path()) == std::set<std::string>{"folder", "link", "pipe"});
}

TEST_CASE("temporary file: what a killed process has left of the same target is removed, and nothing else") {
  const TemporaryFolder folder;
  const std::string left = folder.write("data.db.0123456789abcdef.tmp", "").filename().string();
  const std::set<std::string> others{
      "data.db",  "data.db.0123456789abcdef.tmp.tmp", "data.db.0123456789ABCDEF.tmp", "data.db.0123456789abcde.tmp",
      "data.db2", "other.db.0123456789abcdef.tmp",    "data.dbx0123456789abcdef.tmp"};
  for (const std::string& name : others) folder.write(name, name);
  fs::create_directory(folder.path() / "data.db.0000000000000000.tmp");
  fs::create_symlink("data.db", folder.path() / "data.db.1111111111111111.tmp");
  std::set<std::string> expected = others;
  expected.insert({"data.db.0000000000000000.tmp", "data.db.1111111111111111.tmp"});
  if (is_root()) {
    const fs::path file = folder.write("data.db.2222222222222222.tmp", "");
    REQUIRE(::chown(file.c_str(), kOther, kOther) == 0);
    expected.insert(file.filename().string());
  }
  {
    // One that is being written stays, whoever else writes.
    const TemporaryFile first(folder.path() / "data.db");
    const TemporaryFile second(folder.path() / "data.db");
    CHECK(fs::exists(first.path()));
    CHECK(fs::exists(second.path()));
    CHECK_FALSE(fs::exists(folder.path() / left));
  }
  CHECK(names_in(folder.path()) == expected);
}
