#include "store/fixture_files.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <system_error>
#include <utility>

#include "ascii.h"

namespace ocp_mock {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPassedOverShown = 10;

constexpr std::string_view kExtensions[] = {".json", ".ndjson", ".jsonl"};

// What the end of a name says about a file that is none of those above. The first that fits counts.
struct Ending {
  std::string_view text;  // letters of either case
  std::string_view reason;
};
constexpr std::string_view kBackup = "a backup copy";
constexpr std::string_view kCompressed = "compressed";
constexpr std::string_view kUpperCase = "its ending is not in lower case";
constexpr Ending kEndings[] = {
    {"~", kBackup},        {".bak", kBackup},       {".orig", kBackup},     {".old", kBackup},
    {".swp", kBackup},     {".tmp", kBackup},       {"#", kBackup},         {".gz", kCompressed},
    {".bz2", kCompressed}, {".xz", kCompressed},    {".zst", kCompressed},  {".zip", kCompressed},
    {".json", kUpperCase}, {".ndjson", kUpperCase}, {".jsonl", kUpperCase},
};

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), to_lower_ascii);
  return lower;
}

// Why a file of this name is not read; nothing if it is.
std::optional<std::string_view> reason_to_pass_over(std::string_view name) {
  if (name.starts_with('.')) return "hidden";
  const std::string_view extension = name.substr(std::min(name.rfind('.'), name.size()));
  if (std::ranges::find(kExtensions, extension) != std::end(kExtensions)) return std::nullopt;
  const std::string lower = lower_case(name);
  const auto ends_so = [&](const Ending& ending) { return lower.ends_with(ending.text); };
  const auto ending = std::ranges::find_if(kEndings, ends_so);
  return ending == std::end(kEndings) ? "of another name" : ending->reason;
}

std::string cannot_be_read(const fs::path& path, const std::error_code& error) {
  return fmt::format("{}: cannot be read: {}", path.string(), error.message());
}

// Walks through one folder that was named, and all below it.
class Walk {
 public:
  explicit Walk(FixtureFiles& found) : found_(found) {}

  void enter(const fs::path& folder) {
    struct stat status {};
    std::error_code error;
    if (::stat(folder.c_str(), &status) != 0) {
      found_.problems.push_back(cannot_be_read(folder, {errno, std::generic_category()}));
      return;
    }
    const Identity identity{status.st_dev, status.st_ino};
    if (std::ranges::find(above_, identity) != above_.end()) {
      found_.passed_over.push_back({folder, "a link to a folder that it lies in"});
      return;
    }
    found_.folders.push_back(folder);
    above_.push_back(identity);
    auto entry = fs::directory_iterator(folder, error);
    for (; !error && entry != fs::end(entry); entry.increment(error)) look_at(*entry);
    if (error) found_.problems.push_back(cannot_be_read(folder, error));
    above_.pop_back();
  }

 private:
  using Identity = std::pair<dev_t, ino_t>;

  void look_at(const fs::directory_entry& entry) {
    const std::string name = entry.path().filename().string();
    std::error_code ignored;
    const auto type = entry.status(ignored).type();
    const bool is_folder = type == fs::file_type::directory;
    const auto reason = reason_to_pass_over(name);
    if (name.starts_with('.')) {
      if (lower_case(name).find("json") != std::string::npos) found_.passed_over.push_back({entry.path(), *reason});
    } else if (is_folder) {
      enter(entry.path());
    } else if (reason) {
      found_.passed_over.push_back({entry.path(), *reason});
    } else if (type == fs::file_type::fifo || type == fs::file_type::socket || type == fs::file_type::character ||
               type == fs::file_type::block) {
      found_.passed_over.push_back({entry.path(), "no regular file"});
    } else {
      found_.files.push_back(entry.path());  // reading it tells what is wrong with a link that leads nowhere
    }
  }

  FixtureFiles& found_;
  std::vector<Identity> above_;  // the folders that the walk is in
};

}  // namespace

FixtureFiles find_fixture_files(const std::vector<fs::path>& paths) {
  FixtureFiles all;
  for (const fs::path& path : paths) {
    std::error_code ignored;
    if (!fs::is_directory(path, ignored)) {
      all.files.push_back(path);
      continue;
    }
    FixtureFiles found;
    Walk(found).enter(path);
    std::ranges::sort(found.files);
    std::ranges::sort(found.passed_over, {}, &FixtureFiles::PassedOver::path);
    if (found.files.empty() && found.problems.empty()) {
      const std::string passed_over = describe(found.passed_over);
      found.problems.push_back(fmt::format("{}: the folder has no *.json, *.ndjson or *.jsonl file{}{}", path.string(),
                                           passed_over.empty() ? "" : "; ", passed_over));
    }
    std::ranges::move(found.files, std::back_inserter(all.files));
    std::ranges::move(found.folders, std::back_inserter(all.folders));
    std::ranges::move(found.passed_over, std::back_inserter(all.passed_over));
    std::ranges::move(found.problems, std::back_inserter(all.problems));
  }
  return all;
}

std::string describe(const std::vector<FixtureFiles::PassedOver>& passed_over) {
  if (passed_over.empty()) return "";
  std::string text;
  for (std::size_t i = 0; i < passed_over.size() && i < kPassedOverShown; ++i) {
    text +=
        fmt::format("{} {} ({})", i == 0 ? "passed over:" : ",", passed_over[i].path.string(), passed_over[i].reason);
  }
  if (passed_over.size() > kPassedOverShown) text += fmt::format(" and {} more", passed_over.size() - kPassedOverShown);
  return fmt::format("{}; read are files called {}", text, kFixtureNames);
}

}  // namespace ocp_mock
