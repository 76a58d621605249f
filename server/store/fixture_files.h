// Which files the paths of fixtures stand for.
// Enters: paths of files and folders. Leaves: the files to read, and what was passed over. Reads no file.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace ocp_mock {

inline constexpr std::string_view kFixtureNames = "*.json, *.ndjson and *.jsonl";

struct FixtureFiles {
  // Something in a folder that is not read, and why: "hidden".
  struct PassedOver {
    std::filesystem::path path;
    std::string_view reason;
  };

  std::vector<std::filesystem::path> files;    // in the order in which they are to be read
  std::vector<std::filesystem::path> folders;  // all whose entries count
  std::vector<PassedOver> passed_over;
  std::vector<std::string> problems;  // "PATH: cannot be read: WHY"
};

// A path that is no folder stands for itself, whatever it is called and whether it is there or not. A folder stands for
// the files of kFixtureNames in it and in the folders below it, in alphabetical order; hidden ones are passed over.
// A link counts as what it leads to, under its own name: a folder that several links lead to is read once for each. A
// link to a folder in which it lies itself is passed over. Of hidden files those are told that have json in their name.
FixtureFiles find_fixture_files(const std::vector<std::filesystem::path>& paths);

// "passed over: a.JSON (...), .b.json (...); read are files called ..."; empty for none.
std::string describe(const std::vector<FixtureFiles::PassedOver>& passed_over);

}  // namespace ocp_mock
