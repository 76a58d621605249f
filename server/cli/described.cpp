#include "cli/described.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "cli/client_options.h"
#include "cli/command_texts.h"
#include "cli/option_table.h"

namespace ocp_mock {

CommandHelp described(const CLI::App& app) {
  CommandHelp command{app.get_name(), app.get_description(), app.get_footer(), {}, false, false};
  for (const CLI::Option* option : app.get_options()) {
    const bool is_flag = !option->get_lnames().empty();
    OptionHelp help{is_flag ? "--" + option->get_lnames().front() : option->get_name(true),
                    is_flag && option->get_items_expected_max() > 0 ? option->get_type_name() : "",
                    option->get_description(),
                    {}};
    const auto known = std::ranges::find(option_table(), std::string_view(help.flag), &Option::flag);
    if (known != option_table().end() && known->words != nullptr) help.words = known->words();
    const auto of_client = std::ranges::find(client_option_table(), std::string_view(help.flag), &ClientOption::flag);
    if (of_client != client_option_table().end() && of_client->words != nullptr) help.words = of_client->words();
    if (help.flag == "SHELL") help.words.assign(std::begin(kShells), std::end(kShells));
    if (command.name == kHelpCommand.name && !is_flag) {
      for (const CLI::App* one : app.get_parent()->get_subcommands({})) help.words.push_back(one->get_name());
    }
    command.options.push_back(std::move(help));
  }
  return command;
}

}  // namespace ocp_mock
