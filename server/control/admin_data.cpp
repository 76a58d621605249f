#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/nearest.h"
#include "control/admin_call.h"
#include "fixtures/forms.h"
#include "fixtures/resources.h"
#include "json/fields.h"
#include "store/changes.h"

namespace ocp_mock::admin_calls {
namespace {

// The resource and the selector of a change of tasks.
struct Selection {
  JsonValue body;
  const Resource* resource = nullptr;
  const JsonValue* where = nullptr;
  const JsonValue* set = nullptr;
};

void select(const AdminCall& call, Selection& selection, bool with_set) {
  selection.body = call.body();
  JsonFields fields(selection.body);
  const auto name = fields.text("resource");
  const Catalogue& catalogue = call.options.router->catalogue();
  const FixtureResources resources(catalogue);
  selection.resource = name ? catalogue.find_resource(*name) : &resources.default_resource();
  if (selection.resource == nullptr || resources.is_declared(*selection.resource)) {
    std::vector<std::string_view> names;
    for (const Resource& resource : catalogue.resources) {
      if (!resources.is_declared(resource)) names.push_back(resource.name);
    }
    fields.refuse("resource", fmt::format("must be the name of a resource: {}{}", fmt::join(names, ", "),
                                          did_you_mean(*name, names)));
  }
  selection.where = fields.object("where");
  if (with_set) selection.set = fields.object("set");
  fields.refuse_others();
  if (selection.where == nullptr) {
    throw AdminProblem(400, "where is missing; it must be an object of fields and values, {} for all tasks");
  }
  if (with_set && selection.set == nullptr) {
    throw AdminProblem(400, "set is missing; it must be an object of fields and values");
  }
}

http::Response changed(const Changed& changed) { return json_response(JsonObject().add("tasks", changed.rows)); }

}  // namespace

http::Response get_fixtures(const AdminCall& call) { return json_response(export_fixtures(*call.world()->origin())); }

http::Response put_fixtures(const AdminCall& call) {
  return changed(call.world()->change(true, [&](const std::shared_ptr<const Dataset>&) {
    return from_fixtures(*call.options.router, "request body", call.request.body);
  }));
}

http::Response post_fixtures(const AdminCall& call) {
  const auto world = call.world();
  const Instant now = world->clock().now();
  return changed(world->change(false, [&](const std::shared_ptr<const Dataset>& old) {
    return with_fixtures(*call.options.router, old, "request body", call.request.body, now);
  }));
}

http::Response reload_fixtures(const AdminCall& call) {
  const LoadedFixtures loaded = call.options.reload();
  JsonArray files;
  std::int64_t tasks = 0;
  for (const FixtureFile& file : loaded.files) {
    files.add(JsonObject().add("file", file.name).add("form", file.form).add("tasks", file.count()));
    tasks += file.count();
  }
  return json_response(JsonObject().add("files", files).add("notes", JsonArray(loaded.notes)).add("tasks", tasks));
}

http::Response patch_tasks(const AdminCall& call) {
  Selection selection;
  select(call, selection, true);
  return changed(call.world()->change(false, [&](const std::shared_ptr<const Dataset>& old) {
    refuse_misspelt(*old, *selection.resource, *selection.where, selection.set);
    return with_rows_set(old, *selection.resource, *selection.where, *selection.set);
  }));
}

http::Response delete_tasks(const AdminCall& call) {
  Selection selection;
  select(call, selection, false);
  return changed(call.world()->change(false, [&](const std::shared_ptr<const Dataset>& old) {
    refuse_misspelt(*old, *selection.resource, *selection.where, nullptr);
    return without_rows(old, *selection.resource, *selection.where);
  }));
}

}  // namespace ocp_mock::admin_calls
