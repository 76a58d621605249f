// Loads OCP's example in a program of its own, and fails unless that is one task of one cluster.
#include "catalogue/endpoints.h"
#include "embedded/default_fixture.h"
#include "fixtures/forms.h"
#include "store/dataset_builder.h"

int main() {
  const auto builder = ocp_mock::DatasetBuilder::in_memory();
  const auto file = ocp_mock::load_fixture_text("example.json", ocp_mock::embedded::default_fixture, *builder);
  const auto dataset = builder->finish();
  return file.tasks == 1 && dataset->summary(ocp_mock::endpoints().front()).size() == 1 ? 0 : 1;
}
