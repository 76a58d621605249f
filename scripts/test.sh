#!/usr/bin/env bash
# Installs what is missing, builds and runs every test: scripts/test.sh [PRESET], dev without a preset, asan and tsan
# with sanitizers.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset=${1:-dev}

scripts/install_dependencies.sh --tests
cmake --preset "$preset" -DBUILD_TESTING=ON
cmake --build --preset "$preset"
ctest --preset "$preset"
