#!/usr/bin/env bash
# Damages files of --db at random and asks each of them, with the sanitizers: scripts/fuzz_database.sh [FILES [FIRST]],
# 2,000 files from seed 1 without. Takes some minutes. See tests/damage_tool.cpp for what must come of it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/install_dependencies.sh --tests
cmake --preset asan -DBUILD_TESTING=ON
cmake --build --preset asan --target ocp_mock_damage
build/asan/tests/ocp_mock_damage "$@"
