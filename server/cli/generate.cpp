#include "cli/generate.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "base/temporary_file.h"
#include "base/utf8.h"
#include "cli/given_options.h"

namespace ocp_mock {
namespace {

template <typename Number>
Number number(std::string_view flag, const std::string& text, Number least, Number most) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc{} && stop == end && value >= least && value <= most) return value;
  throw OptionMistake(fmt::format("{} is '{}'; it must be a number from {} to {}", flag, printable(text), least, most));
}

Instant time(std::string_view flag, const std::string& text) {
  if (const auto instant = parse_rfc3339(text)) return *instant;
  throw OptionMistake(
      fmt::format("{} is '{}'; it must be a time such as 2024-08-09T16:06:02+08:00", flag, printable(text)));
}

}  // namespace

void add_options(CLI::App& app, GenerateWords& words) {
  const auto add = [&](const char* flag, std::string& word, const char* type, const char* help) {
    app.add_option(flag, word, help)->type_name(type)->capture_default_str();
  };
  add("--clusters", words.clusters, "N", "Clusters, of three zones with a server each");
  add("--tenants", words.tenants, "N", "Tenants of each cluster, beside sys");
  add("--tasks", words.tasks, "N", "Log backup tasks in all, spread evenly over the tenants");
  add("--from", words.from, "TIME", "When the first tasks begin");
  add("--to", words.to, "TIME", "Until when the newest tasks have run");
  add("--seed", words.seed, "N", "Another number gives other names, times and statuses");
  app.add_option("--out", words.out, "The file, which is replaced. Default: standard output")->type_name("FILE");
}

GenerateOptions checked(const GenerateWords& words) {
  GenerateOptions options;
  GeneratedSize& size = options.size;
  size.clusters = number<std::int64_t>("--clusters", words.clusters, 1, GeneratedSize::kMostClusters);
  size.tenants = number<std::int64_t>("--tenants", words.tenants, 0, GeneratedSize::kMostTenants);
  size.tasks = number<std::int64_t>("--tasks", words.tasks, 0, GeneratedSize::kMostTasks);
  size.seed = number<std::uint64_t>("--seed", words.seed, 0, std::numeric_limits<std::uint64_t>::max());
  size.from = time("--from", words.from);
  size.to = time("--to", words.to);
  if (size.from > size.to) throw OptionMistake(fmt::format("--from {} is after --to {}", words.from, words.to));
  if (size.tasks > 0 && size.tenants == 0) {
    throw OptionMistake("with --tenants 0 there is nobody to have tasks; give --tasks 0 too");
  }
  if (!words.out.empty()) options.out = words.out;
  return options;
}

int run_generate(const GenerateOptions& options) {
  if (options.out) {
    std::optional<TemporaryFile> file;
    try {
      file.emplace(*options.out);
    } catch (const std::exception& error) {
      throw OptionMistake(fmt::format("cannot write {}: {}", options.out->string(), error.what()));
    }
    try {
      generate_fixtures(options.size, [&](std::string_view text) { file->write(text); });
      file->commit();
    } catch (const std::system_error& error) {
      throw std::runtime_error(fmt::format("cannot write {}: {}", options.out->string(), error.code().message()));
    }
    return 0;
  }
  const auto fail_if = [](bool failed) {
    if (failed) {
      throw std::runtime_error(
          fmt::format("cannot write to standard output: {}", std::generic_category().message(errno)));
    }
  };
  generate_fixtures(options.size, [&](std::string_view text) {
    fail_if(std::fwrite(text.data(), 1, text.size(), stdout) != text.size());
  });
  fail_if(std::fflush(stdout) != 0);
  return 0;
}

}  // namespace ocp_mock
