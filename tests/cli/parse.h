// Command lines and environments, parsed.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "cli/options.h"

namespace ocp_mock::test {

using Words = std::vector<const char*>;

// Variables are "NAME=value".
inline Command parse(Words arguments, Words variables = {}) {
  arguments.insert(arguments.begin(), "ocp-mock-server");
  variables.push_back(nullptr);
  return parse_options(static_cast<int>(arguments.size()), arguments.data(), variables.data());
}

inline ServeOptions serve(Words arguments, Words variables = {}) {
  return std::get<ServeOptions>(parse(std::move(arguments), std::move(variables)));
}

inline ServeOptions serve_flags(const std::vector<std::string>& flags) {
  Words words;
  for (const std::string& flag : flags) words.push_back(flag.c_str());
  return serve(std::move(words));
}

// The sentence of a mistake.
inline std::string mistake(Words arguments, Words variables = {}) {
  const Command parsed = parse(std::move(arguments), std::move(variables));
  if (!std::holds_alternative<Exit>(parsed)) return "no mistake";
  const auto& [code, out, error] = std::get<Exit>(parsed);
  constexpr std::string_view kBegin = "ocp-mock-server: ";
  constexpr std::string_view kEnd = " (see --help)\n";
  CHECK(code == kUsageExitCode);
  CHECK(out.empty());
  REQUIRE(error.starts_with(kBegin));
  REQUIRE(error.ends_with(kEnd));
  CHECK(error.find('\n') == error.size() - 1);
  return error.substr(kBegin.size(), error.size() - kBegin.size() - kEnd.size());
}

using Paths = std::vector<std::filesystem::path>;

}  // namespace ocp_mock::test
