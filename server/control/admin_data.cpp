#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "base/nearest.h"
#include "control/admin_call.h"
#include "fixtures/forms.h"
#include "fixtures/resources.h"
#include "json/fields.h"
#include "store/changes.h"

namespace ocp_mock::admin_calls {
namespace {

// The resource and the selector of a change of rows.
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
    fields.refuse("resource", fmt::format("must be the name of a resource, as GET /__admin/api has it{}",
                                          did_you_mean(*name, names)));
  }
  selection.where = fields.object("where");
  if (with_set) selection.set = fields.object("set");
  fields.refuse_others();
  if (selection.where == nullptr) {
    throw AdminProblem(400, "where is missing; it must be an object of fields and values, {} for all rows");
  }
  if (with_set && selection.set == nullptr) {
    throw AdminProblem(400, "set is missing; it must be an object of fields and values");
  }
}

// Rows of each resource that has any: {"logBackupTasks":2}.
JsonObject resources_json(const std::vector<FixtureFile::Count>& counts) {
  JsonObject resources;
  for (const auto& [resource, rows] : counts) resources.add(resource->name, rows);
  return resources;
}

// An object that tells how many exchanges are replayed, if any are.
JsonObject object_with(std::int64_t exchanges) {
  JsonObject object;
  if (exchanges != 0) object.add("exchanges", exchanges);
  return object;
}

http::Response loaded(const Changed& changed) {
  return json_response(
      object_with(changed.exchanges).add("resources", resources_json(changed.loaded)).add("tasks", changed.rows));
}

// The answer has the count under this key.
http::Response set_rows(const AdminCall& call, std::string_view key) {
  Selection selection;
  select(call, selection, true);
  const Changed changed = call.world()->change(false, [&](const std::shared_ptr<const Dataset>& old) {
    refuse_misspelt(*old, *selection.resource, *selection.where, selection.set);
    return with_rows_set(old, *selection.resource, *selection.where, *selection.set);
  });
  return json_response(JsonObject().add(key, changed.rows));
}

http::Response remove_rows(const AdminCall& call, std::string_view key) {
  Selection selection;
  select(call, selection, false);
  const Changed changed = call.world()->change(false, [&](const std::shared_ptr<const Dataset>& old) {
    refuse_misspelt(*old, *selection.resource, *selection.where, nullptr);
    return without_rows(old, *selection.resource, *selection.where);
  });
  return json_response(JsonObject().add(key, changed.rows));
}

}  // namespace

http::Response get_fixtures(const AdminCall& call) { return json_response(export_fixtures(*call.world()->settled())); }

http::Response put_fixtures(const AdminCall& call) {
  return loaded(call.world()->change(true, [&](const std::shared_ptr<const Dataset>&) {
    return from_fixtures(*call.options.router, "request body", call.request.body);
  }));
}

http::Response post_fixtures(const AdminCall& call) {
  const auto world = call.world();
  const Instant now = world->clock().now();
  return loaded(world->change(false, [&](const std::shared_ptr<const Dataset>& old) {
    return with_fixtures(*call.options.router, old, "request body", call.request.body, now);
  }));
}

http::Response reload_fixtures(const AdminCall& call) {
  const LoadedFixtures loaded = call.options.reload();
  JsonArray files;
  std::vector<FixtureFile::Count> all;
  std::int64_t rows = 0;
  for (const FixtureFile& file : loaded.files) {
    files.add(object_with(file.exchanges)
                  .add("file", file.name)
                  .add("form", file.form)
                  .add("resources", resources_json(file.counts))
                  .add("tasks", file.count()));
    rows += file.count();
    for (const FixtureFile::Count& count : file.counts) {
      const auto found = std::ranges::find(all, count.resource, &FixtureFile::Count::resource);
      if (found == all.end()) {
        all.push_back(count);
      } else {
        found->rows += count.rows;
      }
    }
  }
  return json_response(JsonObject()
                           .add("files", files)
                           .add("notes", JsonArray(loaded.notes))
                           .add("resources", resources_json(all))
                           .add("tasks", rows));
}

http::Response patch_rows(const AdminCall& call) { return set_rows(call, "rows"); }
http::Response delete_rows(const AdminCall& call) { return remove_rows(call, "rows"); }
http::Response patch_tasks(const AdminCall& call) { return set_rows(call, "tasks"); }
http::Response delete_tasks(const AdminCall& call) { return remove_rows(call, "tasks"); }

}  // namespace ocp_mock::admin_calls
