// New datasets from old ones.
// Input: a dataset and what a test wants changed. Output: another dataset, or an error and nothing.
// The old dataset stays as it is, and so do its readers. New ones live in memory, wherever the old one lives.
//
// A dataset with timelines is changed as it is before any of their points: where compares with the fields that the
// fixtures have, whatever the clock says.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalogue/router.h"
#include "fixtures/forms.h"
#include "json/reader.h"
#include "ocp/instant.h"
#include "store/dataset.h"

namespace ocp_mock {

struct Changed {
  std::int64_t rows = 0;                        // how many were added, set or removed
  std::shared_ptr<const Dataset> dataset;       // the old one where nothing differs from it
  std::vector<FixtureFile::Count> loaded = {};  // of a load: the rows that were added, by resource
  std::int64_t exchanges = 0;                   // of a load: how many were added
};

// A fixture set with all rows, in the order of the fixtures, with their timelines. It loads back to the same answers,
// byte for byte and with the same order of ties, and to the same labels of parents. The envelope of a captured answer,
// which --frozen needs, is not in it: no fixture set has one.
std::string export_fixtures(const Dataset& dataset);

// The same dataset and the fixtures of a text in any of the forms that files have, appended. Throws FixtureError in
// which the text is called name. With an instant the timelines of the new rows count from then, where they have no
// $since of their own.
Changed with_fixtures(const Router& router, const std::shared_ptr<const Dataset>& old, std::string_view name,
                      std::string_view text, std::optional<Instant> since = {});

// A dataset of the text alone. Throws FixtureError.
Changed from_fixtures(const Router& router, std::string_view name, std::string_view text);

// Throws FixtureError for what was probably not meant, and what a count of no rows would hide: a where that can pick no
// row of any dataset, by a value of another type or a null that its field never has; and in both a field or a word of
// an enumeration that neither the catalogue nor any row of the dataset knows. Reads all rows for each such word. set
// may be null; both must be objects.
void refuse_misspelt(const Dataset& dataset, const Resource& resource, const JsonValue& where, const JsonValue* set);

// Sets fields of every row that where picks; they keep their entries in the order. Both are JSON objects. where picks a
// row if each of its members is the same in the row, null being the same as absent; {} picks all. Times are the same if
// they are the same instant, all else as same_json has it. A member of set replaces the row's, a null removes it;
// values that are no null keep their bytes. A field that a timeline drives is set for good: the timeline drives its
// other fields only. "$timeline" and "$since" may be set too and replace the row's; they begin to drive what else set
// has. Throws FixtureError if set breaks a rule of fixtures, also if no row is picked.
Changed with_rows_set(const std::shared_ptr<const Dataset>& old, const Resource& resource, const JsonValue& where,
                      const JsonValue& set);

// Without the rows that where picks, by the same rules. Parents stay known, with their labels.
Changed without_rows(const std::shared_ptr<const Dataset>& old, const Resource& resource, const JsonValue& where);

}  // namespace ocp_mock
