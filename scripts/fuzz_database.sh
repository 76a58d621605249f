#!/usr/bin/env bash
# Damages files of --db at random and asks each of them, with the sanitizers: scripts/fuzz_database.sh [FILES [FIRST]],
# 2,000 files from seed 1 without. Takes some minutes. See tests/damage_tool.cpp for what must come of it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
case ${1:-} in
  -h | --help) sed -n '2,/^[^#]/s/^# \{0,1\}//p' scripts/fuzz_database.sh && exit ;;
  *[!0-9]*) echo "usage: fuzz_database.sh [FILES [FIRST]]" >&2 && exit 2 ;;
esac

scripts/install_dependencies.sh --tests
scripts/configure.sh asan -DBUILD_TESTING=ON
cmake --build --preset asan --target ocp_mock_damage
build/asan/tests/ocp_mock_damage "$@"
